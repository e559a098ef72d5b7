//! Draws markup into a copy of the picture, for thumbnails, emails, link previews and downloads.
//! Runs as a job.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use tokio::sync::watch;

use super::{Shape, parse_stored, render};
use crate::error::Result;
use crate::events::EventKind;
use crate::infra::images;
use crate::infra::images::{EncodedPicture, Picture};
use crate::infra::jobs::{Job, Outcome};
use crate::media::{self, MediaContext, Object, RenditionName};
use crate::{events, updates};

/// Draws the markup and attaches the result to the picture. Does nothing if the picture or the markup has changed.
#[derive(Debug, Serialize, Deserialize)]
pub struct FlattenMarkup {
    /// The picture.
    pub media: String,
    /// The generation of the picture's bytes. It changes when the bytes are replaced.
    pub generation: i64,
    /// The revision of the markup.
    pub revision: i64,
}

impl Job for FlattenMarkup {
    const KIND: &'static str = "mark";
    type Context = MediaContext;

    async fn run(self, ctx: &MediaContext, _stop: &watch::Receiver<bool>) -> Result<Outcome> {
        if let Some(flattened) = self.flatten(ctx).await? {
            flattened.commit(ctx).await?;
        }
        Ok(Outcome::Done)
    }
}

/// The picture and the shapes to draw.
#[derive(Debug, FromRow)]
struct Source {
    update_id: String,
    width: i64,
    height: i64,
    key: String,
    shapes: String,
}

/// A copy of a picture with its markup drawn into it. The copy is stored but not yet attached to
/// the media.
#[derive(Debug)]
pub struct FlattenedPicture {
    task: FlattenMarkup,
    update_id: String,
    objects: Vec<Object>,
}

impl FlattenMarkup {
    /// Draws the markup and stores the result. Returns `None` if the picture or the markup has
    /// changed.
    pub async fn flatten(self, ctx: &MediaContext) -> Result<Option<FlattenedPicture>> {
        let Some(source) = load_source(ctx, &self).await? else {
            return Ok(None);
        };
        let drawn = match render_layer(ctx, &source).await {
            Ok(drawn) => drawn,
            // The picture or its markup has changed in the meantime, so this job has nothing left
            // to do.
            Err(_) if load_source(ctx, &self).await?.is_none() => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut objects = Vec::new();
        for (name, rendered) in drawn {
            let Some(key) =
                media::new_pending_key_for(&ctx.db, &ctx.clock, &self.media, self.generation)
                    .await?
            else {
                return Ok(None);
            };
            objects.push(media::store_picture(&ctx.storage, name, key, rendered).await?);
        }
        Ok(Some(FlattenedPicture {
            task: self,
            update_id: source.update_id,
            objects,
        }))
    }
}

async fn load_source(ctx: &MediaContext, task: &FlattenMarkup) -> Result<Option<Source>> {
    let found = sqlx::query_as(
        "SELECT m.update_id, m.width, m.height, r.key, k.shapes FROM media m JOIN markups k ON k.media_id = m.id
         JOIN renditions r ON r.media_id = m.id AND r.name = 'original'
         WHERE m.id = $1 AND m.generation = $2 AND m.markup_revision = $3 AND m.width IS NOT NULL
         AND m.height IS NOT NULL",
    );
    let found = found
        .bind(&task.media)
        .bind(task.generation)
        .bind(task.revision);
    Ok(found.fetch_optional(&mut *ctx.db.read().await?).await?)
}

/// Renders the picture with its markup, and a thumbnail of the result. If there are no shapes,
/// renders only the thumbnail.
async fn render_layer(
    ctx: &MediaContext,
    source: &Source,
) -> Result<Vec<(RenditionName, EncodedPicture)>> {
    let shapes: Vec<Shape> = parse_stored(&source.shapes)?;
    let (bytes, font) = (
        media::read_all(&ctx.storage, &source.key).await?,
        ctx.font.clone(),
    );
    let (width, height) = (source.width, source.height);
    images::run_blocking(move || {
        let mut picture = Picture::read(&bytes)?;
        drop(bytes);
        if shapes.is_empty() {
            return Ok(vec![(RenditionName::Thumbnail, picture.thumbnail()?)]);
        }
        picture.draw(&render(&shapes, width, height)?, &font)?;
        let (marked, thumbnail) = picture.encode()?.into_parts();
        Ok(vec![
            (RenditionName::Marked, marked),
            (RenditionName::Thumbnail, thumbnail),
        ])
    })
    .await
}

impl FlattenedPicture {
    /// Attaches the objects to the media, or deletes them if the picture or the markup has changed.
    pub async fn commit(self, ctx: &MediaContext) -> Result<()> {
        let Self {
            task,
            update_id,
            objects,
        } = self;
        let mut tx = ctx.db.begin().await?;
        let current = sqlx::query(
            "UPDATE media SET marks = marks WHERE id = $1 AND generation = $2 AND markup_revision = $3")
            .bind(&task.media)
            .bind(task.generation)
            .bind(task.revision)
            .execute(&mut *tx)
            .await?;
        if current.rows_affected() == 0 {
            let keys: Vec<String> = objects.into_iter().map(|object| object.key).collect();
            // Also enqueue a job that deletes the objects, in case this process stops now or the storage is
            // unavailable.
            updates::enqueue_purge(&mut tx, &ctx.clock, &keys).await?;
            tx.commit().await?;
            return ctx.storage.delete_all(&keys).await;
        }
        let old: Vec<(RenditionName, String)> =
            sqlx::query_as(
                "DELETE FROM renditions WHERE media_id = $1 AND name IN ('marked', 'thumbnail') RETURNING name, key")
                .bind(&task.media)
                .fetch_all(&mut *tx)
                .await?;
        for object in &objects {
            media::put_rendition(&mut tx, &task.media, object).await?;
        }
        media::retire_objects(&mut tx, &ctx.clock, &task.media, &old).await?;
        events::record(
            &mut tx,
            &ctx.clock,
            EventKind::Media,
            &update_id,
            &task.media,
            "",
        )
        .await?;
        tx.commit().await
    }
}
