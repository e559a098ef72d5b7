//! Functions that comments need from updates: which people can open an update, and the number of
//! its open questions.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::visible;
use crate::error::Result;
use crate::infra::db;
use crate::infra::db::Tx;

/// Maximum number of people in one SQL statement.
const CHUNK_SIZE: usize = 500;

/// Returns the ids of the given people who are active and can open the update.
pub async fn people_who_can_open(
    connection: &mut AnyConnection,
    update_id: &str,
    people: &[String],
) -> Result<Vec<String>> {
    let mut seeing = Vec::new();
    for chunk in people.chunks(CHUNK_SIZE) {
        let text = format!(
            concat!(
                "SELECT p.id FROM people p JOIN updates u ON u.id = $1 WHERE p.deactivated_at IS NULL AND ",
                visible!("p.id"),
                " AND p.id IN ({})"
            ),
            db::placeholders(2, chunk.len())
        );
        let mut query = sqlx::query_scalar(AssertSqlSafe(text)).bind(update_id);
        for person in chunk {
            query = query.bind(person);
        }
        seeing.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(seeing)
}

/// Recounts the open questions of an update. Call it after every change to a question.
pub async fn refresh_question_count(tx: &mut Tx, id: &str) -> Result<()> {
    // Lock the update first, so that the next statement also reads questions that concurrent
    // transactions have just changed.
    sqlx::query("UPDATE updates SET open_questions = open_questions WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "UPDATE updates SET open_questions = (SELECT count(*) FROM comments c WHERE c.update_id = updates.id AND c.kind = 'question'
             AND c.answered_at IS NULL AND c.accepted_at IS NULL AND c.removed_at IS NULL AND c.resolved_at IS NULL
             AND (c.person_id IS NULL OR c.person_id <> updates.author_id)) WHERE id = $1",
    )
    .bind(id)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
