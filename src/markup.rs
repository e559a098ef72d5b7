//! Markup of pictures. The shapes form an editable layer over the picture. Redactions and crops
//! remove content permanently.

mod crop;
mod describe;
mod flatten;
mod parse;
mod redact;
mod region;
mod shape;
mod svg;

use std::collections::HashMap;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

pub use crop::{Crop, Size};
pub use flatten::{FlattenMarkup, FlattenedPicture};
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
use crate::media::{MediaKind, MediaState};
use crate::people::Viewer;
use crate::updates::{self, Content};

/// Default change notes. They are shown to people who have already answered the update.
const REDACTED_TEXT: &str = "Part of a picture was made unreadable.";
const CROPPED_TEXT: &str = "A picture was cropped.";
/// Minimum length of a side after a crop, in pixels. A side that is already shorter cannot be
/// cropped.
const MIN_CROP_SIDE: f64 = 16.0;

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

/// Returns the shapes of several pictures by media id. Contains only pictures that have markup.
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

/// Saves markup whose editing started from the given revision. Fails if the markup has been saved
/// again since then. Repeating a request has no effect. If `material` is set, the edit is material:
/// people who have answered must answer again, and see the change note in `material`. Redacting or
/// cropping a published picture is always material.
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
    if media.markup_revision != revision {
        return Err(Error::Conflict(format!(
            "The markup of this picture was changed elsewhere and is now at revision {}. Your drawing is still here. Load the other version, or save again to replace it.",
            media.markup_revision
        )));
    }
    check_crop_size(&media, input)?;
    let material = if input.is_destructive() && update.published_at.is_some() {
        Some(material.flatten().or_else(|| {
            Some(
                if input.redactions.is_empty() {
                    CROPPED_TEXT
                } else {
                    REDACTED_TEXT
                }
                .to_owned(),
            )
        }))
    } else {
        material
    };
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
        updates::edit(
            tx,
            clock,
            viewer,
            &update.id,
            &Content {
                material,
                ..Content::default()
            },
        )
        .await?;
    }
    events::record(tx, clock, EventKind::Media, &update.id, id, &person.id).await?;
    Ok(saved)
}

/// Whether an identical request was already saved.
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

/// The region and the drawing of a comment on a picture, in their stored form.
#[derive(Debug, FromRow)]
struct CommentAnchor {
    id: String,
    region: Option<String>,
    drawing: Option<String>,
}

/// Adjusts the anchors of comments after a crop. Comments on removed parts keep their text and lose
/// their anchor.
async fn move_anchors(
    tx: &mut Tx,
    clock: &Clock,
    update_id: &str,
    media_id: &str,
    cut: &Crop,
) -> Result<()> {
    let anchors: Vec<CommentAnchor> =
        sqlx::query_as("SELECT id, region, drawing FROM comments WHERE media_id = $1 AND (region IS NOT NULL OR drawing IS NOT NULL)")
            .bind(media_id)
            .fetch_all(&mut **tx)
            .await?;
    for anchor in anchors {
        let region: Option<serde_json::Value> = anchor
            .region
            .as_deref()
            .map(serde_json::from_str)
            .transpose()
            .map_err(Error::internal)?;
        let region = region
            .and_then(|region| Region::parse(&region).ok())
            .and_then(|region| cut.crop_area(&region.into()))
            .map(Region::from);
        let drawing = cut.crop_shapes(
            &anchor
                .drawing
                .as_deref()
                .map(parse_stored)
                .transpose()?
                .unwrap_or_default(),
        );
        let drawn = stored_drawing(&drawing)?;
        sqlx::query("UPDATE comments SET media_id = $1, region = $2, drawing = $3, drawn = $4 WHERE id = $5")
            .bind((region.is_some() || drawn.is_some()).then_some(media_id))
            .bind(region.map(Region::to_json))
            .bind(drawn.as_ref().map(|(drawing, _)| drawing))
            .bind(drawn.as_ref().map(|(_, texts)| texts))
            .bind(&anchor.id)
            .execute(&mut **tx)
            .await?;
        updates::enqueue_index(tx, clock, update_id, &anchor.id).await?;
    }
    Ok(())
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

/// Rejects a crop that leaves almost nothing of the picture. Such a crop is probably a mistake, and
/// it cannot be undone.
fn check_crop_size(media: &Media, input: &MarkupInput) -> Result<()> {
    let (Some(crop), Some(width), Some(height)) = (&input.crop, media.width, media.height) else {
        return Ok(());
    };
    #[allow(
        clippy::cast_precision_loss,
        reason = "a side has at most 32,767 pixels"
    )]
    let too_small =
        |share: f64, side: i64| share * (side as f64) < (side as f64).min(MIN_CROP_SIDE);
    if too_small(crop.w, width) || too_small(crop.h, height) {
        return Err(Error::invalid(
            "crop",
            format!(
                "must leave at least {MIN_CROP_SIDE} pixels of the width and of the height. Everything outside the crop is deleted permanently."
            ),
        ));
    }
    Ok(())
}

/// Fails unless the media is a picture of an update and is completely uploaded.
fn check_markable(media: &Media, is_gif: bool) -> Result<()> {
    let message = match (media.kind, media.state) {
        _ if media.comment_id.is_some() => {
            return Err(Error::Forbidden("A picture in a comment cannot be changed after it is sent. Draw on the picture before you send the comment.".into()));
        }
        // During the upload it is not known yet whether the file is a picture.
        (_, MediaState::Uploading) => {
            "This file is still being uploaded. Draw on it once the upload is complete."
        }
        (MediaKind::Video, _) => {
            "This is a video. To draw on a frame, save that frame as a picture and draw on the picture."
        }
        (MediaKind::Image, MediaState::Processing) => {
            "This picture is still being processed. Try again in a moment."
        }
        (MediaKind::Image, MediaState::Failed) => {
            "This picture could not be read, so you cannot draw on it."
        }
        (MediaKind::Image, MediaState::Ready) if is_gif => {
            "This picture is a GIF, which may be animated. To draw on it, upload it as a PNG."
        }
        (MediaKind::Image, MediaState::Ready) => return Ok(()),
    };
    Err(Error::Conflict(message.into()))
}
