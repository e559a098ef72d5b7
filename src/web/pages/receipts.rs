//! What the pages about receipts are given.

use askama::Template;

use super::super::filters;
use super::super::schema::{
    ChangesView, CommentView, ExchangeView, GuestAnswerView, ReceiptView, RevisionView, RowView,
    UpdateView,
};
use super::Page;

/// Who has heard an update: what the author owes, what others owe, what is done. PUT /updates/{id}/receipts/{person}/confirmation:
/// `verdict`, `body`, `said_at`; PUT and DELETE …/disclosure; POST /updates/{id}/reminders.
#[derive(Template)]
#[template(path = "receipts/index.html")]
pub struct ReceiptsPage {
    /// Around it.
    pub page: Page,
    /// The update.
    pub update: UpdateView,
    /// Recipients.
    pub receipts: Vec<ReceiptView>,
    /// Guests who answered.
    pub guests: Vec<GuestAnswerView>,
    /// Questions that nobody has answered.
    pub questions: Vec<CommentView>,
    /// Who asks is the author.
    pub author: bool,
    /// The last event that the page already shows.
    pub event: i64,
}

/// All updates of one's own.
#[derive(Template)]
#[template(path = "receipts/overview.html")]
pub struct OverviewPage {
    /// Around it.
    pub page: Page,
    /// Rows.
    pub items: Vec<RowView>,
    /// The address of the next page of rows; empty when there is none.
    pub next: String,
}

/// The versions of an update, for its author.
#[derive(Template)]
#[template(path = "receipts/versions.html")]
pub struct VersionsPage {
    /// Around it.
    pub page: Page,
    /// The update.
    pub update: UpdateView,
    /// The newest first.
    pub items: Vec<RevisionView>,
}

/// What is asked of who reads, and what they answered: the bar at the bottom.
#[derive(Clone, Debug, Default)]
pub struct AnswerBar {
    /// An answer is asked for.
    pub asked: bool,
    /// What was answered to the present content: a state of the contract, or an empty text.
    pub state: String,
    /// When.
    pub at: String,
    /// What was said back, or why it was declined.
    pub text: String,
    /// How the author corrected it.
    pub correction: String,
    /// By when.
    pub due: Option<String>,
    /// Whether that has passed.
    pub overdue: bool,
    /// What is different since the last answer.
    pub changes: Option<ChangesView>,
    /// What the two said.
    pub thread: Vec<ExchangeView>,
    /// The author opened that to all who see the update.
    pub disclosed: bool,
    /// A readback or a reason that was begun.
    pub draft: String,
    /// The same of a reason.
    pub reason_draft: String,
}

impl AnswerBar {
    /// Whether there is anything to show.
    pub fn is_shown(&self) -> bool {
        self.asked || self.is_answered()
    }

    /// Whether the present content is answered.
    pub fn is_answered(&self) -> bool {
        matches!(
            self.state.as_str(),
            "acknowledged" | "read_back" | "confirmed" | "needs_correction" | "declined"
        )
    }
}

/// The receipts of an update, parted into who has answered and who has not, and the sentence that says so.
pub struct ReceiptSummary<'a> {
    /// Readbacks that the author has not heard.
    pub to_review: Vec<&'a ReceiptView>,
    /// Those who still owe an answer, overdue first, then by due time; of an `fyi` those who have not opened it.
    pub waiting: Vec<&'a ReceiptView>,
    /// Those who answered; of an `fyi` those who opened it.
    pub answered: Vec<&'a ReceiptView>,
}

impl<'a> ReceiptSummary<'a> {
    /// So many of each part are shown on the page; the table has all.
    pub const MAX_SHOWN: usize = 200;

    /// How many more there are.
    pub fn hidden_count(part: &[&ReceiptView]) -> i64 {
        i64::try_from(part.len().saturating_sub(Self::MAX_SHOWN)).unwrap_or(i64::MAX)
    }

    /// Parts the receipts of the update.
    pub fn new(update: &UpdateView, receipts: &'a [ReceiptView], author: bool) -> Self {
        let fyi = update.expectation == "fyi";
        let open = |receipt: &ReceiptView| {
            if fyi {
                receipt.opened_at.is_none() && receipt.answered_at.is_none()
            } else {
                receipt.owes
            }
        };
        let (mut waiting, done): (Vec<_>, Vec<_>) =
            receipts.iter().partition(|receipt| open(receipt));
        // Where nobody is asked, others are not told who opened it.
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

    /// `9 of 14 heard. 3 have not opened it. 2 are overdue.` What was opened is for the author alone. Who answered once and is asked
    /// again has not "not answered".
    pub fn sentence(&self, update: &UpdateView, author: bool) -> String {
        let counts = &update.counts;
        if update.expectation == "fyi" {
            return match counts.recipients {
                0 => "Nothing is asked back.".to_owned(),
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
        let again = |state: &str| {
            self.waiting
                .iter()
                .filter(|receipt| receipt.state == state)
                .count()
        };
        let (stale, corrected) = (again("stale"), again("needs_correction"));
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
            .filter(|receipt| receipt.state == "declined")
            .count();
        add(declined, "of them said “but …”", "of them said “but …”");
        add(
            stale,
            "answered an earlier version",
            "answered an earlier version",
        );
        add(corrected, "was told: not quite", "were told: not quite");
        if author {
            let unopened = self
                .waiting
                .iter()
                .filter(|receipt| receipt.opened_at.is_none() && receipt.state == "waiting")
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
