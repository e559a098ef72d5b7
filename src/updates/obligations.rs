//! What follows from the facts: who owes an answer since when, by when it is due for them, and how many there are. Stored, so that
//! inboxes and lists need not look at every receipt; counted again in the transaction of every change, and never set by hand.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db;
use crate::infra::db::Tx;
use crate::people;
use crate::working_hours;
use crate::working_hours::Due;

/// Whether the recipient `r` of the update `u` owes an answer: they have not answered its present content, what they said back was
/// corrected, or they only pressed where more is asked. Who cannot sign in owes nothing.
macro_rules! owes {
    () => {
        "(r.removed_at IS NULL AND u.published_at IS NOT NULL AND u.expectation <> 'fyi'
          AND (r.answered_revision IS NULL OR r.answered_revision < u.revision OR r.verdict = 'corrected'
               OR (u.expectation = 'readback' AND r.answer = 'acknowledged'))
          AND EXISTS (SELECT 1 FROM people p WHERE p.id = r.person_id AND p.deactivated_at IS NULL))"
    };
}

/// A debt begins when it first follows, and ends when it no longer does. When it last began is kept: an answer that is taken back is owed
/// since then.
macro_rules! settle {
    () => {
        concat!(
            "UPDATE receipts AS r SET owes_since = CASE WHEN ",
            owes!(),
            " THEN coalesce(r.owes_since, $1) END, asked_at = CASE WHEN ",
            owes!(),
            " THEN coalesce(r.owes_since, $1) ELSE r.asked_at END FROM updates u WHERE u.id = r.update_id"
        )
    };
}

/// Holds the update until the transaction ends, so that answers, verdicts and edits of it come one after the other. Taken before anything of
/// it is read or locked: that order is the same everywhere, so two of them cannot wait for each other.
pub async fn hold(tx: &mut Tx, update_id: &str) -> Result<()> {
    sqlx::query("UPDATE updates SET version = version WHERE id = $1")
        .bind(update_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Brings everything that follows up to date: for one recipient, or for all of the update.
pub async fn settle(
    tx: &mut Tx,
    clock: &Clock,
    update_id: &str,
    person_id: Option<&str>,
) -> Result<()> {
    let statement = match person_id {
        Some(_) => concat!(settle!(), " AND r.update_id = $2 AND r.person_id = $3"),
        None => concat!(settle!(), " AND r.update_id = $2 AND $3 = ''"),
    };
    sqlx::query(statement)
        .bind(clock.now())
        .bind(update_id)
        .bind(person_id.unwrap_or_default())
        .execute(&mut **tx)
        .await?;
    set_dues(
        tx,
        "r.update_id = $1 AND ($2 = '' OR r.person_id = $2)",
        update_id,
        person_id.unwrap_or_default(),
    )
    .await?;
    count(tx, update_id).await
}

/// The same for all that one person was sent: they were deactivated, or are back.
pub async fn settle_person(tx: &mut Tx, clock: &Clock, person_id: &str) -> Result<()> {
    let updates: Vec<String> =
        sqlx::query_scalar("SELECT update_id FROM receipts WHERE person_id = $1 AND removed_at IS NULL ORDER BY update_id")
            .bind(person_id)
            .fetch_all(&mut **tx)
            .await?;
    for update in &updates {
        hold(tx, update).await?;
    }
    sqlx::query(concat!(settle!(), " AND r.person_id = $2"))
        .bind(clock.now())
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
    set_dues(tx, "r.person_id = $1 AND $2 = ''", person_id, "").await?;
    for update in updates {
        count(tx, &update).await?;
    }
    Ok(())
}

/// When a person's zone, hours or absence change, what they owe is due at another time.
pub async fn move_dues(tx: &mut Tx, person_id: &str) -> Result<()> {
    let updates: Vec<String> =
        sqlx::query_scalar("SELECT update_id FROM receipts WHERE person_id = $1 AND owes_since IS NOT NULL ORDER BY update_id")
            .bind(person_id)
            .fetch_all(&mut **tx)
            .await?;
    for update in &updates {
        hold(tx, update).await?;
    }
    for update in set_dues(tx, "r.person_id = $1 AND $2 = ''", person_id, "").await? {
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
struct Debt {
    update_id: String,
    person_id: String,
    owes_since: Millis,
    due_at: Option<Millis>,
    wanted_at: Option<Millis>,
    wanted_days: Option<i64>,
}

/// So many people a statement.
const CHUNK: usize = 500;

/// Writes each debtor's own due time, one statement for each time that occurs. Answers the updates of which one moved.
async fn set_dues(tx: &mut Tx, which: &str, first: &str, second: &str) -> Result<BTreeSet<String>> {
    let text = format!(
        "SELECT r.update_id, r.person_id, r.owes_since, r.due_at, u.due_at AS wanted_at, u.due_days AS wanted_days
         FROM receipts r JOIN updates u ON u.id = r.update_id WHERE r.owes_since IS NOT NULL AND {which}"
    );
    let debts: Vec<Debt> = sqlx::query_as(AssertSqlSafe(text))
        .bind(first)
        .bind(second)
        .fetch_all(&mut **tx)
        .await?;
    let mut ids: Vec<String> = debts.iter().map(|debt| debt.person_id.clone()).collect();
    ids.sort();
    ids.dedup();
    let workers = people::workers(tx, &ids).await?;
    let mut moved: BTreeMap<(String, Option<Millis>), Vec<String>> = BTreeMap::new();
    for debt in debts {
        let wanted = debt
            .wanted_at
            .map(Due::At)
            .or(debt.wanted_days.map(Due::Days));
        let due = match (wanted, workers.get(&debt.person_id)) {
            (Some(wanted), Some(worker)) => {
                Some(working_hours::due(&wanted, debt.owes_since, worker))
            }
            _ => None,
        };
        if due != debt.due_at {
            moved
                .entry((debt.update_id, due))
                .or_default()
                .push(debt.person_id);
        }
    }
    let updates = moved.keys().map(|(update, _)| update.clone()).collect();
    for ((update, due), people) in moved {
        for chunk in people.chunks(CHUNK) {
            let text = format!(
                "UPDATE receipts SET due_at = $1, due_told_at = NULL WHERE update_id = $2 AND person_id IN ({})",
                db::in_list(3, chunk.len())
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

/// Counts the receipts of an update.
async fn count(tx: &mut Tx, update_id: &str) -> Result<()> {
    sqlx::query(
        "UPDATE updates SET (recipients, acknowledged, owing, unheard, next_due_at) = (
             SELECT count(*) FILTER (WHERE p.deactivated_at IS NULL OR r.answered_at IS NOT NULL),
                    count(*) FILTER (WHERE r.answered_revision >= updates.revision AND r.answer <> 'declined' AND r.owes_since IS NULL),
                    count(*) FILTER (WHERE r.owes_since IS NOT NULL),
                    count(*) FILTER (WHERE r.answer = 'read_back' AND r.verdict IS NULL AND r.answered_revision >= updates.revision),
                    min(CASE WHEN r.owes_since IS NOT NULL THEN r.due_at END)
             FROM receipts r JOIN people p ON p.id = r.person_id WHERE r.update_id = updates.id AND r.removed_at IS NULL)
         WHERE id = $1",
    )
    .bind(update_id)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How many have answered, in whatever way: so many can be asked again.
pub async fn answered(connection: &mut AnyConnection, update_id: &str) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM receipts WHERE update_id = $1 AND removed_at IS NULL AND answered_at IS NOT NULL")
        .bind(update_id)
        .fetch_one(connection)
        .await?)
}

/// Who has answered, in whatever way: they are asked again when it changes.
pub(super) async fn who_answered(tx: &mut Tx, update_id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar("SELECT person_id FROM receipts WHERE update_id = $1 AND removed_at IS NULL AND answered_at IS NOT NULL")
        .bind(update_id)
        .fetch_all(&mut **tx)
        .await?)
}
