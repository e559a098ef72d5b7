//! Contexts of the templates about receipts.

use askama::Template;

use super::super::filters;
use super::super::schema::{
    ChangesView, CommentView, ExchangeView, GuestAnswerView, ReceiptView, RevisionView, RowView,
    UpdateView,
};
use super::Page;
use crate::receipts::ReceiptState;

/// Page that shows who has heard an update: readbacks that are waiting for a verdict, objections,
/// missing answers, and the other receipts. PUT /updates/{id}/receipts/{person}/confirmation:
/// `verdict`, `body`, `said_at`; PUT and DELETE …/disclosure; POST /updates/{id}/reminders.
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

/// Overview of the viewer's published updates.
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

/// Card that asks the reader of an update for an answer and shows the answer that the reader gave.
#[derive(Clone, Debug, Default)]
pub struct AnswerCard {
    /// Whether an answer is requested.
    pub asked: bool,
    /// State of the recipient's receipt or of the guest's answer; `None` if there is neither.
    pub state: Option<ReceiptState>,
    /// Time of the answer, RFC 3339.
    pub at: String,
    /// Readback, or reason for the objection.
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
    /// Whether the author disclosed the thread to every member who can see the update.
    pub disclosed: bool,
    /// Unsent readback.
    pub draft: String,
    /// Unsent reason for an objection.
    pub reason_draft: String,
}

impl AnswerCard {
    /// Returns whether the card has anything to show.
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

    /// Returns whether the reader answered an earlier revision.
    pub fn is_stale(&self) -> bool {
        self.state == Some(ReceiptState::Stale)
    }

    /// Returns whether the author corrected the readback.
    pub fn needs_correction(&self) -> bool {
        self.state == Some(ReceiptState::NeedsCorrection)
    }

    /// Returns whether the author confirmed the readback.
    pub fn is_confirmed(&self) -> bool {
        self.state == Some(ReceiptState::Confirmed)
    }

    /// Returns whether the answer is a readback without a verdict.
    pub fn is_read_back(&self) -> bool {
        self.state == Some(ReceiptState::ReadBack)
    }

    /// Returns whether the answer is an objection.
    pub fn is_declined(&self) -> bool {
        self.state == Some(ReceiptState::Declined)
    }
}
