//! Lets admins change the role of an account, and deactivate or reactivate the account. At least
//! one active admin always remains.

use super::{Role, by_id};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events;
use crate::infra::db::Tx;

/// Changes that an admin makes to an account. `None` leaves a value unchanged.
#[derive(Debug, Default)]
pub struct Change {
    /// New role.
    pub role: Option<Role>,
    /// Whether the account is active after the change. `false` deactivates the account, and `true`
    /// reactivates it.
    pub active: Option<bool>,
}

/// Changes the role of an account, or deactivates or reactivates the account. Fails if the change
/// would leave no active admin. Deactivation deletes all sessions, tokens and password reset links
/// of the account.
pub async fn change(tx: &mut Tx, clock: &Clock, id: &str, change: &Change) -> Result<()> {
    // Lock the rows of all admins first, so that two admins cannot remove each other's role at the
    // same time.
    sqlx::query("UPDATE people SET role = role WHERE role = 'admin' AND deactivated_at IS NULL")
        .execute(&mut **tx)
        .await?;
    let account = by_id(tx, id).await?;
    let role = change.role.unwrap_or(account.role);
    let deactivated_at = match change.active {
        None => account.deactivated_at,
        Some(true) => None,
        Some(false) => account.deactivated_at.or(Some(clock.now())),
    };
    sqlx::query("UPDATE people SET role = $1, deactivated_at = $2 WHERE id = $3")
        .bind(role)
        .bind(deactivated_at)
        .bind(id)
        .execute(&mut **tx)
        .await?;
    let admins: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM people WHERE role = 'admin' AND deactivated_at IS NULL",
    )
    .fetch_one(&mut **tx)
    .await?;
    if admins == 0 {
        return Err(Error::Conflict(
            "This is the last admin. Make someone else an admin first.".into(),
        ));
    }
    if deactivated_at.is_some() {
        sqlx::query("DELETE FROM sessions WHERE person_id = $1")
            .bind(id)
            .execute(&mut **tx)
            .await?;
        sqlx::query("DELETE FROM tokens WHERE person_id = $1")
            .bind(id)
            .execute(&mut **tx)
            .await?;
        sqlx::query("DELETE FROM resets WHERE person_id = $1")
            .bind(id)
            .execute(&mut **tx)
            .await?;
        events::rights_changed(tx, id);
    }
    Ok(())
}
