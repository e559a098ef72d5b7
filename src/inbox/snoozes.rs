//! Snoozed entries of the inbox.

use sqlx::{AnyConnection, FromRow};

use super::Section;
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events;
use crate::infra::db::Tx;
use crate::people::{Person, Viewer};
use crate::updates::{self, visible};

/// A snoozed entry.
#[derive(Clone, Debug, FromRow)]
pub struct Snoozed {
    /// Id of the entry; see [`Section::entry_id`].
    pub entry_id: String,
    /// Id of the update.
    pub update_id: String,
    /// When the snooze ends. `None` means that the entry stays snoozed until somebody answers.
    pub until_at: Option<Millis>,
}

/// Lists the entries that the person has snoozed, at most 100. Entries whose snooze ends soonest
/// come first.
pub async fn snoozed(
    connection: &mut AnyConnection,
    clock: &Clock,
    person_id: &str,
) -> Result<Vec<Snoozed>> {
    Ok(sqlx::query_as(concat!(
        "SELECT z.entry_id, z.update_id, z.until_at FROM snoozes z JOIN updates u ON u.id = z.update_id
         WHERE z.person_id = $1 AND (z.until_at IS NULL OR z.until_at > $2) AND u.published_at IS NOT NULL
         AND u.trashed_at IS NULL AND ",
        visible!("$1"),
        " ORDER BY coalesce(z.until_at, 9223372036854775807), z.entry_id LIMIT 100"
    ))
    .bind(person_id)
    .bind(clock.now())
    .fetch_all(connection)
    .await?)
}

/// Snoozes an entry until the time `until`. If `until` is `None`, the entry stays snoozed until somebody answers.
/// Returns an error if the time is not in the future.
pub async fn snooze(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    entry_id: &str,
    until: Option<Millis>,
) -> Result<()> {
    let person: &Person = viewer.person()?;
    let (_, update_id) = Section::from_entry_id(entry_id).ok_or(Error::NotFound)?;
    updates::find(tx, viewer, update_id).await?;
    if until.is_some_and(|until| until <= clock.now()) {
        return Err(Error::invalid(
            "until",
            "is in the past. Use a time in the future, or `answered` to wait until someone answers.",
        ));
    }
    sqlx::query(
        "INSERT INTO snoozes (person_id, entry_id, update_id, at, until_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (person_id, entry_id) DO UPDATE SET at = excluded.at, until_at = excluded.until_at",
    )
    .bind(&person.id)
    .bind(entry_id)
    .bind(update_id)
    .bind(clock.now())
    .bind(until)
    .execute(&mut **tx)
    .await?;
    events::inbox_changed(tx, &person.id);
    Ok(())
}

/// Ends the snooze of an entry.
pub async fn unsnooze(tx: &mut Tx, person_id: &str, entry_id: &str) -> Result<()> {
    sqlx::query("DELETE FROM snoozes WHERE person_id = $1 AND entry_id = $2")
        .bind(person_id)
        .bind(entry_id)
        .execute(&mut **tx)
        .await?;
    events::inbox_changed(tx, person_id);
    Ok(())
}
