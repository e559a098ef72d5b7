//! Durable work: a row in the database, written in the transaction it belongs to, done by whoever claims it.
//!
//! When it is due is the domain's time, so that tests need not wait; a claim is a lease in real time that its worker renews. Work survives
//! `kill -9`, is tried again with a growing pause and after the last try stands aside as dead, where an admin can see why.

use std::time::Duration;

use sqlx::{AnyConnection, FromRow};

use crate::clock::{self, Clock, Millis};
use crate::db::{Db, Dialect, Tx};
use crate::error::Result;

/// How long a claim holds unless it is renewed.
const LEASE: Millis = 60_000;
/// How often a worker renews its claim.
pub const RENEW: Duration = Duration::from_secs(20);
/// How often work is tried before it is dead.
const TRIES: i64 = 6;

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
pub async fn enqueue(tx: &mut Tx, clock: &Clock, kind: &'static str, payload: &serde_json::Value) -> Result<()> {
    enqueue_at(tx, clock, kind, payload, clock.now()).await
}

/// Adds work to be done at a time, or later.
pub async fn enqueue_at(tx: &mut Tx, clock: &Clock, kind: &'static str, payload: &serde_json::Value, at: Millis) -> Result<()> {
    sqlx::query("INSERT INTO jobs (id, kind, payload, run_at, attempts) VALUES ($1, $2, $3, $4, 0)")
        .bind(clock.id())
        .bind(kind)
        .bind(payload.to_string())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Has work that waits for a later time done now.
pub async fn hurry(tx: &mut Tx, clock: &Clock, kind: &'static str, payload: &serde_json::Value) -> Result<()> {
    sqlx::query("UPDATE jobs SET run_at = $1 WHERE kind = $2 AND payload = $3 AND run_at > $1")
        .bind(clock.now())
        .bind(kind)
        .bind(payload.to_string())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Takes work back that was done otherwise.
pub async fn forget(tx: &mut Tx, kind: &'static str, payload: &serde_json::Value) -> Result<()> {
    sqlx::query("DELETE FROM jobs WHERE kind = $1 AND payload = $2").bind(kind).bind(payload.to_string()).execute(&mut **tx).await?;
    Ok(())
}

/// Claims the work that has been due longest, if there is any.
pub async fn claim(db: &Db, clock: &Clock) -> Result<Option<Job>> {
    let (now, real) = (clock.now(), clock::real_now());
    // Looked for before it is locked, so that idle workers do not take SQLite's write lock.
    let due: Option<String> = sqlx::query_scalar(
        "SELECT id FROM jobs WHERE dead_at IS NULL AND run_at <= $1 AND (leased_until IS NULL OR leased_until < $2) LIMIT 1",
    )
    .bind(now)
    .bind(real)
    .fetch_optional(&mut *db.read().await?)
    .await?;
    if due.is_none() {
        return Ok(None);
    }
    let claim = match db.dialect() {
        Dialect::Sqlite => {
            "UPDATE jobs SET lease = $1, leased_until = $2, attempts = attempts + 1 WHERE id =
             (SELECT id FROM jobs WHERE dead_at IS NULL AND run_at <= $3 AND (leased_until IS NULL OR leased_until < $4) ORDER BY run_at, id LIMIT 1)
             RETURNING id, kind, payload, attempts, lease"
        }
        Dialect::Postgres => {
            "UPDATE jobs SET lease = $1, leased_until = $2, attempts = attempts + 1 WHERE id =
             (SELECT id FROM jobs WHERE dead_at IS NULL AND run_at <= $3 AND (leased_until IS NULL OR leased_until < $4) ORDER BY run_at, id LIMIT 1
              FOR UPDATE SKIP LOCKED)
             RETURNING id, kind, payload, attempts, lease"
        }
    };
    let mut tx = db.begin().await?;
    let job = sqlx::query_as(claim).bind(clock::secret()).bind(real + LEASE).bind(now).bind(real).fetch_optional(&mut *tx).await?;
    tx.commit().await?;
    Ok(job)
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
    sqlx::query("DELETE FROM jobs WHERE id = $1 AND lease = $2").bind(&job.id).bind(&job.lease).execute(&mut *tx).await?;
    tx.commit().await
}

fn deletes(job: &Job) -> bool {
    matches!(job.kind.as_str(), "purge" | "clear" | "burn")
}

/// Whether it was begun more often than it may be tried: it never came to say that it failed.
pub fn tried_enough(job: &Job) -> bool {
    job.attempts > TRIES && !deletes(job)
}

/// The work failed: again after 5 s, 25 s, 2 min, … at most an hour, or after the last try never. Answers whether that was the last.
/// Deleting is tried for ever: what was to be gone must not stay because storage was away for long.
pub async fn fail(db: &Db, clock: &Clock, job: &Job, error: &str) -> Result<bool> {
    let now = clock.now();
    let dead = job.attempts >= TRIES && !deletes(job);
    let pause = 1000 * 5_i64.pow(u32::try_from(job.attempts.clamp(1, 5)).unwrap_or(5));
    let mut tx = db.begin().await?;
    sqlx::query("UPDATE jobs SET lease = NULL, leased_until = NULL, run_at = $1, error = $2, dead_at = $3 WHERE id = $4 AND lease = $5")
        .bind(now + pause)
        .bind(error)
        .bind(dead.then_some(now))
        .bind(&job.id)
        .bind(&job.lease)
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
