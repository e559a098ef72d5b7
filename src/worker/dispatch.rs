//! The job dispatcher. Each node has one dispatcher. It claims jobs for lanes that have a free
//! slot, and runs each job in its own task.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinSet};

use super::registry::{JobKind, kinds_of};
use crate::error::{Error, Result};
use crate::infra::jobs;
use crate::infra::jobs::{ClaimedJob, Lane, Outcome};
use crate::state::State;

/// How often the dispatcher polls for jobs that have become due, and for jobs on which another node's lease has
/// expired. Also how long it waits before it retries a failed database operation.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// A [`Lane::Preparation`] job that runs longer than this moves to a slot of [`Lane::Heavy`].
const LONG_JOB: Duration = Duration::from_secs(10);

/// Claims and runs jobs until `stop` becomes true. Then waits until the running jobs have ended.
pub(super) async fn dispatch(state: Arc<State>, mut stop: watch::Receiver<bool>) {
    let slots = Arc::new(Slots::new(LONG_JOB));
    let mut commits = state.db.commits();
    let mut running = JoinSet::new();
    while !*stop.borrow() {
        commits.mark_unchanged();
        while let Some(ended) = running.try_join_next() {
            report(ended);
        }
        match claim_next(&state, &slots).await {
            Ok(Some((job, kind, slot))) => {
                running.spawn(run(
                    state.clone(),
                    slots.clone(),
                    job,
                    kind,
                    slot,
                    stop.clone(),
                ));
            }
            Ok(None) => {
                tokio::select! {
                    _ = commits.changed() => {}
                    () = slots.freed.notified() => {}
                    () = tokio::time::sleep(POLL_INTERVAL) => {}
                    _ = stop.changed() => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "jobs could not be claimed");
                tokio::select! {
                    () = tokio::time::sleep(POLL_INTERVAL) => {}
                    _ = stop.changed() => {}
                }
            }
        }
    }
    while let Some(ended) = running.join_next().await {
        report(ended);
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a job task panicked or was cancelled");
    }
}

/// Claims a job for a lane with a free slot. Returns the job, its type and the acquired slot.
async fn claim_next(
    state: &State,
    slots: &Slots,
) -> Result<Option<(ClaimedJob, &'static JobKind, OwnedSemaphorePermit)>> {
    let free = slots.take_free();
    if free.is_empty() {
        return Ok(None);
    }
    let lanes: Vec<Lane> = free.iter().map(|(lane, _)| *lane).collect();
    let kinds = kinds_of(&lanes);
    let Some(job) = jobs::claim(&state.db, &state.clock, &state.node.id, &kinds).await? else {
        return Ok(None);
    };
    let kind = JobKind::find(&job.kind);
    let lane = kind.lane;
    let acquired = free.into_iter().find(|(free, _)| *free == lane);
    let (_, slot) = acquired.ok_or_else(|| {
        Error::internal(format!(
            "claimed a job for lane {lane:?}, although that lane has no free slot"
        ))
    })?;
    Ok(Some((job, kind, slot)))
}

async fn run(
    state: Arc<State>,
    slots: Arc<Slots>,
    job: ClaimedJob,
    kind: &'static JobKind,
    slot: OwnedSemaphorePermit,
    mut stop: watch::Receiver<bool>,
) {
    let done = slots
        .run_in_slot(kind.lane, slot, run_job(&state, kind, &job, &mut stop))
        .await;
    if let Err(error) = done {
        tracing::error!(%error, job = job.id, kind = job.kind, "the outcome of a job could not be recorded");
    }
}

/// The slots of all lanes on this node.
struct Slots {
    lanes: Vec<(Lane, Arc<Semaphore>)>,
    heavy: Arc<Semaphore>,
    /// Wakes the dispatcher when a slot becomes free.
    freed: Notify,
    long: Duration,
}

impl Slots {
    fn new(long: Duration) -> Self {
        let heavy = Arc::new(Semaphore::new(Lane::Heavy.slots()));
        let semaphore = |lane: Lane| {
            if lane == Lane::Heavy {
                heavy.clone()
            } else {
                Arc::new(Semaphore::new(lane.slots()))
            }
        };
        Self {
            lanes: Lane::ALL.map(|lane| (lane, semaphore(lane))).to_vec(),
            heavy,
            freed: Notify::new(),
            long,
        }
    }

    /// Acquires one slot of each lane that has a free slot. Dropping a permit releases its slot.
    fn take_free(&self) -> Vec<(Lane, OwnedSemaphorePermit)> {
        self.lanes
            .iter()
            .filter_map(|(lane, slots)| Some((*lane, slots.clone().try_acquire_owned().ok()?)))
            .collect()
    }

    /// Runs `work` in a slot. If a job of [`Lane::Preparation`] runs longer than `self.long`, it
    /// moves to a heavy slot once one is free. Its own slot then becomes free for short jobs.
    async fn run_in_slot<T>(
        &self,
        lane: Lane,
        slot: OwnedSemaphorePermit,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = std::pin::pin!(work);
        let heavy = tokio::select! {
            done = &mut work => {
                self.release(slot);
                return done;
            }
            heavy = self.heavy_slot_when_long(lane) => heavy,
        };
        self.release(slot);
        let done = work.await;
        self.release(heavy);
        done
    }

    async fn heavy_slot_when_long(&self, lane: Lane) -> OwnedSemaphorePermit {
        if lane == Lane::Preparation {
            tokio::time::sleep(self.long).await;
            if let Ok(heavy) = self.heavy.clone().acquire_owned().await {
                return heavy;
            }
        }
        std::future::pending().await
    }

    fn release(&self, slot: OwnedSemaphorePermit) {
        drop(slot);
        self.freed.notify_one();
    }
}

async fn run_job(
    state: &State,
    kind: &JobKind,
    job: &ClaimedJob,
    stop: &mut watch::Receiver<bool>,
) -> Result<()> {
    if !kind.retry.allows_attempt(job.attempts) {
        // Fail the job instead of running it again. If a job crashes the process on every attempt, it cannot record its
        // own failure, and it would be restarted forever.
        let error = Error::internal("the job was started too many times without finishing");
        return record_failure(state, kind, job, &error, stop).await;
    }
    let ending = stop.clone();
    let run = AssertUnwindSafe(kind.run(state, job, &ending)).catch_unwind();
    let done = tokio::select! {
        done = run => done.unwrap_or_else(|_| Err(Error::internal("the job panicked"))),
        lost = renew_lease_until_lost(state, job) => return lost,
        () = until_stopped(stop), if kind.interruptible => return jobs::release(&state.db, job).await,
    };
    match done {
        Ok(Outcome::Done) => retry_until_written(stop, || jobs::finish(&state.db, job)).await,
        Ok(Outcome::Interrupted) => jobs::release(&state.db, job).await,
        Err(error) => record_failure(state, kind, job, &error, stop).await,
    }
}

async fn record_failure(
    state: &State,
    kind: &JobKind,
    job: &ClaimedJob,
    error: &Error,
    stop: &mut watch::Receiver<bool>,
) -> Result<()> {
    tracing::warn!(%error, job = job.id, kind = job.kind, attempt = job.attempts, "a job failed");
    let reason = error.to_string();
    let fail = || jobs::fail(&state.db, &state.clock, job, kind.retry, &reason);
    if retry_until_written(stop, fail).await? {
        retry_until_written(stop, || kind.on_dead(state, job)).await?;
    }
    Ok(())
}

/// Records the outcome of a job. Retries while the database is unavailable, for example because its
/// disk is full. If the outcome were not recorded, the job would run again only after its lease has
/// expired.
async fn retry_until_written<T, W>(
    stop: &mut watch::Receiver<bool>,
    mut write: impl FnMut() -> W,
) -> Result<T>
where
    W: Future<Output = Result<T>>,
{
    loop {
        match write().await {
            Err(error @ Error::Unavailable(..)) if !*stop.borrow() => {
                tracing::warn!(%error, "the outcome of a job could not be recorded; retrying");
                tokio::select! {
                    () = tokio::time::sleep(POLL_INTERVAL) => {}
                    () = until_stopped(stop) => {}
                }
            }
            written => return written,
        }
    }
}

async fn until_stopped(stop: &mut watch::Receiver<bool>) {
    // `wait_for` fails only if the sender was dropped, which happens at shutdown. So ignore the
    // error.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Renews the lease of a job at intervals. Returns only when the lease is lost.
async fn renew_lease_until_lost(state: &State, job: &ClaimedJob) -> Result<()> {
    loop {
        tokio::time::sleep(jobs::RENEW_INTERVAL).await;
        match jobs::renew(&state.db, job).await {
            Ok(true) => {}
            Ok(false) => return Err(Error::internal("the lease on the job was lost")),
            // Do not give up yet: a lease lasts for several renewal intervals, so the next renewal
            // may succeed.
            Err(error) => {
                tracing::warn!(%error, job = job.id, "the lease on a job could not be renewed")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(slots: &Slots) -> Vec<Lane> {
        slots
            .take_free()
            .into_iter()
            .map(|(lane, _)| lane)
            .collect()
    }

    fn take(slots: &Slots, wanted: Lane) -> OwnedSemaphorePermit {
        slots
            .take_free()
            .into_iter()
            .find(|(lane, _)| *lane == wanted)
            .unwrap()
            .1
    }

    #[test]
    fn jobs_in_a_full_lane_do_not_occupy_slots_of_other_lanes() {
        for lane in Lane::ALL {
            let slots = Slots::new(LONG_JOB);
            let taken: Vec<_> = (0..lane.slots()).map(|_| take(&slots, lane)).collect();
            let others: Vec<Lane> = Lane::ALL
                .into_iter()
                .filter(|other| *other != lane)
                .collect();
            assert_eq!(free(&slots), others);
            drop(taken);
            assert_eq!(free(&slots), Lane::ALL);
        }
    }

    #[actix_web::test]
    async fn preparation_job_moves_to_the_heavy_lane_when_it_takes_too_long() {
        let slots = Arc::new(Slots::new(Duration::ZERO));
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let first = take(&slots, Lane::Preparation);
        let second = take(&slots, Lane::Preparation);
        assert!(!free(&slots).contains(&Lane::Preparation));
        let running = slots.clone();
        let long = actix_web::rt::spawn(async move {
            running.run_in_slot(Lane::Preparation, first, ended).await
        });
        slots.freed.notified().await;
        // `long` now uses a heavy slot. One heavy slot and one preparation slot are still free.
        let third = take(&slots, Lane::Preparation);
        let heavy = take(&slots, Lane::Heavy);
        assert!(!free(&slots).contains(&Lane::Heavy) && !free(&slots).contains(&Lane::Preparation));
        drop((second, third, heavy));
        end.send(()).unwrap();
        long.await.unwrap().unwrap();
        let heavy: Vec<_> = (0..Lane::Heavy.slots())
            .map(|_| take(&slots, Lane::Heavy))
            .collect();
        assert!(!free(&slots).contains(&Lane::Heavy));
        drop(heavy);
    }

    #[actix_web::test]
    async fn preparation_job_keeps_its_slot_while_the_heavy_lane_is_full() {
        let slots = Arc::new(Slots::new(Duration::ZERO));
        let heavy: Vec<_> = (0..Lane::Heavy.slots())
            .map(|_| take(&slots, Lane::Heavy))
            .collect();
        let taken: Vec<_> = (0..Lane::Preparation.slots())
            .map(|_| take(&slots, Lane::Preparation))
            .collect();
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let mut taken = taken.into_iter();
        let mut work =
            std::pin::pin!(slots.run_in_slot(Lane::Preparation, taken.next().unwrap(), ended));
        for _ in 0..10 {
            assert!(work.as_mut().now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        assert!(!free(&slots).contains(&Lane::Preparation));
        end.send(()).unwrap();
        work.await.unwrap();
        assert!(free(&slots).contains(&Lane::Preparation));
        drop(heavy);
    }
}
