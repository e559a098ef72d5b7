//! Presenter for the counts of recipients and their answers.

use super::super::schema::CountsView;
use crate::receipts::StandingCounts;

/// Presents the counts of recipients. Only the author sees how many recipients opened the update.
pub(super) fn answer_counts(counts: StandingCounts, author: bool) -> CountsView {
    CountsView {
        recipients: counts.recipients,
        heard: counts.heard,
        opened: author.then_some(counts.opened),
        acknowledged: counts.heard + counts.answered_unopened,
        answered_unopened: author.then_some(counts.answered_unopened),
        objections: counts.objections,
        owing: counts.owing,
        ..CountsView::default()
    }
}
