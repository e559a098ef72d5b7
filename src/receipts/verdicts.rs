//! Verdicts: the author confirms or corrects a readback. Readbacks, objections and verdicts form
//! one thread of messages between the author and each recipient.

use sqlx::{AnyConnection, FromRow};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::infra::db::{FetchKnown, Tx};
use crate::notifications;
use crate::notifications::{Kind, Notification};
use crate::people::Viewer;
use crate::updates::{self, Update};

use super::{AnswerKind, MessageKind, Receipt, VerdictKind, of_person};

/// Maximum number of messages in the thread between the author and a recipient.
const MAX_MESSAGES: i64 = 100;

/// The author's verdict on a readback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The readback is right.
    Confirmed,
    /// The readback is not quite right; the text explains why. The recipient owes a new readback.
    Corrected(String),
}

impl Verdict {
    fn kind(&self) -> VerdictKind {
        match self {
            Self::Confirmed => VerdictKind::Confirmed,
            Self::Corrected(_) => VerdictKind::Corrected,
        }
    }

    /// The text of a correction; empty for a confirmation.
    fn body(&self) -> &str {
        match self {
            Self::Confirmed => "",
            Self::Corrected(body) => body,
        }
    }
}

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

/// Locks an update that the viewer wrote. Returns the update and the receipt of the given
/// recipient.
async fn find_own_receipt(
    tx: &mut Tx,
    viewer: &Viewer,
    id: &str,
    person_id: &str,
) -> Result<(Update, Receipt)> {
    updates::lock_for_update(tx, id).await?;
    let update = updates::find(tx, viewer, id).await?;
    if viewer.person().is_ok_and(|viewer| viewer.id == person_id) {
        return Err(Error::Forbidden(format!(
            "Only {} can confirm, correct or share your readback.",
            update.author_name
        )));
    }
    let update = match updates::must_be_author(viewer, &update) {
        Ok(()) if update.trashed_at.is_none() => update,
        Ok(()) => {
            return Err(Error::Conflict(updates::IN_TRASH.into()));
        }
        Err(error) => return Err(error),
    };
    let receipt = of_person(tx, id, person_id).await?.ok_or(Error::NotFound)?;
    Ok((update, receipt))
}

/// Returns the kind of message and the kind of notification for a verdict.
fn verdict_kinds(kind: VerdictKind) -> (MessageKind, Kind) {
    match kind {
        VerdictKind::Confirmed => (MessageKind::Confirmed, Kind::Confirmed),
        VerdictKind::Corrected => (MessageKind::Corrected, Kind::Corrected),
    }
}

/// Confirms or corrects a recipient's readback. The viewer must be the author. The verdict replaces an earlier verdict
/// on this readback, but a correction cannot replace a different correction. `said_at` is the time of the readback that
/// the author's page showed. Returns [`Error::Conflict`] if the recipient has sent a newer readback.
pub async fn give_verdict(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    person_id: &str,
    verdict: &Verdict,
    said_at: Option<Millis>,
) -> Result<()> {
    let (update, receipt) = find_own_receipt(tx, viewer, id, person_id).await?;
    check_readback(&update, &receipt, said_at)?;
    let (given, body) = (verdict.kind(), verdict.body());
    if receipt.verdict == Some(given) && receipt.correction.as_deref().unwrap_or_default() == body {
        return Ok(());
    }
    if given == VerdictKind::Corrected && receipt.verdict == Some(given) {
        return Err(Error::Conflict(format!(
            "{} already has your correction of this readback. Wait for a new readback, or withdraw the correction.",
            receipt.name
        )));
    }
    clear_verdict(tx, clock, &update, &receipt).await?;
    let (message, kind) = verdict_kinds(given);
    store_verdict(tx, id, person_id, Some(given)).await?;
    append_message(tx, clock, &update, person_id, message, body).await?;
    let notification = Notification {
        kind,
        update_id: id,
        subject_id: id,
        actor_id: &update.author_id,
    };
    notifications::notify(tx, clock, notification, &[person_id.to_owned()]).await?;
    publish_change(tx, clock, &update, person_id).await
}

/// Withdraws the author's verdict on a recipient's readback, which then awaits a verdict again.
/// Also deletes the recipient's notification of the verdict, so that it is no longer emailed. The
/// viewer must be the author. Does nothing if there is no verdict.
pub async fn withdraw_verdict(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    person_id: &str,
) -> Result<()> {
    let (update, receipt) = find_own_receipt(tx, viewer, id, person_id).await?;
    if receipt.verdict.is_none() {
        return Ok(());
    }
    clear_verdict(tx, clock, &update, &receipt).await?;
    publish_change(tx, clock, &update, person_id).await
}

/// Fails if the receipt has no readback of the current revision. If `said_at` is set, also fails if the readback was
/// sent at a different time.
fn check_readback(update: &Update, receipt: &Receipt, said_at: Option<Millis>) -> Result<()> {
    if receipt.answer != Some(AnswerKind::ReadBack) {
        return Err(Error::Conflict(format!(
            "{} has not read this update back, or has withdrawn the readback.",
            receipt.name
        )));
    }
    if receipt
        .answered_revision
        .is_some_and(|seen| seen < update.revision)
    {
        return Err(Error::Conflict(format!(
            "This update has changed since {} read it back. They have been asked for a new readback.",
            receipt.name
        )));
    }
    if said_at.is_some_and(|said| Some(said) != receipt.answered_at) {
        return Err(Error::Conflict(format!(
            "{} has sent a new readback. Read the new one first.",
            receipt.name
        )));
    }
    Ok(())
}

/// Removes the current verdict of a receipt: marks the message of the verdict as taken back and
/// deletes the recipient's notification. Does nothing if there is no verdict.
async fn clear_verdict(
    tx: &mut Tx,
    clock: &Clock,
    update: &Update,
    receipt: &Receipt,
) -> Result<()> {
    let Some(given) = receipt.verdict else {
        return Ok(());
    };
    let (message, kind) = verdict_kinds(given);
    store_verdict(tx, &update.id, &receipt.person_id, None).await?;
    sqlx::query(
        "UPDATE exchanges SET taken_back_at = $1 WHERE taken_back_at IS NULL AND id = (SELECT max(id) FROM exchanges
         WHERE update_id = $2 AND person_id = $3 AND kind = $4)",
    )
    .bind(clock.now())
    .bind(&update.id)
    .bind(&receipt.person_id)
    .bind(message)
    .execute(&mut **tx)
    .await?;
    notifications::retract_kind(tx, kind, &update.id, &receipt.person_id).await
}

async fn store_verdict(
    tx: &mut Tx,
    id: &str,
    person_id: &str,
    verdict: Option<VerdictKind>,
) -> Result<()> {
    sqlx::query("UPDATE receipts SET verdict = $1 WHERE update_id = $2 AND person_id = $3")
        .bind(verdict)
        .bind(id)
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Recomputes the recipient's obligation after the verdict has changed, and refreshes the open
/// pages of those who may see the verdict.
async fn publish_change(
    tx: &mut Tx,
    clock: &Clock,
    update: &Update,
    person_id: &str,
) -> Result<()> {
    updates::refresh_obligations(tx, clock, &update.id, Some(person_id)).await?;
    events::record(
        tx,
        clock,
        EventKind::Verdict,
        &update.id,
        person_id,
        &update.author_id,
    )
    .await
}

/// Shows the thread with a recipient to every member who can see the update, or hides it again.
/// Only the author may change this. The thread can be shown only if the recipient's current answer
/// is a readback or an objection.
pub async fn set_disclosed(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    person_id: &str,
    open: bool,
) -> Result<()> {
    let (update, receipt) = find_own_receipt(tx, viewer, id, person_id).await?;
    if open && receipt.words.is_none() {
        return Err(Error::Conflict(format!(
            "{} has neither read this update back nor objected, so there is nothing to share.",
            receipt.name
        )));
    }
    sqlx::query("UPDATE receipts SET disclosed_at = CASE WHEN $1 = 0 THEN NULL ELSE $2 END WHERE update_id = $3 \
                 AND person_id = $4")
        .bind(i64::from(open))
        .bind(clock.now())
        .bind(id)
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
    events::record(
        tx,
        clock,
        EventKind::Receipt,
        id,
        person_id,
        &update.author_id,
    )
    .await
}
