//! The SQL of the three sections.
//!
//! Most subqueries read a limited number of rows, so that the cost hardly grows with the inbox.
//! Each subquery with a limit sorts in the order of an index (`receipts_owing`, `notices_to_hear`
//! or `updates_waiting`), so that the database reads only the first rows of the index. Conditions
//! belong inside these subqueries: rows that a section does not show must not count towards the
//! limit.
//!
//! Parameters: `$1` is the person, `$2` the current time and `$3` the maximum number of rows to
//! return.

use crate::receipts::objection_stands;
use crate::updates::visible;

/// SQL condition: at the time `$2`, the person `$1` has not snoozed the entry of the update `u` in
/// the given section.
macro_rules! not_snoozed {
    ($letter:literal) => {
        concat!(
            "'",
            $letter,
            "' || u.id NOT IN (SELECT z.entry_id FROM snoozes z
                 WHERE z.person_id = $1 AND (z.until_at IS NULL OR z.until_at > $2))"
        )
    };
}

/// The maximum number of rows that a subquery with a limit reads: one more than [`COUNT_LIMIT`].
///
/// [`COUNT_LIMIT`]: super::COUNT_LIMIT
macro_rules! row_limit {
    () => {
        "1001"
    };
}

/// SQL for everything that the person `$1` owes, one row per update:
///
/// - as a recipient, an answer;
/// - as an author, verdicts on readbacks and replies to questions.
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
            not_snoozed!("b"),
            " ORDER BY (CASE WHEN r.reminded_at >= r.owes_since THEN 0 ELSE 1 END),
             coalesce(r.due_at, 9223372036854775807), r.owes_since LIMIT ",
            row_limit!(),
            ") AS w UNION ALL
             SELECT u.id AS update_id, CASE WHEN u.unheard > 0 THEN 'readbacks' ELSE 'questions' END AS why,
             CAST(NULL AS BIGINT) AS due_at, u.published_at AS opened_at, CAST(NULL AS BIGINT) AS reminded_at,
             0 AS new_comments, 0 AS joined, '' AS kinds, u.published_at AS at
             FROM updates u WHERE u.author_id = $1 AND (u.unheard > 0 OR u.open_questions > 0)
             AND u.published_at IS NOT NULL AND u.trashed_at IS NULL AND ",
            not_snoozed!("b")
        )
    };
}

/// SQL expression for the column `kinds`, from which [`also`](super::InboxRow::also) is read. The
/// column contains the kinds of the grouped notifications `w`, each in the text form of
/// [`Reason`](super::Reason) and followed by a space. It leaves out `sent` and the kind of
/// comments; `new_comments` counts the comments.
macro_rules! kinds {
    () => {
        "max(CASE WHEN w.kind = 'declined' THEN 'declined ' ELSE '' END)
             || max(CASE WHEN w.kind = 'overdue' THEN 'overdue ' ELSE '' END)
             || max(CASE WHEN w.kind = 'mention' THEN 'mention ' ELSE '' END)
             || max(CASE WHEN w.kind = 'answer' THEN 'answer ' ELSE '' END)
             || max(CASE WHEN w.kind = 'corrected' THEN 'corrected ' ELSE '' END)
             || max(CASE WHEN w.kind = 'joined' THEN 'joined ' ELSE '' END)
             || max(CASE WHEN w.kind = 'confirmed' THEN 'confirmed ' ELSE '' END)
             || max(CASE WHEN w.kind = 'all_heard' THEN 'all_heard ' ELSE '' END)"
    };
}

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
            visible!("j.id"),
            "))
             AND (n.kind <> 'corrected' OR NOT EXISTS (SELECT 1 FROM receipts r
                 WHERE r.update_id = u.id AND r.person_id = $1 AND r.owes_since IS NOT NULL))
             AND (n.kind <> 'all_heard' OR u.owing = 0)
             AND (n.kind <> 'declined' OR EXISTS (SELECT 1 FROM receipts r
                 WHERE r.update_id = u.id AND r.person_id = n.actor_id AND ",
            objection_stands!(),
            "))
             AND (n.kind <> 'overdue' OR EXISTS (SELECT 1 FROM receipts r
                 WHERE r.update_id = u.id AND r.owes_since IS NOT NULL AND r.due_at <= $2))
             AND u.published_at IS NOT NULL AND u.trashed_at IS NULL AND ",
            visible!("$1"),
            " AND ",
            not_snoozed!("s")
        )
    };
}

/// SQL for the unread notifications of the person `$1`, one row per update. Reads all notifications that concern the
/// person directly, such as objections and mentions, but only the newest of the others. Many comments on one update
/// therefore cannot hide an objection to another update.
macro_rules! said_to_me {
    () => {
        concat!(
            "SELECT w.update_id, max(CASE w.kind WHEN 'declined' THEN '9declined' WHEN 'overdue' THEN '8overdue'
               WHEN 'mention' THEN '7mention' WHEN 'answer' THEN '6answer' WHEN 'corrected' THEN '5corrected'
               WHEN 'joined' THEN '5joined' WHEN 'comment' THEN '4comments' WHEN 'confirmed' THEN '3confirmed'
               WHEN 'all_heard' THEN '2all_heard' ELSE '1sent' END || ' ' || w.actor_id) AS why,
             CAST(NULL AS BIGINT) AS due_at,
             min(CASE WHEN w.kind = 'sent' THEN CAST(NULL AS BIGINT) ELSE w.at END) AS opened_at,
             CAST(NULL AS BIGINT) AS reminded_at,
             count(*) FILTER (WHERE w.kind IN ('comment', 'mention', 'answer')) AS new_comments,
             count(*) FILTER (WHERE w.kind = 'joined') AS joined, ",
            kinds!(),
            " AS kinds, max(w.at) AS at
             FROM (SELECT n.update_id, n.kind, n.actor_id, n.at FROM notices n JOIN updates u ON u.id = n.update_id
                   WHERE n.kind IN ('declined', 'overdue', 'mention', 'answer', 'corrected') AND ",
            is_shown!(),
            " UNION ALL SELECT o.* FROM (SELECT n.update_id, n.kind, n.actor_id, n.at
                   FROM notices n JOIN updates u ON u.id = n.update_id
                   WHERE n.kind NOT IN ('declined', 'overdue', 'mention', 'answer', 'corrected') AND ",
            is_shown!(),
            " ORDER BY n.at DESC LIMIT ",
            row_limit!(),
            ") AS o) AS w GROUP BY w.update_id"
        )
    };
}

/// SQL for the updates by the author `$1` to which some recipients still owe an answer.
macro_rules! owed_to_me {
    () => {
        concat!(
            "SELECT w.* FROM (SELECT u.id AS update_id, 'waiting' AS why, u.next_due_at AS due_at,
             u.published_at AS opened_at, CAST(NULL AS BIGINT) AS reminded_at,
             0 AS new_comments, 0 AS joined, '' AS kinds, u.published_at AS at
             FROM updates u WHERE u.author_id = $1 AND u.owing > 0 AND u.published_at IS NOT NULL
             AND u.trashed_at IS NULL AND ",
            not_snoozed!("t"),
            " ORDER BY coalesce(u.next_due_at, 9223372036854775807), u.published_at LIMIT ",
            row_limit!(),
            ") AS w"
        )
    };
}

/// SQL for the rows of a section. Rows with a reminder come before the others. Both groups are sorted by due time.
macro_rules! order_by_due {
    ($section:expr) => {
        concat!(
            "SELECT w.* FROM (",
            $section,
            ") AS w ORDER BY CASE WHEN w.reminded_at IS NULL THEN 1 ELSE 0 END,
             coalesce(w.due_at, 9223372036854775807), w.at, w.update_id LIMIT $3"
        )
    };
}

/// SQL for the rows of the section "To hear", newest first.
macro_rules! order_by_newest {
    () => {
        concat!(
            "SELECT w.* FROM (",
            said_to_me!(),
            ") AS w ORDER BY w.at DESC, w.update_id LIMIT $3"
        )
    };
}

/// SQL for the rows of the section "To answer".
pub(super) const OWED_BY_ME: &str = order_by_due!(owed_by_me!());

/// SQL for the rows of the section "Waiting on others".
pub(super) const OWED_TO_ME: &str = order_by_due!(owed_to_me!());

/// SQL for the rows of the section "To hear".
pub(super) const SAID_TO_ME: &str = order_by_newest!();

/// SQL for the number of rows in the section "To answer".
pub(super) const OWED_COUNT: &str = concat!("SELECT count(*) FROM (", owed_by_me!(), ") AS a");

/// SQL for the columns of [`Counts`](super::Counts).
pub(super) const COUNTS: &str = concat!(
    "SELECT (SELECT count(*) FROM (",
    owed_by_me!(),
    ") AS a) AS owed_by_me, (SELECT count(*) FROM (",
    owed_to_me!(),
    ") AS b) AS owed_to_me, (SELECT count(*) FROM (",
    said_to_me!(),
    ") AS c) AS said_to_me, (SELECT max(at) FROM notices WHERE person_id = $1 AND read_at IS NULL) AS news_at"
);
