//! Filters of the templates.
#![allow(
    missing_docs,
    reason = "the macro makes public items that cannot be documented"
)]

use askama::filters::Safe;
use askama::{Values, filter_fn};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::inbox::COUNT_LIMIT;
use crate::share_message;

/// ISO weekdays for a row of boxes: value, short, in full.
pub const DAYS: [(&str, &str, &str); 7] = [
    ("1", "Mo", "Monday"),
    ("2", "Tu", "Tuesday"),
    ("3", "We", "Wednesday"),
    ("4", "Th", "Thursday"),
    ("5", "Fr", "Friday"),
    ("6", "Sa", "Saturday"),
    ("7", "Su", "Sunday"),
];

/// A moment as `<relative-time>` with the exact time inside, for browsers without scripts. Takes RFC 3339 and a zone.
#[filter_fn]
pub fn when(at: impl AsRef<str>, _: &dyn Values, zone: &str) -> askama::Result<Safe<String>> {
    // Both parts are made of digits, letters and punctuation of our own formats: nothing to escape.
    Ok(Safe(match at.as_ref().parse::<Timestamp>() {
        Ok(time) => format!(
            "<relative-time datetime=\"{time}\">{}</relative-time>",
            local(time, zone, "%-d %b %Y, %H:%M")
        ),
        Err(_) => String::new(),
    }))
}

/// By when: `Mon 17:00`, with the day of the month where it is six days away from `now` or more, or past.
#[filter_fn]
pub fn by(
    at: impl AsRef<str>,
    _: &dyn Values,
    zone: &str,
    now: &i64,
) -> askama::Result<Safe<String>> {
    Ok(Safe(match at.as_ref().parse::<Timestamp>() {
        Ok(time) => {
            let words = crate::share_message::due_text(time.as_millisecond(), *now, zone);
            format!(
                "<time datetime=\"{time}\">{}</time>",
                words.trim_start_matches("by ")
            )
        }
        Err(_) => String::new(),
    }))
}

/// What time it is now in a zone: `Fri 09:12`.
#[filter_fn]
pub fn time_in(now: &i64, _: &dyn Values, zone: &str) -> askama::Result<String> {
    Ok(Timestamp::from_millisecond(*now)
        .map_or_else(|_| String::new(), |time| local(time, zone, "%a %H:%M")))
}

/// Up to two initials of a name, for the disc that stands for a person.
#[filter_fn]
pub fn initials(name: impl AsRef<str>, _: &dyn Values) -> askama::Result<String> {
    let words: Vec<&str> = name.as_ref().split_whitespace().collect();
    let letters = [
        words.first(),
        if words.len() > 1 { words.last() } else { None },
    ];
    Ok(letters
        .into_iter()
        .flatten()
        .filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()))
        .flat_map(char::to_uppercase)
        .collect())
}

/// `1 person`, `3 people`: the number with the word that fits.
#[filter_fn]
pub fn plural(
    count: impl std::borrow::Borrow<i64>,
    _: &dyn Values,
    one: &str,
    more: &str,
) -> askama::Result<String> {
    let count = *count.borrow();
    Ok(format!("{count} {}", if count == 1 { one } else { more }))
}

/// What waits, `1000+` where nobody counted on.
#[filter_fn]
pub fn waiting(count: impl std::borrow::Borrow<i64>, _: &dyn Values) -> askama::Result<String> {
    let count = *count.borrow();
    Ok(if count > COUNT_LIMIT {
        format!("{COUNT_LIMIT}+")
    } else {
        count.to_string()
    })
}

fn local(time: Timestamp, zone: &str, form: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    time.to_zoned(zone).strftime(form).to_string()
}

/// The time of the day and the weekday, `Tue 14:05`, by the clock of a zone.
#[filter_fn]
pub fn clock_of(at: impl AsRef<str>, _: &dyn Values, zone: &str) -> askama::Result<String> {
    Ok(at
        .as_ref()
        .parse::<Timestamp>()
        .map(|time| local(time, zone, "%a %H:%M"))
        .unwrap_or_default())
}

/// A moment for `<input type="datetime-local">`, in the reader's zone; what was typed and is not a moment stays as it is.
#[filter_fn]
pub fn for_input(at: impl AsRef<str>, _: &dyn Values, zone: &str) -> askama::Result<String> {
    Ok(match at.as_ref().parse::<Timestamp>() {
        Ok(time) => local(time, zone, "%Y-%m-%dT%H:%M"),
        Err(_) => at.as_ref().to_owned(),
    })
}

/// The first words of a longer text, on one line.
#[filter_fn]
pub fn excerpt(text: impl AsRef<str>, _: &dyn Values) -> askama::Result<String> {
    const LONGEST: usize = 80;
    let line = text
        .as_ref()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    Ok(match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    })
}

/// The address of what a browser shows of a medium: the best there is so far; empty while there is nothing.
pub fn playable(medium: &super::schema::MediaView) -> String {
    let names: &[&str] = if medium.kind == "video" {
        &["h264", "playable", "original"]
    } else {
        &["playable", "original"]
    };
    match (names.iter().find(|name| medium.has(name)), medium.trim) {
        (Some(&"original"), Some(trim)) => trimmed_url(medium.url("original"), trim),
        (Some(name), _) => medium.url(name).to_owned(),
        (None, _) => String::new(),
    }
}

/// What is drawn with a comment, in words.
pub fn drawn(drawing: &serde_json::Value) -> Vec<String> {
    crate::markup::parse_stored(&drawing.to_string())
        .unwrap_or_default()
        .iter()
        .map(crate::markup::Shape::describe)
        .collect()
}

/// A stretch of what an address gives, as browsers play it by themselves.
pub fn trimmed_url(url: &str, trim: super::schema::TrimView) -> String {
    let seconds = |ms: i64| format!("{}.{:03}", ms / 1000, ms % 1000);
    format!("{url}#t={},{}", seconds(trim.from_ms), seconds(trim.to_ms))
}

/// The same of a file as a version has it: of a recording that is trimmed otherwise now, that stretch of the original.
pub fn version_file_url(file: &super::schema::FileView) -> String {
    match (&file.media, file.trim) {
        (Some(media), then) if media.trim == then => playable(media),
        (Some(media), Some(trim)) => trimmed_url(media.url("original"), trim),
        (Some(media), None) => media.url("original").to_owned(),
        (None, _) => String::new(),
    }
}

/// How far the returning arc of the mark goes, in degrees of its 160.
#[filter_fn]
pub fn degrees(heard: &i64, _: &dyn Values, of: &i64) -> askama::Result<i64> {
    Ok((*heard).clamp(0, (*of).max(0)) * 160 / (*of).max(1))
}

/// A moment of a video, `0:42`, of milliseconds.
#[filter_fn]
pub fn clock(ms: &i64, _: &dyn Values) -> askama::Result<String> {
    Ok(share_message::format_position(*ms))
}

/// How long a video is, `3:12`, of milliseconds.
#[filter_fn]
pub fn length(ms: &i64, _: &dyn Values) -> askama::Result<String> {
    Ok(share_message::format_length(*ms))
}

/// A moment to the millisecond, `0:42.25`, as it can be typed.
#[filter_fn]
pub fn exact(ms: &i64, _: &dyn Values) -> askama::Result<String> {
    let fraction = format!("{:03}", ms % 1000);
    let fraction = fraction.trim_end_matches('0');
    Ok(format!(
        "{}.{}",
        share_message::format_position(*ms),
        if fraction.is_empty() { "0" } else { fraction }
    ))
}

/// What is wrong with a field, as a sentence of its own: "is missing." becomes "This is missing."
#[filter_fn]
pub fn sentence(message: impl AsRef<str>, _: &dyn Values) -> askama::Result<String> {
    let message = message.as_ref();
    let verb = message.split(' ').next().is_some_and(|word| {
        matches!(
            word,
            "is" | "has" | "must" | "may" | "can" | "needs" | "does" | "stands" | "ends"
        )
    });
    Ok(if verb {
        format!("This {message}")
    } else {
        message.to_owned()
    })
}
