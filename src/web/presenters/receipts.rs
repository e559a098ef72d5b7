//! Presenters for receipts, verdict threads and changes, limited to what the viewer may see.

use std::collections::HashMap;

use similar::{ChangeTag, TextDiff};

use super::super::extract::context::RequestContext;
use super::super::schema::{
    ChangesView, DiffKind, DiffView, ExchangeView, FileView, GuestAnswerView, MediaView,
    PersonView, ReceiptView, RevisionView, TrimView, TrimmedView,
};
use super::{format_time, is_author};
use crate::clock::rfc3339;
use crate::infra::markdown;
use crate::receipts::{AnswerKind, GuestAnswer, Receipt, ThreadMessage};
use crate::state::State;
use crate::updates::{Changes, Revision, Update};

/// Presents one receipt. Only the author and the recipient see when the recipient opened the update. Others see the
/// texts of the verdict thread only if the author disclosed them.
pub(crate) fn receipt_view(
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    receipt: &Receipt,
) -> ReceiptView {
    let me = ctx
        .viewer
        .person()
        .is_ok_and(|person| person.id == receipt.person_id);
    let intimate = me || is_author(&ctx.viewer, &update.author_id);
    // A disclosure covers only the answers that were given before it.
    let disclosed = receipt
        .disclosed_at
        .is_some_and(|opened| receipt.answered_at.is_some_and(|said| said <= opened));
    let words = |kind: AnswerKind| {
        receipt
            .words
            .clone()
            .filter(|_| (intimate || disclosed) && receipt.answer == Some(kind))
    };
    let got = receipt
        .answered_at
        .filter(|_| receipt.answer != Some(AnswerKind::Declined));
    ReceiptView {
        person: PersonView {
            id: receipt.person_id.clone(),
            name: receipt.name.clone(),
        },
        state: receipt.state(update.revision, intimate),
        sent_at: Some(rfc3339(receipt.sent_at)),
        opened_at: if intimate {
            format_time(receipt.opened_at)
        } else {
            None
        },
        coverage: None,
        unwatched: None,
        answered_at: format_time(receipt.answered_at),
        acknowledged_at: format_time(got),
        revision: receipt.answered_revision,
        readback: words(AnswerKind::ReadBack),
        correction: receipt.correction.clone().filter(|_| intimate || disclosed),
        reason: words(AnswerKind::Declined),
        disclosed,
        owes: receipt.owes_since.is_some(),
        due: if update.asks_for_answer() {
            format_time(receipt.due_at)
        } else {
            None
        },
        overdue: receipt.owes_since.is_some()
            && receipt.due_at.is_some_and(|due| due < state.clock.now()),
        reminded_at: if intimate {
            format_time(
                receipt
                    .reminded_at
                    .filter(|at| receipt.owes_since.is_none_or(|since| *at >= since)),
            )
        } else {
            None
        },
        away_until: format_time(
            receipt
                .away_until
                .filter(|until| *until > state.clock.now()),
        ),
        zone: receipt.time_zone.clone(),
        exchange: Vec::new(),
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

/// Presents what changed since an answer. Compares texts word by word.
pub(crate) fn changes_view(update: &Update, changes: Changes) -> ChangesView {
    ChangesView {
        title: diff_words(&changes.title, &update.title),
        notes: diff_words(&changes.notes, &update.notes),
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

/// Compares two texts word by word. Returns an empty list if they are equal.
fn diff_words(before: &str, after: &str) -> Vec<DiffView> {
    if before == after {
        return Vec::new();
    }
    let mut pieces: Vec<DiffView> = Vec::new();
    for change in TextDiff::configure()
        .timeout(std::time::Duration::from_millis(200))
        .diff_words(before, after)
        .iter_all_changes()
    {
        let kind = match change.tag() {
            ChangeTag::Equal => DiffKind::Same,
            ChangeTag::Insert => DiffKind::Added,
            ChangeTag::Delete => DiffKind::Removed,
        };
        match pieces.last_mut() {
            Some(last) if last.kind == kind => last.text.push_str(change.value()),
            _ => pieces.push(DiffView {
                kind,
                text: change.value().to_owned(),
            }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diff_words_marks_removed_and_added_words() {
        let pieces = diff_words("We ship on Monday.", "We ship on Tuesday.");
        let told: Vec<(&str, &str)> = pieces
            .iter()
            .map(|piece| (piece.kind.as_str(), piece.text.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("same", "We ship on "),
                ("removed", "Monday."),
                ("added", "Tuesday.")
            ]
        );
        assert!(diff_words("Same", "Same").is_empty());
    }
}
