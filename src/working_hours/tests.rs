//! Hand-picked due times, and a simulation with every time zone and its clock changes.

use super::*;

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
fn working_days_count_from_the_day_after_the_request() {
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
        // A recipient who was added late is asked after the due time.
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
    // In autumn, 02:30 occurs twice. Both times are working time.
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

#[test]
fn next_working_moment_is_now_or_the_next_beginning_of_work() {
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
fn next_working_moment_follows_clock_changes() {
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

#[test]
fn parse_errors_name_what_is_wrong_with_working_hours() {
    for (value, wrong) in [
        (json!("9-5"), "must be an object"),
        (
            json!({ "days": [1], "from": "17:00", "to": "09:00" }),
            "not after the start",
        ),
        (
            json!({ "days": [1], "from": "09:00", "to": "09:00" }),
            "not after the start",
        ),
        (
            json!({ "days": [], "from": "09:00", "to": "17:00" }),
            "has no days",
        ),
        (
            json!({ "days": [0], "from": "09:00", "to": "17:00" }),
            "the day 0",
        ),
        (
            json!({ "days": [8], "from": "09:00", "to": "17:00" }),
            "the day 8",
        ),
        (
            json!({ "days": ["Mon"], "from": "09:00", "to": "17:00" }),
            "not a whole number",
        ),
        (
            json!({ "days": [1], "from": "9", "to": "17:00" }),
            "not a time",
        ),
        (
            json!({ "days": [1], "from": "09:00", "to": "24:00" }),
            "not a time",
        ),
        (json!({ "days": [1], "from": "09:00" }), "needs `to`"),
        (json!({ "from": "09:00", "to": "17:00" }), "needs `days`"),
        (
            json!({ "days": [1], "from": "09:00", "to": "17:00", "lunch": true }),
            "lunch",
        ),
    ] {
        let error = WorkingHours::parse(&value).unwrap_err();
        assert!(error.contains(wrong), "{value}: {error}");
    }
    let odd = json!({ "days": [1, 6], "from": "13:00", "to": "22:00" });
    assert_eq!(WorkingHours::parse(&odd).unwrap().to_json(), odd);
    assert_eq!(
        WorkingHours::parse(&WorkingHours::default().to_json()).unwrap(),
        WorkingHours::default()
    );
}

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/// Returns the times at which the simulated requests are made, all in 2011 and 2026. There is one
/// about every nine days, one every six hours during the week before and the week after each clock
/// change, and three within a millisecond of each clock change.
fn moments(zone: &TimeZone) -> Vec<Millis> {
    let mut moments = Vec::new();
    for year in [2011_i16, 2026] {
        let begin = Date::constant(year, 1, 1)
            .to_zoned(TimeZone::UTC)
            .unwrap()
            .timestamp();
        let end = Date::constant(year + 1, 1, 1)
            .to_zoned(TimeZone::UTC)
            .unwrap()
            .timestamp();
        moments.extend((0..41).map(|step| begin.as_millisecond() + step * (9 * DAY + 5 * HOUR)));
        for change in zone
            .following(begin)
            .map(|change| change.timestamp())
            .take_while(|change| *change < end)
        {
            moments.extend((-28..28).map(|step| change.as_millisecond() + step * 6 * HOUR));
            moments.extend([-1, 0, 1].map(|beside| change.as_millisecond() + beside));
        }
    }
    moments
}

/// Asserts that the due time is within working hours, using a calculation that is independent of
/// the code under test.
fn check(schedule: &WorkSchedule, name: &str, wanted: Due, asked: Millis) {
    let found = due_for(&wanted, asked, schedule);
    let local = Timestamp::from_millisecond(found)
        .unwrap()
        .to_zoned(schedule.zone.clone());
    let what = || {
        format!(
            "{name}, {:?}, away {:?}, {wanted:?} asked at {asked}: {local}",
            schedule.hours, schedule.away_until
        )
    };
    let works = |day: Date| {
        schedule
            .hours
            .days
            .contains(&day.weekday().to_monday_one_offset())
    };
    assert!(
        works(local.date())
            && schedule.hours.from <= local.time()
            && local.time() <= schedule.hours.to,
        "outside working hours: {}",
        what()
    );
    assert!(found >= asked, "before the request: {}", what());
    assert!(
        schedule.away_until.is_none_or(|away| found >= away),
        "while away: {}",
        what()
    );
    assert!(
        found - asked < 40 * DAY,
        "more than 40 days later: {}",
        what()
    );
    if let Due::Days(n) = wanted {
        let from = Timestamp::from_millisecond(schedule.away_until.unwrap_or(asked).max(asked))
            .unwrap()
            .to_zoned(schedule.zone.clone())
            .date();
        let days = from
            .series(1.day())
            .skip(1)
            .take_while(|day| *day <= local.date())
            .filter(|day| works(*day))
            .count();
        // The count may be one too high: unlike the schedule, it includes a day whose working hours
        // the time zone skipped.
        assert!(
            days as i64 == n || days as i64 == n + 1,
            "{days} working days: {}",
            what()
        );
    }
}

#[test]
fn due_time_is_within_working_hours_in_every_time_zone_around_every_clock_change() {
    let patterns = [
        WorkingHours::default(),
        hours(&[1, 2, 3, 4, 5], "13:00", "22:00"),
        hours(&[1, 2, 3, 4, 5, 6, 7], "00:00", "08:00"),
        hours(&[7, 1], "02:15", "02:45"),
        hours(&[1, 2, 3, 4, 5, 6, 7], "00:00", "02:30"),
        hours(&[6, 7], "02:30", "23:59"),
        hours(&[5], "08:00", "12:00"),
    ];
    let (mut zones, mut dues) = (0, 0);
    for name in jiff::tz::db().available() {
        let zone = TimeZone::get(name.as_str()).unwrap();
        zones += 1;
        let moments = moments(&zone);
        for (turn, hours) in patterns.iter().enumerate() {
            let mut schedule = WorkSchedule {
                zone: zone.clone(),
                hours: hours.clone(),
                away_until: None,
            };
            // The kind of due time and the absence vary from moment to moment. Together, all
            // moments, working hours and time zones cover every combination.
            for (at, asked) in moments.iter().enumerate() {
                let mix = at + turn + zones;
                schedule.away_until = match mix % 5 {
                    0 => Some(asked + (mix as Millis % 40) * 7 * HOUR),
                    1 => Some(asked - 3 * DAY),
                    _ => None,
                };
                let wanted = match mix % 6 {
                    n @ 1..=3 => Due::Days(n as i64),
                    0 => Due::At(asked + (mix as Millis % 29) * 5 * HOUR),
                    _ => Due::At(asked + (mix as Millis % 97 - 6) * 3 * HOUR),
                };
                check(&schedule, name.as_str(), wanted, *asked);
                dues += 1;
            }
        }
    }
    assert!(zones > 400 && dues > 400_000, "{zones} zones, {dues} dues");
}
