//! When one person works, including around clock changes.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, Zoned};

use super::WorkingHours;
use crate::clock::Millis;

/// Maximum number of days to search for working time. A week always contains a working day; the
/// second week allows for days that a time zone skipped.
pub(super) const MAX_DAYS_SEARCHED: i64 = 14;

/// Working hours of one person, with the person's time zone and absence.
#[derive(Clone, Debug)]
pub struct WorkSchedule {
    /// Time zone of the person.
    pub zone: TimeZone,
    /// Working hours in local time.
    pub hours: WorkingHours,
    /// When the person's latest absence ends or ended; `None` if there is none.
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
    pub fn local(&self, at: Millis) -> Option<Zoned> {
        Some(
            Timestamp::from_millisecond(at)
                .ok()?
                .to_zoned(self.zone.clone()),
        )
    }

    pub(super) fn works_at(&self, at: Millis) -> bool {
        self.local(at)
            .is_some_and(|local| self.hours.contain(local.datetime()))
    }

    /// Returns the first working moment of a day. Returns `None` if the person does not work on
    /// that day, or if a clock change skips all working hours of the day. Samoa, for example,
    /// skipped the whole of 30 December 2011.
    pub(super) fn work_begin(&self, day: Date) -> Option<Millis> {
        self.moment_at(day, self.hours.from, 0)
    }

    /// Returns the moment at which the working hours of a day end. If a clock change skips this
    /// moment, returns the last moment before the change. Returns `None` in the same cases as
    /// [`Self::work_begin`].
    pub(super) fn work_end(&self, day: Date) -> Option<Millis> {
        self.moment_at(day, self.hours.to, -1)
    }

    /// Returns the moment at which the local clock shows `time` on `day`. Returns `None` if that moment is not in the
    /// working hours of `day`. If the clock shows `time` twice, returns the first of the two moments. If a clock change
    /// skips `time`, uses the moment of the change plus `beside_gap` milliseconds: 0 for the first moment after the
    /// change, -1 for the last moment before it.
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
