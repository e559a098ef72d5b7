//! The section “Waiting on others”: answers that others owe the person.

/// SQL for the updates by the author `$1` to which some recipients still owe an answer.
macro_rules! owed_to_me {
    () => {
        concat!(
            "SELECT w.* FROM (SELECT u.id AS update_id, 'waiting' AS why, u.next_due_at AS due_at,
             u.published_at AS opened_at, CAST(NULL AS BIGINT) AS reminded_at,
             0 AS new_comments, 0 AS joined, '' AS kinds, u.published_at AS at
             FROM updates u WHERE u.author_id = $1 AND u.owing > 0 AND u.published_at IS NOT NULL
             AND u.trashed_at IS NULL AND ",
            $crate::inbox::limits::not_snoozed!("t"),
            " ORDER BY coalesce(u.next_due_at, 9223372036854775807), u.published_at LIMIT ",
            $crate::inbox::limits::row_limit!(),
            ") AS w"
        )
    };
}
pub(super) use owed_to_me;
