//! Finds the person whose session or API token a media URL was signed for.

use sqlx::AnyConnection;

use super::credentials::CredentialRow;
use super::sessions::{SESSION_IDLE_LIMIT, SESSION_MAX_AGE};
use super::{Grant, Person};
use crate::clock::{Clock, Millis};
use crate::error::Result;

/// SQL: the person `p` whose session has the id `$1`. `$2` and `$3` are the results of [`session_limits`].
macro_rules! person_of_session {
    () => {
        "sessions s JOIN people p ON p.id = s.person_id
         WHERE s.id = $1 AND s.last_seen_at > $2 AND s.created_at > $3 AND p.deactivated_at IS NULL"
    };
}
pub(crate) use person_of_session;

/// SQL: the person `p` whose token has the id `$1`. Has the same parameters as [`person_of_session`].
macro_rules! person_of_token {
    () => {
        "tokens t JOIN people p ON p.id = t.person_id
         WHERE t.id = $1 AND $2 > 0 AND $3 > 0 AND p.deactivated_at IS NULL"
    };
}
pub(crate) use person_of_token;

/// The times after which a valid session was last seen and was created.
pub(crate) fn session_limits(clock: &Clock) -> (Millis, Millis) {
    (
        clock.now() - SESSION_IDLE_LIMIT,
        clock.now() - SESSION_MAX_AGE,
    )
}

/// Returns the person to whom the session or token in `grant` belongs. Used to check signed URLs.
pub async fn viewer_by_grant(
    connection: &mut AnyConnection,
    clock: &Clock,
    grant: &Grant,
) -> Result<Option<Person>> {
    let (statement, id) = match grant {
        Grant::Session(id) => (
            concat!(
                "SELECT p.id, p.name, p.email, p.role, p.time_zone, s.id AS door, s.last_seen_at AS used_at FROM ",
                person_of_session!()
            ),
            id,
        ),
        Grant::Token(id) => (
            concat!(
                "SELECT p.id, p.name, p.email, p.role, p.time_zone, t.id AS door, t.last_used_at AS used_at FROM ",
                person_of_token!()
            ),
            id,
        ),
    };
    let (seen_after, created_after) = session_limits(clock);
    let known: Option<CredentialRow> = sqlx::query_as(statement)
        .bind(id)
        .bind(seen_after)
        .bind(created_after)
        .fetch_optional(connection)
        .await?;
    Ok(known.map(|known| known.into_person(|_| grant.clone())))
}
