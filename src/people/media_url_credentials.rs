//! Finds the person whose session or API token a media URL was signed for.

use super::credentials::CredentialRow;
use super::sessions::{SESSION_IDLE_LIMIT, SESSION_MAX_AGE};
use super::{Grant, Person};
use crate::clock::Clock;
use crate::error::Result;
use crate::infra::db::Db;

/// Returns the person to whom the session or token in `grant` belongs. Used to check signed URLs.
pub async fn viewer_by_grant(db: &Db, clock: &Clock, grant: &Grant) -> Result<Option<Person>> {
    let (statement, id) = match grant {
        Grant::Session(id) => (
            "SELECT p.id, p.name, p.email, p.role, p.time_zone, s.id AS door, s.last_seen_at AS used_at FROM sessions s
             JOIN people p ON p.id = s.person_id WHERE s.id = $1 AND s.last_seen_at > $2 AND s.created_at > $3
             AND p.deactivated_at IS NULL",
            id,
        ),
        Grant::Token(id) => (
            "SELECT p.id, p.name, p.email, p.role, p.time_zone, t.id AS door, t.last_used_at AS used_at FROM tokens t
             JOIN people p ON p.id = t.person_id WHERE t.id = $1 AND $2 > 0 AND $3 > 0 AND p.deactivated_at IS NULL",
            id,
        ),
    };
    let known: Option<CredentialRow> = sqlx::query_as(statement)
        .bind(id)
        .bind(clock.now() - SESSION_IDLE_LIMIT)
        .bind(clock.now() - SESSION_MAX_AGE)
        .fetch_optional(&mut *db.read().await?)
        .await?;
    Ok(known.map(|known| known.into_person(|_| grant.clone())))
}
