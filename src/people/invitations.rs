//! Invitations and password reset links. Each link contains a secret. A GET request only shows a
//! form, because mail scanners also open links. The form's POST request accepts the invitation or
//! sets the password.

use sqlx::{AnyConnection, FromRow};

use super::credentials::hash;
use super::{Account, NewAccount, PasswordHash, Person, Role};
use crate::clock::{self, Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db::{FetchKnown, Tx};
use crate::text;

/// Lifetime of an invitation: 14 days.
const INVITATION_LIFETIME: Millis = 14 * 24 * 3_600_000;
/// Lifetime of a password reset link: one hour.
const RESET_LIFETIME: Millis = 3_600_000;

/// A pending invitation.
#[derive(Debug, FromRow)]
pub struct Invitation {
    /// Id of the invitation.
    pub id: String,
    /// Email address of the invited person.
    pub email: String,
    /// Role that the new account will have.
    pub role: Role,
    /// When the invitation was created.
    pub created_at: Millis,
    /// When the invitation expires.
    pub expires_at: Millis,
    /// Name of the person who created the invitation.
    pub invited_by: String,
}

/// A new invitation, with the secret part of its link.
#[derive(Debug)]
pub struct CreatedInvitation {
    /// Id of the invitation.
    pub id: String,
    /// Email address of the invited person.
    pub email: String,
    /// Role that the new account will have.
    pub role: Role,
    /// When the invitation was created.
    pub created_at: Millis,
    /// When the invitation expires.
    pub expires_at: Millis,
    /// Secret part of the link.
    pub secret: String,
}

/// Creates an invitation for an email address. Inviting the same address again keeps the
/// invitation's id and creates a new link. Fails if the address already has an account.
pub async fn invite(
    tx: &mut Tx,
    clock: &Clock,
    by: &Person,
    email: &str,
    role: Role,
) -> Result<CreatedInvitation> {
    by.must_be_admin()?;
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM people WHERE email_key = $1")
        .bind(text::email_key(email))
        .fetch_one(&mut **tx)
        .await?;
    if known > 0 {
        return Err(Error::invalid(
            "emails",
            format!("{email} already has an account. Leave this address out."),
        ));
    }
    let (now, secret) = (clock.now(), clock::secret());
    let id: String = sqlx::query_scalar(
        "INSERT INTO invitations (id, email, email_key, role, secret_hash, invited_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (email_key) DO UPDATE SET role = excluded.role, secret_hash = excluded.secret_hash,
             invited_by = excluded.invited_by, created_at = excluded.created_at, expires_at = excluded.expires_at
         RETURNING id",
    )
    .bind(clock.id())
    .bind(email)
    .bind(text::email_key(email))
    .bind(role)
    .bind(hash(&secret))
    .bind(&by.id)
    .bind(now)
    .bind(now + INVITATION_LIFETIME)
    .fetch_one(&mut **tx)
    .await?;
    Ok(CreatedInvitation {
        id,
        email: email.to_owned(),
        role,
        created_at: now,
        expires_at: now + INVITATION_LIFETIME,
        secret,
    })
}

/// Returns the pending invitations, newest first.
pub async fn invitations(connection: &mut AnyConnection, clock: &Clock) -> Result<Vec<Invitation>> {
    sqlx::query_as(
        "SELECT i.id, i.email, i.role, i.created_at, i.expires_at, p.name AS invited_by FROM invitations i
         JOIN people p ON p.id = i.invited_by WHERE i.expires_at > $1 ORDER BY i.created_at DESC, i.id DESC",
    )
    .bind(clock.now())
    .fetch_known(connection)
    .await
}

/// Withdraws an invitation. Does nothing if the invitation no longer exists.
pub async fn withdraw(tx: &mut Tx, by: &Person, id: &str) -> Result<()> {
    by.must_be_admin()?;
    sqlx::query("DELETE FROM invitations WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Finds the pending invitation with this secret.
pub async fn invitation_by_secret(
    connection: &mut AnyConnection,
    clock: &Clock,
    secret: &str,
) -> Result<Invitation> {
    sqlx::query_as(
        "SELECT i.id, i.email, i.role, i.created_at, i.expires_at, p.name AS invited_by FROM invitations i
         JOIN people p ON p.id = i.invited_by WHERE i.secret_hash = $1 AND i.expires_at > $2",
    )
    .bind(hash(secret))
    .bind(clock.now())
    .fetch_optional(connection)
    .await?
    .ok_or(Error::NotFound)
}

/// Creates the account for an invitation and deletes the invitation. Returns the id of the account
/// and the ids of the updates whose audience contained the invitation.
pub async fn accept(
    tx: &mut Tx,
    clock: &Clock,
    secret: &str,
    name: String,
    password: PasswordHash,
    time_zone: String,
) -> Result<(String, Vec<String>)> {
    let invitation = invitation_by_secret(tx, clock, secret).await?;
    let asked: Vec<String> = sqlx::query_scalar(
        "SELECT update_id FROM invited_audience WHERE invitation_id = $1 ORDER BY update_id",
    )
    .bind(&invitation.id)
    .fetch_all(&mut **tx)
    .await?;
    let used = sqlx::query("DELETE FROM invitations WHERE id = $1")
        .bind(&invitation.id)
        .execute(&mut **tx)
        .await?;
    if used.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    let role = invitation.role;
    let account = NewAccount {
        email: invitation.email,
        name,
        role,
        password: Some(password),
        time_zone,
    };
    Ok((super::add(tx, clock, &account).await?, asked))
}

/// Creates a password reset link and returns its secret. Earlier reset links of the account become
/// invalid.
pub async fn create_reset_link(tx: &mut Tx, clock: &Clock, person_id: &str) -> Result<String> {
    let account = super::by_id(tx, person_id).await?;
    if account.deactivated_at.is_some() {
        return Err(Error::Conflict(
            "This account is deactivated. Reactivate it first.".into(),
        ));
    }
    let secret = clock::secret();
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
    Ok(account)
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

/// Changes the password of the signed-in person. Ends all of the person's sessions except `keep_session`.
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
    Ok(())
}
