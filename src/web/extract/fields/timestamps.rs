//! Reads fields that contain timestamps or positions in recordings.

use super::Fields;
use crate::clock::{Millis, parse_rfc3339};

impl Fields {
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
                "is not a valid time. For example: 2026-11-21T17:00:00Z.",
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
            position(text.trim()).ok_or("is not a valid position. For example: 1:02.5.")
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
