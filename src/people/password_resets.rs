//! Password reset links.

use sqlx::AnyConnection;

use super::credentials::hash;
use super::password_changes::set_password;
use super::{Account, PasswordHash};
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events;
use crate::ids;
use crate::infra::db::Tx;

/// Lifetime of a password reset link: one hour.
const RESET_LIFETIME: Millis = 3_600_000;

/// Creates a password reset link and returns its secret. Earlier reset links of the account become
/// invalid.
pub async fn create_reset_link(tx: &mut Tx, clock: &Clock, person_id: &str) -> Result<String> {
    let account = super::by_id(tx, person_id).await?;
    if account.deactivated_at.is_some() {
        return Err(Error::Conflict(
            "This account is deactivated. Reactivate it first.".into(),
        ));
    }
    let secret = ids::secret();
    sqlx::query("DELETE FROM resets WHERE person_id = $1 OR expires_at < $2")
        .bind(person_id)
        .bind(clock.now())
        .execute(&mut **tx)
        .await?;
    sqlx::query(
        "INSERT INTO resets (id, person_id, secret_hash, expires_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(clock.id())
    .bind(person_id)
    .bind(hash(&secret))
    .bind(clock.now() + RESET_LIFETIME)
    .execute(&mut **tx)
    .await?;
    Ok(secret)
}

/// Finds the account whose password reset link has this secret.
pub async fn reset_by_secret(
    connection: &mut AnyConnection,
    clock: &Clock,
    secret: &str,
) -> Result<Account> {
    sqlx::query_as(
        "SELECT p.id, p.email, p.name, p.role, p.time_zone, p.working_hours, p.away_until, p.mail_off_at,
         p.created_at, p.deactivated_at
         FROM resets r JOIN people p ON p.id = r.person_id WHERE r.secret_hash = $1 AND r.expires_at > $2
         AND p.deactivated_at IS NULL",
    )
    .bind(hash(secret))
    .bind(clock.now())
    .fetch_optional(connection)
    .await?
    .ok_or(Error::NotFound)
}

/// Sets the new password, invalidates the reset link and ends every session of the account, so that
/// anyone who used the old password is signed out. API tokens remain valid, because they do not
/// depend on the password.
pub async fn reset_password(
    tx: &mut Tx,
    clock: &Clock,
    secret: &str,
    password: &PasswordHash,
) -> Result<Account> {
    let account = reset_by_secret(tx, clock, secret).await?;
    set_password(tx, &account.id, password).await?;
    sqlx::query("DELETE FROM sessions WHERE person_id = $1")
        .bind(&account.id)
        .execute(&mut **tx)
        .await?;
    events::rights_changed(tx, &account.id);
    Ok(account)
}
