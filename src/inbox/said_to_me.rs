//! The section “New for you”: what others said to the person.

/// SQL condition: the inbox shows the unread notification `n` of the person `$1` about the update
/// `u`. Leaves out notifications that are outdated:
///
/// - `declined`, if the objection no longer stands.
/// - `corrected`, while `$1` still owes the new answer. "To answer" already shows the correction.
/// - `all_heard`, if a recipient owes an answer again.
/// - `overdue`, if no answer is overdue anymore.
/// - `joined`, if the person who joined can no longer open the update.
macro_rules! is_shown {
    () => {
        concat!(
            "n.person_id = $1 AND n.read_at IS NULL
             AND n.kind IN ('sent', 'comment', 'mention', 'answer', 'declined', 'confirmed', 'corrected', 'all_heard',
                 'joined', 'overdue')
             AND (n.kind <> 'joined' OR EXISTS (SELECT 1 FROM people j
                 WHERE j.id = n.actor_id AND j.deactivated_at IS NULL AND ",
            $crate::updates::visible!("j.id"),
            "))
             AND (n.kind <> 'corrected' OR NOT EXISTS (SELECT 1 FROM receipts r
                 WHERE r.update_id = u.id AND r.person_id = $1 AND r.owes_since IS NOT NULL))
             AND (n.kind <> 'all_heard' OR u.owing = 0)
             AND (n.kind <> 'declined' OR EXISTS (SELECT 1 FROM receipts r
                 WHERE r.update_id = u.id AND r.person_id = n.actor_id AND ",
            $crate::receipts::objection_stands!(),
            "))
             AND (n.kind <> 'overdue' OR EXISTS (SELECT 1 FROM receipts r
                 WHERE r.update_id = u.id AND r.owes_since IS NOT NULL AND r.due_at <= $2))
             AND u.published_at IS NOT NULL AND u.trashed_at IS NULL AND ",
            $crate::updates::visible!("$1"),
            " AND ",
            $crate::inbox::limits::not_snoozed!("s")
        )
    };
}
pub(super) use is_shown;

/// SQL for the unread notifications of the person `$1`, one row per update. Reads all notifications that concern the
/// person directly, such as objections and mentions, but only the newest of the others. Many comments on one update
/// therefore cannot hide an objection to another update.
macro_rules! said_to_me {
    () => {
        concat!(
            "SELECT w.update_id, ",
            $crate::inbox::reasons::strongest!(),
            " AS why,
             CAST(NULL AS BIGINT) AS due_at,
             min(CASE WHEN w.kind = 'sent' THEN CAST(NULL AS BIGINT) ELSE w.at END) AS opened_at,
             CAST(NULL AS BIGINT) AS reminded_at,
             count(*) FILTER (WHERE w.kind IN ('comment', 'mention', 'answer')) AS new_comments,
             count(*) FILTER (WHERE w.kind = 'joined') AS joined, ",
            $crate::inbox::reasons::kinds!(),
            " AS kinds, max(w.at) AS at
             FROM (SELECT n.update_id, n.kind, n.actor_id, n.at FROM notices n JOIN updates u ON u.id = n.update_id
                   WHERE n.kind IN ('declined', 'overdue', 'mention', 'answer', 'corrected') AND ",
            $crate::inbox::said_to_me::is_shown!(),
            " UNION ALL SELECT o.* FROM (SELECT n.update_id, n.kind, n.actor_id, n.at
                   FROM notices n JOIN updates u ON u.id = n.update_id
                   WHERE n.kind NOT IN ('declined', 'overdue', 'mention', 'answer', 'corrected') AND ",
            $crate::inbox::said_to_me::is_shown!(),
            " ORDER BY n.at DESC LIMIT ",
            $crate::inbox::limits::row_limit!(),
            ") AS o) AS w GROUP BY w.update_id"
        )
    };
}
pub(super) use said_to_me;
