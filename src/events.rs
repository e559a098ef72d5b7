//! Numbered events that tell open pages what changed. After a disconnection, a page asks for the
//! events after the last number that it received, so it misses no event.

pub mod hub;

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db::{self, Tx, text_enum};

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
        /// The inbox of a person. The event belongs to no update.
        Inbox = "inbox",
        /// The rights of a person: the person lost access to updates, or a session or token of the person ended. The
        /// event belongs to no update.
        Rights = "rights",
        /// The rights of people whom the event does not name. The event belongs to no update. Only versions before
        /// 0.2.0 record it.
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
    /// Id of the update; empty if the event belongs to no update.
    pub update_id: String,
    /// Id of what changed: a comment, media, person, guest, group, share link or update.
    pub subject_id: String,
}

/// Maximum number of events in one SQL statement.
const CHUNK_SIZE: usize = 500;

/// Notes that the inbox of a person may have changed. The next call to [`record`] or [`record_deferred`] in this
/// transaction records the event.
pub fn inbox_changed(tx: &mut Tx, person_id: &str) {
    tx.defer(EventKind::Inbox.as_str(), person_id);
}

/// Notes that a person may have lost access to updates, or that a session or token of the person ended. The open event
/// streams of the person then check whether they still have access. The next call to [`record`] or
/// [`record_deferred`] in this transaction records the event.
pub fn rights_changed(tx: &mut Tx, person_id: &str) {
    tx.defer(EventKind::Rights.as_str(), person_id);
}

/// Stores an event with the next number, and the events about people that the transaction noted. Call this function
/// last in a transaction: it locks the counter of event numbers, and other transactions that record events wait until
/// this transaction ends.
pub async fn record(
    tx: &mut Tx,
    clock: &Clock,
    kind: EventKind,
    update_id: &str,
    subject_id: &str,
    actor_id: &str,
) -> Result<()> {
    let event = (kind.as_str(), update_id, subject_id, actor_id);
    insert(tx, clock, Some(event)).await
}

/// Stores the events that [`inbox_changed`] and [`rights_changed`] noted, for a transaction that records no other
/// event. Like [`record`], this function must be called last in a transaction.
pub async fn record_deferred(tx: &mut Tx, clock: &Clock) -> Result<()> {
    insert(tx, clock, None).await
}

/// Stores an event, which is a kind and the ids of an update, a subject and an actor, and all deferred events.
async fn insert(
    tx: &mut Tx,
    clock: &Clock,
    event: Option<(&'static str, &str, &str, &str)>,
) -> Result<()> {
    let deferred = tx.take_deferred();
    let about_people = deferred
        .iter()
        .map(|(kind, person)| (*kind, "", person.as_str(), ""));
    let events: Vec<_> = event.into_iter().chain(about_people).collect();
    if events.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(events.len()).map_err(Error::internal)?;
    let newest: i64 = sqlx::query_scalar("UPDATE event_counter SET n = n + $1 RETURNING n")
        .bind(count)
        .fetch_one(&mut **tx)
        .await?;
    let mut numbers = newest - count + 1..;
    for chunk in events.chunks(CHUNK_SIZE) {
        let rows: Vec<String> = (0..chunk.len())
            .map(|row| format!("({}, $1)", db::placeholders(2 + 5 * row, 5)))
            .collect();
        let text = format!(
            "INSERT INTO events (n, kind, update_id, subject_id, actor_id, at) VALUES {}",
            rows.join(", ")
        );
        let mut statement = sqlx::query(AssertSqlSafe(text)).bind(clock.now());
        for ((kind, update_id, subject_id, actor_id), n) in chunk.iter().zip(&mut numbers) {
            statement = statement
                .bind(n)
                .bind(*kind)
                .bind(*update_id)
                .bind(*subject_id)
                .bind(*actor_id);
        }
        statement.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Returns the number of the newest event.
pub async fn newest_number(connection: &mut AnyConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT n FROM event_counter")
        .fetch_one(connection)
        .await?)
}

/// A row of the table `events`: number, kind, update and subject.
type Row = (i64, String, String, String);

fn from_row((n, kind, update_id, subject_id): Row) -> Event {
    Event {
        n,
        kind: kind.parse().ok(),
        update_id,
        subject_id,
    }
}

/// Maximum number of events that [`list_after`] returns; the same number is in its SQL.
const LIST_LIMIT: usize = 500;

/// Lists at most [`LIST_LIMIT`] events whose number is greater than `n`, in ascending order. Includes events of unknown kinds.
/// Without them, the list could be empty although more events follow, and callers stop at an empty list.
pub async fn list_after(connection: &mut AnyConnection, n: i64) -> Result<Vec<Event>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT n, kind, update_id, subject_id FROM events WHERE n > $1 ORDER BY n LIMIT 500",
    )
    .bind(n)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(from_row).collect())
}

/// Lists all events of an update whose number is greater than `n`, in ascending order. Includes events of unknown
/// kinds. Reads all events after `n`, because there is no index on the update.
pub async fn list_of_update_after(
    connection: &mut AnyConnection,
    update_id: &str,
    n: i64,
) -> Result<Vec<Event>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT n, kind, update_id, subject_id FROM events WHERE n > $1 AND update_id = $2 ORDER BY n",
    )
    .bind(n)
    .bind(update_id)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(from_row).collect())
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
