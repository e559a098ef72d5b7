//! Sign-in sessions of browsers: how long they last, and who is signed in.

use sqlx::{AnyConnection, FromRow};

use super::credentials::{CredentialRow, hash, must_be_active, record_use};
use super::{Grant, Person};
use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::events;
use crate::ids;
use crate::infra::db::{Db, Tx};

/// Idle timeout of a session: 30 days.
pub(super) const SESSION_IDLE_LIMIT: Millis = 30 * 24 * 3_600_000;

/// Maximum age of a session, even while it is in use: 180 days.
pub(super) const SESSION_MAX_AGE: Millis = 180 * 24 * 3_600_000;

/// A browser session.
#[derive(Debug, FromRow)]
pub struct Session {
    /// Id of the session.
    pub id: String,
    /// Name of the browser and the operating system.
    pub browser: String,
    /// When the session started.
    pub created_at: Millis,
    /// When the session was last used, to the minute.
    pub last_seen_at: Millis,
}

/// Starts a session and returns the secret for its cookie.
pub async fn open_session(
    tx: &mut Tx,
    clock: &Clock,
    person_id: &str,
    browser: &str,
) -> Result<String> {
    must_be_active(tx, person_id).await?;
    let secret = ids::secret();
    sqlx::query(
        "INSERT INTO sessions (id, person_id, secret_hash, browser, created_at, last_seen_at)
         VALUES ($1, $2, $3, $4, $5, $5)",
    )
    .bind(clock.id())
    .bind(person_id)
    .bind(hash(&secret))
    .bind(browser)
    .bind(clock.now())
    .execute(&mut **tx)
    .await?;
    Ok(secret)
}

/// Returns the person whose session has this secret.
pub async fn viewer_by_session(db: &Db, clock: &Clock, secret: &str) -> Result<Option<Person>> {
    let known: Option<CredentialRow> = sqlx::query_as(
        "SELECT p.id, p.name, p.email, p.role, p.time_zone, s.id AS door, s.last_seen_at AS used_at FROM sessions s
         JOIN people p ON p.id = s.person_id WHERE s.secret_hash = $1 AND s.last_seen_at > $2 AND s.created_at > $3
         AND p.deactivated_at IS NULL",
    )
    .bind(hash(secret))
    .bind(clock.now() - SESSION_IDLE_LIMIT)
    .bind(clock.now() - SESSION_MAX_AGE)
    .fetch_optional(&mut *db.read().await?)
    .await?;
    let Some(known) = known else { return Ok(None) };
    record_use(
        db,
        clock,
        "UPDATE sessions SET last_seen_at = $1 WHERE id = $2",
        &known,
    )
    .await;
    Ok(Some(known.into_person(Grant::Session)))
}

/// Returns the active sessions of a person, the most recently used first.
pub async fn sessions(
    connection: &mut AnyConnection,
    clock: &Clock,
    person_id: &str,
) -> Result<Vec<Session>> {
    Ok(sqlx::query_as(
        "SELECT id, browser, created_at, last_seen_at FROM sessions WHERE person_id = $1 AND last_seen_at > $2
         AND created_at > $3 ORDER BY last_seen_at DESC, id",
    )
    .bind(person_id)
    .bind(clock.now() - SESSION_IDLE_LIMIT)
    .bind(clock.now() - SESSION_MAX_AGE)
    .fetch_all(connection)
    .await?)
}

/// Ends a session of this person. Does nothing if the session belongs to another person or has
/// already ended.
pub async fn end_session(tx: &mut Tx, person_id: &str, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE id = $1 AND person_id = $2")
        .bind(id)
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
    events::rights_changed(tx, person_id);
    Ok(())
}

/// Ends the session with this secret.
pub async fn end_session_by_secret(tx: &mut Tx, secret: &str) -> Result<()> {
    let person: Option<String> =
        sqlx::query_scalar("DELETE FROM sessions WHERE secret_hash = $1 RETURNING person_id")
            .bind(hash(secret))
            .fetch_optional(&mut **tx)
            .await?;
    if let Some(person) = person {
        events::rights_changed(tx, &person);
    }
    Ok(())
}
