//! Due times: checks the due time that an author sets, and computes a separate due time for each
//! recipient, within the recipient's working hours.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, FromRow};

use super::lock::lock_for_update;
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events;
use crate::infra::db;
use crate::infra::db::Tx;
use crate::people;
use crate::working_hours;
use crate::working_hours::Due;

/// Maximum number of people in one SQL statement.
const CHUNK_SIZE: usize = 500;

/// Converts a due time to the values of the columns `due_at` and `due_days`.
pub(super) fn due_columns(due: Option<Due>) -> (Option<Millis>, Option<i64>) {
    match due {
        Some(Due::At(at)) => (Some(at), None),
        Some(Due::Days(days)) => (None, Some(days)),
        None => (None, None),
    }
}

/// Returns an error if the due time is not in the future.
pub(super) fn check_due_is_ahead(clock: &Clock, due_at: Option<Millis>) -> Result<()> {
    match due_at {
        Some(at) if at <= clock.now() => Err(Error::invalid(
            "due",
            "is in the past. Use a time in the future, or leave it out.",
        )),
        _ => Ok(()),
    }
}

/// Recomputes the due times of a person whose time zone, working hours or absence changed. Does not change due times
/// that have already passed.
pub async fn recompute_due_times(tx: &mut Tx, clock: &Clock, person_id: &str) -> Result<()> {
    let updates: Vec<String> =
        sqlx::query_scalar(
            "SELECT update_id FROM receipts WHERE person_id = $1 AND owes_since IS NOT NULL ORDER BY update_id")
            .bind(person_id)
            .fetch_all(&mut **tx)
            .await?;
    for update in &updates {
        lock_for_update(tx, update).await?;
    }
    let which = format!(
        "r.person_id = $1 AND $2 = '' AND (r.due_at IS NULL OR r.due_at > {})",
        clock.now()
    );
    for update in set_due_times(tx, &which, person_id, "").await? {
        let author: String = sqlx::query_scalar(
            "UPDATE updates SET next_due_at = (SELECT min(r.due_at) FROM receipts r WHERE r.update_id = updates.id
             AND r.owes_since IS NOT NULL)
             WHERE id = $1 RETURNING author_id",
        )
        .bind(update)
        .fetch_one(&mut **tx)
        .await?;
        events::inbox_changed(tx, &author);
    }
    Ok(())
}

#[derive(FromRow)]
struct Obligation {
    update_id: String,
    person_id: String,
    owes_since: Millis,
    due_at: Option<Millis>,
    wanted_at: Option<Millis>,
    wanted_days: Option<i64>,
}

/// Recomputes the due times of the recipients that the SQL condition `which` selects, and stores
/// those that changed. `first` and `second` are the parameters `$1` and `$2` of the condition.
/// Recipients of an update who get the same due time share one SQL statement. An answer that was
/// already reported as overdue is not reported again if it is still overdue. Returns the ids of the
/// updates whose due times changed.
pub(super) async fn set_due_times(
    tx: &mut Tx,
    which: &str,
    first: &str,
    second: &str,
) -> Result<BTreeSet<String>> {
    let text = format!(
        "SELECT r.update_id, r.person_id, r.owes_since, r.due_at, u.due_at AS wanted_at, u.due_days AS wanted_days
         FROM receipts r JOIN updates u ON u.id = r.update_id WHERE r.owes_since IS NOT NULL AND {which}"
    );
    let obligations: Vec<Obligation> = sqlx::query_as(AssertSqlSafe(text))
        .bind(first)
        .bind(second)
        .fetch_all(&mut **tx)
        .await?;
    let mut ids: Vec<String> = obligations
        .iter()
        .map(|obligation| obligation.person_id.clone())
        .collect();
    ids.sort();
    ids.dedup();
    let schedules = people::work_schedules(tx, &ids).await?;
    let mut moved: BTreeMap<(String, Option<Millis>), Vec<String>> = BTreeMap::new();
    for obligation in obligations {
        let wanted = obligation
            .wanted_at
            .map(Due::At)
            .or(obligation.wanted_days.map(Due::Days));
        let due = match (wanted, schedules.get(&obligation.person_id)) {
            (Some(wanted), Some(schedule)) => Some(working_hours::due_for(
                &wanted,
                obligation.owes_since,
                schedule,
            )),
            _ => None,
        };
        if due != obligation.due_at {
            moved
                .entry((obligation.update_id, due))
                .or_default()
                .push(obligation.person_id);
        }
    }
    let updates = moved.keys().map(|(update, _)| update.clone()).collect();
    for ((update, due), people) in moved {
        for chunk in people.chunks(CHUNK_SIZE) {
            let text = format!(
                "UPDATE receipts SET due_at = $1, due_told_at = CASE WHEN $1 <= due_told_at THEN due_told_at END
                 WHERE update_id = $2 AND person_id IN ({})",
                db::placeholders(3, chunk.len())
            );
            let mut statement = sqlx::query(AssertSqlSafe(text)).bind(due).bind(&update);
            for person in chunk {
                statement = statement.bind(person);
            }
            statement.execute(&mut **tx).await?;
        }
    }
    Ok(updates)
}
