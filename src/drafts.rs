//! Drafts: what a person is writing on an update, kept as they type, on every device, until they send it.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::infra::db::Tx;
use crate::people::Viewer;
use crate::updates;

/// The subject of a new comment. A reply's is the id of the comment it answers.
pub const COMMENT: &str = "comment";
/// The subject of what is said back.
pub const READBACK: &str = "readback";
/// The subject of why it is declined.
pub const DECLINE: &str = "decline";

/// Keeps what is being written; an empty text is no draft. Only people have drafts.
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

/// Throws away what was being written; without a draft nothing happens.
pub async fn discard(tx: &mut Tx, viewer: &Viewer, update_id: &str, subject: &str) -> Result<()> {
    let person = check_writer(tx, viewer, update_id, subject).await?;
    delete(tx, &person, update_id, &[subject]).await
}

/// The person who writes on an update that they may see, about something that is there.
async fn check_writer(
    tx: &mut Tx,
    viewer: &Viewer,
    update_id: &str,
    subject: &str,
) -> Result<String> {
    updates::find(tx, viewer, update_id).await?;
    let Viewer::Person(person) = viewer else {
        return Err(Error::Forbidden(
            "Drafts are kept for people with an account. What you type stays in your browser."
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

/// What the person is writing on the update, by subject.
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

/// What was sent is no draft any more: called in the transaction of the sending.
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
