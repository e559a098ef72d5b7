//! When emails are sent to a person: only while the person is working.

use jiff::{Timestamp, ToSpan};

use super::schedule::{MAX_DAYS_SEARCHED, WorkSchedule};
use crate::clock::Millis;

/// Returns the first moment, at or after `at`, at which the person is working and not away.
pub fn next_working_moment(schedule: &WorkSchedule, at: Millis) -> Millis {
    let ready = schedule.away_until.map_or(at, |away| away.max(at));
    if schedule.works_at(ready) {
        return ready;
    }
    // When the clocks go back, a part of the working hours can occur a second time.
    let clock_change = Timestamp::from_millisecond(ready)
        .ok()
        .and_then(|ready| schedule.zone.following(ready).next())
        .map(|change| change.timestamp().as_millisecond())
        .filter(|change| schedule.works_at(*change));
    let begin = first_begin_after(schedule, ready);
    // `begin` is `None` only near the end of the supported time range.
    begin.into_iter().chain(clock_change).min().unwrap_or(ready)
}

fn first_begin_after(schedule: &WorkSchedule, at: Millis) -> Option<Millis> {
    let today = schedule.local(at)?.date();
    (0..MAX_DAYS_SEARCHED).find_map(|ahead| {
        schedule
            .work_begin(today.checked_add(ahead.days()).ok()?)
            .filter(|begin| *begin > at)
    })
}
