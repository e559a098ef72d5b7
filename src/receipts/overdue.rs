//! Overdue answers: notifies authors, and loads the names of recipients whose answers are overdue.

use std::collections::HashMap;

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::events::{self, EventKind};
use crate::infra::db;
use crate::infra::db::Tx;
use crate::notifications;
use crate::notifications::{Kind, Notification};
use crate::updates;

#[derive(FromRow)]
struct OverdueUpdate {
    update_id: String,
    author_id: String,
}

/// Notifies authors that answers to their updates have become overdue. Reports each missed due time
/// only once. An author gets an email when the first answer to an update becomes overdue. As long
/// as an answer to this update remains overdue, further missed due times only renew the
/// notification. Skips updates in the trash; if an author restores one, a later call reports its
/// overdue answers. Returns the ids of the affected updates.
pub async fn notify_overdue(tx: &mut Tx, clock: &Clock) -> Result<Vec<String>> {
    let late: Vec<OverdueUpdate> = sqlx::query_as(
        "SELECT DISTINCT u.id AS update_id, u.author_id FROM receipts r JOIN updates u ON u.id = r.update_id
         WHERE r.due_at <= $1 AND r.owes_since IS NOT NULL AND r.due_told_at IS NULL AND u.trashed_at IS NULL
         ORDER BY u.id",
    )
    .bind(clock.now())
    .fetch_all(&mut **tx)
    .await?;
    for one in &late {
        updates::lock_for_update(tx, &one.update_id).await?;
        notify_author(tx, clock, one).await?;
    }
    // Record the events after all other writes. Recording locks the counter of event numbers until
    // the transaction ends.
    for one in &late {
        events::record(
            tx,
            clock,
            EventKind::Receipt,
            &one.update_id,
            &one.update_id,
            "",
        )
        .await?;
    }
    Ok(late.into_iter().map(|one| one.update_id).collect())
}

/// Notifies the author of overdue answers that have not been reported yet.
async fn notify_author(tx: &mut Tx, clock: &Clock, one: &OverdueUpdate) -> Result<()> {
    let (id, author) = (&one.update_id, &one.author_id);
    let reported: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM receipts
         WHERE update_id = $1 AND due_at <= $2 AND owes_since IS NOT NULL AND due_told_at IS NOT NULL",
    )
    .bind(id)
    .bind(clock.now())
    .fetch_one(&mut **tx)
    .await?;
    sqlx::query(
        "UPDATE receipts SET due_told_at = $1
         WHERE update_id = $2 AND due_at <= $1 AND owes_since IS NOT NULL AND due_told_at IS NULL",
    )
    .bind(clock.now())
    .bind(id)
    .execute(&mut **tx)
    .await?;
    if reported > 0 && notifications::renew(tx, clock, Kind::Overdue, id, author).await? {
        return Ok(());
    }
    let notification = Notification {
        kind: Kind::Overdue,
        update_id: id,
        subject_id: id,
        actor_id: "",
    };
    notifications::notify(tx, clock, notification, std::slice::from_ref(author)).await
}

/// The overdue answers to one update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverdueAnswers {
    /// The earliest due time of the overdue answers.
    pub due_at: Millis,
    /// Names of the recipients whose answers are overdue, in alphabetical order; at most five.
    pub names: Vec<String>,
    /// Number of recipients whose answers are overdue.
    pub count: i64,
    /// What the author does if no answer arrives by the due time.
    pub otherwise: Option<String>,
}

#[derive(FromRow)]
struct OverdueAnswer {
    update_id: String,
    name: String,
    due_at: Millis,
    count: i64,
    otherwise: Option<String>,
}

/// Returns a map from the id of each update to its overdue answers. Leaves out updates without
/// overdue answers.
pub async fn overdue_answers(
    connection: &mut AnyConnection,
    clock: &Clock,
    update_ids: &[String],
) -> Result<HashMap<String, OverdueAnswers>> {
    if update_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let text = format!(
        "SELECT w.update_id, w.name, w.due_at, w.count, u.otherwise FROM
         (SELECT r.update_id, p.name, min(r.due_at) OVER (PARTITION BY r.update_id) AS due_at,
             count(*) OVER (PARTITION BY r.update_id) AS count,
              row_number() OVER (PARTITION BY r.update_id ORDER BY p.name_key, p.id) AS nth
          FROM receipts r JOIN people p ON p.id = r.person_id
          WHERE r.owes_since IS NOT NULL AND r.due_at <= $1 AND r.update_id IN ({})) AS w
         JOIN updates u ON u.id = w.update_id WHERE w.nth <= 5 ORDER BY w.update_id, w.nth",
        db::placeholders(2, update_ids.len())
    );
    let mut statement = sqlx::query_as(AssertSqlSafe(text)).bind(clock.now());
    for id in update_ids {
        statement = statement.bind(id);
    }
    let rows: Vec<OverdueAnswer> = statement.fetch_all(connection).await?;
    let mut found: HashMap<String, OverdueAnswers> = HashMap::new();
    for row in rows {
        let answers = found.entry(row.update_id).or_insert(OverdueAnswers {
            due_at: row.due_at,
            names: Vec::new(),
            count: row.count,
            otherwise: row.otherwise,
        });
        answers.names.push(row.name);
    }
    Ok(found)
}
