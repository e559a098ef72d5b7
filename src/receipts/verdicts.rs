//! Verdicts: the author confirms or corrects a readback.

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::infra::db::Tx;
use crate::notifications;
use crate::notifications::{Kind, Notification};
use crate::people::Viewer;
use crate::updates::{self, Update};

use super::verdict_thread::append_message;
use super::{AnswerKind, MessageKind, Receipt, VerdictKind, of_person};

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

/// Locks an update that the viewer wrote. Returns the update and the receipt of the given
/// recipient.
pub(super) async fn find_own_receipt(
    tx: &mut Tx,
    viewer: &Viewer,
    id: &str,
    person_id: &str,
) -> Result<(Update, Receipt)> {
    updates::lock_for_update(tx, id).await?;
    let update = updates::find(tx, viewer, id).await?;
    if viewer.person().is_ok_and(|viewer| viewer.id == person_id) {
        return Err(Error::Forbidden(format!(
            "Only {} can confirm, correct or share what you said back.",
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
