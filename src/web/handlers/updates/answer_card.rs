//! The answer card, which asks the reader for an answer and shows the answer that the reader gave.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use crate::clock::{Millis, rfc3339};
use crate::error::Result;
use crate::receipts::ReceiptState;
use crate::updates::Update;
use crate::web::extract::context::RequestContext;
use crate::web::pages::AnswerCard;
use crate::web::presenters;
use crate::web::schema::UpdateView;
use crate::{drafts, receipts, updates};

/// Builds the card that shows the requested answer, the viewer's answer and the viewer's unsent texts.
pub(super) async fn answer_card(
    connection: &mut AnyConnection,
    ctx: &RequestContext,
    update: &Update,
    view: &UpdateView,
    drafts: &BTreeMap<String, String>,
) -> Result<AnswerCard> {
    let card = requested_answer(connection, ctx, update, view).await?;
    Ok(AnswerCard {
        draft: unsent_readback(drafts, &card),
        reason_draft: drafts.get(drafts::DECLINE).cloned().unwrap_or_default(),
        ..card
    })
}

async fn requested_answer(
    connection: &mut AnyConnection,
    ctx: &RequestContext,
    update: &Update,
    view: &UpdateView,
) -> Result<AnswerCard> {
    if let Some(guest) = ctx.viewer.guest_of(&update.id) {
        let answer = receipts::guest_answer(connection, &guest.id).await?;
        return Ok(guest_answer_card(update, answer));
    }
    let Some(receipt) = &view.my_receipt else {
        return Ok(AnswerCard::default());
    };
    let exchange = receipts::verdict_thread(connection, &ctx.viewer, update).await?;
    let changes = match receipt.revision {
        Some(seen) => updates::changes_since(connection, update, seen).await?,
        None => None,
    };
    Ok(AnswerCard {
        asked: receipt.owes,
        state: Some(receipt.state),
        at: receipt.answered_at.clone().unwrap_or_default(),
        text: receipt
            .readback
            .clone()
            .or(receipt.reason.clone().filter(|_| !receipt.owes))
            .unwrap_or_default(),
        correction: receipt.correction.clone().unwrap_or_default(),
        due: receipt.due.clone(),
        overdue: receipt.overdue,
        changes: changes.map(|changes| presenters::changes_view(update, changes)),
        thread: exchange
            .iter()
            .filter(|one| one.person_id == receipt.person.id)
            .map(presenters::exchange_view)
            .collect(),
        disclosed: receipt.disclosed,
        ..AnswerCard::default()
    })
}

/// Builds the answer card for a guest. `answer` contains the time of the guest's answer, the answered revision, and the
/// readback, if there is one.
fn guest_answer_card(update: &Update, answer: Option<(Millis, i64, Option<String>)>) -> AnswerCard {
    let Some((at, seen, words)) = answer else {
        return AnswerCard {
            asked: update.asks_for_answer(),
            ..AnswerCard::default()
        };
    };
    let stale = seen < update.revision;
    AnswerCard {
        asked: stale && update.asks_for_answer(),
        state: Some(match words {
            _ if stale => ReceiptState::Stale,
            Some(_) => ReceiptState::ReadBack,
            None => ReceiptState::Acknowledged,
        }),
        at: rfc3339(at),
        text: words.unwrap_or_default(),
        ..AnswerCard::default()
    }
}

/// Returns the readback that the person has typed but not sent. Ignores a draft that equals the
/// earlier answer, because it was left over when that answer was sent. The text box then starts
/// empty, so that one click cannot send the same text again.
fn unsent_readback(drafts: &BTreeMap<String, String>, card: &AnswerCard) -> String {
    drafts
        .get(drafts::READBACK)
        .filter(|draft| draft.trim() != card.text)
        .cloned()
        .unwrap_or_default()
}
