//! The answer bar, which asks the reader for an answer and shows the answer that the reader gave.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use crate::clock::{Millis, rfc3339};
use crate::error::Result;
use crate::receipts::ReceiptState;
use crate::updates::Update;
use crate::web::extract::context::RequestContext;
use crate::web::pages::AnswerBar;
use crate::web::presenters;
use crate::web::schema::UpdateView;
use crate::{drafts, receipts, updates};

/// Builds the bar that shows the requested answer, the viewer's answer and the viewer's unsent texts.
pub(super) async fn answer_bar(
    connection: &mut AnyConnection,
    ctx: &RequestContext,
    update: &Update,
    view: &UpdateView,
    drafts: &BTreeMap<String, String>,
) -> Result<AnswerBar> {
    let bar = requested_answer(connection, ctx, update, view).await?;
    Ok(AnswerBar {
        draft: unsent_readback(drafts, &bar),
        reason_draft: drafts.get(drafts::DECLINE).cloned().unwrap_or_default(),
        ..bar
    })
}

async fn requested_answer(
    connection: &mut AnyConnection,
    ctx: &RequestContext,
    update: &Update,
    view: &UpdateView,
) -> Result<AnswerBar> {
    if let Some(guest) = ctx.viewer.guest_of(&update.id) {
        let answer = receipts::guest_answer(connection, &guest.id).await?;
        return Ok(guest_answer_bar(update, answer));
    }
    let Some(receipt) = &view.my_receipt else {
        return Ok(AnswerBar::default());
    };
    let exchange = receipts::verdict_thread(connection, &ctx.viewer, update).await?;
    let changes = match receipt.revision {
        Some(seen) => updates::changes_since(connection, update, seen).await?,
        None => None,
    };
    Ok(AnswerBar {
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
        ..AnswerBar::default()
    })
}

/// Builds the answer bar for a guest. `answer` contains the time of the guest's answer, the answered revision, and the
/// readback, if there is one.
fn guest_answer_bar(update: &Update, answer: Option<(Millis, i64, Option<String>)>) -> AnswerBar {
    let Some((at, seen, words)) = answer else {
        return AnswerBar {
            asked: update.asks_for_answer(),
            ..AnswerBar::default()
        };
    };
    let stale = seen < update.revision;
    AnswerBar {
        asked: stale && update.asks_for_answer(),
        state: Some(match words {
            _ if stale => ReceiptState::Stale,
            Some(_) => ReceiptState::ReadBack,
            None => ReceiptState::Acknowledged,
        }),
        at: rfc3339(at),
        text: words.unwrap_or_default(),
        ..AnswerBar::default()
    }
}

/// Returns the readback that the person has typed but not sent. Ignores a draft that equals the
/// earlier answer, because it was left over when that answer was sent. The text box then starts
/// empty, so that one click cannot send the same text again.
fn unsent_readback(drafts: &BTreeMap<String, String>, bar: &AnswerBar) -> String {
    drafts
        .get(drafts::READBACK)
        .filter(|draft| draft.trim() != bar.text)
        .cloned()
        .unwrap_or_default()
}
