//! When an answer is due: within the working hours of the person who owes it.

use jiff::ToSpan;

use super::schedule::{MAX_DAYS_SEARCHED, WorkSchedule};
use crate::clock::Millis;

/// Maximum number of working days until an answer is due.
pub const MAX_DUE_DAYS: i64 = 60;

/// The due time that the author chose for answers. [`due_for`] computes each recipient's due time
/// from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The answer is due at a fixed time.
    At(Millis),
    /// The answer is due at the end of the n-th working day after the request.
    Days(i64),
}

/// Computes the due time for one person. The result is within the person's working hours, and not
/// before the request or the end of the person's absence.
///
/// `Days(n)` is due at the end of the n-th working day. The count begins on the day after the
/// request, or on the day after the end of the absence if that is later.
///
/// `At` is due at the given time if the person works at that time and it is not before the request
/// or the end of the absence. Otherwise, it is due when the person last stops working before that
/// time. If that moment is not after the request and the end of the absence, the answer is due at
/// the end of the first whole working day after the given time, the request and the absence.
pub fn due_for(due: &Due, asked_at: Millis, schedule: &WorkSchedule) -> Millis {
    let ready = schedule
        .away_until
        .map_or(asked_at, |away| away.max(asked_at));
    match *due {
        Due::At(at) if at >= ready && schedule.works_at(at) => Some(at),
        Due::At(at) => last_end_before(schedule, at)
            .filter(|end| *end > ready)
            .or_else(|| first_whole_day(schedule, at.max(ready))),
        Due::Days(n) => nth_work_day(schedule, ready, n.clamp(1, MAX_DUE_DAYS)),
    }
    // The value is `None` only near the end of the supported time range.
    .unwrap_or(ready)
}

fn last_end_before(schedule: &WorkSchedule, at: Millis) -> Option<Millis> {
    let today = schedule.local(at)?.date();
    (0..MAX_DAYS_SEARCHED).find_map(|back| {
        schedule
            .work_end(today.checked_sub(back.days()).ok()?)
            .filter(|end| *end < at)
    })
}

fn first_whole_day(schedule: &WorkSchedule, after: Millis) -> Option<Millis> {
    let today = schedule.local(after)?.date();
    (0..MAX_DAYS_SEARCHED).find_map(|ahead| {
        let day = today.checked_add(ahead.days()).ok()?;
        schedule
            .work_begin(day)
            .filter(|begin| *begin >= after)
            .and(schedule.work_end(day))
    })
}

fn nth_work_day(schedule: &WorkSchedule, after: Millis, n: i64) -> Option<Millis> {
    let today = schedule.local(after)?.date();
    let days =
        (1..MAX_DAYS_SEARCHED + 7 * n).map_while(|ahead| today.checked_add(ahead.days()).ok());
    days.filter_map(|day| schedule.work_end(day))
        .filter(|end| *end > after)
        .nth(usize::try_from(n - 1).ok()?)
}
