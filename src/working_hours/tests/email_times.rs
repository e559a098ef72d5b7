//! The next working moment, at which emails are sent.

use super::*;

#[test]
fn next_working_moment_is_now_or_the_next_start_of_work() {
    let zone = "Europe/Warsaw";
    for (now, expected) in [
        ("2026-11-18T08:59", "Wed 2026-11-18 09:00"),
        ("2026-11-18T09:00", "Wed 2026-11-18 09:00"),
        ("2026-11-18T12:34", "Wed 2026-11-18 12:34"),
        ("2026-11-18T17:00", "Wed 2026-11-18 17:00"),
        ("2026-11-18T17:01", "Thu 2026-11-19 09:00"),
        ("2026-11-20T17:01", "Mon 2026-11-23 09:00"),
        ("2026-11-21T12:00", "Mon 2026-11-23 09:00"),
    ] {
        let found = next_working_moment(&schedule(zone, None), at(now, zone));
        assert_eq!(said(found, zone), expected, "{now}");
    }
    let end = at("2026-11-18T17:00", zone);
    let next = next_working_moment(&schedule(zone, None), end + 1);
    assert_eq!(said(next, zone), "Thu 2026-11-19 09:00");
}

#[test]
fn next_working_moment_is_not_before_the_end_of_an_absence() {
    let zone = "America/New_York";
    for (away, expected) in [
        ("2026-11-24T12:00", "Tue 2026-11-24 12:00"),
        ("2026-11-24T18:00", "Wed 2026-11-25 09:00"),
        ("2026-11-01T12:00", "Wed 2026-11-18 10:00"),
    ] {
        let now = at("2026-11-18T10:00", zone);
        let found = next_working_moment(&schedule(zone, Some(away)), now);
        assert_eq!(said(found, zone), expected, "{away}");
    }
}

#[test]
fn next_working_moment_accounts_for_clock_changes() {
    let zone = "Europe/Warsaw";
    let night = |from, to| WorkSchedule::new(zone, hours(&[1, 2, 3, 4, 5, 6, 7], from, to), None);
    // In spring, 02:00 becomes 03:00.
    for (from, to, expected) in [
        ("02:30", "10:00", "Sun 2026-03-29 03:00"),
        ("02:10", "02:30", "Mon 2026-03-30 02:10"),
        ("09:00", "17:00", "Sun 2026-03-29 09:00"),
    ] {
        let found = next_working_moment(&night(from, to), at("2026-03-29T01:30", zone));
        assert_eq!(said(found, zone), expected, "{from} to {to}");
    }
    // In autumn, 03:00 becomes 02:00, so the working time from 02:00 to 02:30 occurs twice.
    let change = at("2026-10-25T03:00", zone) - HOUR;
    assert_eq!(said(change, zone), "Sun 2026-10-25 02:00");
    let evening = night("00:00", "02:30");
    assert_eq!(next_working_moment(&evening, change - 10 * 60_000), change);
    assert_eq!(next_working_moment(&evening, change + 1), change + 1);
    // Samoa skipped 30 December 2011, a Friday.
    let zone = "Pacific/Apia";
    let found = next_working_moment(&schedule(zone, None), at("2011-12-29T18:00", zone));
    assert_eq!(said(found, zone), "Mon 2012-01-02 09:00");
}
