//! The thread between the author and a recipient: readbacks, objections and verdicts, and who may read them.

use sqlx::{AnyConnection, FromRow};

use super::MessageKind;
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db::{FetchKnown, Tx};
use crate::people::Viewer;
use crate::updates::Update;

/// Maximum number of messages in the thread between the author and a recipient.
const MAX_MESSAGES: i64 = 100;

/// A message in the thread between the author and a recipient.
#[derive(Clone, Debug, FromRow)]
pub struct ThreadMessage {
    /// Id of the recipient.
    pub person_id: String,
    /// Kind of message.
    pub kind: MessageKind,
    /// Revision that the message is about.
    pub revision: i64,
    /// Text of the message; empty for a confirmation.
    pub body: String,
    /// When the message was written.
    pub said_at: Millis,
    /// When the writer took the message back.
    pub taken_back_at: Option<Millis>,
}

/// Appends a message to the thread between the author and a recipient. Returns [`Error::Conflict`]
/// if the thread is full.
pub(super) async fn append_message(
    tx: &mut Tx,
    clock: &Clock,
    update: &Update,
    person_id: &str,
    kind: MessageKind,
    body: &str,
) -> Result<()> {
    let said: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM exchanges WHERE update_id = $1 AND person_id = $2",
    )
    .bind(&update.id)
    .bind(person_id)
    .fetch_one(&mut **tx)
    .await?;
    if said >= MAX_MESSAGES {
        return Err(Error::Conflict(
            "This thread is full. Continue in a comment.".into(),
        ));
    }
    sqlx::query("INSERT INTO exchanges (id, update_id, person_id, kind, revision, body, said_at) VALUES ($1, \
                 $2, $3, $4, $5, $6, $7)")
        .bind(clock.id())
        .bind(&update.id)
        .bind(person_id)
        .bind(kind)
        .bind(update.revision)
        .bind(body)
        .bind(clock.now())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Marks the recipient's last message as taken back. The message itself remains stored.
pub(super) async fn mark_taken_back(
    tx: &mut Tx,
    clock: &Clock,
    update_id: &str,
    person_id: &str,
) -> Result<()> {
    sqlx::query(
        "UPDATE exchanges SET taken_back_at = $1 WHERE taken_back_at IS NULL AND id = (SELECT max(id) FROM exchanges
         WHERE update_id = $2 AND person_id = $3 AND kind IN ('readback', 'decline'))",
    )
    .bind(clock.now())
    .bind(update_id)
    .bind(person_id)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Lists the messages between the author and each recipient, oldest first. The author sees all messages, and recipients
/// see their own thread. Other people with an account see a thread only if the author has disclosed it. They see the
/// messages that were written before the disclosure, except messages that were taken back. Guests see nothing.
pub async fn verdict_thread(
    connection: &mut AnyConnection,
    viewer: &Viewer,
    update: &Update,
) -> Result<Vec<ThreadMessage>> {
    let Viewer::Person(person) = viewer else {
        return Ok(Vec::new());
    };
    sqlx::query_as(
        "SELECT e.person_id, e.kind, e.revision, e.body, e.said_at, e.taken_back_at FROM exchanges e
         JOIN receipts r ON r.update_id = e.update_id AND r.person_id = e.person_id
         WHERE e.update_id = $1 AND (e.person_id = $2 OR $2 = $3 OR (e.said_at <= r.disclosed_at AND e.taken_back_at IS NULL)) ORDER BY e.id",
    )
    .bind(&update.id)
    .bind(&person.id)
    .bind(&update.author_id)
    .fetch_known(connection)
    .await
}
