//! Tests of selected due times. The child modules test email times, parsing, and due times in all
//! time zones.

mod email_times;
mod every_zone;
mod parse;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::*;
use crate::clock::Millis;

const HOUR: Millis = 3_600_000;

fn at(text: &str, zone: &str) -> Millis {
    text.parse::<DateTime>()
        .unwrap()
        .to_zoned(TimeZone::get(zone).unwrap())
        .unwrap()
        .timestamp()
        .as_millisecond()
}

fn said(at: Millis, zone: &str) -> String {
    Timestamp::from_millisecond(at)
        .unwrap()
        .to_zoned(TimeZone::get(zone).unwrap())
        .strftime("%a %F %H:%M")
        .to_string()
}

fn schedule(zone: &str, away: Option<&str>) -> WorkSchedule {
    WorkSchedule::new(
        zone,
        WorkingHours::default(),
        away.map(|away| at(away, zone)),
    )
}

fn hours(days: &[i64], from: &str, to: &str) -> WorkingHours {
    WorkingHours::new(days, from, to).unwrap()
}

#[test]
fn working_days_are_counted_from_the_day_after_the_request() {
    let zone = "Europe/Warsaw";
    for (asked, n, expected) in [
        ("2026-11-18T08:00", 1, "Thu 2026-11-19 17:00"),
        ("2026-11-18T23:59", 1, "Thu 2026-11-19 17:00"),
        ("2026-11-20T10:00", 1, "Mon 2026-11-23 17:00"),
        ("2026-11-22T10:00", 1, "Mon 2026-11-23 17:00"),
        ("2026-11-20T10:00", 3, "Wed 2026-11-25 17:00"),
        ("2026-11-20T10:00", 60, "Fri 2027-02-12 17:00"),
    ] {
        assert_eq!(
            said(
                due_for(&Due::Days(n), at(asked, zone), &schedule(zone, None)),
                zone
            ),
            expected,
            "{asked} + {n}"
        );
    }
}

#[test]
fn due_day_depends_on_the_time_zone_of_the_recipient() {
    let asked = at("2026-11-19T22:00", "UTC");
    for (zone, expected) in [
        ("Pacific/Auckland", "Mon 2026-11-23 17:00"),
        ("Europe/Warsaw", "Fri 2026-11-20 17:00"),
        ("America/Los_Angeles", "Fri 2026-11-20 17:00"),
    ] {
        assert_eq!(
            said(due_for(&Due::Days(1), asked, &schedule(zone, None)), zone),
            expected
        );
    }
}

#[test]
fn fixed_due_time_outside_working_hours_moves_into_working_hours() {
    let zone = "America/Los_Angeles";
    for (asked, fixed, expected) in [
        // A due time within working hours does not change.
        (
            "2026-11-18T08:00",
            "2026-11-20T12:30",
            "Fri 2026-11-20 12:30",
        ),
        (
            "2026-11-18T08:00",
            "2026-11-20T17:00",
            "Fri 2026-11-20 17:00",
        ),
        // A due time outside working hours moves back to the previous end of work.
        (
            "2026-11-18T08:00",
            "2026-11-20T23:00",
            "Fri 2026-11-20 17:00",
        ),
        (
            "2026-11-18T08:00",
            "2026-11-20T03:00",
            "Thu 2026-11-19 17:00",
        ),
        (
            "2026-11-18T08:00",
            "2026-11-22T12:00",
            "Fri 2026-11-20 17:00",
        ),
        // If no working time is left before the due time, the due time moves to the end of the next working day.
        (
            "2026-11-20T18:00",
            "2026-11-21T12:00",
            "Mon 2026-11-23 17:00",
        ),
        (
            "2026-11-20T18:00",
            "2026-11-23T06:00",
            "Mon 2026-11-23 17:00",
        ),
        (
            "2026-11-18T18:00",
            "2026-11-18T22:00",
            "Thu 2026-11-19 17:00",
        ),
        // This recipient was added, and therefore asked, after the due time.
        (
            "2026-11-20T10:00",
            "2026-11-19T12:00",
            "Mon 2026-11-23 17:00",
        ),
    ] {
        assert_eq!(
            said(
                due_for(
                    &Due::At(at(fixed, zone)),
                    at(asked, zone),
                    &schedule(zone, None)
                ),
                zone
            ),
            expected,
            "{asked} → {fixed}"
        );
    }
}

#[test]
fn absence_postpones_the_due_time() {
    let zone = "Pacific/Auckland";
    let asked = at("2026-11-18T10:00", zone);
    let away = schedule(zone, Some("2026-11-25T00:00"));
    assert_eq!(
        said(due_for(&Due::Days(1), asked, &away), zone),
        "Thu 2026-11-26 17:00"
    );
    assert_eq!(
        said(
            due_for(&Due::At(at("2026-11-20T12:00", zone)), asked, &away),
            zone
        ),
        "Wed 2026-11-25 17:00"
    );
    assert_eq!(
        said(
            due_for(&Due::At(at("2026-11-25T12:00", zone)), asked, &away),
            zone
        ),
        "Wed 2026-11-25 12:00"
    );
    // An absence that ended before the request changes nothing.
    let back = schedule(zone, Some("2026-11-10T00:00"));
    assert_eq!(
        said(due_for(&Due::Days(1), asked, &back), zone),
        "Thu 2026-11-19 17:00"
    );
}

#[test]
fn day_skipped_by_a_time_zone_is_not_a_working_day() {
    // Samoa skipped Friday, 30 December 2011.
    let zone = "Pacific/Apia";
    assert_eq!(
        said(
            due_for(
                &Due::Days(1),
                at("2011-12-29T10:00", zone),
                &schedule(zone, None)
            ),
            zone
        ),
        "Mon 2012-01-02 17:00"
    );
}

#[test]
fn working_day_is_shortened_or_skipped_if_a_clock_change_removes_its_hours() {
    let zone = "Europe/Warsaw";
    let asked = at("2026-03-27T12:00", zone);
    let night = |from, to| WorkSchedule::new(zone, hours(&[1, 2, 3, 4, 5, 6, 7], from, to), None);
    assert_eq!(
        said(
            due_for(&Due::Days(2), asked, &night("00:00", "02:30")),
            zone
        ),
        "Sun 2026-03-29 01:59"
    );
    assert_eq!(
        said(
            due_for(&Due::Days(2), asked, &night("02:10", "02:30")),
            zone
        ),
        "Mon 2026-03-30 02:30"
    );
    // In autumn, 02:30 occurs twice. A working day that begins at this time still ends on time.
    assert_eq!(
        said(
            due_for(
                &Due::Days(2),
                at("2026-10-23T12:00", zone),
                &night("02:30", "10:00")
            ),
            zone
        ),
        "Sun 2026-10-25 10:00"
    );
}
