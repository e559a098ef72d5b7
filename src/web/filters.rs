//! Template filters and functions.
#![allow(
    missing_docs,
    reason = "the macro generates public items that cannot be documented"
)]

use askama::filters::Safe;
use askama::{Values, filter_fn};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::inbox::COUNT_LIMIT;
use crate::infra::markdown;
use crate::media::RenditionName;
use crate::share_message;
use crate::text::{self, truncate};

/// ISO weekdays for a row of checkboxes: value, short name, full name.
pub const DAYS: [(&str, &str, &str); 7] = [
    ("1", "Mo", "Monday"),
    ("2", "Tu", "Tuesday"),
    ("3", "We", "Wednesday"),
    ("4", "Th", "Thursday"),
    ("5", "Fr", "Friday"),
    ("6", "Sa", "Saturday"),
    ("7", "Su", "Sunday"),
];

/// Renders an RFC 3339 timestamp as `<relative-time>`, with the exact time in `zone` as a fallback
/// for browsers without JavaScript. Its role keeps it apart from the text around it for screen readers.
#[filter_fn]
pub fn when(at: impl AsRef<str>, _: &dyn Values, zone: &str) -> askama::Result<Safe<String>> {
    // Both inserted values are formatted times. They contain no special HTML characters and need no
    // escaping.
    Ok(Safe(match at.as_ref().parse::<Timestamp>() {
        Ok(time) => format!(
            "<relative-time role=\"time\" datetime=\"{time}\">{}</relative-time>",
            local(time, zone, "%-d %b %Y, %H:%M")
        ),
        Err(_) => String::new(),
    }))
}

/// Converts plain text to HTML and turns the web addresses in it into links.
#[filter_fn]
pub fn linked(text: impl AsRef<str>, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(markdown::plain_to_html(text.as_ref())))
}

/// Formats a due time as `Mon 17:00`. Adds the day and month if the due time is more than 12 hours before `now` or at
/// least six days after it.
#[filter_fn]
pub fn by(
    at: impl AsRef<str>,
    _: &dyn Values,
    zone: &str,
    now: &i64,
) -> askama::Result<Safe<String>> {
    Ok(Safe(match at.as_ref().parse::<Timestamp>() {
        Ok(time) => {
            let words = crate::share_message::time_text(time.as_millisecond(), *now, zone);
            format!("<time datetime=\"{time}\">{words}</time>")
        }
        Err(_) => String::new(),
    }))
}

/// Returns the city in the name of a time zone: `Buenos Aires` for `America/Argentina/Buenos_Aires`.
#[filter_fn]
pub fn city(zone: impl AsRef<str>, _: &dyn Values) -> askama::Result<String> {
    let zone = zone.as_ref();
    Ok(zone.rsplit('/').next().unwrap_or(zone).replace('_', " "))
}

/// Formats the current time in a time zone as `Fri 09:12`.
#[filter_fn]
pub fn time_in(now: &i64, _: &dyn Values, zone: &str) -> askama::Result<String> {
    Ok(Timestamp::from_millisecond(*now)
        .map_or_else(|_| String::new(), |time| local(time, zone, "%a %H:%M")))
}

/// Returns up to two initials of a name, for the avatar.
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

/// Formats a count with its noun: `1 person`, `3 people`.
#[filter_fn]
pub fn plural(
    count: impl std::borrow::Borrow<i64>,
    _: &dyn Values,
    one: &str,
    more: &str,
) -> askama::Result<String> {
    Ok(text::plural(*count.borrow(), one, more))
}

/// Formats the number of replies that a thread does not show yet: `1 earlier reply`, `3 earlier replies`.
#[filter_fn]
pub fn more_replies(
    count: impl std::borrow::Borrow<usize>,
    _: &dyn Values,
) -> askama::Result<String> {
    Ok(text::plural(
        *count.borrow() as u64,
        "earlier reply",
        "earlier replies",
    ))
}

/// Formats the number of entries in an inbox section. Numbers above `COUNT_LIMIT` are not exact, so
/// they are shown as `1000+`.
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

/// Formats a timestamp as weekday and time in a zone: `Tue 14:05`.
#[filter_fn]
pub fn clock_of(at: impl AsRef<str>, _: &dyn Values, zone: &str) -> askama::Result<String> {
    Ok(at
        .as_ref()
        .parse::<Timestamp>()
        .map(|time| local(time, zone, "%a %H:%M"))
        .unwrap_or_default())
}

/// Formats a timestamp for `<input type="datetime-local">` in the reader's zone. Returns invalid input
/// unchanged.
#[filter_fn]
pub fn for_input(at: impl AsRef<str>, _: &dyn Values, zone: &str) -> askama::Result<String> {
    Ok(match at.as_ref().parse::<Timestamp>() {
        Ok(time) => local(time, zone, "%Y-%m-%dT%H:%M"),
        Err(_) => at.as_ref().to_owned(),
    })
}

/// Returns a text on one line. Truncates it to 80 characters, followed by an ellipsis.
#[filter_fn]
pub fn excerpt(text: impl AsRef<str>, _: &dyn Values) -> askama::Result<String> {
    const LONGEST: usize = 80;
    let line = text
        .as_ref()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    Ok(truncate(&line, LONGEST).into_owned())
}

/// Returns the address of the best rendition that exists, or an empty string if there is none. If
/// this is the original of a trimmed recording, the address includes the trimmed range.
pub fn playable(medium: &super::schema::MediaView) -> String {
    let names: &[RenditionName] = if medium.is_video() {
        &[
            RenditionName::H264,
            RenditionName::Playable,
            RenditionName::Original,
        ]
    } else {
        &[RenditionName::Playable, RenditionName::Original]
    };
    match (names.iter().find(|name| medium.has(**name)), medium.trim) {
        (Some(RenditionName::Original), Some(trim)) => trimmed_url(medium.original(), trim),
        (Some(name), _) => medium.url(*name).to_owned(),
        (None, _) => String::new(),
    }
}

/// Adds a media fragment to an address, so that browsers play only the trimmed range.
pub fn trimmed_url(url: &str, trim: super::schema::TrimView) -> String {
    let seconds = |ms: i64| format!("{}.{:03}", ms / 1000, ms % 1000);
    format!("{url}#t={},{}", seconds(trim.from_ms), seconds(trim.to_ms))
}

/// Returns the address of a file as it was in an earlier version of its update. If the trim has
/// changed since that version, this is the address of the original, limited to the range of that
/// version. If the file was deleted, returns an empty string.
pub fn version_file_url(file: &super::schema::FileView) -> String {
    match (&file.media, file.trim) {
        (Some(media), then) if media.trim == then => playable(media),
        (Some(media), Some(trim)) => trimmed_url(media.original(), trim),
        (Some(media), None) => media.original().to_owned(),
        (None, _) => String::new(),
    }
}

/// Returns the angle of the logo's progress arc, in degrees from 0 to 160.
#[filter_fn]
pub fn degrees(heard: &i64, _: &dyn Values, of: &i64) -> askama::Result<i64> {
    Ok((*heard).clamp(0, (*of).max(0)) * 160 / (*of).max(1))
}

/// Formats a number of milliseconds as a position in a video, such as `0:42`.
#[filter_fn]
pub fn clock(ms: &i64, _: &dyn Values) -> askama::Result<String> {
    Ok(share_message::format_position(*ms))
}

/// Formats a number of milliseconds as the duration of a video, such as `3:12`.
#[filter_fn]
pub fn length(ms: &i64, _: &dyn Values) -> askama::Result<String> {
    Ok(share_message::format_length(*ms))
}

/// Formats a position with up to three decimals, such as `0:42.25`. Form fields for positions
/// accept this format.
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
