//! The receipts of an update, sorted into groups, and a sentence that sums them up.

use super::super::schema::{ReceiptGroup, ReceiptView, UpdateView};
use crate::receipts::{ReceiptState, Standing};

/// The receipts of an update, sorted into groups. Each receipt is in at most one group. For the author, readbacks
/// without a verdict are also in `to_review`.
pub struct ReceiptSummary<'a> {
    /// Readbacks without a verdict; only for the author.
    pub to_review: Vec<&'a ReceiptView>,
    /// People who object.
    pub objections: Vec<&'a ReceiptView>,
    /// People who still owe an answer: overdue ones first, then the others, both sorted by due time. If the update
    /// expects no answer, these are the people who have not opened it.
    pub waiting: Vec<&'a ReceiptView>,
    /// The other receipts that the page lists, in groups that are not empty.
    pub folds: Vec<ReceiptFold<'a>>,
}

/// A group of receipts that the page can collapse.
pub struct ReceiptFold<'a> {
    /// Id of the HTML element.
    pub id: &'static str,
    /// Heading of the group.
    pub title: &'static str,
    /// The receipts.
    pub receipts: Vec<&'a ReceiptView>,
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
        let (mut waiting, mut objections) = (Vec::new(), Vec::new());
        let mut folds = [
            ("answered-unopened", "Answered without opening", Vec::new()),
            (
                "answered-earlier",
                "Answered an earlier version",
                Vec::new(),
            ),
            ("heard", "Heard", Vec::new()),
            ("heard", "Answered", Vec::new()),
            ("opened", "Opened", Vec::new()),
            ("not-opened", "Not opened", Vec::new()),
        ];
        for receipt in receipts {
            match receipt.group {
                ReceiptGroup::Waiting => &mut waiting,
                ReceiptGroup::NotOpened if fyi => &mut waiting,
                ReceiptGroup::Objections => &mut objections,
                ReceiptGroup::AnsweredUnopened => &mut folds[0].2,
                ReceiptGroup::AnsweredEarlier => &mut folds[1].2,
                ReceiptGroup::Heard => &mut folds[2].2,
                ReceiptGroup::Answered => &mut folds[3].2,
                ReceiptGroup::Opened => &mut folds[4].2,
                ReceiptGroup::NotOpened => &mut folds[5].2,
                ReceiptGroup::Hidden => continue,
            }
            .push(receipt);
        }
        waiting.sort_by_key(|receipt: &&ReceiptView| {
            (!receipt.overdue, receipt.due.is_none(), receipt.due.clone())
        });
        let to_review = receipts
            .iter()
            .filter(|receipt| author && receipt.awaits_verdict());
        Self {
            to_review: to_review.collect(),
            objections,
            waiting,
            folds: folds
                .into_iter()
                .filter(|(_, _, receipts)| !receipts.is_empty())
                .map(|(id, title, receipts)| ReceiptFold {
                    id,
                    title,
                    receipts,
                })
                .collect(),
        }
    }

    /// Returns whether nothing needs the viewer's attention. If so, the page expands the collapsible groups.
    pub fn is_calm(&self) -> bool {
        self.waiting.is_empty() && self.to_review.is_empty() && self.objections.is_empty()
    }

    /// Returns a summary such as `9 of 14 heard. 1 objects. 3 have not opened it. 2 are overdue.` Only the author sees
    /// how many people opened the update.
    pub fn sentence(&self, update: &UpdateView, author: bool) -> String {
        let counts = &update.counts;
        let mut words = Vec::new();
        let mut add = |count: i64, one: &str, more: &str| {
            if count > 0 {
                words.push(format!("{count} {}.", if count == 1 { one } else { more }));
            }
        };
        let asks = update.expectation.asks_for_answer();
        if !asks {
            add(counts.heard, "heard", "heard");
        }
        add(counts.objections, "objects", "object");
        add(
            counts.answered_unopened.unwrap_or_default(),
            "answered without opening it",
            "answered without opening it",
        );
        let stale = self.count(|receipt| receipt.state == ReceiptState::Stale);
        add(
            stale,
            "answered an earlier version",
            "answered an earlier version",
        );
        let corrected = self.count(|receipt| receipt.state == ReceiptState::NeedsCorrection);
        add(corrected, "was told “Not quite”", "were told “Not quite”");
        if asks && author {
            let unopened = self.count(|receipt| {
                receipt.standing == Some(Standing::NotOpened)
                    && receipt.state != ReceiptState::NeedsCorrection
            });
            add(unopened, "has not opened it", "have not opened it");
        }
        if asks {
            let overdue = self.count(|receipt| receipt.overdue);
            add(overdue, "is overdue", "are overdue");
            let questions = counts.open_questions;
            add(questions, "question is open", "questions are open");
        }
        let nobody_answered = counts.answered() + stale + corrected == 0;
        words.insert(0, first_sentence(update, nobody_answered));
        words.join(" ").trim().to_owned()
    }

    /// Counts the matching receipts of all groups. Leaves out `to_review`, because its receipts are
    /// also in another group.
    fn count(&self, is_counted: impl Fn(&ReceiptView) -> bool) -> i64 {
        let groups = self.folds.iter().map(|fold| &fold.receipts);
        let count = groups
            .chain([&self.waiting, &self.objections])
            .flatten()
            .filter(|receipt| is_counted(receipt))
            .count();
        i64::try_from(count).unwrap_or(i64::MAX)
    }
}

/// Returns the start of the summary: how many people heard the update or, if no answer is requested, how many people
/// opened it.
fn first_sentence(update: &UpdateView, nobody_answered: bool) -> String {
    let counts = &update.counts;
    match (counts.heard, counts.recipients) {
        (_, 0) if !update.expectation.asks_for_answer() => "No answer is requested.".to_owned(),
        (_, all) if !update.expectation.asks_for_answer() => counts
            .opened
            .map(|opened| format!("{opened} of {all} opened it."))
            .unwrap_or_default(),
        _ if nobody_answered => "Nobody has answered yet.".to_owned(),
        (1, 1) => "They heard.".to_owned(),
        (heard, all) if heard == all => format!("All {all} heard."),
        (heard, all) => format!("{heard} of {all} heard."),
    }
}
