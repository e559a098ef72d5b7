//! Limits on the rows and the counts of all sections, and the SQL for them.

/// Maximum number of rows that each section shows. The counts have the totals.
pub(super) const MAX_SHOWN: i64 = 100;

/// Counts are exact up to this number.
pub const COUNT_LIMIT: i64 = 1000;

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
pub(super) use not_snoozed;

/// The maximum number of rows that a subquery with a limit reads: one more than [`COUNT_LIMIT`].
macro_rules! row_limit {
    () => {
        "1001"
    };
}
pub(super) use row_limit;
