//! Questions. A question is open until someone other than the asker replies.

use crate::error::{Error, Result};
use crate::infra::db::Tx;
use crate::updates;

/// SQL: the `FROM` and `WHERE` clauses that select the answers `a` to the question `q`. A reply is
/// an answer if it is not removed and someone other than the asker wrote it.
macro_rules! answers_to_question {
    () => {
        "FROM comments a WHERE a.parent_id = q.id AND a.removed_at IS NULL
         AND coalesce(a.person_id, a.guest_id) <> coalesce(q.person_id, q.guest_id)"
    };
}
pub(super) use answers_to_question;

/// Recomputes whether a question has been answered, whether an answer is accepted, and how many open questions its
/// update has. Call this function after every change in a thread. Does nothing if the thread does not begin with a
/// question.
pub(super) async fn refresh_question(tx: &mut Tx, update_id: &str, root: &str) -> Result<()> {
    // Lock the question first, so that the next SQL statement also reads the replies that concurrent transactions have
    // just added or removed.
    let asked = sqlx::query("UPDATE comments SET kind = kind WHERE id = $1 AND kind = 'question'")
        .bind(root)
        .execute(&mut **tx)
        .await?;
    if asked.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query(concat!(
        "UPDATE comments AS q SET answered_at = (SELECT min(a.created_at) ",
        answers_to_question!(),
        "), accepted_at = CASE WHEN EXISTS (SELECT 1 ",
        answers_to_question!(),
        " AND a.id = q.accepted_id) THEN q.accepted_at END, accepted_id = CASE WHEN EXISTS (SELECT 1 ",
        answers_to_question!(),
        " AND a.id = q.accepted_id) THEN q.accepted_id END WHERE q.id = $1"
    ))
    .bind(root)
    .execute(&mut **tx)
    .await?;
    updates::refresh_question_count(tx, update_id).await
}

/// Fails if a reply is a question.
pub(super) fn check_is_first(is_question: bool, is_reply: bool) -> Result<()> {
    if is_question && is_reply {
        return Err(Error::invalid(
            "kind",
            "must not be `question` in a reply: only the first comment of a thread can be a question. \
             Leave out `parent_id` or `kind`.",
        ));
    }
    Ok(())
}
