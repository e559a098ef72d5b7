//! Who owes an answer to an update.

/// SQL condition: the recipient `r` of the update `u` owes an answer. That is the case if the
/// update is published and expects an answer, and the recipient has not answered or is asked again.
/// Deactivated people owe no answer.
macro_rules! owes_answer {
    () => {
        concat!(
            "(r.removed_at IS NULL AND u.published_at IS NOT NULL AND u.expectation <> 'fyi'
              AND (r.answered_revision IS NULL OR ",
            asked_again!(),
            ") AND EXISTS (SELECT 1 FROM people p WHERE p.id = r.person_id AND p.deactivated_at IS NULL))"
        )
    };
}
pub(super) use owes_answer;
