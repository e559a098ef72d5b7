//! Media whose bytes come over many requests: there from the first of them, playable from the last.

use super::{StoredFile, check_file_limit, delete, original, set_content};
use crate::clock::Clock;
use crate::error::Result;
use crate::infra::db::Tx;
use crate::infra::video::Metadata;
use crate::{events, updates};

/// Makes media with this id, whose bytes are still to come.
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
        "INSERT INTO media (id, update_id, kind, state, file_name, generation, created_at) VALUES ($1, $2, $3, 'uploading', $4, 1, $5)",
    )
    .bind(id)
    .bind(update_id)
    .bind(if picture { "image" } else { "video" })
    .bind(file_name)
    .bind(clock.now())
    .execute(&mut **tx)
    .await?;
    events::record(tx, clock, "media", update_id, id, person_id).await
}

/// The bytes are there: what was taken becomes what is shown, in place of what may have been there before. Where its page was lost, the
/// recording says so; a trim of what was there does not outlive it. Answers false where the media is gone.
pub async fn receive(
    tx: &mut Tx,
    clock: &Clock,
    id: &str,
    file: &StoredFile,
    broken_off: bool,
) -> Result<bool> {
    let there: Option<(String, i64)> = sqlx::query_as(
        "UPDATE media SET kind = $1, state = $2, reason = $3, width = $4, height = $5, duration_ms = NULL, broken_off_at = $6,
             generation = generation + 1, trim_from_ms = NULL, trim_to_ms = NULL, trim_base_ms = NULL, whole_ms = NULL, raw_until = NULL,
             original_metadata = $8
         WHERE id = $7 RETURNING update_id, generation",
    )
    .bind(file.kind)
    .bind(file.state)
    .bind((file.state == "processing").then(|| original::processing_text(file.metadata)))
    .bind(file.size.map(|size| i64::from(size.0)))
    .bind(file.size.map(|size| i64::from(size.1)))
    .bind(broken_off.then(|| clock.now()))
    .bind(id)
    .bind(file.metadata.map(Metadata::as_str))
    .fetch_optional(&mut **tx)
    .await?;
    let Some((update_id, generation)) = there else {
        return Ok(false);
    };
    let old: Vec<String> =
        sqlx::query_scalar("DELETE FROM renditions WHERE media_id = $1 RETURNING key")
            .bind(id)
            .fetch_all(&mut **tx)
            .await?;
    updates::enqueue_purge(tx, clock, &old).await?;
    set_content(tx, clock, id, generation, file).await?;
    events::record(tx, clock, "media", &update_id, id, "").await?;
    Ok(true)
}

/// Nothing is missing of a recording whose page had seemed lost.
pub async fn clear_broken_off(tx: &mut Tx, clock: &Clock, id: &str) -> Result<()> {
    let update: Option<String> =
        sqlx::query_scalar("UPDATE media SET broken_off_at = NULL WHERE id = $1 AND broken_off_at IS NOT NULL RETURNING update_id")
            .bind(id)
            .fetch_optional(&mut **tx)
            .await?;
    record_change(tx, clock, update, id).await
}

/// The rest never came.
pub async fn mark_incomplete(tx: &mut Tx, clock: &Clock, id: &str, reason: &str) -> Result<()> {
    let update: Option<String> =
        sqlx::query_scalar("UPDATE media SET state = 'failed', reason = $1 WHERE id = $2 AND state = 'uploading' RETURNING update_id")
            .bind(reason)
            .bind(id)
            .fetch_optional(&mut **tx)
            .await?;
    record_change(tx, clock, update, id).await
}

/// Tells of media of an update, if something of it was changed.
async fn record_change(tx: &mut Tx, clock: &Clock, update: Option<String>, id: &str) -> Result<()> {
    match update {
        Some(update) => events::record(tx, clock, "media", &update, id, "").await,
        None => Ok(()),
    }
}

/// It will not come: as if it had never been announced. What is shown already goes too, while its update is a draft.
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
    events::record(tx, clock, "media", &update, id, person_id).await
}
