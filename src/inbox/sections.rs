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

use super::owed_by_me::owed_by_me;
use super::owed_to_me::owed_to_me;
use super::said_to_me::said_to_me;

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

/// SQL for the rows of the section "New for you", newest first.
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

/// SQL for the rows of the section "New for you".
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
