//! When a snooze ends: at the start of a working day.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::schedule::{MAX_DAYS_SEARCHED, WorkSchedule};
use crate::clock::Millis;

/// Returns the start of the person's next working day after today. Returns `None` only near the end of the supported
/// time range.
pub fn next_working_morning(schedule: &WorkSchedule, now: Millis) -> Option<Millis> {
    let today = schedule.local(now)?.date();
    first_morning(schedule, today.checked_add(1.day()).ok()?)
}

/// Returns the start of the person's first working day of next week. Returns `None` only near the end of the supported
/// time range.
pub fn next_week_morning(schedule: &WorkSchedule, now: Millis) -> Option<Millis> {
    let today = schedule.local(now)?.date();
    first_morning(schedule, today.nth_weekday(1, Weekday::Monday).ok()?)
}

/// Returns the first moment on or after `day` at which the person begins to work and is not away.
fn first_morning(schedule: &WorkSchedule, day: Date) -> Option<Millis> {
    let back = schedule.away_until;
    let day = back
        .and_then(|back| schedule.local(back))
        .map_or(day, |back| back.date().max(day));
    (0..MAX_DAYS_SEARCHED).find_map(|ahead| {
        schedule
            .work_begin(day.checked_add(ahead.days()).ok()?)
            .filter(|begin| back.is_none_or(|back| *begin >= back))
    })
}
