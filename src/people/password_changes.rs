//! Password changes.

use super::PasswordHash;
use crate::error::Result;
use crate::events;
use crate::infra::db::Tx;

/// Changes the password of the signed-in person. Ends all of the person's sessions except
/// `keep_session`.
pub async fn change_password(
    tx: &mut Tx,
    person_id: &str,
    password: &PasswordHash,
    keep_session: Option<&str>,
) -> Result<()> {
    set_password(tx, person_id, password).await?;
    sqlx::query("DELETE FROM sessions WHERE person_id = $1 AND id <> $2")
        .bind(person_id)
        .bind(keep_session.unwrap_or_default())
        .execute(&mut **tx)
        .await?;
    events::rights_changed(tx, person_id);
    Ok(())
}

/// Sets the password of an account and invalidates the account's reset links.
pub(super) async fn set_password(
    tx: &mut Tx,
    person_id: &str,
    password: &PasswordHash,
) -> Result<()> {
    sqlx::query("UPDATE people SET password_hash = $1 WHERE id = $2")
        .bind(password.as_str())
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM resets WHERE person_id = $1")
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
