//! The lease of the process that is finishing an upload. It prevents other processes from taking
//! over the upload. Their requests wait for the outcome.
//!
//! Within one process, [`UploadService::finishers`] has the same purpose, so a process ignores its
//! own lease. A lease that could not be released therefore never blocks the process that owned it.

use std::time::{Duration, Instant};

use super::{Upload, UploadService, find};
use crate::clock::{self, Millis};
use crate::error::{Error, Result};
use crate::infra::db::Tx;
use crate::people::Viewer;

/// The duration of a lease, in milliseconds.
const LEASE: Millis = 30_000;
/// How often a lease is renewed.
pub(super) const RENEW_INTERVAL: Duration = Duration::from_secs(10);
/// How long a request waits for an earlier request to finish the upload.
const FINISH_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a waiting request checks whether the upload is finished.
const FINISH_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Returns the earliest and the latest time at which a valid lease can end. The latest time is two
/// lease durations from now, because another process's clock may be ahead. A lease that ends even
/// later was written before the clock was set back.
pub(super) fn valid_ends() -> (Millis, Millis) {
    let now = clock::real_now();
    (now, now + 2 * LEASE)
}

/// Whether a process is finishing the upload.
pub(super) fn is_held(uploads: &UploadService, upload: &Upload) -> bool {
    let (earliest, latest) = valid_ends();
    let is_other = |owner: &String| *owner != uploads.node;
    let is_valid = |end: Millis| (earliest..=latest).contains(&end);
    uploads.finishers.is_held(&upload.id)
        || upload.finisher.as_ref().is_some_and(is_other)
            && upload.finisher_until.is_some_and(is_valid)
}

/// Finds an upload of the viewer. If an earlier request is finishing the upload, first waits for the
/// outcome. Fails if that takes too long.
pub(super) async fn find_after_finishing(
    uploads: &UploadService,
    viewer: &Viewer,
    id: &str,
) -> Result<Upload> {
    let deadline = Instant::now() + FINISH_TIMEOUT;
    loop {
        let upload = find(&mut *uploads.media.db.read().await?, viewer, id).await?;
        if upload.finished_at.is_some() || !is_held(uploads, &upload) {
            return Ok(upload);
        }
        if Instant::now() >= deadline {
            return Err(Error::Conflict(
                "An earlier request is still finishing this upload. Send HEAD in a moment to get the current offset."
                    .into(),
            ));
        }
        tokio::time::sleep(FINISH_POLL_INTERVAL).await;
    }
}

/// Acquires or renews the lease for the current writer of the upload. Also marks the upload as
/// active. Returns `false` if another writer has taken over.
pub(super) async fn acquire(uploads: &UploadService, id: &str, generation: i64) -> Result<bool> {
    let mut tx = uploads.media.db.begin().await?;
    let acquired = sqlx::query(
        "UPDATE uploads SET touched_at = $1, finisher = $2, finisher_until = $3 WHERE id = $4 AND generation = $5",
    )
    .bind(uploads.media.clock.now())
    .bind(&uploads.node)
    .bind(clock::real_now() + LEASE)
    .bind(id)
    .bind(generation)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(acquired.rows_affected() == 1)
}

/// Ends the lease after a failed attempt to finish the upload.
pub(super) async fn release(uploads: &UploadService, id: &str, generation: i64) -> Result<()> {
    let mut tx = uploads.media.db.begin().await?;
    sqlx::query("UPDATE uploads SET finisher = NULL, finisher_until = NULL WHERE id = $1 AND generation = $2")
        .bind(id)
        .bind(generation)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// Ends the leases of a process that no longer runs.
pub async fn expire_finish_leases_of(tx: &mut Tx, node: &str) -> Result<()> {
    sqlx::query("UPDATE uploads SET finisher = NULL, finisher_until = NULL WHERE finisher = $1")
        .bind(node)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
