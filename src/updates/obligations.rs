//! Obligations: when each recipient began to owe an answer. Also counts, for each update, the
//! recipients, the owed answers and the readbacks without a verdict. These values are stored, so
//! that inboxes and lists do not have to read every receipt. Every transaction that changes a
//! receipt, an expectation or a revision must recompute them. `owes_answer.rs` and `asked_again.rs`
//! decide who owes an answer, and `due_times.rs` computes when it is due.

use super::asked_again::asked_again;
use super::due_times::set_due_times;
use super::lock::lock_for_update;
use super::owes_answer::owes_answer;
use crate::clock::Clock;
use crate::error::Result;
use crate::events;
use crate::infra::db::Tx;

/// SQL that recomputes `owes_since` of the receipts whose obligation begins or ends. `owes_since` is the time when each obligation began. `asked_at` keeps this time after the
/// recipient has answered, so that `owes_since` can be restored if the recipient withdraws the answer.
macro_rules! refresh_owes_since {
    () => {
        concat!(
            "UPDATE receipts AS r SET owes_since = CASE WHEN ",
            owes_answer!(),
            " THEN coalesce(r.owes_since, $1) END, asked_at = CASE WHEN ",
            owes_answer!(),
            " THEN coalesce(r.owes_since, $1) ELSE r.asked_at END FROM updates u
             WHERE u.id = r.update_id AND 1 = CASE WHEN ",
            owes_answer!(),
            " THEN CASE WHEN r.owes_since IS NOT NULL AND r.asked_at = r.owes_since THEN 0 ELSE 1 END
             WHEN r.owes_since IS NULL THEN 0 ELSE 1 END"
        )
    };
}

/// Recomputes the obligations of one recipient or of all recipients, and the counts of the update.
/// Returns how many recipients owe an answer. Also notes that the inboxes of the author and of the recipients whose
/// obligation changed have changed.
pub async fn refresh_obligations(
    tx: &mut Tx,
    clock: &Clock,
    update_id: &str,
    person_id: Option<&str>,
) -> Result<i64> {
    let statement = match person_id {
        Some(_) => concat!(
            refresh_owes_since!(),
            " AND r.update_id = $2 AND r.person_id = $3 RETURNING person_id"
        ),
        None => concat!(
            refresh_owes_since!(),
            " AND r.update_id = $2 AND $3 = '' RETURNING person_id"
        ),
    };
    let changed: Vec<String> = sqlx::query_scalar(statement)
        .bind(clock.now())
        .bind(update_id)
        .bind(person_id.unwrap_or_default())
        .fetch_all(&mut **tx)
        .await?;
    for person in changed.iter().map(String::as_str).chain(person_id) {
        events::inbox_changed(tx, person);
    }
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
        sqlx::query_scalar(
            "SELECT update_id FROM receipts WHERE person_id = $1 AND removed_at IS NULL ORDER BY update_id")
            .bind(person_id)
            .fetch_all(&mut **tx)
            .await?;
    for update in &updates {
        lock_for_update(tx, update).await?;
    }
    events::inbox_changed(tx, person_id);
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

/// Recounts the receipts of an update. Returns how many recipients owe an answer. The column
/// `acknowledged` is only for nodes that still run the previous version on the same database. This
/// version uses `receipts::standing_counts` instead.
async fn refresh_counts(tx: &mut Tx, update_id: &str) -> Result<i64> {
    let (owing, author): (i64, String) = sqlx::query_as(
        "UPDATE updates SET (recipients, acknowledged, owing, unheard, next_due_at) = (
             SELECT count(*) FILTER (WHERE p.deactivated_at IS NULL OR r.answered_at IS NOT NULL),
                    count(*) FILTER (WHERE r.answered_revision >= updates.revision AND r.answer <> 'declined'
                    AND r.owes_since IS NULL),
                    count(*) FILTER (WHERE r.owes_since IS NOT NULL),
                    count(*) FILTER (WHERE r.answer = 'read_back' AND r.verdict IS NULL
                    AND r.answered_revision >= updates.revision),
                    min(CASE WHEN r.owes_since IS NOT NULL THEN r.due_at END)
             FROM receipts r JOIN people p ON p.id = r.person_id WHERE r.update_id = updates.id
             AND r.removed_at IS NULL)
         WHERE id = $1 RETURNING owing, author_id",
    )
    .bind(update_id)
    .fetch_one(&mut **tx)
    .await?;
    events::inbox_changed(tx, &author);
    Ok(owing)
}
