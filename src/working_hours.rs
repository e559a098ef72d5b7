//! Working hours, and the due times, email times and snooze times that fall within them.

mod due_time;
mod email_time;
mod schedule;
mod snooze_time;

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

pub use due_time::{Due, MAX_DUE_DAYS, due_for};
pub use email_time::next_working_moment;
pub use schedule::WorkSchedule;
pub use snooze_time::{next_week_morning, next_working_morning};

/// Example for error messages about working hours.
const EXAMPLE: &str = r#"For example: {"days":[1,2,3,4,5],"from":"09:00","to":"17:00"}."#;

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
            return Err(format!("contains the unknown field {unknown:?}. {EXAMPLE}"));
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
            &days.ok_or("contains a day that is not a whole number. Days are numbers from 1 (Monday) to 7 (Sunday).")?,
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
                "contains the invalid day {day}. Days are numbers from 1 (Monday) to 7 (Sunday)."
            ));
        }
        let (from, to) = (parse_time(from)?, parse_time(to)?);
        if to <= from {
            return Err(format!(
                "ends at {to}, which is not after the start at {from}. The end must be later on \
                 the same day, at 23:59 at the latest.",
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
            "contains {text:?}, which is not a time of day. Use a time such as \"09:00\"; the latest is \"23:59\"."
        )
    };
    if text.len() != 5 {
        return Err(wrong());
    }
    Time::strptime("%H:%M", text).map_err(|_| wrong())
}

#[cfg(test)]
mod tests;
