//! The section “To answer”: what the person owes, and why.

/// SQL for everything that the person `$1` owes, one row per update:
///
/// - as a recipient, an answer;
/// - as an author, verdicts on readbacks and replies to questions.
///
/// Adding 0 keeps SQLite from choosing an index of all published updates of the author instead of the index
/// `updates_to_hear`, which contains only those that wait for the author.
macro_rules! owed_by_me {
    () => {
        concat!(
            "SELECT w.* FROM (SELECT u.id AS update_id,
             CASE WHEN r.verdict = 'corrected' AND r.answered_revision >= u.revision THEN 'corrected'
               WHEN r.answered_revision < u.revision THEN 'changed'
               WHEN u.expectation = 'readback' THEN 'readback' ELSE 'acknowledge' END AS why,
             r.due_at, r.opened_at, CASE WHEN r.reminded_at >= r.owes_since THEN r.reminded_at END AS reminded_at,
             0 AS new_comments, 0 AS joined, '' AS kinds, r.owes_since AS at
             FROM receipts r JOIN updates u ON u.id = r.update_id
             WHERE r.person_id = $1 AND r.owes_since IS NOT NULL AND u.trashed_at IS NULL AND ",
            $crate::inbox::limits::not_snoozed!("b"),
            " ORDER BY (CASE WHEN r.reminded_at >= r.owes_since THEN 0 ELSE 1 END),
             coalesce(r.due_at, 9223372036854775807), r.owes_since LIMIT ",
            $crate::inbox::limits::row_limit!(),
            ") AS w UNION ALL
             SELECT u.id AS update_id, CASE WHEN u.unheard > 0 THEN 'readbacks' ELSE 'questions' END AS why,
             CAST(NULL AS BIGINT) AS due_at, u.published_at AS opened_at, CAST(NULL AS BIGINT) AS reminded_at,
             0 AS new_comments, 0 AS joined, '' AS kinds, u.published_at AS at
             FROM updates u WHERE u.author_id = $1 AND (u.unheard > 0 OR u.open_questions > 0)
             AND u.published_at + 0 IS NOT NULL AND u.trashed_at + 0 IS NULL AND ",
            $crate::inbox::limits::not_snoozed!("b")
        )
    };
}
pub(super) use owed_by_me;
