//! Invitations to create an account. The link of an invitation contains a secret. A GET request for
//! the link only shows a form, because mail scanners also open links. The form's POST request
//! accepts the invitation.

use sqlx::{AnyConnection, FromRow};

use super::credentials::hash;
use super::{NewAccount, PasswordHash, Person, Role};
use crate::clock::{Clock, Millis};
use crate::error::{Error, FieldError, Result};
use crate::ids;
use crate::infra::db::{FetchKnown, Tx};
use crate::text;

/// Maximum number of people who can be invited at once. A cookie passes their invitation links to
/// the next page, and the size of a cookie is limited.
pub const MAX_INVITED: usize = 40;
/// Lifetime of an invitation: 14 days.
const INVITATION_LIFETIME: Millis = 14 * 24 * 3_600_000;

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
            FieldError::sentence(format!(
                "{email} already has an account. Leave this address out."
            )),
        ));
    }
    let (now, secret) = (clock.now(), ids::secret());
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
