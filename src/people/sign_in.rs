//! Sign-in with an email address and a password.

use super::Account;
use super::passwords::verify;
use crate::error::{Error, FieldError, Result};
use crate::infra::db::Db;
use crate::text;

/// Returns the account with this email address and password. The error does not reveal which of the
/// two is wrong.
pub async fn sign_in(db: &Db, email: &str, password: &str) -> Result<Account> {
    let found: Option<(String, Option<String>)> = {
        let mut connection = db.read().await?;
        sqlx::query_as(
            "SELECT id, password_hash FROM people WHERE email_key = $1 AND deactivated_at IS NULL",
        )
        .bind(text::email_key(email))
        .fetch_optional(&mut *connection)
        .await?
    };
    let (id, hash) = found.map_or((None, None), |(id, hash)| (Some(id), hash));
    match (verify(password, hash).await?, id) {
        (true, Some(id)) => super::by_id(&mut *db.read().await?, &id).await,
        _ => Err(Error::invalid(
            "password",
            FieldError::sentence(
                "Wrong e-mail or password. Try again, or ask an admin for a link to set a new password.",
            ),
        )),
    }
}
