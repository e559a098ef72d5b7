//! The number of open questions of an update.

use crate::error::Result;
use crate::events;
use crate::infra::db::Tx;

/// SQL condition: nobody has answered, accepted, resolved or removed the question `c`.
macro_rules! question_is_open {
    () => {
        "(c.answered_at IS NULL AND c.accepted_at IS NULL AND c.removed_at IS NULL AND c.resolved_at IS NULL)"
    };
}
pub(crate) use question_is_open;

/// Recounts the open questions of an update, which its author's inbox shows. Call it after every change to a question.
pub async fn refresh_question_count(tx: &mut Tx, id: &str) -> Result<()> {
    // Lock the update first, so that the next statement also counts questions that concurrent transactions have just
    // committed.
    sqlx::query("UPDATE updates SET open_questions = open_questions WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    let author: Option<String> = sqlx::query_scalar(
        concat!(
            "UPDATE updates SET open_questions = (SELECT count(*) FROM comments c WHERE c.update_id = updates.id
             AND c.kind = 'question' AND ",
            question_is_open!(),
            " AND (c.person_id IS NULL OR c.person_id <> updates.author_id)) WHERE id = $1 RETURNING author_id"
        ),
    )
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    if let Some(author) = author {
        events::inbox_changed(tx, &author);
    }
    Ok(())
}
