//! What happened, numbered, so that open pages can show it and nothing is skipped.

pub mod hub;

use sqlx::{AnyConnection, FromRow};

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db::Tx;

/// Events are kept for a day: a page that slept longer loads anew.
pub const RETENTION: Millis = 24 * 3_600_000;

/// Something that happened to an update.
#[derive(Clone, Debug, FromRow)]
pub struct Event {
    /// Its number: later ones are greater.
    pub n: i64,
    /// `update`, `media`, `comment`, `reaction`, `receipt`, `opening`, `link`, or `access`, which is of no one update.
    pub kind: String,
    /// The update.
    pub update_id: String,
    /// What of it: the comment, the media, the person.
    pub subject_id: String,
}

/// Numbers and writes an event. Call it last in a transaction: it takes the lock on the counter, which orders all events.
pub async fn record(
    tx: &mut Tx,
    clock: &Clock,
    kind: &'static str,
    update_id: &str,
    subject_id: &str,
    actor_id: &str,
) -> Result<()> {
    let n: i64 = sqlx::query_scalar("UPDATE event_counter SET n = n + 1 RETURNING n")
        .fetch_one(&mut **tx)
        .await?;
    sqlx::query("INSERT INTO events (n, kind, update_id, subject_id, actor_id, at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(n)
        .bind(kind)
        .bind(update_id)
        .bind(subject_id)
        .bind(actor_id)
        .bind(clock.now())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Records that somebody's rights changed: every open stream checks its own again, and none hears of whose. Call it last, like [`record`].
pub async fn record_access(
    tx: &mut Tx,
    clock: &Clock,
    subject_id: &str,
    actor_id: &str,
) -> Result<()> {
    record(tx, clock, "access", "", subject_id, actor_id).await
}

/// The number of the newest event.
pub async fn newest_number(connection: &mut AnyConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT n FROM event_counter")
        .fetch_one(connection)
        .await?)
}

/// At most 500 events after the one numbered so, in order.
pub async fn list_after(connection: &mut AnyConnection, n: i64) -> Result<Vec<Event>> {
    Ok(sqlx::query_as(
        "SELECT n, kind, update_id, subject_id FROM events WHERE n > $1 ORDER BY n LIMIT 500",
    )
    .bind(n)
    .fetch_all(connection)
    .await?)
}

/// Forgets what is older than [`RETENTION`].
pub async fn sweep(tx: &mut Tx, clock: &Clock) -> Result<()> {
    sqlx::query("DELETE FROM events WHERE at < $1")
        .bind(clock.now() - RETENTION)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
