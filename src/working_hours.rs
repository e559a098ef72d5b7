//! Working hours, and the due times and email times that fall within them.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan, Zoned};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::clock::Millis;

/// Maximum due time, in working days.
pub const MAX_DUE_DAYS: i64 = 60;

/// Example for error messages about working hours.
const EXAMPLE: &str = r#"Use, for example, {"days":[1,2,3,4,5],"from":"09:00","to":"17:00"}."#;

/// Weekly working hours in local time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkingHours {
    /// ISO weekdays from 1 (Monday) to 7 (Sunday); at least one.
    days: BTreeSet<i8>,
    #[serde(serialize_with = "serialize_time")]
    from: Time,
    /// Inclusive end of the working time; later than `from`.
    #[serde(serialize_with = "serialize_time")]
    to: Time,
}

impl Default for WorkingHours {
    /// Returns the default working hours: Monday to Friday, 09:00 to 17:00.
    fn default() -> Self {
        Self {
            days: (1..=5).collect(),
            from: Time::constant(9, 0, 0, 0),
            to: Time::constant(17, 0, 0, 0),
        }
    }
}

impl WorkingHours {
    /// Parses working hours from JSON such as `{"days":[1,2,3],"from":"09:00","to":"17:00"}`. The
    /// error says what is wrong and how to correct it.
    pub fn parse(value: &Value) -> Result<Self, String> {
        let members: &Map<String, Value> = value
            .as_object()
            .ok_or_else(|| format!("must be an object. {EXAMPLE}"))?;
        if let Some(unknown) = members
            .keys()
            .find(|name| !["days", "from", "to"].contains(&name.as_str()))
        {
            return Err(format!("has the unknown field {unknown:?}. {EXAMPLE}"));
        }
        let days = members
            .get("days")
            .and_then(Value::as_array)
            .ok_or_else(|| format!("needs `days`, a list of numbers. {EXAMPLE}"))?;
        let days: Option<Vec<i64>> = days.iter().map(Value::as_i64).collect();
        let time = |name: &str| {
            members.get(name).and_then(Value::as_str).ok_or_else(|| {
                format!("needs `{name}`, a time of day such as \"09:00\". {EXAMPLE}")
            })
        };
        Self::new(
            &days.ok_or("has a day that is not a whole number. Days are numbers from 1 (Monday) to 7 (Sunday).")?,
            time("from")?,
            time("to")?,
        )
    }

    /// Creates working hours from ISO weekdays and two times of day in the form `HH:MM`.
    pub fn new(days: &[i64], from: &str, to: &str) -> Result<Self, String> {
        if days.is_empty() {
            return Err("has no days. Choose at least one.".into());
        }
        if let Some(day) = days.iter().find(|day| !(1..=7).contains(*day)) {
            return Err(format!(
                "has the day {day}. Days are numbers from 1 (Monday) to 7 (Sunday)."
            ));
        }
        let (from, to) = (parse_time(from)?, parse_time(to)?);
        if to <= from {
            return Err(format!(
                "ends at {to}, which is not after the start at {from}. The end must be later on the same day, at 23:59 at the latest.",
                to = to.strftime("%H:%M"),
                from = from.strftime("%H:%M"),
            ));
        }
        Ok(Self {
            days: days
                .iter()
                .filter_map(|day| i8::try_from(*day).ok())
                .collect(),
            from,
            to,
        })
    }

    /// Returns the JSON that is stored in the database and sent in responses.
    pub fn to_json(&self) -> Value {
        json!(self)
    }

    /// Whether a local time is within the working hours.
    fn contain(&self, wall: DateTime) -> bool {
        self.works_on(wall.date()) && self.from <= wall.time() && wall.time() <= self.to
    }

    fn works_on(&self, day: Date) -> bool {
        self.days.contains(&day.weekday().to_monday_one_offset())
    }
}

fn serialize_time<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&time.strftime("%H:%M"))
}

/// Parses a time of day without seconds, such as `09:00`.
fn parse_time(text: &str) -> Result<Time, String> {
    let wrong = || {
        format!(
            "has {text:?}, which is not a time of day. Use, for example, \"09:00\"; the latest is \"23:59\"."
        )
    };
    if text.len() != 5 {
        return Err(wrong());
    }
    Time::strptime("%H:%M", text).map_err(|_| wrong())
}

/// The due time of an answer as the author chose it. [`due_for`] computes each recipient's due time
/// from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The answer is due at a fixed time.
    At(Millis),
    /// The answer is due at the end of the n-th working day.
    Days(i64),
}

/// Working hours of one person, with the person's time zone and absence.
#[derive(Clone, Debug)]
pub struct WorkSchedule {
    /// Time zone of the person.
    pub zone: TimeZone,
    /// Working hours in local time.
    pub hours: WorkingHours,
    /// When the person's absence ends; `None` if they are not away.
    pub away_until: Option<Millis>,
}

impl WorkSchedule {
    /// Creates a schedule. If the time zone is unknown, uses UTC.
    pub fn new(zone: &str, hours: WorkingHours, away_until: Option<Millis>) -> Self {
        Self {
            zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC),
            hours,
            away_until,
        }
    }

    /// Converts a timestamp to the person's local time.
    fn local(&self, at: Millis) -> Option<Zoned> {
        Some(
            Timestamp::from_millisecond(at)
                .ok()?
                .to_zoned(self.zone.clone()),
        )
    }

    fn works_at(&self, at: Millis) -> bool {
        self.local(at)
            .is_some_and(|local| self.hours.contain(local.datetime()))
    }

    /// Returns the first working moment of a day. Returns `None` if the person does not work on
    /// that day, or if the time zone skipped the day, as Samoa did on 30 December 2011.
    fn work_begin(&self, day: Date) -> Option<Millis> {
        self.moment_at(day, self.hours.from, 0)
    }

    /// Returns the last working moment of a day. If a clock change skips this moment, returns the
    /// moment before the change.
    fn work_end(&self, day: Date) -> Option<Millis> {
        self.moment_at(day, self.hours.to, -1)
    }

    /// Returns when the local clock shows this time on a working day. If the clock shows the time
    /// twice, returns the first occurrence. If a clock change skips the time, returns the moment of
    /// the change plus `beside_gap` milliseconds (0 for the first moment after the change, -1 for
    /// the last one before).
    fn moment_at(&self, day: Date, time: Time, beside_gap: Millis) -> Option<Millis> {
        if !self.hours.works_on(day) {
            return None;
        }
        let wall = day.to_datetime(time);
        let ambiguous = self.zone.to_ambiguous_timestamp(wall);
        let at = match ambiguous.offset() {
            AmbiguousOffset::Gap { .. } => {
                let (before, after) = (ambiguous.earlier().ok()?, ambiguous.later().ok()?);
                self.first_moment_past(wall, before.as_millisecond(), after.as_millisecond())
                    + beside_gap
            }
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                ambiguous.earlier().ok()?.as_millisecond()
            }
        };
        let local = self.local(at)?.datetime();
        (local.date() == day && self.hours.contain(local)).then_some(at)
    }

    /// Returns the moment of a clock change that skips the local time `wall`. The change is between
    /// `before` and `after`.
    fn first_moment_past(&self, wall: DateTime, mut before: Millis, mut after: Millis) -> Millis {
        while before + 1 < after {
            let middle = before + (after - before) / 2;
            if self
                .local(middle)
                .is_some_and(|local| local.datetime() > wall)
            {
                after = middle
            } else {
                before = middle
            }
        }
        after
    }
}

/// Computes the due time for one person. The result is within the person's working hours, after the
/// request and after the person's absence.
///
/// `Days(n)` is due at the end of the n-th working day after the day of the request. `At` is due at
/// the given time if the person works at that time. If not, it is due when the person last stops
/// working before that time. If that moment has already passed, it is due at the end of the first
/// whole working day after the given time.
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

/// Returns the first moment at or after `at` when the person is working and not away.
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
    // Both are `None` only near the end of the supported time range.
    begin.into_iter().chain(clock_change).min().unwrap_or(ready)
}

/// Maximum number of days to search for working time. A week always contains a working day; the
/// second week allows for days that a time zone skipped.
const MAX_DAYS_SEARCHED: i64 = 14;

fn last_end_before(schedule: &WorkSchedule, at: Millis) -> Option<Millis> {
    let today = schedule.local(at)?.date();
    (0..MAX_DAYS_SEARCHED).find_map(|back| {
        schedule
            .work_end(today.checked_sub(back.days()).ok()?)
            .filter(|end| *end < at)
    })
}

fn first_begin_after(schedule: &WorkSchedule, at: Millis) -> Option<Millis> {
    let today = schedule.local(at)?.date();
    (0..MAX_DAYS_SEARCHED).find_map(|ahead| {
        schedule
            .work_begin(today.checked_add(ahead.days()).ok()?)
            .filter(|begin| *begin > at)
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

#[cfg(test)]
mod tests;
