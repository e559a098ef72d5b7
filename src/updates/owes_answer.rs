//! Who owes an answer, and what asks a recipient again: a new revision of the update, a correction of
//! the readback, or a stricter expectation.

/// SQL condition: the recipient `r` of the update `u` owes an answer. This is so if the recipient
/// has not answered the current revision, if the author corrected the readback, or if the recipient
/// only acknowledged an update that expects a readback. Deactivated people owe no answer.
macro_rules! owes_answer {
    () => {
        "(r.removed_at IS NULL AND u.published_at IS NOT NULL AND u.expectation <> 'fyi'
          AND (r.answered_revision IS NULL OR r.answered_revision < u.revision OR r.verdict = 'corrected'
               OR (u.expectation = 'readback' AND r.answer = 'acknowledged'))
          AND EXISTS (SELECT 1 FROM people p WHERE p.id = r.person_id AND p.deactivated_at IS NULL))"
    };
}
pub(super) use owes_answer;
