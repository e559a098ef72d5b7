//! Creates, lists and revokes API tokens, and finds the owner of a token.

use sqlx::{AnyConnection, FromRow};

use super::credentials::{CredentialRow, hash, must_be_active, record_use};
use super::{Grant, Person};
use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::events;
use crate::ids;
use crate::infra::db::{Db, Tx};

/// An API token.
#[derive(Debug, FromRow)]
pub struct Token {
    /// Id of the token.
    pub id: String,
    /// Name that the owner gave the token.
    pub name: String,
    /// When the token was created.
    pub created_at: Millis,
    /// When the token was last used, to the minute; `None` if it has never been used.
    pub last_used_at: Option<Millis>,
}

/// Returns the person who owns this token.
pub async fn viewer_by_token(db: &Db, clock: &Clock, token: &str) -> Result<Option<Person>> {
    let known: Option<CredentialRow> = sqlx::query_as(
        "SELECT p.id, p.name, p.email, p.role, p.time_zone, t.id AS door, t.last_used_at AS used_at FROM tokens t
         JOIN people p ON p.id = t.person_id WHERE t.secret_hash = $1 AND p.deactivated_at IS NULL",
    )
    .bind(hash(token))
    .fetch_optional(&mut *db.read().await?)
    .await?;
    let Some(known) = known else { return Ok(None) };
    record_use(
        db,
        clock,
        "UPDATE tokens SET last_used_at = $1 WHERE id = $2",
        &known,
    )
    .await;
    Ok(Some(known.into_person(Grant::Token)))
}

/// Creates a token and returns its id and its secret. The secret cannot be read again later.
pub async fn create_token(
    tx: &mut Tx,
    clock: &Clock,
    person_id: &str,
    name: &str,
) -> Result<(String, String)> {
    must_be_active(tx, person_id).await?;
    let (id, token) = (clock.id(), format!("hb_{}", ids::secret()));
    sqlx::query("INSERT INTO tokens (id, person_id, name, secret_hash, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(&id)
        .bind(person_id)
        .bind(name)
        .bind(hash(&token))
        .bind(clock.now())
        .execute(&mut **tx)
        .await?;
    Ok((id, token))
}

/// Returns a person's tokens, newest first.
pub async fn tokens(connection: &mut AnyConnection, person_id: &str) -> Result<Vec<Token>> {
    Ok(sqlx::query_as("SELECT id, name, created_at, last_used_at FROM tokens WHERE person_id = $1 ORDER BY id DESC")
        .bind(person_id)
        .fetch_all(connection)
        .await?)
}

/// Deletes a token of this person.
pub async fn end_token(tx: &mut Tx, person_id: &str, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM tokens WHERE id = $1 AND person_id = $2")
        .bind(id)
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
    events::rights_changed(tx, person_id);
    Ok(())
}
