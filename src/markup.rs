//! Markup of pictures. The shapes form an editable layer over the picture. Redactions and crops
//! remove content permanently.

mod crop_anchors;
mod crop_limit;
mod crop_shapes;
mod describe;
mod markable;
mod marked_renditions;
mod material_changes;
mod parse;
mod redact;
mod region;
mod shape;
mod svg;

use std::collections::HashMap;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe};

use crop_limit::check_crop_size;
pub use crop_shapes::{Crop, Size};
use markable::check_markable;
pub use marked_renditions::{FlattenMarkup, FlattenedPicture};
use material_changes::material_change;
pub(crate) use parse::parse_stored;
use parse::to_json;
pub use parse::{MarkupInput, parse_drawing};
pub use redact::{RedactPicture, finish_redaction};
pub use region::Region;
pub use shape::{Area, Color, Pen, Point, Shape, StrokePoint};
pub use svg::{FONT_FAMILY, render};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::infra::db;
use crate::infra::db::Tx;
use crate::infra::jobs;
use crate::media::{self, Media};
use crate::people::Viewer;
use crate::updates::{self, Content};

/// The shapes that are drawn over a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Markup {
    /// Incremented each time the markup is saved; 0 if it was never saved.
    pub revision: i64,
    /// The shapes, from back to front.
    pub shapes: Vec<Shape>,
}

/// Returns the markup of media that the viewer may see.
pub async fn find(
    connection: &mut AnyConnection,
    viewer: &Viewer,
    media_id: &str,
) -> Result<Markup> {
    let (media, ..) = media::find(connection, viewer, media_id).await?;
    load(connection, &media).await
}

async fn load(connection: &mut AnyConnection, media: &Media) -> Result<Markup> {
    let text: Option<String> = sqlx::query_scalar("SELECT shapes FROM markups WHERE media_id = $1")
        .bind(&media.id)
        .fetch_optional(connection)
        .await?;
    Ok(Markup {
        revision: media.markup_revision,
        shapes: text
            .as_deref()
            .map(parse_stored)
            .transpose()?
            .unwrap_or_default(),
    })
}

/// Returns the shapes of several pictures, by media id. Pictures that have no markup are left out.
pub async fn shapes_by_media(
    connection: &mut AnyConnection,
    media: &[&str],
) -> Result<HashMap<String, Vec<Shape>>> {
    if media.is_empty() {
        return Ok(HashMap::new());
    }
    let text = format!(
        "SELECT media_id, shapes FROM markups WHERE media_id IN ({})",
        db::placeholders(1, media.len())
    );
    let mut query = sqlx::query_as(AssertSqlSafe(text));
    for id in media {
        query = query.bind(*id);
    }
    let rows: Vec<(String, String)> = query.fetch_all(connection).await?;
    rows.into_iter()
        .map(|(id, shapes)| Ok((id, parse_stored(&shapes)?)))
        .collect()
}

/// The result of [`put`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// The markup is saved.
    Done,
    /// The picture is hidden until [`finish_redaction`] has deleted the removed content.
    Hidden,
}

/// Saves markup that was edited on the basis of the given revision. Fails if the markup has been saved again since that
/// revision. Repeating a request has no effect. If `material` is set, people who have answered must answer again. They
/// see the change note in `material`, if there is one. Redacting or cropping a published picture is always material.
pub async fn put(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    (revision, input): (i64, &MarkupInput),
    material: Option<Option<String>>,
) -> Result<PutOutcome> {
    let person = viewer.person()?;
    let (media, renditions, update) = media::lock_for_update(tx, viewer, id).await?;
    let digest = request_digest(revision, input)?;
    if redact::pending_request(tx, id).await?.as_ref() == Some(&digest) {
        return Ok(PutOutcome::Hidden);
    }
    check_markable(
        &media,
        renditions
            .iter()
            .any(|rendition| rendition.content_type == "image/gif"),
    )?;
    if is_repeat(tx, &media, input, &digest).await? {
        return Ok(PutOutcome::Done);
    }
    check_revision(&media, revision)?;
    check_crop_size(&media, input)?;
    let material = material_change(input, update.published_at.is_some(), material);
    let saved = if input.is_destructive() {
        redact::begin(tx, clock, person, &media, input, &digest).await?;
        PutOutcome::Hidden
    } else {
        write_layer(
            tx,
            clock,
            (&update.id, id, media.generation),
            revision + 1,
            &input.shapes,
            &digest,
        )
        .await?;
        PutOutcome::Done
    };
    if material.is_some() {
        let content = Content {
            material,
            ..Content::default()
        };
        updates::edit(tx, clock, viewer, &update.id, &content).await?;
    }
    events::record(tx, clock, EventKind::Media, &update.id, id, &person.id).await?;
    Ok(saved)
}

/// Fails if the markup has been saved again since `revision`.
fn check_revision(media: &Media, revision: i64) -> Result<()> {
    if media.markup_revision == revision {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "The markup of this picture was changed elsewhere and is now at revision {}. \
         Your drawing is still here. Load the other version, or save again to replace it.",
        media.markup_revision
    )))
}

/// Whether the request repeats the last one. A request without redactions or a crop is a repetition
/// if its shapes are already saved.
async fn is_repeat(tx: &mut Tx, media: &Media, input: &MarkupInput, digest: &str) -> Result<bool> {
    if !input.is_destructive() {
        return Ok(load(tx, media).await?.shapes == input.shapes);
    }
    let last: Option<String> = sqlx::query_scalar("SELECT asked FROM markups WHERE media_id = $1")
        .bind(&media.id)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(last.as_deref() == Some(digest))
}

/// Saves the shapes, and enqueues the jobs that draw and index them.
async fn write_layer(
    tx: &mut Tx,
    clock: &Clock,
    (update_id, id, generation): (&str, &str, i64),
    revision: i64,
    shapes: &[Shape],
    digest: &str,
) -> Result<()> {
    let before: i64 = sqlx::query_scalar("SELECT marks FROM media WHERE id = $1")
        .bind(id)
        .fetch_one(&mut **tx)
        .await?;
    sqlx::query("UPDATE media SET markup_revision = $1, marks = $2 WHERE id = $3")
        .bind(revision)
        .bind(i64::try_from(shapes.len()).unwrap_or(i64::MAX))
        .bind(id)
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "INSERT INTO markups (media_id, shapes, texts, asked) VALUES ($1, $2, $3, $4)
         ON CONFLICT (media_id) DO UPDATE SET shapes = excluded.shapes, texts = excluded.texts, asked = excluded.asked",
    )
    .bind(id)
    .bind(to_json(shapes)?)
    .bind(search_text(shapes))
    .bind(digest)
    .execute(&mut **tx)
    .await?;
    updates::enqueue_index(tx, clock, update_id, id).await?;
    if before == 0 && shapes.is_empty() {
        return Ok(());
    }
    let job = FlattenMarkup {
        media: id.into(),
        generation,
        revision,
    };
    jobs::enqueue(tx, clock, &job).await
}

/// Returns the text of the shapes, for the search index.
fn search_text(shapes: &[Shape]) -> String {
    shapes
        .iter()
        .filter_map(Shape::text)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns a comment's drawing in its stored form: the shapes as JSON, and their text. Returns
/// `None` if there are no shapes.
pub(crate) fn stored_drawing(shapes: &[Shape]) -> Result<Option<(String, String)>> {
    if shapes.is_empty() {
        Ok(None)
    } else {
        Ok(Some((to_json(shapes)?, search_text(shapes))))
    }
}

/// Returns a digest of a request, which is used to detect a repeated request.
fn request_digest(revision: i64, input: &MarkupInput) -> Result<String> {
    let request = json!([
        revision,
        to_json(&input.shapes)?,
        input.redactions,
        input.crop
    ]);
    Ok(data_encoding::HEXLOWER.encode(&Sha256::digest(request.to_string())))
}
