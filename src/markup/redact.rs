//! Redacts and crops pictures. All stored data with the removed content is deleted before the
//! picture is shown again.
//!
//! One transaction hides the picture, revokes its URLs and records the request. The remaining steps
//! create a redacted copy, record the copy, delete all old objects and show the copy. After a
//! crash, another request or a job can resume these steps.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::FromRow;
use tokio::sync::watch;

use super::{Area, Crop, MarkupInput, Size, move_anchors, parse_stored, to_json, write_layer};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events::EventKind;
use crate::infra::db::Tx;
use crate::infra::images;
use crate::infra::images::{EncodedPicture, Picture, PixelRect};
use crate::infra::jobs::{self, Job, Lane, Outcome, Retry};
use crate::media::{self, Media, MediaContext, Object};
use crate::people::Person;
use crate::{events, updates, uploads};

/// Shown instead of the picture while a redaction is in progress.
const IN_PROGRESS_TEXT: &str = "Part of this picture is being deleted permanently. The picture will be shown again when that is done.";
/// How long the job waits before it completes a redaction that the request has not completed, in
/// milliseconds.
const JOB_DELAY: i64 = 60_000;

/// Completes a redaction that its request did not complete.
#[derive(Debug, Serialize, Deserialize)]
pub struct RedactPicture {
    /// The hidden picture.
    pub media: String,
}

impl RedactPicture {
    fn of(media_id: &str) -> Self {
        Self {
            media: media_id.to_owned(),
        }
    }
}

impl Job for RedactPicture {
    const KIND: &'static str = "burn";
    const LANE: Lane = Lane::Deletion;
    const RETRY: Retry = Retry::Forever;
    type Context = MediaContext;

    async fn run(self, ctx: &MediaContext, _stop: &watch::Receiver<bool>) -> Result<Outcome> {
        run_steps(ctx, &self.media).await?;
        ctx.db.truncate_wal().await?;
        Ok(Outcome::Done)
    }
}

/// A recorded redaction, which is not completed yet.
#[derive(Debug, FromRow)]
struct Redaction {
    media_id: String,
    person_id: String,
    asked: String,
    shapes: String,
    redactions: String,
    crop: Option<String>,
    original: String,
    keys: String,
    made: Option<String>,
}

/// The result of a redaction or crop.
#[derive(Debug, Serialize, Deserialize)]
struct RedactedPicture {
    /// Width and height of the old picture in pixels.
    old: (u32, u32),
    /// The kept part in pixels: left, top, width and height.
    kept: (u32, u32, u32, u32),
    original: StoredObject,
    thumbnail: StoredObject,
}

/// A stored object in serializable form, as part of [`RedactedPicture`].
#[derive(Debug, Serialize, Deserialize)]
struct StoredObject {
    key: String,
    content_type: String,
    size: Option<(u32, u32)>,
    bytes: u64,
}

impl From<Object> for StoredObject {
    fn from(object: Object) -> Self {
        Self {
            key: object.key,
            content_type: object.content_type,
            size: object.size,
            bytes: object.bytes,
        }
    }
}

impl StoredObject {
    fn into_object(self, name: &'static str) -> Object {
        Object {
            name,
            key: self.key,
            content_type: self.content_type,
            size: self.size,
            bytes: self.bytes,
        }
    }
}

/// Hides the picture and records the redaction. Once the transaction is committed, nobody can fetch
/// the picture.
pub(super) async fn begin(
    tx: &mut Tx,
    clock: &Clock,
    person: &Person,
    media: &Media,
    input: &MarkupInput,
    digest: &str,
) -> Result<()> {
    let keys: Vec<(String, String)> =
        sqlx::query_as("DELETE FROM renditions WHERE media_id = $1 RETURNING name, key")
            .bind(&media.id)
            .fetch_all(&mut **tx)
            .await?;
    sqlx::query("DELETE FROM former_keys WHERE media_id = $1")
        .bind(&media.id)
        .execute(&mut **tx)
        .await?;
    let original = keys
        .iter()
        .find(|(name, _)| name == "original")
        .map(|(_, key)| key.clone());
    let original = original.ok_or_else(|| Error::internal("a picture has no original"))?;
    let keys: Vec<String> = keys.into_iter().map(|(_, key)| key).collect();
    sqlx::query("UPDATE media SET generation = generation + 1, state = 'processing', reason = $1 WHERE id = $2")
        .bind(IN_PROGRESS_TEXT)
        .bind(&media.id)
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "INSERT INTO burns (media_id, person_id, asked, shapes, redactions, crop, original, keys) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&media.id)
    .bind(&person.id)
    .bind(digest)
    .bind(to_json(&input.shapes)?)
    .bind(json!(input.redactions).to_string())
    .bind(input.crop.map(|crop| json!(crop).to_string()))
    .bind(original)
    .bind(json!(keys).to_string())
    .execute(&mut **tx)
    .await?;
    let job = RedactPicture::of(&media.id);
    jobs::enqueue_at(tx, clock, &job, clock.now() + JOB_DELAY).await
}

/// Returns the digest of the request that started the current redaction. Returns `None` if no
/// redaction is in progress.
pub(super) async fn pending_request(tx: &mut Tx, media_id: &str) -> Result<Option<String>> {
    Ok(
        sqlx::query_scalar("SELECT asked FROM burns WHERE media_id = $1")
            .bind(media_id)
            .fetch_optional(&mut **tx)
            .await?,
    )
}

/// Completes a redaction while the request that started it waits. If that fails, the picture stays
/// hidden, and a job retries until it succeeds.
pub async fn finish_redaction(ctx: &MediaContext, media_id: &str) -> Result<()> {
    let Err(error) = run_steps(ctx, media_id).await else {
        return ctx.db.truncate_wal().await;
    };
    tracing::warn!(%error, media = media_id, "a redaction could not be completed; the picture stays hidden");
    let mut tx = ctx.db.begin().await?;
    jobs::run_now(&mut tx, &ctx.clock, &RedactPicture::of(media_id)).await?;
    tx.commit().await?;
    Err(Error::Unavailable(
        "The redacted part of the picture could not be deleted yet. The picture is hidden from everyone, and Hearback will keep trying. Check again in a moment."
            .into(),
        error.into(),
    ))
}

/// Runs the remaining steps of a redaction. A request and a job may run this function at the same
/// time, because only one of them records each step, and repeating a step is harmless.
async fn run_steps(ctx: &MediaContext, media_id: &str) -> Result<()> {
    loop {
        let Some(redaction) = load(ctx, media_id).await? else {
            return Ok(());
        };
        let media_count: i64 = sqlx::query_scalar("SELECT count(*) FROM media WHERE id = $1")
            .bind(media_id)
            .fetch_one(&mut *ctx.db.read().await?)
            .await?;
        let made = match redaction.made.as_deref() {
            Some(made) => {
                Some(serde_json::from_str::<RedactedPicture>(made).map_err(Error::internal)?)
            }
            None if media_count == 0 => None,
            None => {
                match redact_picture(ctx, &redaction).await {
                    Ok(made) => record_redacted(ctx, &redaction, made).await?,
                    // Another request or job has already recorded this step.
                    Err(Error::NotFound)
                        if load(ctx, media_id)
                            .await?
                            .is_none_or(|redaction| redaction.made.is_some()) => {}
                    Err(error @ (Error::NotFound | Error::Unsupported(_) | Error::TooLarge(_))) => {
                        return fail(ctx, &redaction, &error).await;
                    }
                    Err(error) => return Err(error),
                }
                continue;
            }
        };
        let kept: Vec<String> = match &made {
            Some(made) if media_count > 0 => {
                vec![made.original.key.clone(), made.thumbnail.key.clone()]
            }
            _ => Vec::new(),
        };
        let deleted_keys = purge_old_copies(ctx, &redaction, made.as_ref(), &kept).await?;
        return publish(
            ctx,
            &redaction,
            made.filter(|_| media_count > 0),
            &deleted_keys,
        )
        .await;
    }
}

async fn load(ctx: &MediaContext, media_id: &str) -> Result<Option<Redaction>> {
    let found = sqlx::query_as(
        "SELECT media_id, person_id, asked, shapes, redactions, crop, original, keys, made FROM burns WHERE media_id = $1",
    );
    Ok(found
        .bind(media_id)
        .fetch_optional(&mut *ctx.db.read().await?)
        .await?)
}

/// Creates and stores a redacted copy of the picture. Keeps the old picture in memory only, because
/// a temporary file with the removed content would remain on the disk after a crash.
async fn redact_picture(ctx: &MediaContext, redaction: &Redaction) -> Result<RedactedPicture> {
    let redactions: Vec<[f64; 4]> =
        serde_json::from_str(&redaction.redactions).map_err(Error::internal)?;
    let crop: Option<[f64; 4]> = redaction
        .crop
        .as_deref()
        .map(serde_json::from_str)
        .transpose()
        .map_err(Error::internal)?;
    let area = |[x, y, w, h]: [f64; 4]| Area { x, y, w, h };
    let bytes = media::read_all(&ctx.storage, &redaction.original).await?;
    let (old, kept, original, thumbnail) = images::run_blocking(move || {
        let mut picture = Picture::read(&bytes)?;
        drop(bytes);
        let old = Size {
            width: picture.image.width(),
            height: picture.image.height(),
        };
        let patches: Vec<PixelRect> = redactions
            .into_iter()
            .map(|redaction| old.redaction_rect(&area(redaction), picture.lossy))
            .collect();
        let kept = crop.map_or(
            PixelRect {
                x: 0,
                y: 0,
                width: old.width,
                height: old.height,
            },
            |crop| old.crop_rect(&area(crop)),
        );
        picture.black_out(&patches);
        picture.crop(kept);
        let (original, thumbnail) = picture.encode()?.into_parts();
        Ok((old, kept, original, thumbnail))
    })
    .await?;
    let kept = (kept.x, kept.y, kept.width, kept.height);
    Ok(RedactedPicture {
        old: (old.width, old.height),
        kept,
        original: store_rendition(ctx, &redaction.media_id, "original", original).await?,
        thumbnail: store_rendition(ctx, &redaction.media_id, "thumbnail", thumbnail).await?,
    })
}

async fn store_rendition(
    ctx: &MediaContext,
    media_id: &str,
    name: &'static str,
    rendered: EncodedPicture,
) -> Result<StoredObject> {
    let key = media::new_pending_key(&ctx.db, &ctx.clock, Some(media_id)).await?;
    Ok(media::store_picture(&ctx.storage, name, key, rendered)
        .await?
        .into())
}

/// Records the redacted picture. If another process has already recorded one, deletes this one.
async fn record_redacted(
    ctx: &MediaContext,
    redaction: &Redaction,
    made: RedactedPicture,
) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    let first = sqlx::query("UPDATE burns SET made = $1 WHERE media_id = $2 AND made IS NULL")
        .bind(json!(made).to_string())
        .bind(&redaction.media_id)
        .execute(&mut *tx)
        .await?;
    if first.rows_affected() == 0 {
        updates::enqueue_purge(
            &mut tx,
            &ctx.clock,
            &[made.original.key, made.thumbnail.key],
        )
        .await?;
    }
    tx.commit().await
}

/// Deletes every byte of the old picture: its renditions, objects of earlier jobs, the data of its
/// upload, and files left behind by killed processes. Returns the keys that an earlier job may
/// still be writing to.
async fn purge_old_copies(
    ctx: &MediaContext,
    redaction: &Redaction,
    made: Option<&RedactedPicture>,
    kept: &[String],
) -> Result<Vec<String>> {
    let pending: Vec<String> =
        sqlx::query_scalar("SELECT key FROM loose_objects WHERE media_id = $1")
            .bind(&redaction.media_id)
            .fetch_all(&mut *ctx.db.read().await?)
            .await?;
    let mut keys: Vec<String> = serde_json::from_str(&redaction.keys).map_err(Error::internal)?;
    keys.extend(
        made.into_iter()
            .flat_map(|made| [made.original.key.clone(), made.thumbnail.key.clone()]),
    );
    keys.extend(pending.iter().cloned());
    keys.retain(|key| !kept.contains(key));
    ctx.purge(&keys).await?;
    uploads::wipe_upload(ctx, &redaction.media_id).await?;
    Ok(pending
        .into_iter()
        .filter(|key| !kept.contains(key))
        .collect())
}

/// Shows the redacted picture, and moves its shapes and the anchors of comments. If the media no
/// longer exists, only deletes the record of the redaction.
async fn publish(
    ctx: &MediaContext,
    redaction: &Redaction,
    made: Option<RedactedPicture>,
    deleted_keys: &[String],
) -> Result<()> {
    let clock = &ctx.clock;
    let mut tx = ctx.db.begin().await?;
    let media: Option<(String, i64, i64)> = lock_media(&mut tx, &redaction.media_id).await?;
    let first = sqlx::query("DELETE FROM burns WHERE media_id = $1")
        .bind(&redaction.media_id)
        .execute(&mut *tx)
        .await?;
    if first.rows_affected() == 0 {
        return Ok(());
    }
    for key in deleted_keys {
        uploads::purge_again_later(&mut tx, clock, key).await?;
    }
    jobs::cancel(&mut tx, &RedactPicture::of(&redaction.media_id)).await?;
    let (Some((update_id, generation, revision)), Some(made)) = (media, made) else {
        return tx.commit().await;
    };
    let (x, y, width, height) = made.kept;
    let cut = Crop::new(
        Size {
            width: made.old.0,
            height: made.old.1,
        },
        PixelRect {
            x,
            y,
            width,
            height,
        },
    );
    let shapes = if redaction.crop.is_some() {
        cut.crop_shapes(&parse_stored(&redaction.shapes)?)
    } else {
        parse_stored(&redaction.shapes)?
    };
    sqlx::query(
        "UPDATE media SET state = 'ready', reason = NULL, width = $1, height = $2 WHERE id = $3",
    )
    .bind(i64::from(width))
    .bind(i64::from(height))
    .bind(&redaction.media_id)
    .execute(&mut *tx)
    .await?;
    media::put_rendition(
        &mut tx,
        &redaction.media_id,
        &made.original.into_object("original"),
    )
    .await?;
    media::put_rendition(
        &mut tx,
        &redaction.media_id,
        &made.thumbnail.into_object("thumbnail"),
    )
    .await?;
    write_layer(
        &mut tx,
        clock,
        (&update_id, &redaction.media_id, generation),
        revision + 1,
        &shapes,
        &redaction.asked,
    )
    .await?;
    if redaction.crop.is_some() {
        move_anchors(&mut tx, clock, &update_id, &redaction.media_id, &cut).await?;
    }
    events::record(
        &mut tx,
        clock,
        EventKind::Media,
        &update_id,
        &redaction.media_id,
        &redaction.person_id,
    )
    .await?;
    tx.commit().await
}

/// Locks the media until the transaction ends. Returns the id of its update, its generation and its
/// markup revision.
async fn lock_media(tx: &mut Tx, media_id: &str) -> Result<Option<(String, i64, i64)>> {
    let update: Option<String> = sqlx::query_scalar("SELECT update_id FROM media WHERE id = $1")
        .bind(media_id)
        .fetch_optional(&mut **tx)
        .await?;
    let Some(update) = update else {
        return Ok(None);
    };
    updates::lock_for_update(tx, &update).await?;
    let found =
        sqlx::query_as("SELECT update_id, generation, markup_revision FROM media WHERE id = $1");
    Ok(found.bind(media_id).fetch_optional(&mut **tx).await?)
}

/// Deletes the whole picture, because the picture can no longer be decoded.
async fn fail(ctx: &MediaContext, redaction: &Redaction, error: &Error) -> Result<()> {
    tracing::warn!(%error, media = redaction.media_id, "a picture could not be decoded for redaction; deleting the whole picture");
    let deleted_keys = purge_old_copies(ctx, redaction, None, &[]).await?;
    let mut tx = ctx.db.begin().await?;
    if let Some((update_id, ..)) = lock_media(&mut tx, &redaction.media_id).await? {
        sqlx::query("UPDATE media SET state = 'failed', reason = $1 WHERE id = $2")
            .bind(
                "The stored picture could not be read, so all of it was deleted. Upload it again.",
            )
            .bind(&redaction.media_id)
            .execute(&mut *tx)
            .await?;
        events::record(
            &mut tx,
            &ctx.clock,
            EventKind::Media,
            &update_id,
            &redaction.media_id,
            "",
        )
        .await?;
    }
    tx.commit().await?;
    publish(ctx, redaction, None, &deleted_keys).await
}
