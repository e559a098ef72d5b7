//! A person's own profile: name, email address, working hours, absence and email notifications.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use super::{Grant, Person, by_id, email_taken_or};
use crate::clock::{Clock, Millis};
use crate::error::{Error, FieldError, Result};
use crate::infra::db;
use crate::infra::db::Tx;
use crate::text;
use crate::working_hours::{WorkSchedule, WorkingHours};

/// Longest absence that a person can set: five years.
const MAX_ABSENCE: Millis = 5 * 366 * 24 * 3_600_000;
/// Maximum number of ids in one query. Each id is a parameter of the query, and a query can have at
/// most 32,766 parameters in SQLite and 65,535 in PostgreSQL.
const CHUNK_SIZE: usize = 1000;

/// Changes to a person's own profile. `None` leaves a value unchanged, and `Some(None)` clears it.
#[derive(Debug, Default)]
pub struct Profile {
    /// New name.
    pub name: Option<String>,
    /// New email address for signing in.
    pub email: Option<String>,
    /// IANA name of the new time zone.
    pub time_zone: Option<String>,
    /// New working hours. `Some(None)` restores the default hours.
    pub working_hours: Option<Option<WorkingHours>>,
    /// When the absence ends. `Some(None)` removes the absence.
    pub away_until: Option<Option<Millis>>,
    /// Whether the person receives email notifications.
    pub mail: Option<bool>,
}

/// Whether the person must enter the password to make this change. This is necessary if a browser
/// session changes the email address; otherwise, anyone at an unattended browser could take over
/// the account (ASVS 5.0, 7.5.1). Requests with a token are exempt, because a program does not know
/// the password.
pub fn needs_password(person: &Person, profile: &Profile) -> bool {
    let changes_email = profile
        .email
        .as_ref()
        .is_some_and(|email| text::email_key(email) != text::email_key(&person.email));
    changes_email && matches!(person.grant, Grant::Session(_))
}

/// Changes a person's own profile. Returns whether the change affects due times.
pub async fn edit(tx: &mut Tx, clock: &Clock, id: &str, profile: &Profile) -> Result<bool> {
    // Lock the row first, so that simultaneous changes do not overwrite each other with old values.
    sqlx::query("UPDATE people SET name = name WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    let account = by_id(tx, id).await?;
    let now = clock.now();
    check_absence(profile.away_until.flatten(), now)?;
    let name = profile.name.as_ref().unwrap_or(&account.name);
    let email = profile.email.as_ref().unwrap_or(&account.email);
    let time_zone = profile.time_zone.as_ref().unwrap_or(&account.time_zone);
    let working_hours = match &profile.working_hours {
        None => account.working_hours.clone(),
        Some(hours) => hours.as_ref().map(|hours| hours.to_json().to_string()),
    };
    let away_until = profile.away_until.unwrap_or(account.away_until);
    let mail_off_at = match profile.mail {
        None => account.mail_off_at,
        Some(true) => None,
        Some(false) => account.mail_off_at.or(Some(now)),
    };
    sqlx::query(
        "UPDATE people SET name = $1, name_key = $2, email = $3, email_key = $4, time_zone = $5, working_hours = $6,
         away_until = $7, mail_off_at = $8 WHERE id = $9",
    )
    .bind(name)
    .bind(text::fold(name))
    .bind(email)
    .bind(text::email_key(email))
    .bind(time_zone)
    .bind(&working_hours)
    .bind(away_until)
    .bind(mail_off_at)
    .bind(id)
    .execute(&mut **tx)
    .await
    .map_err(|error| email_taken_or(error, email))?;
    Ok((time_zone, &working_hours, away_until)
        != (
            &account.time_zone,
            &account.working_hours,
            account.away_until,
        ))
}

fn check_absence(until: Option<Millis>, now: Millis) -> Result<()> {
    match until {
        Some(until) if until <= now => Err(Error::invalid(
            "away_until",
            "is in the past. Enter the time when you will be back, or leave the field empty.",
        )),
        Some(until) if until - now > MAX_ABSENCE => Err(Error::invalid(
            "away_until",
            "is more than five years in the future. Check the year.",
        )),
        Some(_) | None => Ok(()),
    }
}

/// Returns the work schedules of these people, as a map from the person's id to the schedule.
pub async fn work_schedules(
    connection: &mut AnyConnection,
    ids: &[String],
) -> Result<BTreeMap<String, WorkSchedule>> {
    let mut schedules = BTreeMap::new();
    for some in ids.chunks(CHUNK_SIZE) {
        let text = format!(
            "SELECT id, time_zone, working_hours, away_until FROM people WHERE id IN ({})",
            db::placeholders(1, some.len())
        );
        // The text is safe to use as SQL: it contains placeholders but no input.
        let mut query = sqlx::query_as::<_, (String, String, Option<String>, Option<Millis>)>(
            sqlx::AssertSqlSafe(text),
        );
        for id in some {
            query = query.bind(id);
        }
        let rows = query.fetch_all(&mut *connection).await?;
        schedules.extend(rows.into_iter().map(|(id, zone, hours, away)| {
            (
                id,
                WorkSchedule::new(&zone, hours_or_default(hours.as_deref()), away),
            )
        }));
    }
    Ok(schedules)
}

/// Parses stored working hours. Returns the default hours if there are none or they are invalid.
pub fn hours_or_default(hours: Option<&str>) -> WorkingHours {
    hours
        .and_then(|text| serde_json::from_str(text).ok())
        .and_then(|value| WorkingHours::parse(&value).ok())
        .unwrap_or_default()
}

/// Returns the name of a time zone as the time zone database spells it. Ignores case. Fails if the
/// database does not contain the name.
pub fn parse_time_zone(name: &str) -> Result<String, FieldError> {
    let known = all_time_zones()
        .into_iter()
        .find(|zone| zone.eq_ignore_ascii_case(name));
    known.ok_or_else(|| {
        FieldError::sentence(format!(
            "{name:?} is not a time zone. For example: Europe/Berlin or UTC."
        ))
    })
}

/// Returns the names of all time zones. Leaves out special entries of the time zone database, such
/// as `Factory` and `posix/…`.
pub fn all_time_zones() -> Vec<String> {
    let odd = |name: &str| {
        matches!(name, "Factory" | "localtime" | "posixrules")
            || name.starts_with("posix/")
            || name.starts_with("right/")
    };
    jiff::tz::db()
        .available()
        .map(|zone| zone.to_string())
        .filter(|name| !odd(name))
        .collect()
}
