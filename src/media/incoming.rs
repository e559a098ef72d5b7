//! Media whose bytes arrive over several requests. The media exists from the start, and can be
//! shown once all bytes have arrived.

use super::attach::set_content;
use super::file_limit::check_file_limit;
use super::removal::delete;
use super::{MediaKind, MediaState, StoredFile, original_access};
use crate::clock::Clock;
use crate::error::Result;
use crate::events::EventKind;
use crate::infra::db::Tx;
use crate::infra::video::Metadata;
use crate::{events, updates};

/// Creates media with this id for an upload that is starting.
pub async fn create_pending(
    tx: &mut Tx,
    clock: &Clock,
    id: &str,
    update_id: &str,
    (file_name, picture): (&str, bool),
    person_id: &str,
) -> Result<()> {
    check_file_limit(tx, update_id).await?;
    sqlx::query(
        "INSERT INTO media (id, update_id, kind, state, file_name, generation, created_at)
         VALUES ($1, $2, $3, 'uploading', $4, 1, $5)",
    )
    .bind(id)
    .bind(update_id)
    .bind(if picture {
        MediaKind::Image
    } else {
        MediaKind::Video
    })
    .bind(file_name)
    .bind(clock.now())
    .execute(&mut **tx)
    .await?;
    updates::refresh_media_kinds(tx, clock, update_id).await?;
    events::record(tx, clock, EventKind::Media, update_id, id, person_id).await
}

/// Replaces the content of media with a complete file. Removes any trim. `broken_off` means that
/// the server ended the recording because the browser page had stopped sending data. Returns `false` if the
/// media no longer exists.
pub async fn receive(
    tx: &mut Tx,
    clock: &Clock,
    id: &str,
    file: &StoredFile,
    broken_off: bool,
) -> Result<bool> {
    let updated: Option<(String, i64)> = sqlx::query_as(
        "UPDATE media SET kind = $1, state = $2, reason = $3, width = $4, height = $5, duration_ms = NULL,
         broken_off_at = $6, generation = generation + 1, trim_from_ms = NULL, trim_to_ms = NULL,
         trim_base_ms = NULL, whole_ms = NULL, raw_until = NULL, original_metadata = $8
         WHERE id = $7 RETURNING update_id, generation",
    )
    .bind(file.kind)
    .bind(file.state)
    .bind((file.state == MediaState::Processing).then(|| original_access::processing_text(file.metadata)))
    .bind(file.size.map(|size| i64::from(size.0)))
    .bind(file.size.map(|size| i64::from(size.1)))
    .bind(broken_off.then(|| clock.now()))
    .bind(id)
    .bind(file.metadata.map(Metadata::as_str))
    .fetch_optional(&mut **tx)
    .await?;
    let Some((update_id, generation)) = updated else {
        return Ok(false);
    };
    let old: Vec<String> =
        sqlx::query_scalar("DELETE FROM renditions WHERE media_id = $1 RETURNING key")
            .bind(id)
            .fetch_all(&mut **tx)
            .await?;
    updates::enqueue_purge(tx, clock, &old).await?;
    set_content(tx, clock, id, generation, file).await?;
    updates::refresh_media_kinds(tx, clock, &update_id).await?;
    events::record(tx, clock, EventKind::Media, &update_id, id, "").await?;
    Ok(true)
}

/// Clears `broken_off_at` of a recording that the server had ended because the browser page had stopped sending data.
/// The page has now confirmed that it has no more data, so the recording is complete.
pub async fn clear_broken_off(tx: &mut Tx, clock: &Clock, id: &str) -> Result<()> {
    let update: Option<String> =
        sqlx::query_scalar(
            "UPDATE media SET broken_off_at = NULL WHERE id = $1 AND broken_off_at IS NOT NULL RETURNING update_id")
            .bind(id)
            .fetch_optional(&mut **tx)
            .await?;
    record_change(tx, clock, update, id).await
}

/// Marks media as failed, because the rest of its upload never arrived.
pub async fn mark_incomplete(tx: &mut Tx, clock: &Clock, id: &str, reason: &str) -> Result<()> {
    let update: Option<String> =
        sqlx::query_scalar(
            "UPDATE media SET state = 'failed', reason = $1 WHERE id = $2 AND state = 'uploading' RETURNING update_id")
            .bind(reason)
            .bind(id)
            .fetch_optional(&mut **tx)
            .await?;
    record_change(tx, clock, update, id).await
}

/// Records an event for the changed media. Does nothing if `update` is `None`.
async fn record_change(tx: &mut Tx, clock: &Clock, update: Option<String>, id: &str) -> Result<()> {
    match update {
        Some(update) => events::record(tx, clock, EventKind::Media, &update, id, "").await,
        None => Ok(()),
    }
}

/// Deletes the media of a cancelled upload, unless the media has failed. Once all bytes of the
/// media have arrived, deletes it only while its update is a draft.
pub async fn cancel(tx: &mut Tx, clock: &Clock, id: &str, person_id: &str) -> Result<()> {
    let update: Option<String> = sqlx::query_scalar(
        "SELECT m.update_id FROM media m JOIN updates u ON u.id = m.update_id
         WHERE m.id = $1 AND (m.state = 'uploading' OR (m.state <> 'failed' AND u.published_at IS NULL))",
    )
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    let Some(update) = update else { return Ok(()) };
    delete(tx, clock, "m.id", id).await?;
    updates::refresh_media_kinds(tx, clock, &update).await?;
    events::record(tx, clock, EventKind::Media, &update, id, person_id).await
}
