//! Due times, timestamps and positions in recordings.

use serde_json::Value;

use super::Fields;
use crate::clock::{Millis, parse_rfc3339};
use crate::infra::db::{TextEnum, text_enum};
use crate::working_hours::{Due, MAX_DUE_DAYS};

text_enum! {
    /// Which field of a form holds the due time.
    enum When {
        /// No field, because there is no due time.
        None = "none",
        /// The field `due_days`.
        Days = "days",
        /// The field `due`.
        Time = "time",
    }
}

impl Fields {
    /// Reads a due time: a timestamp, `{"working_days":n}`, or null. A form also sends `when`: `days` selects the field
    /// `due_days`, `time` selects the timestamp, and `none` means that there is no due time.
    pub(crate) fn due(&mut self, name: &str, zone: &str) -> Option<Option<Due>> {
        let when = if self.from_form {
            self.choice("when", When::ALL)
        } else {
            None
        };
        let days = if self.from_form {
            self.number("due_days")
        } else {
            None
        };
        if self
            .values
            .get(name)
            .is_some_and(|values| values.iter().any(Value::is_object))
        {
            let rule = self.take_one(name)?;
            let days = rule
                .as_object()
                .filter(|rule| rule.len() == 1)
                .and_then(|rule| rule.get("working_days"))
                .and_then(Value::as_i64);
            return Some(Some(self.working_days(name, days)?));
        }
        let moment = self.moment(name, zone);
        match when {
            Some(When::None) => Some(None),
            Some(When::Days) => Some(Some(self.working_days("due_days", days)?)),
            Some(When::Time) | None => moment.map(|moment| moment.map(Due::At)),
        }
    }

    fn working_days(&mut self, name: &str, days: Option<i64>) -> Option<Due> {
        match days {
            Some(days @ 1..=MAX_DUE_DAYS) => Some(Due::Days(days)),
            _ => {
                self.add_error(
                    name,
                    format!(
                        "must be a number of working days from 1 to {MAX_DUE_DAYS}. \
                         Use, for example, {{\"working_days\":1}}."
                    ),
                );
                None
            }
        }
    }

    /// Reads an RFC 3339 timestamp. Returns `None` if the field is absent or invalid, and
    /// `Some(None)` if it is null or empty. A value without an offset, which browsers send
    /// (`2026-11-21T17:00`), is interpreted in `zone`.
    pub(crate) fn moment(&mut self, name: &str, zone: &str) -> Option<Option<Millis>> {
        let Some(text) = self.text(name, 100)? else {
            return Some(None);
        };
        let local = || {
            let civil: jiff::civil::DateTime = text.parse().ok()?;
            let zoned = civil.to_zoned(jiff::tz::TimeZone::get(zone).ok()?).ok()?;
            Some(zoned.timestamp().as_millisecond())
        };
        let moment = parse_rfc3339(&text).or_else(local);
        if moment.is_none() {
            self.add_error(
                name,
                "is not a valid time. Use, for example, 2026-11-21T17:00:00Z.",
            );
        }
        Some(Some(moment?))
    }

    /// Reads a required position in a recording: whole milliseconds in `NAME_ms`, or a time such as `1:02.5` in `NAME`.
    /// If the position is missing or invalid, adds an error and returns 0.
    pub(crate) fn position(&mut self, name: &str) -> Millis {
        let exact = format!("{name}_ms");
        if self.has(&exact) || !self.has(name) {
            let message = self.errors.len();
            let ms = self.number(&exact);
            if ms.is_none() && self.errors.len() == message {
                self.add_error(&exact, "is missing. Send a number of milliseconds.");
            }
            return ms.unwrap_or(0);
        }
        let said = self.optional(name, |text| {
            position(text.trim())
                .ok_or_else(|| "is not a valid position. Use, for example, 1:02.5.".into())
        });
        if said.is_none() {
            self.add_error(name, "is missing. Enter a time, for example 1:02.5.");
        }
        said.unwrap_or(0)
    }
}

/// Parses a position such as `1:02.5`, `62.5` or `1:00:02`, and returns milliseconds.
fn position(text: &str) -> Option<Millis> {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(fraction) || fraction.len() > 9 || clock.split(':').count() > 3 {
        return None;
    }
    let mut seconds: Millis = 0;
    for part in clock.split(':') {
        if part.is_empty() || part.len() > 6 || !digits(part) {
            return None;
        }
        seconds = seconds * 60 + part.parse::<Millis>().ok()?;
    }
    Some(seconds * 1000 + format!("{fraction:0<3}").get(..3)?.parse::<Millis>().ok()?)
}
