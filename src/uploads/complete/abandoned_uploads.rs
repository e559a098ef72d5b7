//! Abandoned uploads: finishes or deletes uploads whose sender has stopped sending.

use super::finish_if_whole;
use crate::clock::Millis;
use crate::error::Result;
use crate::uploads::UploadService;
use crate::uploads::expiry::UPLOAD_LIFETIME;
use crate::uploads::repository::{Upload, columns, end};

/// If no bytes of a recording arrive for this long, the recording ends with what has arrived.
const RECORDING_IDLE_LIMIT: Millis = 3_600_000;
/// If no request finishes a complete upload for this long, a background job does.
const FINISH_IDLE_LIMIT: Millis = 60_000;
/// After this time without new bytes, a recording that is too short to show is deleted.
const EMPTY_UPLOAD_AGE: Millis = 24 * 3_600_000;
/// Maximum number of uploads that one of the sweep's queries returns. Later sweeps handle the rest.
const BATCH_SIZE: i64 = 100;

/// Handles abandoned uploads. Finishes uploads that have all their bytes, and recordings whose page
/// has sent nothing for an hour. Deletes expired uploads, and uploads whose media no longer exists.
/// A recording does not expire, but it is deleted after a day without new bytes if it is too short
/// to show. Also deletes the database rows of finished uploads that started more than
/// [`UPLOAD_LIFETIME`] ago.
pub(in crate::uploads) async fn sweep(uploads: &UploadService) -> Result<()> {
    let now = uploads.media.clock.now();
    let abandoned = "o.deferred_at IS NOT NULL AND (o.length IS NULL OR o.length > o.received)
         AND o.received >= 4096 AND o.touched_at < $1";
    for upload in list_idle(uploads, abandoned, now - RECORDING_IDLE_LIMIT).await? {
        log_failure(&upload, finish_broken_off(uploads, &upload).await);
    }
    finish_stalled(uploads).await?;
    let empty_or_removed = "(o.deferred_at IS NOT NULL AND o.received < 4096 AND o.touched_at < $1)
         OR NOT EXISTS (SELECT 1 FROM media m WHERE m.id = o.media_id AND $1 > 0)";
    for upload in list_idle(uploads, empty_or_removed, now - EMPTY_UPLOAD_AGE).await? {
        log_failure(&upload, discard_upload(uploads, &upload).await);
    }
    for upload in list_idle(
        uploads,
        "o.deferred_at IS NULL AND o.length <> o.received AND o.created_at < $1",
        now - UPLOAD_LIFETIME,
    )
    .await?
    {
        log_failure(&upload, discard_upload(uploads, &upload).await);
    }
    let mut tx = uploads.media.db.begin().await?;
    sqlx::query("DELETE FROM uploads WHERE finished_at IS NOT NULL AND created_at < $1")
        .bind(now - UPLOAD_LIFETIME)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// Finishes uploads that have all their bytes but were not finished by their last request, for
/// example because the storage was unavailable.
pub async fn finish_stalled(uploads: &UploadService) -> Result<()> {
    for upload in list_idle(
        uploads,
        "o.length = o.received AND o.touched_at < $1",
        uploads.media.clock.now() - FINISH_IDLE_LIMIT,
    )
    .await?
    {
        log_failure(
            &upload,
            finish_if_whole(uploads, upload.clone()).await.map(drop),
        );
    }
    Ok(())
}

/// Ends a recording at its current length, because its page has stopped sending data. The page may have stopped while
/// it was sending the last bytes, after it had stated the length. First stores that the recording
/// has ended, so that the page cannot continue it while the bytes are assembled.
async fn finish_broken_off(uploads: &UploadService, upload: &Upload) -> Result<()> {
    let now = uploads.media.clock.now();
    let mut tx = uploads.media.db.begin().await?;
    let ended = sqlx::query(
        "UPDATE uploads SET length = received, broken_off_at = $1, generation = generation + 1
         WHERE id = $2 AND generation = $3 AND received = $4
         AND (length IS NULL OR length > received) AND finished_at IS NULL",
    )
    .bind(now)
    .bind(&upload.id)
    .bind(upload.generation)
    .bind(upload.received)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    if ended.rows_affected() == 0 {
        return Ok(());
    }
    let ended = Upload {
        length: Some(upload.received),
        broken_off_at: Some(now),
        generation: upload.generation + 1,
        ..upload.clone()
    };
    finish_if_whole(uploads, ended).await.map(drop)
}

/// Logs the error if an upload could not be handled. The next sweep tries again.
fn log_failure(upload: &Upload, done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, upload = upload.id, "an abandoned upload could not be finished or deleted");
    }
}

async fn list_idle(
    uploads: &UploadService,
    condition: &'static str,
    since: Millis,
) -> Result<Vec<Upload>> {
    let statement = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM uploads o WHERE o.finished_at IS NULL AND ({}) ORDER BY o.touched_at LIMIT {}"
        ),
        condition, BATCH_SIZE
    );
    let found = sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(since);
    Ok(found
        .fetch_all(&mut *uploads.media.db.read().await?)
        .await?)
}

async fn discard_upload(uploads: &UploadService, upload: &Upload) -> Result<()> {
    let reason = "The upload was never completed, so the part that had arrived was deleted. \
                  Upload the file or record again.";
    let mut tx = uploads.media.db.begin().await?;
    end(
        &mut tx,
        uploads,
        upload,
        (upload.received > 0).then_some(reason),
    )
    .await?;
    tx.commit().await
}
