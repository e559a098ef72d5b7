//! Background work: the job dispatcher and the periodic tasks.

mod dispatch;
mod registry;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock;
use crate::error::Result;
use crate::state::State;
use crate::{events, media, notifications, people, receipts, updates, uploads};

/// How often the server checks for overdue answers.
const OVERDUE_INTERVAL: Duration = Duration::from_secs(15);
/// Temporary files older than this were left behind by a killed process.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 3600);
/// How often the server checks for uploads that have received all their bytes but were not finished by a request.
const FINISH_INTERVAL: Duration = Duration::from_secs(15);
/// How often the server deletes expired data.
const SWEEP_INTERVAL: Duration = Duration::from_secs(600);

/// Starts the periodic tasks and the job dispatcher. All of them end when `stop` becomes true.
/// Returns the handle of the dispatcher task, which ends after all running jobs have ended.
pub(crate) fn start(state: &Arc<State>, stop: &watch::Receiver<bool>) -> JoinHandle<()> {
    tokio::spawn(run_sweeps(state.clone(), stop.clone()));
    tokio::spawn(run_finishing(state.clone(), stop.clone()));
    tokio::spawn(run_overdue_checks(state.clone(), stop.clone()));
    tokio::spawn(dispatch::dispatch(state.clone(), stop.clone()))
}

impl State {
    /// Notifies authors of answers that have become overdue. Returns the number of affected updates.
    pub async fn notify_overdue(&self) -> Result<usize> {
        let mut tx = self.db.begin().await?;
        let updates = receipts::notify_overdue(&mut tx, &self.clock).await?;
        for update in &updates {
            self.enqueue_mail(&mut tx, update).await?;
        }
        tx.commit().await?;
        Ok(updates.len())
    }

    /// Deletes expired data, such as updates that have been in the trash for 30 days, abandoned
    /// uploads, old events, temporary files and idle rate-limit entries. If a step fails, still
    /// runs the other steps, because a later step may free the space that the failed step needs.
    /// Returns the first error.
    pub async fn sweep(&self) -> Result<()> {
        let rows = self.sweep_rows().await;
        let uploads = uploads::sweep(&self.uploads).await;
        let log = self.db.truncate_wal().await;
        self.rate_limits.evict_idle();
        let folder = media::sweep_dir(
            self.uploads.media.temp_dir.clone(),
            clock::real_time() - LEFTOVER_AGE,
        )
        .await;
        let storage = self.sweep_storage().await;
        let mut swept = Ok(());
        for step in [rows, uploads, log, folder, storage] {
            match (&swept, step) {
                (Ok(()), step) => swept = step,
                (Err(_), Err(error)) => {
                    tracing::warn!(%error, "another step of the same cleanup failed too")
                }
                (Err(_), Ok(())) => {}
            }
        }
        swept
    }

    async fn sweep_rows(&self) -> Result<()> {
        let mut tx = self.db.begin().await?;
        updates::sweep_trash(&mut tx, &self.clock).await?;
        events::sweep(&mut tx, &self.clock).await?;
        notifications::sweep(&mut tx, &self.clock).await?;
        people::sweep(&mut tx, &self.clock).await?;
        events::record_deferred(&mut tx, &self.clock).await?;
        tx.commit().await
    }

    async fn sweep_storage(&self) -> Result<()> {
        let wanted = uploads::open_multipart_ids(&mut *self.db.read().await?).await?;
        self.uploads.media.storage.sweep(&wanted).await
    }
}

/// Runs `task` immediately and then every `interval`, until `stop` becomes true. If the task fails, logs the error,
/// with `failed` as the message, and continues.
async fn repeat<F>(
    interval: Duration,
    mut stop: watch::Receiver<bool>,
    failed: &'static str,
    task: impl Fn() -> F,
) where
    F: Future<Output = Result<()>>,
{
    while !*stop.borrow() {
        if let Err(error) = task().await {
            tracing::warn!(%error, "{failed}");
        }
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn run_sweeps(state: Arc<State>, stop: watch::Receiver<bool>) {
    let failed = "expired data could not be deleted";
    repeat(SWEEP_INTERVAL, stop, failed, || state.sweep()).await;
}

/// Finishes uploads that have received all their bytes but were not finished by their last request. Runs more often
/// than the sweep, because people wait for these uploads.
async fn run_finishing(state: Arc<State>, stop: watch::Receiver<bool>) {
    let failed = "stalled uploads could not be finished";
    repeat(FINISH_INTERVAL, stop, failed, || {
        uploads::finish_stalled(&state.uploads)
    })
    .await;
}

/// Checks for overdue answers every [`OVERDUE_INTERVAL`], and whenever a test moves the clock.
async fn run_overdue_checks(state: Arc<State>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let now = state.clock.now();
        match state.notify_overdue().await {
            Ok(_) => state.overdue_checked_at.store(now, Ordering::Relaxed),
            Err(error) => {
                tracing::warn!(%error, "authors could not be notified of overdue answers")
            }
        }
        tokio::select! {
            () = state.clock.sleep_or_jump(OVERDUE_INTERVAL, now) => {}
            _ = stop.changed() => {}
        }
    }
}
