//! Accepted answers. The asker of a question can accept one reply by somebody else as the answer.

use super::questions::{answers_to_question, refresh_question};
use super::{Comment, REMOVED, find_visible};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events;
use crate::events::EventKind;
use crate::infra::db::Tx;
use crate::people::{self, Viewer};

/// Accepts an answer, or withdraws the acceptance. Only the asker may do so.
///
/// If `id` is the id of the question itself, the question's newest answer is accepted. A question
/// has at most one accepted answer; accepting a second one returns [`Error::Conflict`]. Returns the
/// ids of the update and of the question.
pub async fn accept(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    accepted: bool,
) -> Result<(String, String)> {
    let (named, update) = find_visible(tx, viewer, id).await?;
    let question = if named.parent_id.is_some() {
        find_visible(tx, viewer, named.root_id()).await?.0
    } else {
        named.clone()
    };
    if !question.is_question() {
        return Err(Error::Conflict(
            "This thread does not start with a question, so there is no answer to accept.".into(),
        ));
    }
    if let Viewer::Guest(_) = viewer {
        people::guest_who_may_comment(viewer, &update.id)?;
    }
    if !question.is_by(viewer) {
        return Err(Error::Forbidden(format!(
            "Only {}, who asked this question, can accept an answer.",
            question.author_name
        )));
    }
    if named.removed_at.is_some() || question.removed_at.is_some() {
        return Err(Error::Conflict(REMOVED.into()));
    }
    if accepted {
        accept_answer(tx, clock, &question, &named).await?;
    } else {
        sqlx::query(
            "UPDATE comments SET accepted_id = NULL, accepted_at = NULL WHERE id = $1
             AND ($1 = $2 OR accepted_id = $2)",
        )
        .bind(&question.id)
        .bind(id)
        .execute(&mut **tx)
        .await?;
    }
    refresh_question(tx, &update.id, &question.id).await?;
    events::record(
        tx,
        clock,
        EventKind::Comment,
        &update.id,
        &question.id,
        question.author_id(),
    )
    .await?;
    Ok((update.id, question.id))
}

async fn accept_answer(
    tx: &mut Tx,
    clock: &Clock,
    question: &Comment,
    named: &Comment,
) -> Result<()> {
    let whole = named.id == question.id;
    if whole && question.accepted_id.is_some() {
        return Ok(());
    }
    let newest: Option<String> = sqlx::query_scalar(concat!(
        "SELECT a.id FROM comments q JOIN comments a ON a.parent_id = q.id WHERE q.id = $1 AND ($2 = '' OR a.id = $2)
         AND a.id IN (SELECT a.id ",
        answers_to_question!(),
        ") ORDER BY a.id DESC LIMIT 1"
    ))
    .bind(&question.id)
    .bind(if whole { "" } else { named.id.as_str() })
    .fetch_optional(&mut **tx)
    .await?;
    let Some(answer) = newest else {
        let why = if whole {
            "Nobody has answered this question yet."
        } else {
            "You cannot accept your own comment as the answer. Choose someone else’s comment."
        };
        return Err(Error::Conflict(why.into()));
    };
    let taken = sqlx::query(
        "UPDATE comments SET accepted_id = $1, accepted_at = coalesce(accepted_at, $2) WHERE id = $3
         AND coalesce(accepted_id, $1) = $1",
    )
    .bind(&answer)
    .bind(clock.now())
    .bind(&question.id)
    .execute(&mut **tx)
    .await?;
    if taken.rows_affected() == 0 {
        return Err(Error::Conflict(
            "Another answer has already been accepted. Withdraw that acceptance first.".into(),
        ));
    }
    Ok(())
}
