//! Redacts and crops pictures. All stored data with the removed content is deleted before the
//! picture is shown again.
//!
//! One transaction hides the picture, revokes its URLs and records the request. The remaining steps
//! create a redacted copy, record the copy, delete all old objects and show the copy. After a
//! crash, another request or a job can resume these steps.

mod outcome;
mod purge;
mod redacted_copy;
mod redacted_pixels;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::FromRow;
use tokio::sync::watch;

use outcome::{fail, publish};
use purge::purge_old_copies;
use redacted_copy::{record_redacted, redact_picture};

use super::{MarkupInput, to_json};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::infra::db::Tx;
use crate::infra::jobs::{self, Job, Lane, Outcome, Retry};
use crate::media::{Media, MediaContext, Object, RenditionName};
use crate::people::Person;

/// Shown instead of the picture while a redaction is in progress.
const IN_PROGRESS_TEXT: &str = "Part of this picture is being deleted permanently. \
                                The picture will be shown again when that is done.";
/// How long the job waits before it completes a redaction, in milliseconds. Usually, the request that started the
/// redaction has completed it by then.
const JOB_DELAY: i64 = 60_000;

/// Completes a redaction if the request that started it did not complete it.
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

/// A redaction that is recorded but not completed yet.
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
    fn into_object(self, name: RenditionName) -> Object {
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
        .find(|(name, _)| name == RenditionName::Original.as_str())
        .map(|(_, key)| key.clone());
    let original =
        original.ok_or_else(|| Error::internal("the original file of a picture is missing"))?;
    let keys: Vec<String> = keys.into_iter().map(|(_, key)| key).collect();
    sqlx::query("UPDATE media SET generation = generation + 1, state = 'processing', reason = $1 WHERE id = $2")
        .bind(IN_PROGRESS_TEXT)
        .bind(&media.id)
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "INSERT INTO burns (media_id, person_id, asked, shapes, redactions, crop, original, keys)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
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
        "The redacted part of the picture could not be deleted yet. The picture is hidden from \
         everyone, and Hearback will keep trying. Check again in a moment."
            .into(),
        error.into(),
    ))
}

/// Runs the remaining steps of a redaction. A request and a job can safely run this function at the same time: only one
/// of them records each step, and repeating a step is harmless.
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
        "SELECT media_id, person_id, asked, shapes, redactions, crop, original, keys, made FROM burns
         WHERE media_id = $1",
    );
    Ok(found
        .bind(media_id)
        .fetch_optional(&mut *ctx.db.read().await?)
        .await?)
}
