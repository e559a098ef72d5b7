//! Records the processing state of a recording for a job, unless the recording has been replaced since the job was
//! enqueued.

use serde::{Deserialize, Serialize};

use super::context::MediaContext;
use super::{Media, MediaState, RenditionName};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events;
use crate::events::EventKind;
use crate::infra::db::Tx;

/// The recording that a job works on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Target {
    /// The id of the media.
    pub media: String,
    /// The generation of the media's bytes. The job does nothing if the bytes have been replaced
    /// since.
    pub generation: i64,
}

/// Loads the media and the key of one of its renditions. Returns `None` if the media has a
/// different generation or no such rendition.
pub(super) async fn load_source(
    ctx: &MediaContext,
    target: &Target,
    rendition: RenditionName,
) -> Result<Option<(Media, String)>> {
    let mut connection = ctx.db.read().await?;
    let media: Option<Media> = sqlx::query_as(concat!(
        "SELECT ",
        super::columns!(),
        " FROM media m WHERE m.id = $1 AND m.generation = $2"
    ))
    .bind(&target.media)
    .bind(target.generation)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(media) = media else { return Ok(None) };
    let key: Option<String> =
        sqlx::query_scalar("SELECT key FROM renditions WHERE media_id = $1 AND name = $2")
            .bind(&target.media)
            .bind(rendition)
            .fetch_optional(&mut *connection)
            .await?;
    Ok(key.map(|key| (media, key)))
}

/// Marks a recording as `failed` after all attempts to process it have failed. Changes nothing
/// unless its state is `processing`.
pub(super) async fn mark_failed(ctx: &MediaContext, target: &Target) -> Result<()> {
    match load_source(ctx, target, RenditionName::Original).await? {
        Some((media, _)) if media.state == MediaState::Processing => {
            finish_step(
                ctx,
                target,
                MediaState::Failed,
                Some(
                    "This file could not be processed, even after several attempts. \
                     Its author can still open the file. Tell your admin.",
                ),
            )
            .await
        }
        _ => Ok(()),
    }
}

/// Marks the recording as `failed` if its file caused the error. Returns any other error, so that the job is retried.
pub(super) async fn reject_file(ctx: &MediaContext, target: &Target, error: Error) -> Result<()> {
    match error {
        Error::Unsupported(reason) | Error::TooLarge(reason) => {
            finish_step(ctx, target, MediaState::Failed, Some(&reason)).await
        }
        other => Err(other),
    }
}

pub(super) async fn finish_step(
    ctx: &MediaContext,
    target: &Target,
    state: MediaState,
    reason: Option<&str>,
) -> Result<()> {
    let mut tx = ctx.db.begin().await?;
    if set_state(&mut tx, target, state, reason).await? {
        record_change(&mut tx, &ctx.clock, target).await?;
    }
    tx.commit().await
}

/// Sets the state. Returns `false` if the media no longer exists or its generation has changed. Removes the `playable`
/// rendition of failed media. Its object may be the original, and only the author may fetch the original of failed
/// media.
pub(super) async fn set_state(
    tx: &mut Tx,
    target: &Target,
    state: MediaState,
    reason: Option<&str>,
) -> Result<bool> {
    let done =
        sqlx::query("UPDATE media SET state = $1, reason = $2 WHERE id = $3 AND generation = $4")
            .bind(state)
            .bind(reason)
            .bind(&target.media)
            .bind(target.generation)
            .execute(&mut **tx)
            .await?;
    if state == MediaState::Failed && done.rows_affected() == 1 {
        sqlx::query("DELETE FROM renditions WHERE media_id = $1 AND name = 'playable'")
            .bind(&target.media)
            .execute(&mut **tx)
            .await?;
    }
    Ok(done.rows_affected() == 1)
}

pub(super) async fn record_change(tx: &mut Tx, clock: &Clock, target: &Target) -> Result<()> {
    let update: String = sqlx::query_scalar("SELECT update_id FROM media WHERE id = $1")
        .bind(&target.media)
        .fetch_one(&mut **tx)
        .await?;
    events::record(tx, clock, EventKind::Media, &update, &target.media, "").await
}
