//! Durable work: a row in the database, written in the transaction it belongs to, done by whoever claims it.
//!
//! When it is due is the domain's time, so that tests need not wait; a claim is a lease in real time that its worker renews. Work survives
//! `kill -9`, is tried again with a growing pause and after the last try stands aside as dead, where an admin can see why.
//!
//! A clock that is set back delays nothing: each job says by which time it was scheduled, and one that was scheduled in the future is scheduled again
//! with the pause it was given ([`claim`]).

mod lane;

use std::time::Duration;

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

pub use self::lane::Lane;
use crate::clock::{self, Clock, Millis};
use crate::error::Result;
use crate::infra::db::{Db, Dialect, Tx};

/// How long a claim holds unless it is renewed.
const LEASE: Millis = 60_000;
/// How often a worker renews its claim.
pub const RENEW_INTERVAL: Duration = Duration::from_secs(20);
/// How often work is tried before it is dead.
const MAX_ATTEMPTS: i64 = 6;
/// Clocks of nodes differ by less; what lies further in the future was written by a clock that was set back since.
const MAX_CLOCK_SKEW: Millis = 1000;

/// Work that was claimed.
#[derive(Debug, FromRow)]
pub struct Job {
    /// The id.
    pub id: String,
    /// What to do; `app.rs` knows the kinds.
    pub kind: String,
    /// To what: JSON.
    pub payload: String,
    /// How often it was tried, this time included.
    pub attempts: i64,
    /// The claim.
    pub lease: String,
}

/// Adds work to be done as soon as the transaction commits.
pub async fn enqueue(
    tx: &mut Tx,
    clock: &Clock,
    kind: &'static str,
    payload: &serde_json::Value,
) -> Result<()> {
    enqueue_at(tx, clock, kind, payload, clock.now()).await
}

/// Adds work to be done at a time, or later.
pub async fn enqueue_at(
    tx: &mut Tx,
    clock: &Clock,
    kind: &'static str,
    payload: &serde_json::Value,
    at: Millis,
) -> Result<()> {
    sqlx::query("INSERT INTO jobs (id, kind, payload, run_at, scheduled_at, attempts) VALUES ($1, $2, $3, $4, $5, 0)")
        .bind(clock.id())
        .bind(kind)
        .bind(payload.to_string())
        .bind(at)
        .bind(clock.now())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Has work that waits for a later time done now.
pub async fn run_now(
    tx: &mut Tx,
    clock: &Clock,
    kind: &'static str,
    payload: &serde_json::Value,
) -> Result<()> {
    sqlx::query("UPDATE jobs SET run_at = $1, scheduled_at = $1 WHERE kind = $2 AND payload = $3 AND run_at > $1")
        .bind(clock.now())
        .bind(kind)
        .bind(payload.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes work back that was done otherwise.
pub async fn cancel(tx: &mut Tx, kind: &'static str, payload: &serde_json::Value) -> Result<()> {
    sqlx::query("DELETE FROM jobs WHERE kind = $1 AND payload = $2")
        .bind(kind)
        .bind(payload.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A job that may be claimed: `$1` is the domain's time, `$2` the real one.
const CLAIMABLE: &str =
    "dead_at IS NULL AND run_at <= $1 AND (leased_until IS NULL OR leased_until < $2)";

/// Claims the job of these lanes that has been due longest, if there is one. `owner` stands before the lease, so that [`expire_leases_of`] finds it.
pub async fn claim(db: &Db, clock: &Clock, owner: &str, lanes: &[Lane]) -> Result<Option<Job>> {
    if lanes.is_empty() {
        return Ok(None);
    }
    let (now, real) = (clock.now(), clock::real_now());
    let lanes = Lane::sql_condition(lanes);
    match peek(db, now, real, &lanes).await? {
        NextJob::Nothing => return Ok(None),
        NextJob::Claimable => {}
        NextJob::FromTheFuture => reschedule(db, now, real).await?,
    }
    let skip_locked = match db.dialect() {
        Dialect::Sqlite => "",
        Dialect::Postgres => " FOR UPDATE SKIP LOCKED",
    };
    let claim = format!(
        "UPDATE jobs SET lease = $3, leased_until = $4, attempts = attempts + 1 WHERE id =
         (SELECT id FROM jobs WHERE {CLAIMABLE}{lanes} ORDER BY run_at, id LIMIT 1{skip_locked})
         RETURNING id, kind, payload, attempts, lease"
    );
    let mut tx = db.begin().await?;
    let job = sqlx::query_as(AssertSqlSafe(claim))
        .bind(now)
        .bind(real)
        .bind(format!("{owner}.{}", clock::secret()))
        .bind(real + LEASE)
        .fetch_optional(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(job)
}

/// What a look at the jobs found.
enum NextJob {
    Nothing,
    Claimable,
    /// Times that only a clock can have written that was ahead of this one.
    FromTheFuture,
}

/// Looks with one statement and without a lock, so that idle nodes do not take SQLite's write lock.
async fn peek(db: &Db, now: Millis, real: Millis, lanes: &str) -> Result<NextJob> {
    let look = format!(
        "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM jobs WHERE scheduled_at > $3) OR EXISTS (SELECT 1 FROM jobs WHERE leased_until > $4) THEN 2
         WHEN EXISTS (SELECT 1 FROM jobs WHERE {CLAIMABLE}{lanes}) THEN 1 ELSE 0 END AS BIGINT)"
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

/// No lease can end later. One lease more than it could be, because two nodes' clocks must not shorten each other's all the time.
fn latest_valid_lease(real: Millis) -> Millis {
    real + 2 * LEASE
}

/// The clock was set back since these jobs were scheduled: each waits from now for as long as it was to wait then. A lease lasts from now for a whole one;
/// its holder renews it, if it lives.
async fn reschedule(db: &Db, now: Millis, real: Millis) -> Result<()> {
    let mut tx = db.begin().await?;
    let moved = sqlx::query("UPDATE jobs SET run_at = run_at - scheduled_at + $1, scheduled_at = $1 WHERE scheduled_at > $2")
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
        "the clock was set back; jobs keep the pauses they were given"
    );
    Ok(())
}

/// Ends the leases of an owner that is known to be dead, so that its jobs are claimed at once. They count as tried. Returns how many there were.
pub async fn expire_leases_of(tx: &mut Tx, owner: &str) -> Result<u64> {
    let ended =
        sqlx::query("UPDATE jobs SET lease = NULL, leased_until = NULL WHERE lease LIKE $1")
            .bind(format!("{owner}.%"))
            .execute(&mut **tx)
            .await?;
    Ok(ended.rows_affected())
}

/// Holds on to a claim; false when somebody else has it.
pub async fn renew(db: &Db, job: &Job) -> Result<bool> {
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

/// The work is done.
pub async fn finish(db: &Db, job: &Job) -> Result<()> {
    let mut tx = db.begin().await?;
    sqlx::query("DELETE FROM jobs WHERE id = $1 AND lease = $2")
        .bind(&job.id)
        .bind(&job.lease)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

fn is_deletion(job: &Job) -> bool {
    matches!(job.kind.as_str(), "purge" | "clear" | "burn")
}

/// Whether it was begun more often than it may be tried: it never came to say that it failed.
pub fn attempts_exhausted(job: &Job) -> bool {
    job.attempts > MAX_ATTEMPTS && !is_deletion(job)
}

/// The work failed: again after 5 s, 25 s, 2 min, … at most an hour, or after the last try never. Answers whether that was the last.
/// Deleting is tried for ever: what was to be gone must not stay because storage was away for long.
pub async fn fail(db: &Db, clock: &Clock, job: &Job, error: &str) -> Result<bool> {
    let now = clock.now();
    let dead = job.attempts >= MAX_ATTEMPTS && !is_deletion(job);
    let pause = 1000 * 5_i64.pow(u32::try_from(job.attempts.clamp(1, 5)).unwrap_or(5));
    let mut tx = db.begin().await?;
    sqlx::query("UPDATE jobs SET lease = NULL, leased_until = NULL, run_at = $1, scheduled_at = $6, error = $2, dead_at = $3 WHERE id = $4 AND lease = $5")
        .bind(now + pause)
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

/// Gives the work back unharmed, at shutdown.
pub async fn release(db: &Db, job: &Job) -> Result<()> {
    let mut tx = db.begin().await?;
    sqlx::query("UPDATE jobs SET lease = NULL, leased_until = NULL, attempts = attempts - 1 WHERE id = $1 AND lease = $2")
        .bind(&job.id)
        .bind(&job.lease)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// How many jobs wait and how many are dead.
pub async fn counts(connection: &mut AnyConnection) -> Result<(i64, i64)> {
    Ok(sqlx::query_as("SELECT count(*) FILTER (WHERE dead_at IS NULL), count(*) FILTER (WHERE dead_at IS NOT NULL) FROM jobs")
        .fetch_one(connection)
        .await?)
}
