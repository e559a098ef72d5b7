//! Presenters for receipts, verdict threads and changes, limited to what the viewer may see.

use std::collections::HashMap;

use super::super::extract::context::RequestContext;
use super::super::schema::{
    ChangesView, ExchangeView, FileView, GuestAnswerView, MediaView, PersonView, ReceiptGroup,
    ReceiptView, RevisionView, TrimView, TrimmedView,
};
use super::{format_time, is_author};
use crate::clock::rfc3339;
use crate::infra::html_diff::html_diff;
use crate::infra::markdown;
use crate::receipts::{
    AnswerKind, GuestAnswer, Receipt, ReceiptAccess, Standing, ThreadMessage, VerdictKind,
};
use crate::state::State;
use crate::updates::{Changes, Revision, Update};

/// Presents one receipt, limited to what the viewer may see; see [`ReceiptAccess`].
pub(crate) fn receipt_view(
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    receipt: &Receipt,
) -> ReceiptView {
    let author = is_author(&ctx.viewer, &update.author_id);
    let access = receipt_access(ctx, update, receipt);
    let now = state.clock.now();
    let owes = receipt.owes(update.revision, access);
    let words = |kind: AnswerKind| {
        let given = receipt.words.clone();
        given.filter(|_| receipt.answer == Some(kind))
    };
    let got = receipt
        .answered_at
        .filter(|_| receipt.answer != Some(AnswerKind::Declined));
    let reminded = receipt.reminded_at.filter(|at| {
        access == ReceiptAccess::Full && receipt.owes_since.is_none_or(|since| *at >= since)
    });
    ReceiptView {
        person: PersonView {
            id: receipt.person_id.clone(),
            name: receipt.name.clone(),
        },
        state: receipt.state(update.revision, access),
        standing: Some(receipt.standing).filter(|_| access.sees_openings()),
        sent_at: Some(rfc3339(receipt.sent_at)),
        opened_at: format_time(receipt.opened_at.filter(|_| access.sees_openings())),
        coverage: None,
        unwatched: None,
        answered_at: format_time(receipt.answered_at),
        acknowledged_at: format_time(got),
        revision: receipt.answered_revision,
        readback: words(AnswerKind::ReadBack).filter(|_| access.sees_exchange()),
        correction: receipt
            .correction
            .clone()
            .filter(|_| access.sees_exchange()),
        reason: words(AnswerKind::Declined),
        disclosed: receipt.is_disclosed(),
        owes,
        due: format_time(
            receipt
                .due_at
                .filter(|_| update.asks_for_answer() && (owes || access == ReceiptAccess::Full)),
        ),
        overdue: owes && receipt.due_at.is_some_and(|due| due < now),
        reminded_at: format_time(reminded),
        away_until: format_time(receipt.away_until.filter(|until| *until > now)),
        zone: receipt.time_zone.clone(),
        group: receipt_group(receipt, owes, author, access),
        exchange: Vec::new(),
    }
}

/// Returns how much of the receipt the viewer may see.
fn receipt_access(ctx: &RequestContext, update: &Update, receipt: &Receipt) -> ReceiptAccess {
    let viewer = ctx.viewer.person().map(|person| person.id.as_str());
    if viewer.is_ok_and(|id| id == receipt.person_id || id == update.author_id) {
        ReceiptAccess::Full
    } else if receipt.is_disclosed() {
        ReceiptAccess::Exchange
    } else {
        ReceiptAccess::Answer
    }
}

/// Returns the group in which a list shows the receipt. Only the author sees separate groups for people who heard and
/// for people who answered without opening the update. To others, separate groups would reveal who opened it.
fn receipt_group(
    receipt: &Receipt,
    owes: bool,
    author: bool,
    access: ReceiptAccess,
) -> ReceiptGroup {
    if owes {
        return ReceiptGroup::Waiting;
    }
    let hides_correction =
        receipt.verdict == Some(VerdictKind::Corrected) && !access.sees_exchange();
    match receipt.standing {
        Standing::Objects => ReceiptGroup::Objections,
        Standing::AnsweredEarlier => ReceiptGroup::AnsweredEarlier,
        Standing::Heard if author => ReceiptGroup::Heard,
        Standing::AnsweredUnopened if author => ReceiptGroup::AnsweredUnopened,
        Standing::Heard | Standing::AnsweredUnopened => ReceiptGroup::Answered,
        Standing::Opened | Standing::NotOpened if hides_correction => ReceiptGroup::Answered,
        Standing::Opened if author => ReceiptGroup::Opened,
        Standing::NotOpened if author => ReceiptGroup::NotOpened,
        Standing::Opened | Standing::NotOpened => ReceiptGroup::Hidden,
    }
}

/// Presents receipts, each with the part of its thread that the viewer may read.
pub(crate) fn receipt_views(
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    receipts: &[Receipt],
    exchanges: &[ThreadMessage],
) -> Vec<ReceiptView> {
    let mut said: HashMap<&str, Vec<ExchangeView>> = HashMap::new();
    for one in exchanges {
        said.entry(&one.person_id)
            .or_default()
            .push(exchange_view(one));
    }
    let mut with = |receipt: &Receipt| {
        let exchange = said.remove(receipt.person_id.as_str()).unwrap_or_default();
        ReceiptView {
            exchange,
            ..receipt_view(state, ctx, update, receipt)
        }
    };
    receipts.iter().map(&mut with).collect()
}

/// Presents one message of a verdict thread.
pub(crate) fn exchange_view(exchange: &ThreadMessage) -> ExchangeView {
    ExchangeView {
        kind: exchange.kind,
        revision: exchange.revision,
        body: exchange.body.clone(),
        said_at: rfc3339(exchange.said_at),
        taken_back_at: format_time(exchange.taken_back_at),
    }
}

/// Presents a guest's answer. Only the author sees the readback.
pub(crate) fn guest_view(answer: &GuestAnswer, author: bool) -> GuestAnswerView {
    GuestAnswerView {
        guest: PersonView {
            id: answer.id.clone(),
            name: answer.name.clone(),
        },
        link: answer.link.clone(),
        acknowledged_at: rfc3339(answer.acknowledged_at),
        readback: answer.readback.clone().filter(|_| author),
        read_back: answer.readback.is_some(),
    }
}

/// Presents a version of an update, for its author.
pub(crate) fn revision_view(revision: &Revision, media: &[MediaView]) -> RevisionView {
    RevisionView {
        revision: revision.revision,
        title: revision.title.clone(),
        notes: revision.notes.clone(),
        notes_html: markdown::to_html(&revision.notes),
        what_changed: revision.what_changed.clone(),
        begun_at: rfc3339(revision.begun_at),
        files: revision
            .files()
            .into_iter()
            .map(|file| FileView {
                media: media.iter().find(|media| media.id == file.id).cloned(),
                trim: file
                    .trim
                    .map(|(from_ms, to_ms)| TrimView { from_ms, to_ms }),
                id: file.id,
                name: file.name,
            })
            .collect(),
    }
}

/// Presents what changed since the viewer answered. Compares the rendered texts word by word, so that readers do not see
/// Markdown.
pub(crate) fn changes_view(update: &Update, changes: Changes) -> ChangesView {
    ChangesView {
        title: difference(
            &markdown::plain_to_html(&changes.title),
            &markdown::plain_to_html(&update.title),
        ),
        notes: difference(
            &markdown::to_html(&changes.notes),
            &markdown::to_html(&update.notes),
        ),
        said: changes.said,
        added: changes.added,
        removed: changes.removed,
        trimmed: changes
            .trimmed
            .into_iter()
            .map(|file| TrimmedView {
                length_ms: file.trim.map(|(from, to)| to - from),
                name: file.name,
            })
            .collect(),
    }
}

/// Returns the differences as HTML, or an empty string if there are none.
fn difference(before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    html_diff(before, after)
}
