//! Accounts and viewers.

mod credentials;
mod directory;
mod expiry_sweep;
pub mod groups;
mod guests;
mod invitations;
mod media_url_credentials;
mod names;
mod password_changes;
mod password_resets;
mod passwords;
mod profile;
mod roles_and_deactivation;
mod sessions;
mod sign_in;
mod system_account;
mod tokens;
mod viewer;

use std::collections::BTreeMap;

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

pub(crate) use credentials::hash;
pub use credentials::must_be_active;
pub use directory::{AccountFilter, by_name, list, list_by_email};
pub use expiry_sweep::sweep;
pub use guests::{guest_name, guest_who_may_comment, named_guest_id};
pub use invitations::{
    CreatedInvitation, Invitation, MAX_INVITED, accept, invitation_by_secret, invitations, invite,
    withdraw,
};
pub use media_url_credentials::viewer_by_grant;
pub(crate) use media_url_credentials::{person_of_session, person_of_token, session_limits};
pub use names::{active_name_keys, names_by_id};
pub use password_changes::change_password;
pub use password_resets::{create_reset_link, reset_by_secret, reset_password};
pub use passwords::PasswordHash;
pub use profile::{
    Profile, all_time_zones, edit, hours_or_default, needs_password, parse_time_zone,
    work_schedules,
};
pub use roles_and_deactivation::{Change, change};
pub use sessions::{
    Session, end_session, end_session_by_secret, open_session, sessions, viewer_by_session,
};
pub use sign_in::sign_in;
pub use system_account::{ensure_system_account, system_account};
pub use tokens::{Token, create_token, end_token, tokens, viewer_by_token};
pub use viewer::{Grant, Guest, Person, Viewer};

use crate::clock::{Clock, Millis};
use crate::error::{Error, FieldError, Result};
use crate::infra::db;
use crate::infra::db::{Tx, text_enum};
use crate::text;

text_enum! {
    /// Role of an account.
    pub enum Role {
        /// May do everything that members may do, and also invite people, change roles and
        /// deactivate accounts.
        Admin = "admin",
        /// May do everything except administration.
        Member = "member",
        /// The system account. Nobody can sign in to it.
        System = "house",
    }
}

/// A stored account.
#[derive(Clone, Debug, FromRow)]
pub struct Account {
    /// Id of the account.
    pub id: String,
    /// Email address for signing in.
    pub email: String,
    /// Display name.
    pub name: String,
    /// Role of the account.
    pub role: Role,
    /// IANA time zone name.
    pub time_zone: String,
    /// Working hours as JSON in the format of [`crate::working_hours::WorkingHours`]. `None` means
    /// the default hours.
    pub working_hours: Option<String>,
    /// End of the person's current or most recent absence; `None` if none is stored.
    pub away_until: Option<Millis>,
    /// When the person turned email notifications off; `None` while they are on.
    pub mail_off_at: Option<Millis>,
    /// When the account was created.
    pub created_at: Millis,
    /// When the account was deactivated; `None` while it is active.
    pub deactivated_at: Option<Millis>,
}

/// Whether no account has ever been created.
pub async fn no_accounts_yet(connection: &mut AnyConnection) -> Result<bool> {
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM (SELECT 1 AS one FROM people LIMIT 1) AS found")
            .fetch_one(connection)
            .await?;
    Ok(count == 0)
}

/// Prevents other transactions from creating the first account until this transaction ends. Call it
/// before checking whether an account exists.
pub async fn lock_setup(tx: &mut Tx) -> Result<()> {
    sqlx::query("UPDATE event_counter SET n = n")
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Values for a new account.
#[derive(Debug)]
pub struct NewAccount {
    /// Email address for signing in, already checked by [`text::parse_email`].
    pub email: String,
    /// Display name, already checked by [`text::clean_line`].
    pub name: String,
    /// Role of the account.
    pub role: Role,
    /// Hashed password. If it is `None`, the person needs a reset link before signing in.
    pub password: Option<PasswordHash>,
    /// IANA time zone name.
    pub time_zone: String,
}

/// Creates an account and returns its id. Returns an error for the `email` field if another account
/// has this address.
pub async fn add(tx: &mut Tx, clock: &Clock, new: &NewAccount) -> Result<String> {
    let id = clock.id();
    sqlx::query(
        "INSERT INTO people (id, email, email_key, name, name_key, role, password_hash, time_zone, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&id)
    .bind(&new.email)
    .bind(text::email_key(&new.email))
    .bind(&new.name)
    .bind(text::fold(&new.name))
    .bind(new.role)
    .bind(new.password.as_ref().map(PasswordHash::as_str))
    .bind(&new.time_zone)
    .bind(clock.now())
    .execute(&mut **tx)
    .await
    .map_err(|error| email_taken_or(error, &new.email))?;
    Ok(id)
}

fn email_taken_or(error: sqlx::Error, email: &str) -> Error {
    if db::is_unique_violation(&error) {
        let message = FieldError::sentence(format!("{email} already has an account."));
        Error::invalid("email", message)
    } else {
        error.into()
    }
}

/// Finds an account by id, even if it is deactivated. Does not find the system account.
pub async fn by_id(connection: &mut AnyConnection, id: &str) -> Result<Account> {
    sqlx::query_as(
        "SELECT id, email, name, role, time_zone, working_hours, away_until, mail_off_at, created_at, deactivated_at
         FROM people WHERE id = $1 AND role <> 'house'")
        .bind(id)
        .fetch_optional(connection)
        .await?
        .ok_or(Error::NotFound)
}

/// Returns the ids and names of the people with these ids, sorted by name.
pub async fn names(
    connection: &mut AnyConnection,
    ids: &[String],
) -> Result<Vec<(String, String)>> {
    const CHUNK_SIZE: usize = 500;
    let mut names: Vec<(String, String)> = Vec::new();
    for some in ids.chunks(CHUNK_SIZE) {
        let text = format!(
            "SELECT id, name FROM people WHERE id IN ({})",
            db::placeholders(1, some.len())
        );
        let mut statement = sqlx::query_as(AssertSqlSafe(text));
        for id in some {
            statement = statement.bind(id);
        }
        names.extend(statement.fetch_all(&mut *connection).await?);
    }
    names.sort_by_cached_key(|(id, name)| (text::fold(name), id.clone()));
    Ok(names)
}

/// Finds an active account by its email address.
pub async fn by_email(connection: &mut AnyConnection, email: &str) -> Result<Option<Account>> {
    Ok(sqlx::query_as(
        "SELECT id, email, name, role, time_zone, working_hours, away_until, mail_off_at, created_at, deactivated_at
         FROM people WHERE email_key = $1 AND deactivated_at IS NULL",
    )
    .bind(text::email_key(email))
    .fetch_optional(connection)
    .await?)
}

/// Maps email addresses to the ids of their active accounts. The keys are the addresses in the form
/// that [`text::email_key`] returns.
pub async fn ids_by_email(
    connection: &mut AnyConnection,
    emails: &[String],
) -> Result<BTreeMap<String, String>> {
    const CHUNK_SIZE: usize = 500;
    let mut found = BTreeMap::new();
    for some in emails.chunks(CHUNK_SIZE) {
        let text = format!(
            "SELECT email_key, id FROM people WHERE deactivated_at IS NULL AND email_key IN ({})",
            db::placeholders(1, some.len())
        );
        // The text is safe to use as SQL: it contains placeholders but no input.
        let mut query = sqlx::query_as(AssertSqlSafe(text));
        for email in some {
            query = query.bind(text::email_key(email));
        }
        found.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(found)
}

/// Whether the email address belongs to a deactivated account.
pub async fn is_deactivated(connection: &mut AnyConnection, email: &str) -> Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM people WHERE email_key = $1 AND deactivated_at IS NOT NULL",
    )
    .bind(text::email_key(email))
    .fetch_one(connection)
    .await?;
    Ok(count > 0)
}
