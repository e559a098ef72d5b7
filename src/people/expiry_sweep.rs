//! The sweep that deletes expired credentials.

use super::sessions::{SESSION_IDLE_LIMIT, SESSION_MAX_AGE};
use crate::clock::Clock;
use crate::error::Result;
use crate::events;
use crate::infra::db::Tx;

/// Deletes expired sessions, invitations and reset links.
pub async fn sweep(tx: &mut Tx, clock: &Clock) -> Result<()> {
    let now = clock.now();
    let expired: Vec<String> = sqlx::query_scalar(
        "DELETE FROM sessions WHERE last_seen_at < $1 OR created_at < $2 RETURNING person_id",
    )
    .bind(now - SESSION_IDLE_LIMIT)
    .bind(now - SESSION_MAX_AGE)
    .fetch_all(&mut **tx)
    .await?;
    for person in expired {
        events::rights_changed(tx, &person);
    }
    sqlx::query("DELETE FROM invitations WHERE expires_at < $1")
        .bind(now)
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM resets WHERE expires_at < $1")
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
