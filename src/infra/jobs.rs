//! Durable jobs. A [`Job`] is stored as a database row. Code that needs a job inserts the row in
//! its own transaction, and any node can run the job.
//!
//! The due time of a job is compared with the domain's clock, so that tests can run delayed jobs
//! without waiting. A worker claims a job with a lease. The lease expires unless the worker renews
//! it; its duration is measured in real time. A job survives `kill -9` and is retried with
//! exponential backoff. After the last attempt, the job is dead, and admins can see its error.
//!
//! Jobs are not delayed when the system clock is set back. Each row stores when the job was
//! scheduled. If that time is in the future, the job is rescheduled with its original delay (see
//! [`claim`]).

mod job;
mod lane;
mod retry;

use std::time::Duration;

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

pub use self::job::{Job, Outcome};
pub use self::lane::{Kinds, Lane};
pub use self::retry::Retry;
use crate::clock::{self, Clock, Millis};
use crate::error::Result;
use crate::ids;
use crate::infra::db::{Db, Dialect, Tx};

/// The duration of a lease, in milliseconds.
const LEASE: Millis = 60_000;
/// How often a worker renews its lease.
pub const RENEW_INTERVAL: Duration = Duration::from_secs(20);
/// The maximum clock difference between nodes, in milliseconds. If a stored timestamp is further in the future, the
/// clock was set back after the timestamp was written.
const MAX_CLOCK_SKEW: Millis = 1000;

/// A job that a worker has claimed.
#[derive(Debug, FromRow)]
pub struct ClaimedJob {
    /// The id of the job.
    pub id: String,
    /// The stored name of the job's type. A newer version may have enqueued the job, so this version may not know the
    /// name.
    pub kind: String,
    /// The payload, as JSON.
    pub payload: String,
    /// The number of attempts, including this one.
    pub attempts: i64,
    /// The lease token.
    pub lease: String,
}

/// Enqueues a job that is due when the transaction commits.
pub async fn enqueue<J: Job>(tx: &mut Tx, clock: &Clock, job: &J) -> Result<()> {
    enqueue_at(tx, clock, job, clock.now()).await
}

/// Enqueues a job that is due at `at`.
pub async fn enqueue_at<J: Job>(tx: &mut Tx, clock: &Clock, job: &J, at: Millis) -> Result<()> {
    sqlx::query("INSERT INTO jobs (id, kind, payload, run_at, scheduled_at, attempts) VALUES ($1, $2, $3, $4, $5, 0)")
        .bind(clock.id())
        .bind(J::KIND)
        .bind(job.to_payload()?)
        .bind(at)
        .bind(clock.now())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Enqueues a job that is due at `at`, unless the same job is already waiting to run at that time.
///
/// If the job is already waiting, locks it until the transaction ends. The job then runs after the
/// commit and sees what the transaction wrote.
pub async fn enqueue_once_at<J: Job>(
    tx: &mut Tx,
    clock: &Clock,
    job: &J,
    at: Millis,
) -> Result<()> {
    let lock_waiting = format!(
        "UPDATE jobs SET run_at = run_at
         WHERE id = (SELECT id FROM jobs WHERE kind = $1 AND payload = $2 AND run_at = $3
         AND dead_at IS NULL AND lease IS NULL LIMIT 1{})",
        skip_locked(tx.dialect())
    );
    let waiting = sqlx::query(AssertSqlSafe(lock_waiting))
        .bind(J::KIND)
        .bind(job.to_payload()?)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    if waiting.rows_affected() > 0 {
        return Ok(());
    }
    enqueue_at(tx, clock, job, at).await
}

/// Makes a job due now instead of later.
pub async fn run_now<J: Job>(tx: &mut Tx, clock: &Clock, job: &J) -> Result<()> {
    sqlx::query("UPDATE jobs SET run_at = $1, scheduled_at = $1 WHERE kind = $2 AND payload = $3 AND run_at > $1")
        .bind(clock.now())
        .bind(J::KIND)
        .bind(job.to_payload()?)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Deletes a job that is no longer needed.
pub async fn cancel<J: Job>(tx: &mut Tx, job: &J) -> Result<()> {
    sqlx::query("DELETE FROM jobs WHERE kind = $1 AND payload = $2")
        .bind(J::KIND)
        .bind(job.to_payload()?)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The SQL condition for jobs that can be claimed. `$1` is the time of the domain's clock, and `$2`
/// is the real time.
const CLAIMABLE: &str =
    "dead_at IS NULL AND run_at <= $1 AND (leased_until IS NULL OR leased_until < $2)";

/// SQL at the end of a subquery that selects one row. It locks the row and skips rows that are
/// already locked. SQLite does not need it, because SQLite locks the whole database.
fn skip_locked(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => " FOR UPDATE SKIP LOCKED",
    }
}

/// Claims one job of these kinds: the one with the earliest due time. The lease token starts with
/// `owner`, so that [`expire_leases_of`] can find the lease.
pub async fn claim(
    db: &Db,
    clock: &Clock,
    owner: &str,
    kinds: &Kinds,
) -> Result<Option<ClaimedJob>> {
    if kinds.is_empty() {
        return Ok(None);
    }
    let (now, real) = (clock.now(), clock::real_now());
    let of_kind = kinds.sql_condition();
    match peek(db, now, real, &of_kind).await? {
        NextJob::Nothing => return Ok(None),
        NextJob::Claimable => {}
        NextJob::FromTheFuture => reschedule(db, now, real).await?,
    }
    let skip_locked = skip_locked(db.dialect());
    let claim = format!(
        "UPDATE jobs SET lease = $3, leased_until = $4, attempts = attempts + 1 WHERE id =
         (SELECT id FROM jobs WHERE {CLAIMABLE}{of_kind} ORDER BY run_at, id LIMIT 1{skip_locked})
         RETURNING id, kind, payload, attempts, lease"
    );
    let mut tx = db.begin().await?;
    let job = sqlx::query_as(AssertSqlSafe(claim))
        .bind(now)
        .bind(real)
        .bind(format!("{owner}.{}", ids::secret()))
        .bind(real + LEASE)
        .fetch_optional(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(job)
}

/// The result of [`peek`].
enum NextJob {
    Nothing,
    Claimable,
    /// Some job has a timestamp in the future, so the clock was set back.
    FromTheFuture,
}

/// Checks whether there is a job to claim. Uses a single query and no lock, so that idle nodes do not take SQLite's
/// write lock.
async fn peek(db: &Db, now: Millis, real: Millis, of_kind: &str) -> Result<NextJob> {
    let look = format!(
        "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM jobs WHERE scheduled_at > $3)
             OR EXISTS (SELECT 1 FROM jobs WHERE leased_until > $4) THEN 2
         WHEN EXISTS (SELECT 1 FROM jobs WHERE {CLAIMABLE}{of_kind}) THEN 1 ELSE 0 END AS BIGINT)"
    );
    let found: i64 = sqlx::query_scalar(AssertSqlSafe(look))
        .bind(now)
        .bind(real)
        .bind(now + MAX_CLOCK_SKEW)
        .bind(latest_valid_lease(real))
        .fetch_one(&mut *db.read().await?)
        .await?;
    Ok(match found {
        0 => NextJob::Nothing,
        1 => NextJob::Claimable,
        _ => NextJob::FromTheFuture,
    })
}

/// The latest time at which a valid lease can end. A lease with a later end was written before the
/// clock was set back. The limit is twice the lease duration, because another node's clock may be
/// ahead.
fn latest_valid_lease(real: Millis) -> Millis {
    real + 2 * LEASE
}

/// Reschedules jobs after the clock was set back. A job that was scheduled in the future becomes
/// due after its original delay, counted from now. A lease that ends too far in the future is
/// shortened to the full lease duration, counted from now; a worker that is still running renews
/// its lease.
async fn reschedule(db: &Db, now: Millis, real: Millis) -> Result<()> {
    let mut tx = db.begin().await?;
    let moved = sqlx::query(
        "UPDATE jobs SET run_at = run_at - scheduled_at + $1, scheduled_at = $1 WHERE scheduled_at > $2")
        .bind(now)
        .bind(now + MAX_CLOCK_SKEW)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE jobs SET leased_until = $1 WHERE leased_until > $2")
        .bind(real + LEASE)
        .bind(latest_valid_lease(real))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    tracing::info!(
        jobs = moved.rows_affected(),
        "the clock was set back; rescheduled jobs with their original delays"
    );
    Ok(())
}

/// Ends the leases of an owner that is no longer running, so that other workers can claim its jobs immediately. The
/// interrupted attempts still count. Returns the number of ended leases.
pub async fn expire_leases_of(tx: &mut Tx, owner: &str) -> Result<u64> {
    let ended =
        sqlx::query("UPDATE jobs SET lease = NULL, leased_until = NULL WHERE lease LIKE $1")
            .bind(format!("{owner}.%"))
            .execute(&mut **tx)
            .await?;
    Ok(ended.rows_affected())
}

/// Renews a lease. Returns `false` if the worker no longer holds the lease.
pub async fn renew(db: &Db, job: &ClaimedJob) -> Result<bool> {
    let mut tx = db.begin().await?;
    let done = sqlx::query("UPDATE jobs SET leased_until = $1 WHERE id = $2 AND lease = $3")
        .bind(clock::real_now() + LEASE)
        .bind(&job.id)
        .bind(&job.lease)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes a finished job.
pub async fn finish(db: &Db, job: &ClaimedJob) -> Result<()> {
    let mut tx = db.begin().await?;
    sqlx::query("DELETE FROM jobs WHERE id = $1 AND lease = $2")
        .bind(&job.id)
        .bind(&job.lease)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// Records a failure. Schedules a retry after a pause that grows with each attempt. Marks the job
/// dead instead if this was the last attempt that `retry` allows. Returns whether the job is dead.
pub async fn fail(
    db: &Db,
    clock: &Clock,
    job: &ClaimedJob,
    retry: Retry,
    error: &str,
) -> Result<bool> {
    let now = clock.now();
    let dead = !retry.allows_attempt(job.attempts + 1);
    let mut tx = db.begin().await?;
    sqlx::query(
        "UPDATE jobs SET lease = NULL, leased_until = NULL, run_at = $1, scheduled_at = $6, error = $2, dead_at = $3
         WHERE id = $4 AND lease = $5")
        .bind(now + Retry::pause_after(job.attempts))
        .bind(error)
        .bind(dead.then_some(now))
        .bind(&job.id)
        .bind(&job.lease)
        .bind(now)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(dead)
}

/// Returns a job to the queue at shutdown; the attempt does not count.
pub async fn release(db: &Db, job: &ClaimedJob) -> Result<()> {
    let mut tx = db.begin().await?;
    sqlx::query(
        "UPDATE jobs SET lease = NULL, leased_until = NULL, attempts = attempts - 1 WHERE id = $1 AND lease = $2")
        .bind(&job.id)
        .bind(&job.lease)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// The number of jobs in each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Counts {
    /// Jobs that are neither finished nor dead, including jobs that are due later.
    pub waiting: i64,
    /// Jobs that are due now or already running.
    pub due: i64,
    /// Jobs that failed in their last allowed attempt.
    pub dead: i64,
}

/// Counts the jobs in each state. `now` is the time of the domain's clock.
pub async fn counts(connection: &mut AnyConnection, now: Millis) -> Result<Counts> {
    Ok(sqlx::query_as(
        "SELECT count(*) FILTER (WHERE dead_at IS NULL) AS waiting,
         count(*) FILTER (WHERE dead_at IS NULL AND run_at <= $1) AS due,
         count(*) FILTER (WHERE dead_at IS NOT NULL) AS dead FROM jobs",
    )
    .bind(now)
    .fetch_one(connection)
    .await?)
}
