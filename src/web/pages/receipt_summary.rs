//! The receipts of an update, sorted into groups, and a sentence that sums them up.

use super::super::schema::{CountsView, ReceiptGroup, ReceiptView, UpdateView};
use crate::receipts::{ReceiptState, Standing};
use crate::text;

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
    /// The remaining receipts, in groups that the page can collapse. Empty groups are left out.
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

    /// Returns whether there is a group of people who heard or, for everyone but the author, answered.
    pub fn has_heard(&self) -> bool {
        self.folds.iter().any(|fold| fold.id == "heard")
    }

    /// Returns whether nothing needs the viewer's attention. If so, the page expands the collapsible groups.
    pub fn is_calm(&self) -> bool {
        self.waiting.is_empty() && self.to_review.is_empty() && self.objections.is_empty()
    }

    /// Returns a summary whose numbers add up to the number of recipients, such as `9 of 14 heard. 1 objects. 1
    /// answered without opening it. 3 haven't opened it.` Only the author sees how many people opened the update.
    pub fn sentence(&self, update: &UpdateView, author: bool) -> String {
        let counts = &update.counts;
        if !update.expectation.asks_for_answer() {
            return opened_sentence(update);
        }
        let stale = self.count(|receipt| receipt.state == ReceiptState::Stale);
        let corrected = self.count(|receipt| receipt.state == ReceiptState::NeedsCorrection);
        let answered_unopened = counts.acknowledged - counts.heard;
        let unopened = self.count(|receipt| {
            receipt.standing == Some(Standing::NotOpened)
                && receipt.state != ReceiptState::NeedsCorrection
        });
        let answered = counts.answered() + stale + corrected;
        let unanswered = counts.recipients - answered;
        let mut parts = vec![(counts.objections, "objects", "object")];
        if author {
            parts.extend([
                (
                    answered_unopened,
                    "answered without opening it",
                    "answered without opening it",
                ),
                (
                    stale,
                    "answered an earlier version",
                    "answered an earlier version",
                ),
                (corrected, "needs another try", "need another try"),
                (
                    unanswered - unopened,
                    "opened it but hasn’t answered",
                    "opened it but haven’t answered",
                ),
                (unopened, "hasn’t opened it", "haven’t opened it"),
            ]);
        } else {
            parts.extend([
                (answered_unopened, "answered", "answered"),
                (
                    stale,
                    "answered an earlier version",
                    "answered an earlier version",
                ),
                (corrected, "needs another try", "need another try"),
                (unanswered, "hasn’t answered", "haven’t answered"),
            ]);
        }
        let mut sentences = vec![first_sentence(counts, answered == 0)];
        for (count, one, more) in parts.into_iter().filter(|(count, ..)| *count > 0) {
            sentences.push(text::plural(count, one, more) + ".");
        }
        sentences.join(" ")
    }

    /// Returns how many recipients are overdue.
    pub fn overdue(&self) -> i64 {
        self.count(|receipt| receipt.overdue)
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

/// Returns the start of the summary: how many people heard the update.
fn first_sentence(counts: &CountsView, nobody_answered: bool) -> String {
    match (counts.heard, counts.recipients) {
        _ if nobody_answered => "Nobody has answered yet.".to_owned(),
        (2, 2) => "Both heard.".to_owned(),
        (heard, all) if heard == all && all > 2 => format!("All {all} heard."),
        (heard, all) => format!("{heard} of {all} heard."),
    }
}

/// Returns the summary of an update that requests no answer: how many people opened it and, if some answered anyway,
/// how many of them heard or object.
fn opened_sentence(update: &UpdateView) -> String {
    let counts = &update.counts;
    let mut sentences = Vec::new();
    if counts.recipients == 0 {
        sentences.push("No answer is requested.".to_owned());
    } else if let Some(opened) = counts.opened {
        sentences.push(format!("{opened} of {} opened it.", counts.recipients));
    }
    if counts.heard > 0 {
        sentences.push(format!("{} heard.", counts.heard));
    }
    if counts.objections > 0 {
        sentences.push(text::plural(counts.objections, "objects", "object") + ".");
    }
    if let Some(count) = counts.answered_unopened.filter(|count| *count > 0) {
        sentences.push(format!("{count} answered without opening it."));
    }
    sentences.join(" ")
}
