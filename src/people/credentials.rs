//! Credentials: passwords, browser sessions and API tokens. Only hashes of the secrets are stored.

use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, FromRow};

use super::passwords::verify;
use super::{Account, Grant, Person, Role};
use crate::clock::{self, Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db::{Db, Tx};
use crate::text;

/// Idle timeout of a session: 30 days.
const SESSION_IDLE_LIMIT: Millis = 30 * 24 * 3_600_000;
/// Maximum age of a session, even while it is in use: 180 days.
const SESSION_MAX_AGE: Millis = 180 * 24 * 3_600_000;
/// How precisely the last use of a credential is stored. Each credential causes at most one write
/// per minute, instead of one per request.
const LAST_USED_PRECISION: Millis = 60_000;

/// Returns the SHA-256 hash of a secret in hexadecimal. The hash needs no salt, because secrets are
/// random. Without a salt, the database can look up the hash in an index.
pub(crate) fn hash(secret: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(secret.as_bytes()))
}

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

/// An API token.
#[derive(Debug, FromRow)]
pub struct Token {
    /// Id of the token.
    pub id: String,
    /// Name that the owner gave the token.
    pub name: String,
    /// When the token was created.
    pub created_at: Millis,
    /// When the token was last used, to the minute.
    pub last_used_at: Option<Millis>,
}

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
            "does not match this email address. Try again, or ask an admin for a new password.",
        )),
    }
}

/// Locks the account until the transaction ends. Fails if the account is deactivated. A request
/// that was authenticated before the deactivation must not create a session, token or link, because
/// that credential would work again after a reactivation.
pub async fn must_be_active(tx: &mut Tx, person_id: &str) -> Result<()> {
    let active = sqlx::query(
        "UPDATE people SET deactivated_at = NULL WHERE id = $1 AND deactivated_at IS NULL",
    )
    .bind(person_id)
    .execute(&mut **tx)
    .await?;
    if active.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::Unauthenticated)
    }
}

/// Starts a session and returns the secret for its cookie.
pub async fn open_session(
    tx: &mut Tx,
    clock: &Clock,
    person_id: &str,
    browser: &str,
) -> Result<String> {
    must_be_active(tx, person_id).await?;
    let secret = clock::secret();
    sqlx::query("INSERT INTO sessions (id, person_id, secret_hash, browser, created_at, last_seen_at) VALUES ($1, $2, $3, $4, $5, $5)")
        .bind(clock.id())
        .bind(person_id)
        .bind(hash(&secret))
        .bind(browser)
        .bind(clock.now())
        .execute(&mut **tx)
        .await?;
    Ok(secret)
}

#[derive(FromRow)]
struct CredentialRow {
    id: String,
    name: String,
    email: String,
    role: String,
    time_zone: String,
    door: String,
    used_at: Option<Millis>,
}

impl CredentialRow {
    fn into_person(self, grant: impl FnOnce(String) -> Grant) -> Person {
        Person {
            id: self.id,
            name: self.name,
            email: self.email,
            // Treat an unknown role like a member, which has the fewest rights.
            role: self.role.parse().unwrap_or(Role::Member),
            time_zone: self.time_zone,
            grant: grant(self.door),
        }
    }
}

/// Returns the person whose session or token has this id. Used to check signed URLs.
pub async fn viewer_by_grant(db: &Db, clock: &Clock, grant: &Grant) -> Result<Option<Person>> {
    let (statement, id) = match grant {
        Grant::Session(id) => (
            "SELECT p.id, p.name, p.email, p.role, p.time_zone, s.id AS door, s.last_seen_at AS used_at FROM sessions s
             JOIN people p ON p.id = s.person_id WHERE s.id = $1 AND s.last_seen_at > $2 AND s.created_at > $3 AND p.deactivated_at IS NULL",
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

/// Returns the person whose session has this secret.
pub async fn viewer_by_session(db: &Db, clock: &Clock, secret: &str) -> Result<Option<Person>> {
    let known: Option<CredentialRow> = sqlx::query_as(
        "SELECT p.id, p.name, p.email, p.role, p.time_zone, s.id AS door, s.last_seen_at AS used_at FROM sessions s
         JOIN people p ON p.id = s.person_id WHERE s.secret_hash = $1 AND s.last_seen_at > $2 AND s.created_at > $3 AND p.deactivated_at IS NULL",
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

/// Returns the person who owns this token.
pub async fn viewer_by_token(db: &Db, clock: &Clock, token: &str) -> Result<Option<Person>> {
    let known: Option<CredentialRow> = sqlx::query_as(
        "SELECT p.id, p.name, p.email, p.role, p.time_zone, t.id AS door, t.last_used_at AS used_at FROM tokens t
         JOIN people p ON p.id = t.person_id WHERE t.secret_hash = $1 AND p.deactivated_at IS NULL",
    )
    .bind(hash(token))
    .fetch_optional(&mut *db.read().await?)
    .await?;
    let Some(known) = known else { return Ok(None) };
    record_use(
        db,
        clock,
        "UPDATE tokens SET last_used_at = $1 WHERE id = $2",
        &known,
    )
    .await;
    Ok(Some(known.into_person(Grant::Token)))
}

/// Records that a credential was used. If the write fails, logs the error instead of returning it,
/// so that requests that only read still succeed.
async fn record_use(db: &Db, clock: &Clock, statement: &'static str, known: &CredentialRow) {
    let now = clock.now();
    if known
        .used_at
        .is_some_and(|at| at > now - LAST_USED_PRECISION)
    {
        return;
    }
    let written = async {
        let mut tx = db.begin().await?;
        sqlx::query(statement)
            .bind(now)
            .bind(&known.door)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    };
    if let Err(error) = written.await {
        tracing::warn!(%error, "could not record when a session or API token was last used");
    }
}

/// Returns the active sessions of a person, newest first.
pub async fn sessions(
    connection: &mut AnyConnection,
    clock: &Clock,
    person_id: &str,
) -> Result<Vec<Session>> {
    Ok(sqlx::query_as(
        "SELECT id, browser, created_at, last_seen_at FROM sessions WHERE person_id = $1 AND last_seen_at > $2 ORDER BY last_seen_at DESC, id",
    )
    .bind(person_id)
    .bind(clock.now() - SESSION_IDLE_LIMIT)
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
    Ok(())
}

/// Deletes expired sessions and invitations.
pub async fn sweep(tx: &mut Tx, clock: &Clock) -> Result<()> {
    let now = clock.now();
    sqlx::query("DELETE FROM sessions WHERE last_seen_at < $1 OR created_at < $2")
        .bind(now - SESSION_IDLE_LIMIT)
        .bind(now - SESSION_MAX_AGE)
        .execute(&mut **tx)
        .await?;
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

/// Ends the session with this secret.
pub async fn end_session_by_secret(tx: &mut Tx, secret: &str) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE secret_hash = $1")
        .bind(hash(secret))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Creates a token and returns its id and its secret. The secret cannot be read again later.
pub async fn create_token(
    tx: &mut Tx,
    clock: &Clock,
    person_id: &str,
    name: &str,
) -> Result<(String, String)> {
    must_be_active(tx, person_id).await?;
    let (id, token) = (clock.id(), format!("hb_{}", clock::secret()));
    sqlx::query("INSERT INTO tokens (id, person_id, name, secret_hash, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(&id)
        .bind(person_id)
        .bind(name)
        .bind(hash(&token))
        .bind(clock.now())
        .execute(&mut **tx)
        .await?;
    Ok((id, token))
}

/// Returns a person's tokens, newest first.
pub async fn tokens(connection: &mut AnyConnection, person_id: &str) -> Result<Vec<Token>> {
    Ok(sqlx::query_as("SELECT id, name, created_at, last_used_at FROM tokens WHERE person_id = $1 ORDER BY id DESC")
        .bind(person_id)
        .fetch_all(connection)
        .await?)
}

/// Deletes a token of this person.
pub async fn end_token(tx: &mut Tx, person_id: &str, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM tokens WHERE id = $1 AND person_id = $2")
        .bind(id)
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
