//! The sentence that asks a recipient to answer an update. It is used in emails and in the message
//! that authors can copy.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::clock::Millis;
use crate::updates::Expectation;

/// Returns the sentence, for example:
/// `Ada asks you to press “Got it” on “The new flow” (3:12) by Fri 17:00: https://…`.
/// `due` comes from [`due_text`] or [`due_within_text`].
pub fn message(
    author: &str,
    title: &str,
    expectation: Expectation,
    length_ms: Option<i64>,
    due: Option<&str>,
    link: &str,
) -> String {
    let what = match length_ms {
        Some(ms) => format!("“{title}” ({})", format_length(ms)),
        None => format!("“{title}”"),
    };
    match expectation {
        Expectation::Acknowledge => {
            let when = due.map(|due| format!(" {due}")).unwrap_or_default();
            format!("{author} asks you to press “Got it” on {what}{when}: {link}")
        }
        Expectation::Readback => {
            let when = due.map(|due| format!(", {due}")).unwrap_or_default();
            format!(
                "{author} asks you to open {what} and say back in your own words what you \
                 understood{when}: {link}"
            )
        }
        Expectation::Fyi => format!("{author} sent you {what}: {link}"),
    }
}

/// Returns the due time in this time zone, such as `by Fri 17:00`; see [`time_text`].
pub fn due_text(due: Millis, now: Millis, zone: &str) -> String {
    format!("by {}", time_text(due, now, zone))
}

/// Returns a time in this time zone, such as `Fri 17:00`. Adds the day and month if the time is six or more days ahead
/// or more than 12 hours ago.
pub fn time_text(at: Millis, now: Millis, zone: &str) -> String {
    const DAY: Millis = 24 * 3_600_000;
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let Ok(time) = Timestamp::from_millisecond(at) else {
        return String::new();
    };
    let near = (-DAY / 2..6 * DAY).contains(&(at - now));
    time.to_zoned(zone)
        .strftime(if near { "%a %H:%M" } else { "%a %-d %b %H:%M" })
        .to_string()
}

/// Returns the due time as a number of the recipient's working days, such as `within 3 working
/// days`.
pub fn due_within_text(working_days: i64) -> String {
    match working_days {
        ..=1 => "by the end of your next working day".into(),
        days => format!("within {days} working days"),
    }
}

/// Formats the length of a video as `3:12` or `1:02:03`. Lengths below one second become `0:01`.
pub fn format_length(ms: i64) -> String {
    format_position(ms.max(1000))
}

/// Formats a position in a video as `3:12` or `1:02:03`.
pub fn format_position(ms: i64) -> String {
    let seconds = ms / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_says_who_asks_for_what_and_by_when() {
        let said = message(
            "Ada",
            "The new flow",
            Expectation::Acknowledge,
            Some(192_999),
            Some("by Fri 17:00"),
            "https://h/updates/1",
        );
        assert_eq!(
            said,
            "Ada asks you to press “Got it” on “The new flow” (3:12) by Fri 17:00: https://h/updates/1"
        );
        let said = message(
            "Ada",
            "T",
            Expectation::Readback,
            None,
            Some(&due_within_text(1)),
            "L",
        );
        assert_eq!(
            said,
            "Ada asks you to open “T” and say back in your own words what you understood, by the end \
             of your next working day: L"
        );
        assert_eq!(
            message("Ada", "T", Expectation::Fyi, None, None, "L"),
            "Ada sent you “T”: L"
        );
        assert_eq!(due_within_text(3), "within 3 working days");
        assert_eq!(
            (format_length(3_723_000), format_length(900)),
            ("1:02:03".into(), "0:01".into())
        );
    }

    #[test]
    fn due_text_uses_the_time_zone_of_the_reader_and_omits_the_date_if_the_due_time_is_near() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let now = at("2026-11-20T12:00:00Z");
        assert_eq!(
            due_text(at("2026-11-23T16:00:00Z"), now, "Europe/Warsaw"),
            "by Mon 17:00"
        );
        assert_eq!(
            due_text(at("2026-11-23T16:00:00Z"), now, "Pacific/Auckland"),
            "by Tue 05:00"
        );
        assert_eq!(
            due_text(at("2026-11-27T16:00:00Z"), now, "Europe/Warsaw"),
            "by Fri 27 Nov 17:00"
        );
        assert_eq!(
            due_text(at("2026-11-18T16:00:00Z"), now, "Europe/Warsaw"),
            "by Wed 18 Nov 17:00"
        );
    }
}
