//! Markup: shapes over pictures. What is drawn is a layer that can be edited again; what is redacted or cropped is gone.

mod crop;
mod parse;
mod say;
mod shape;
mod svg;

use std::collections::HashMap;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe};

pub use crop::{Cut, Size};
pub use parse::{Sent, drawing};
pub(crate) use parse::{stored, to_json};
pub use shape::{Area, Color, Dab, Pen, Point, Shape};
pub use svg::{FONT, svg};

use crate::clock::Clock;
use crate::db::{self, Tx};
use crate::error::{Error, Result};
use crate::media::{self, Media};
use crate::people::Viewer;
use crate::updates::{self, Content};
use crate::{events, jobs};

/// The layer of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Markup {
    /// Raised by each saving; 0 where there was none.
    pub revision: i64,
    /// In the order they are drawn.
    pub shapes: Vec<Shape>,
}

/// The layer of media that the viewer may see.
pub async fn find(connection: &mut AnyConnection, viewer: &Viewer, media_id: &str) -> Result<Markup> {
    let (media, ..) = media::find(connection, viewer, media_id).await?;
    of(connection, &media).await
}

async fn of(connection: &mut AnyConnection, media: &Media) -> Result<Markup> {
    let text: Option<String> =
        sqlx::query_scalar("SELECT shapes FROM markups WHERE media_id = $1").bind(&media.id).fetch_optional(connection).await?;
    Ok(Markup { revision: media.markup_revision, shapes: text.as_deref().map(stored).transpose()?.unwrap_or_default() })
}

/// The shapes of all of this media that has some, by its id.
pub async fn layers(connection: &mut AnyConnection, media: &[&str]) -> Result<HashMap<String, Vec<Shape>>> {
    if media.is_empty() {
        return Ok(HashMap::new());
    }
    let text = format!("SELECT media_id, shapes FROM markups WHERE media_id IN ({})", db::in_list(1, media.len()));
    let mut query = sqlx::query_as(AssertSqlSafe(text));
    for id in media {
        query = query.bind(*id);
    }
    let rows: Vec<(String, String)> = query.fetch_all(connection).await?;
    rows.into_iter().map(|(id, shapes)| Ok((id, stored(&shapes)?))).collect()
}

/// Saves what was drawn on the revision it was drawn on; said again, it is done already. `material` is what an edit has: those who answered
/// are asked again, with what changed.
pub async fn put(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    (revision, sent): (i64, &Sent),
    material: Option<Option<String>>,
) -> Result<()> {
    let person = viewer.person()?;
    let (media, renditions, update) = media::hold(tx, viewer, id).await?;
    must_be_markable(&media, renditions.iter().any(|rendition| rendition.content_type == "image/gif"))?;
    let before = of(tx, &media).await?;
    if before.shapes == sent.shapes {
        return Ok(());
    }
    if before.revision != revision {
        return Err(Error::Conflict(format!(
            "This picture was marked elsewhere meanwhile: it is at revision {} now. What you drew is still here; load the other version, or save again over it.",
            before.revision
        )));
    }
    write(tx, id, revision + 1, &sent.shapes, &digest(revision, sent)?).await?;
    jobs::enqueue(tx, clock, "mark", &json!({ "media": id, "generation": media.generation, "revision": revision + 1 })).await?;
    if material.is_some() {
        updates::edit(tx, clock, viewer, &update.id, &Content { material, ..Content::default() }).await?;
    }
    events::record(tx, clock, "media", &update.id, id, &person.id).await
}

async fn write(tx: &mut Tx, id: &str, revision: i64, shapes: &[Shape], asked: &str) -> Result<()> {
    sqlx::query("UPDATE media SET markup_revision = $1, marks = $2 WHERE id = $3")
        .bind(revision)
        .bind(i64::try_from(shapes.len()).unwrap_or(i64::MAX))
        .bind(id)
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "INSERT INTO markups (media_id, shapes, asked) VALUES ($1, $2, $3)
         ON CONFLICT (media_id) DO UPDATE SET shapes = excluded.shapes, asked = excluded.asked",
    )
    .bind(id)
    .bind(to_json(shapes)?)
    .bind(asked)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Tells two wishes apart.
fn digest(revision: i64, sent: &Sent) -> Result<String> {
    let wish = json!([revision, to_json(&sent.shapes)?, sent.redactions, sent.crop]);
    Ok(data_encoding::HEXLOWER.encode(&Sha256::digest(wish.to_string())))
}

/// Only a picture of an update that is all there can be marked.
fn must_be_markable(media: &Media, moves: bool) -> Result<()> {
    let why = match (media.kind.as_str(), media.state.as_str()) {
        _ if media.comment_id.is_some() => {
            return Err(Error::Forbidden("A picture in a comment stays as it was sent. Draw on the picture before it is sent.".into()));
        }
        ("video", _) => "This is a video. Take a picture of the moment you mean, and mark that.",
        (_, "uploading") => "It is still arriving. Mark it when all of it is here.",
        (_, "processing") => "It is just being worked on. Try again in a moment.",
        (_, "failed") => "It could not be read, so it cannot be marked.",
        _ if moves => "This is a GIF, and those may move. Upload it as PNG to mark it.",
        _ => return Ok(()),
    };
    Err(Error::Conflict(why.into()))
}
