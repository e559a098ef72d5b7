//! Checks due times in every time zone, around every clock change.

use super::*;

const DAY: Millis = 24 * HOUR;

/// Returns the times of the simulated requests, in 2011 and 2026. The regular requests are about
/// nine days apart. Further requests surround each clock change: every six hours from a week before
/// it until a week after it, at the change itself, and one millisecond before and after it.
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

/// Asserts that the due time follows the rules, using a calculation that is independent of the code
/// under test.
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
        // `days` may be one more than `n`: unlike the schedule, `days` counts a day whose working hours the time zone
        // skipped.
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
            // Each moment is tested with only one due time and at most one absence. Both vary, so
            // that all combinations occur across the moments, working hours and time zones.
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
