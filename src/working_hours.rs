//! When people work, and by when what is asked of them is due: never outside their working hours.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan, Zoned};
use serde_json::{Map, Value, json};

use crate::clock::Millis;

/// Most working days that something can be due in.
pub const MAX_DUE_DAYS: i64 = 60;

/// What is right, said with every error about working hours.
const EXAMPLE: &str = r#"Right would be {"days":[1,2,3,4,5],"from":"09:00","to":"17:00"}."#;

/// The hours of a week in which somebody works, by the clock on their wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkingHours {
    /// ISO weekdays, 1 Monday to 7 Sunday; at least one.
    days: BTreeSet<i8>,
    from: Time,
    /// Later than `from`, and still working time itself.
    to: Time,
}

impl Default for WorkingHours {
    /// Monday to Friday, 09:00 to 17:00.
    fn default() -> Self {
        Self {
            days: (1..=5).collect(),
            from: Time::constant(9, 0, 0, 0),
            to: Time::constant(17, 0, 0, 0),
        }
    }
}

impl WorkingHours {
    /// Reads `{"days":[1..7],"from":"09:00","to":"17:00"}`; the error says what is wrong and what would be right.
    pub fn parse(value: &Value) -> Result<Self, String> {
        let members: &Map<String, Value> = value
            .as_object()
            .ok_or_else(|| format!("is not an object. {EXAMPLE}"))?;
        if let Some(unknown) = members
            .keys()
            .find(|name| !["days", "from", "to"].contains(&name.as_str()))
        {
            return Err(format!(
                "has {unknown:?}, which working hours do not have. {EXAMPLE}"
            ));
        }
        let days = members
            .get("days")
            .and_then(Value::as_array)
            .ok_or_else(|| format!("needs `days`, a list of numbers. {EXAMPLE}"))?;
        let days: Option<Vec<i64>> = days.iter().map(Value::as_i64).collect();
        let time = |name: &str| {
            members.get(name).and_then(Value::as_str).ok_or_else(|| {
                format!("needs `{name}`, a time of the day such as \"09:00\". {EXAMPLE}")
            })
        };
        Self::new(
            &days.ok_or("has a day that is no number. Days are 1 (Monday) to 7 (Sunday).")?,
            time("from")?,
            time("to")?,
        )
    }

    /// Hours on these ISO weekdays from and to a time of the day, `HH:MM`.
    pub fn new(days: &[i64], from: &str, to: &str) -> Result<Self, String> {
        if days.is_empty() {
            return Err("has no days. Choose at least one.".into());
        }
        if let Some(day) = days.iter().find(|day| !(1..=7).contains(*day)) {
            return Err(format!(
                "has the day {day}. Days are 1 (Monday) to 7 (Sunday)."
            ));
        }
        let (from, to) = (parse_time(from)?, parse_time(to)?);
        if to <= from {
            return Err(format!(
                "ends at {to}, which is not after it begins at {from}. Hours end later on the same day, 23:59 at the latest.",
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

    /// As it is stored and answered.
    pub fn to_json(&self) -> Value {
        json!({ "days": self.days, "from": self.from.strftime("%H:%M").to_string(), "to": self.to.strftime("%H:%M").to_string() })
    }

    /// Whether the clock on the wall shows working time.
    fn contain(&self, wall: DateTime) -> bool {
        self.works_on(wall.date()) && self.from <= wall.time() && wall.time() <= self.to
    }

    fn works_on(&self, day: Date) -> bool {
        self.days.contains(&day.weekday().to_monday_one_offset())
    }
}

/// `09:00`, as a browser sends it; seconds are not part of it.
fn parse_time(text: &str) -> Result<Time, String> {
    let wrong = || {
        format!(
            "has {text:?}, which is not a time of the day. Right would be \"09:00\", \"23:59\" at the latest."
        )
    };
    if text.len() != 5 {
        return Err(wrong());
    }
    Time::strptime("%H:%M", text).map_err(|_| wrong())
}

/// By when an answer is wanted, before it is known from whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// At a moment.
    At(Millis),
    /// By the end of the so-many-th working day.
    Days(i64),
}

/// When one person works.
#[derive(Clone, Debug)]
pub struct WorkSchedule {
    /// Where their clock hangs.
    pub zone: TimeZone,
    /// What hours they keep by it.
    pub hours: WorkingHours,
    /// Until when they are away, if they are.
    pub away_until: Option<Millis>,
}

impl WorkSchedule {
    /// Someone in the zone of this IANA name (UTC where it is not known any more).
    pub fn new(zone: &str, hours: WorkingHours, away_until: Option<Millis>) -> Self {
        Self {
            zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC),
            hours,
            away_until,
        }
    }

    /// The moment as this person's clock shows it.
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

    /// The first moment of work on a day; none on a day without, or one that the zone left out (Samoa's 30 December 2011).
    fn work_begin(&self, day: Date) -> Option<Millis> {
        self.moment_at(day, self.hours.from, 0)
    }

    /// The last moment of work on a day. Where clocks skip it, the moment before they do.
    fn work_end(&self, day: Date) -> Option<Millis> {
        self.moment_at(day, self.hours.to, -1)
    }

    /// When the clock shows this on a working day, the first time if it does twice; if never, the moment it skips it, moved by so much.
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

    /// The first moment between the two at which the clock shows later than `wall`, which it never shows.
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

/// By when this person's answer is due that was asked for at a moment: in their working hours, not before it was asked, and after
/// they are back.
///
/// `Days(n)` is the end of the n-th working day after the day of asking. `At` is that moment if they work then; else the end of
/// their work before it, if that is still ahead; else the end of their first whole working day after it.
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
    // Only at the end of all time.
    .unwrap_or(ready)
}

/// Days that are looked at until one with working time is found: a week, and as much again for days that a zone left out.
const MAX_DAYS_SEARCHED: i64 = 14;

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

#[cfg(test)]
mod tests;
