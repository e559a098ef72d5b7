//! Obligations: which recipients owe an answer and since when, their due times, and the counts of
//! an update. These values are stored, so inboxes and lists do not have to read every receipt.
//! Every transaction that changes a receipt, an expectation or a revision recomputes them.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db;
use crate::infra::db::Tx;
use crate::people;
use crate::working_hours;
use crate::working_hours::Due;

/// SQL condition: the recipient `r` of the update `u` owes an answer. This is so if the recipient
/// has not answered the current revision, if the author corrected the readback, or if the recipient
/// only acknowledged an update that expects a readback. Deactivated people owe no answer.
macro_rules! owes_answer {
    () => {
        "(r.removed_at IS NULL AND u.published_at IS NOT NULL AND u.expectation <> 'fyi'
          AND (r.answered_revision IS NULL OR r.answered_revision < u.revision OR r.verdict = 'corrected'
               OR (u.expectation = 'readback' AND r.answer = 'acknowledged'))
          AND EXISTS (SELECT 1 FROM people p WHERE p.id = r.person_id AND p.deactivated_at IS NULL))"
    };
}

/// SQL that recomputes `owes_since`, the start of each obligation. `asked_at` keeps the start after
/// the recipient has answered, so that taking the answer back can restore it.
macro_rules! refresh_owes_since {
    () => {
        concat!(
            "UPDATE receipts AS r SET owes_since = CASE WHEN ",
            owes_answer!(),
            " THEN coalesce(r.owes_since, $1) END, asked_at = CASE WHEN ",
            owes_answer!(),
            " THEN coalesce(r.owes_since, $1) ELSE r.asked_at END FROM updates u WHERE u.id = r.update_id"
        )
    };
}

/// Locks an update until the transaction ends, so that answers, verdicts and edits run one after
/// another. Call it before reading or locking anything else that belongs to the update. All
/// transactions must lock in this order; otherwise two of them could deadlock.
pub async fn lock_for_update(tx: &mut Tx, update_id: &str) -> Result<()> {
    sqlx::query("UPDATE updates SET version = version WHERE id = $1")
        .bind(update_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Recomputes the obligations of one recipient or of all recipients, and the counts of the update.
/// Returns how many recipients owe an answer.
pub async fn refresh_obligations(
    tx: &mut Tx,
    clock: &Clock,
    update_id: &str,
    person_id: Option<&str>,
) -> Result<i64> {
    let statement = match person_id {
        Some(_) => concat!(
            refresh_owes_since!(),
            " AND r.update_id = $2 AND r.person_id = $3"
        ),
        None => concat!(refresh_owes_since!(), " AND r.update_id = $2 AND $3 = ''"),
    };
    sqlx::query(statement)
        .bind(clock.now())
        .bind(update_id)
        .bind(person_id.unwrap_or_default())
        .execute(&mut **tx)
        .await?;
    set_due_times(
        tx,
        "r.update_id = $1 AND ($2 = '' OR r.person_id = $2)",
        update_id,
        person_id.unwrap_or_default(),
    )
    .await?;
    refresh_counts(tx, update_id).await
}

/// Recomputes all obligations of a person who was deactivated or reactivated.
pub async fn refresh_person(tx: &mut Tx, clock: &Clock, person_id: &str) -> Result<()> {
    let updates: Vec<String> =
        sqlx::query_scalar("SELECT update_id FROM receipts WHERE person_id = $1 AND removed_at IS NULL ORDER BY update_id")
            .bind(person_id)
            .fetch_all(&mut **tx)
            .await?;
    for update in &updates {
        lock_for_update(tx, update).await?;
    }
    sqlx::query(concat!(refresh_owes_since!(), " AND r.person_id = $2"))
        .bind(clock.now())
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
    set_due_times(tx, "r.person_id = $1 AND $2 = ''", person_id, "").await?;
    for update in updates {
        refresh_counts(tx, &update).await?;
    }
    Ok(())
}

/// Recomputes the due times of a person whose time zone, working hours or absence changed.
pub async fn recompute_due_times(tx: &mut Tx, person_id: &str) -> Result<()> {
    let updates: Vec<String> =
        sqlx::query_scalar("SELECT update_id FROM receipts WHERE person_id = $1 AND owes_since IS NOT NULL ORDER BY update_id")
            .bind(person_id)
            .fetch_all(&mut **tx)
            .await?;
    for update in &updates {
        lock_for_update(tx, update).await?;
    }
    for update in set_due_times(tx, "r.person_id = $1 AND $2 = ''", person_id, "").await? {
        sqlx::query(
            "UPDATE updates SET next_due_at = (SELECT min(r.due_at) FROM receipts r WHERE r.update_id = updates.id AND r.owes_since IS NOT NULL)
             WHERE id = $1",
        )
        .bind(update)
        .execute(&mut **tx)
        .await?;
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

/// Maximum number of people in one SQL statement.
const CHUNK_SIZE: usize = 500;

/// Recomputes the due times of the selected recipients and stores those that changed. Runs one
/// statement for all recipients of an update who get the same due time. Returns the ids of the
/// updates that have a changed due time.
async fn set_due_times(
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
                "UPDATE receipts SET due_at = $1, due_told_at = NULL WHERE update_id = $2 AND person_id IN ({})",
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

/// Recounts the receipts of an update. Returns how many recipients owe an answer. The column
/// `acknowledged` is for a previous version that still serves the same database; this version uses
/// `receipts::standing_counts`.
async fn refresh_counts(tx: &mut Tx, update_id: &str) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "UPDATE updates SET (recipients, acknowledged, owing, unheard, next_due_at) = (
             SELECT count(*) FILTER (WHERE p.deactivated_at IS NULL OR r.answered_at IS NOT NULL),
                    count(*) FILTER (WHERE r.answered_revision >= updates.revision AND r.answer <> 'declined' AND r.owes_since IS NULL),
                    count(*) FILTER (WHERE r.owes_since IS NOT NULL),
                    count(*) FILTER (WHERE r.answer = 'read_back' AND r.verdict IS NULL AND r.answered_revision >= updates.revision),
                    min(CASE WHEN r.owes_since IS NOT NULL THEN r.due_at END)
             FROM receipts r JOIN people p ON p.id = r.person_id WHERE r.update_id = updates.id AND r.removed_at IS NULL)
         WHERE id = $1 RETURNING owing",
    )
    .bind(update_id)
    .fetch_one(&mut **tx)
    .await?)
}

/// Counts the recipients who have answered an update in any way. A material edit requires a new
/// answer from them.
pub async fn count_answered(connection: &mut AnyConnection, update_id: &str) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM receipts WHERE update_id = $1 AND removed_at IS NULL AND answered_at IS NOT NULL")
        .bind(update_id)
        .fetch_one(connection)
        .await?)
}

/// Lists the ids of the recipients who have answered an update in any way. A material edit requires
/// a new answer from them.
pub(super) async fn people_who_answered(tx: &mut Tx, update_id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar("SELECT person_id FROM receipts WHERE update_id = $1 AND removed_at IS NULL AND answered_at IS NOT NULL")
        .bind(update_id)
        .fetch_all(&mut **tx)
        .await?)
}
