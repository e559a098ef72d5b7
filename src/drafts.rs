//! Drafts of comments and answers. A draft is saved while a person types, is available on every
//! device, and is deleted when the comment or answer is sent.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::infra::db::Tx;
use crate::people::Viewer;
use crate::updates;

/// The `subject` of the draft of a comment that starts a thread. For the draft of a reply, the subject is the id of the
/// parent comment.
pub const COMMENT: &str = "comment";
/// The `subject` of a draft readback.
pub const READBACK: &str = "readback";
/// The `subject` of a draft objection.
pub const DECLINE: &str = "decline";

/// Saves a draft; an empty `body` deletes the draft. Guests get [`Error::Forbidden`], because only
/// people with an account have drafts.
pub async fn save(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    update_id: &str,
    subject: &str,
    body: &str,
) -> Result<()> {
    let person = check_writer(tx, viewer, update_id, subject).await?;
    if body.is_empty() {
        return delete(tx, &person, update_id, &[subject]).await;
    }
    sqlx::query(
        "INSERT INTO drafts (person_id, update_id, subject, body, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (person_id, update_id, subject) DO UPDATE SET body = excluded.body, at = excluded.at",
    )
    .bind(person)
    .bind(update_id)
    .bind(subject)
    .bind(body)
    .bind(clock.now())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes the viewer's draft with this subject. Does nothing if there is no such draft.
pub async fn discard(tx: &mut Tx, viewer: &Viewer, update_id: &str, subject: &str) -> Result<()> {
    let person = check_writer(tx, viewer, update_id, subject).await?;
    delete(tx, &person, update_id, &[subject]).await
}

/// Returns the viewer's id. Fails if the viewer is a guest or may not see the update. Also fails if
/// `subject` is neither one of the constants above nor the id of a comment on the update.
async fn check_writer(
    tx: &mut Tx,
    viewer: &Viewer,
    update_id: &str,
    subject: &str,
) -> Result<String> {
    updates::find(tx, viewer, update_id).await?;
    let Viewer::Person(person) = viewer else {
        return Err(Error::Forbidden(
            "The server keeps drafts only for people with an account. Your text stays in your browser."
                .into(),
        ));
    };
    if [COMMENT, READBACK, DECLINE].contains(&subject) {
        return Ok(person.id.clone());
    }
    let known: i64 =
        sqlx::query_scalar("SELECT count(*) FROM comments WHERE id = $1 AND update_id = $2")
            .bind(subject)
            .bind(update_id)
            .fetch_one(&mut **tx)
            .await?;
    if known == 0 {
        Err(Error::NotFound)
    } else {
        Ok(person.id.clone())
    }
}

/// Returns a person's drafts on an update. The keys are the subjects.
pub async fn of_person(
    connection: &mut AnyConnection,
    update_id: &str,
    person_id: &str,
) -> Result<BTreeMap<String, String>> {
    let drafts: Vec<(String, String)> =
        sqlx::query_as("SELECT subject, body FROM drafts WHERE person_id = $1 AND update_id = $2")
            .bind(person_id)
            .bind(update_id)
            .fetch_all(connection)
            .await?;
    Ok(drafts.into_iter().collect())
}

/// Deletes a person's drafts with these subjects. Call it in the transaction that stores the finished comment or
/// answer.
pub async fn delete(
    tx: &mut Tx,
    person_id: &str,
    update_id: &str,
    subjects: &[&str],
) -> Result<()> {
    for subject in subjects {
        sqlx::query("DELETE FROM drafts WHERE person_id = $1 AND update_id = $2 AND subject = $3")
            .bind(person_id)
            .bind(update_id)
            .bind(subject)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}
