//! Contexts of the templates about receipts.

use askama::Template;

use super::super::filters;
use super::super::schema::{
    ChangesView, CommentView, ExchangeView, GuestAnswerView, ReceiptView, RevisionView, RowView,
    UpdateView,
};
use super::Page;
use crate::receipts::ReceiptState;

/// Page that shows who has heard an update: readbacks that wait for a verdict, answers that are still missing, and
/// finished answers. PUT /updates/{id}/receipts/{person}/confirmation: `verdict`, `body`, `said_at`; PUT and DELETE
/// …/disclosure; POST /updates/{id}/reminders.
#[derive(Template)]
#[template(path = "receipts/index.html")]
pub struct ReceiptsPage {
    /// Layout data.
    pub page: Page,
    /// The update.
    pub update: UpdateView,
    /// Receipts of the recipients.
    pub receipts: Vec<ReceiptView>,
    /// Guests who answered.
    pub guests: Vec<GuestAnswerView>,
    /// Open questions.
    pub questions: Vec<CommentView>,
    /// Whether the viewer is the author.
    pub author: bool,
    /// Number of the last event that the page already shows.
    pub event: i64,
}

/// Overview of all updates of the viewer.
#[derive(Template)]
#[template(path = "receipts/overview.html")]
pub struct OverviewPage {
    /// Layout data.
    pub page: Page,
    /// One page of updates.
    pub items: Vec<RowView>,
    /// Address of the next page; empty on the last page.
    pub next: String,
}

/// Versions of an update, for its author.
#[derive(Template)]
#[template(path = "receipts/versions.html")]
pub struct VersionsPage {
    /// Layout data.
    pub page: Page,
    /// The update.
    pub update: UpdateView,
    /// Versions, newest first.
    pub items: Vec<RevisionView>,
}

/// Bar at the bottom of an update. It shows the requested answer and the reader's answer.
#[derive(Clone, Debug, Default)]
pub struct AnswerBar {
    /// Whether an answer is requested.
    pub asked: bool,
    /// State of the answer to the current content; `None` without an answer.
    pub state: Option<ReceiptState>,
    /// Time of the answer, RFC 3339.
    pub at: String,
    /// Readback, or reason of the objection.
    pub text: String,
    /// The author's correction.
    pub correction: String,
    /// Due time, RFC 3339.
    pub due: Option<String>,
    /// Whether the due time has passed.
    pub overdue: bool,
    /// Changes since the reader's last answer.
    pub changes: Option<ChangesView>,
    /// Verdict thread between the author and the recipient.
    pub thread: Vec<ExchangeView>,
    /// Whether the author disclosed the thread to everyone who sees the update.
    pub disclosed: bool,
    /// Unsent readback.
    pub draft: String,
    /// Unsent reason of an objection.
    pub reason_draft: String,
}

impl AnswerBar {
    /// Returns whether the bar has anything to show.
    pub fn is_shown(&self) -> bool {
        self.asked || self.is_answered()
    }

    /// Returns whether the reader has answered the current content.
    pub fn is_answered(&self) -> bool {
        match self.state {
            Some(
                ReceiptState::Acknowledged
                | ReceiptState::ReadBack
                | ReceiptState::Confirmed
                | ReceiptState::NeedsCorrection
                | ReceiptState::Declined,
            ) => true,
            Some(ReceiptState::Waiting | ReceiptState::Opened | ReceiptState::Stale) | None => {
                false
            }
        }
    }

    /// Whether the answer is to an earlier revision.
    pub fn is_stale(&self) -> bool {
        self.state == Some(ReceiptState::Stale)
    }

    /// Whether the author corrected the readback.
    pub fn needs_correction(&self) -> bool {
        self.state == Some(ReceiptState::NeedsCorrection)
    }

    /// Whether the author confirmed the readback.
    pub fn is_confirmed(&self) -> bool {
        self.state == Some(ReceiptState::Confirmed)
    }

    /// Whether the answer is a readback without a verdict.
    pub fn is_read_back(&self) -> bool {
        self.state == Some(ReceiptState::ReadBack)
    }

    /// Whether the reader declined.
    pub fn is_declined(&self) -> bool {
        self.state == Some(ReceiptState::Declined)
    }
}

/// The receipts of an update in three groups, and a summary sentence.
pub struct ReceiptSummary<'a> {
    /// Readbacks without a verdict; only for the author.
    pub to_review: Vec<&'a ReceiptView>,
    /// People who still owe an answer, overdue first and then by due time. For an `fyi`, people who have not opened the
    /// update.
    pub waiting: Vec<&'a ReceiptView>,
    /// People who answered. For an `fyi`, people who opened the update.
    pub answered: Vec<&'a ReceiptView>,
}

impl<'a> ReceiptSummary<'a> {
    /// Maximum number of rows of each group on the page. The CSV export has all rows.
    pub const MAX_SHOWN: usize = 200;

    /// Returns how many rows of a group the page does not show.
    pub fn hidden_count(part: &[&ReceiptView]) -> i64 {
        i64::try_from(part.len().saturating_sub(Self::MAX_SHOWN)).unwrap_or(i64::MAX)
    }

    /// Sorts the receipts of the update into the groups.
    pub fn new(update: &UpdateView, receipts: &'a [ReceiptView], author: bool) -> Self {
        let fyi = !update.expectation.asks_for_answer();
        let open = |receipt: &ReceiptView| {
            if fyi {
                receipt.opened_at.is_none() && receipt.answered_at.is_none()
            } else {
                receipt.owes
            }
        };
        let (mut waiting, done): (Vec<_>, Vec<_>) =
            receipts.iter().partition(|receipt| open(receipt));
        // For an `fyi`, only the author may see who has not opened the update.
        waiting.retain(|_| !fyi || author);
        waiting
            .sort_by_key(|receipt| (!receipt.overdue, receipt.due.is_none(), receipt.due.clone()));
        let (to_hear, heard) = done
            .into_iter()
            .partition(|receipt| author && receipt.awaits_verdict());
        Self {
            to_review: to_hear,
            waiting,
            answered: heard,
        }
    }

    /// Returns a summary such as `9 of 14 heard. 3 have not opened it. 2 are overdue.` Only the author sees how
    /// many people opened the update. People with a stale answer are counted separately.
    pub fn sentence(&self, update: &UpdateView, author: bool) -> String {
        let counts = &update.counts;
        if !update.expectation.asks_for_answer() {
            return match counts.recipients {
                0 => "No answer is requested.".to_owned(),
                all => {
                    let answered = self
                        .answered
                        .iter()
                        .filter(|receipt| receipt.answered_at.is_some())
                        .count();
                    let opened = counts
                        .opened
                        .map(|opened| format!("{opened} of {all} opened it."))
                        .unwrap_or_default();
                    if answered > 0 {
                        format!("{opened} {answered} answered.").trim().to_owned()
                    } else {
                        opened
                    }
                }
            };
        }
        let again = |state: ReceiptState| {
            self.waiting
                .iter()
                .filter(|receipt| receipt.state == state)
                .count()
        };
        let (stale, corrected) = (
            again(ReceiptState::Stale),
            again(ReceiptState::NeedsCorrection),
        );
        let mut said = match (counts.answered(), counts.recipients) {
            (0, _) if stale + corrected == 0 => "Nobody has answered yet.".to_owned(),
            (1, 1) => "They heard.".to_owned(),
            (heard, all) if heard == all => format!("All {all} heard."),
            (heard, all) => format!("{heard} of {all} heard."),
        };
        let mut add = |count: usize, one: &str, more: &str| {
            if count > 0 {
                said += &format!(" {count} {}.", if count == 1 { one } else { more });
            }
        };
        let declined = self
            .answered
            .iter()
            .filter(|receipt| receipt.state == ReceiptState::Declined)
            .count();
        add(declined, "of them said “but …”", "of them said “but …”");
        add(
            stale,
            "answered an earlier version",
            "answered an earlier version",
        );
        add(corrected, "was told “Not quite”", "were told “Not quite”");
        if author {
            let unopened = self
                .waiting
                .iter()
                .filter(|receipt| {
                    receipt.opened_at.is_none() && receipt.state == ReceiptState::Waiting
                })
                .count();
            add(unopened, "has not opened it", "have not opened it");
        }
        add(
            self.waiting
                .iter()
                .filter(|receipt| receipt.overdue)
                .count(),
            "is overdue",
            "are overdue",
        );
        add(
            usize::try_from(counts.open_questions).unwrap_or_default(),
            "question is open",
            "questions are open",
        );
        said
    }
}
