//! Numbered events that tell open pages what changed. After a disconnection, a page asks for the
//! events after the last number that it received, so it misses no event.

pub mod hub;

use sqlx::AnyConnection;

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db::{Tx, text_enum};

/// How long events are kept, in milliseconds. A page that was disconnected for longer has to reload.
pub const RETENTION: Millis = 24 * 3_600_000;

text_enum! {
    /// What changed.
    pub enum EventKind {
        /// An update.
        Update = "update",
        /// A recording or a picture.
        Media = "media",
        /// A comment.
        Comment = "comment",
        /// The reactions to an update or a comment.
        Reaction = "reaction",
        /// A receipt.
        Receipt = "receipt",
        /// A recipient opened an update.
        Opening = "opening",
        /// The author gave or withdrew a verdict on a recipient's readback.
        Verdict = "verdict",
        /// A share link of an update.
        Link = "link",
        /// Access rights. The event belongs to no update.
        Access = "access",
    }
}

/// A recorded change, for example to an update, its comments or its receipts.
#[derive(Clone, Debug)]
pub struct Event {
    /// Sequence number. Later events have greater numbers.
    pub n: i64,
    /// What changed; `None` if a newer version recorded a kind that this version does not know.
    pub kind: Option<EventKind>,
    /// Id of the update; empty for [`EventKind::Access`].
    pub update_id: String,
    /// Id of what changed: a comment, media, person, guest, group, share link or update.
    pub subject_id: String,
}

/// Stores an event with the next number. Call this function last in a transaction: it locks the counter of event
/// numbers, and other transactions that record events wait until this transaction ends.
pub async fn record(
    tx: &mut Tx,
    clock: &Clock,
    kind: EventKind,
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

/// Records that access rights changed. Every open event stream then checks whether its viewer still has access. The
/// event does not reveal whose rights changed. Like [`record`], this function must be called last in a transaction.
pub async fn record_access(
    tx: &mut Tx,
    clock: &Clock,
    subject_id: &str,
    actor_id: &str,
) -> Result<()> {
    record(tx, clock, EventKind::Access, "", subject_id, actor_id).await
}

/// Returns the number of the newest event.
pub async fn newest_number(connection: &mut AnyConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT n FROM event_counter")
        .fetch_one(connection)
        .await?)
}

/// Lists at most 500 events whose number is greater than `n`, in ascending order. Includes events of unknown kinds.
/// Without them, the list could be empty although more events follow, and callers stop at an empty list.
pub async fn list_after(connection: &mut AnyConnection, n: i64) -> Result<Vec<Event>> {
    let rows: Vec<(i64, String, String, String)> = sqlx::query_as(
        "SELECT n, kind, update_id, subject_id FROM events WHERE n > $1 ORDER BY n LIMIT 500",
    )
    .bind(n)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(n, kind, update_id, subject_id)| Event {
            n,
            kind: kind.parse().ok(),
            update_id,
            subject_id,
        })
        .collect())
}

/// Finds the newest event of this kind with this subject and this actor (a person or guest), and
/// returns the id of its update. Returns `None` if there was no such event within [`RETENTION`].
/// Callers use this function to recognize a repeated DELETE request for something that the same
/// person or guest has already deleted. There is no index for the query, so it reads all stored
/// events.
pub async fn update_of_last_event(
    connection: &mut AnyConnection,
    kind: EventKind,
    subject_id: &str,
    actor_id: &str,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT update_id FROM events WHERE subject_id = $1 AND kind = $2 AND actor_id = $3 ORDER BY n DESC LIMIT 1",
    )
    .bind(subject_id)
    .bind(kind)
    .bind(actor_id)
    .fetch_optional(connection)
    .await?)
}

/// Deletes events that are older than [`RETENTION`].
pub async fn sweep(tx: &mut Tx, clock: &Clock) -> Result<()> {
    sqlx::query("DELETE FROM events WHERE at < $1")
        .bind(clock.now() - RETENTION)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
