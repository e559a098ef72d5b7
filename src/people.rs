//! Accounts: who asks, signing in, and what an admin may change.

mod credentials;
pub mod groups;
mod guests;
mod invitations;
mod passwords;
mod profile;
mod system_account;

use std::collections::BTreeMap;

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

pub(crate) use credentials::hash;
pub use credentials::{
    Session, Token, create_token, end_session, end_session_by_secret, end_token, must_be_active,
    open_session, sessions, sign_in, sweep, tokens, viewer_by_grant, viewer_by_session,
    viewer_by_token,
};
pub use guests::{guest_name, guest_who_may_comment, named_guest_id};
pub use invitations::{
    CreatedInvitation, Invitation, accept, change_password, create_reset_link,
    invitation_by_secret, invitations, invite, reset_by_secret, reset_password, withdraw,
};
pub use passwords::PasswordHash;
pub use profile::{
    Profile, all_time_zones, edit, hours_or_default, parse_time_zone, work_schedules,
};
pub(crate) use system_account::is_system_role;
pub use system_account::{ensure_system_account, system_account};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db;
use crate::infra::db::Tx;
use crate::text;

/// What a person may do to others' accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May invite, change roles, deactivate.
    Admin,
    /// May all else.
    Member,
}

impl Role {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// Reads `admin` or `member`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "admin" => Some(Self::Admin),
            "member" => Some(Self::Member),
            _ => None,
        }
    }
}

/// By what right a person asks; a media address is signed for it and ends with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// A browser's session, by id.
    Session(String),
    /// A program's token, by id.
    Token(String),
}

/// Someone with an account who asks.
#[derive(Clone, Debug)]
pub struct Person {
    /// The id.
    pub id: String,
    /// The name they go by.
    pub name: String,
    /// The address they sign in with.
    pub email: String,
    /// What they may do to others' accounts.
    pub role: Role,
    /// IANA name.
    pub time_zone: String,
    /// By what right they ask.
    pub grant: Grant,
}

impl Person {
    /// Whether they may invite, change roles and deactivate.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// Forbidden for all but admins, with the reason.
    pub fn must_be_admin(&self) -> Result<()> {
        if self.is_admin() {
            Ok(())
        } else {
            Err(Error::Forbidden(
                "Only an admin can do this. Ask one of yours.".into(),
            ))
        }
    }
}

/// Someone known only through a share link.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The id they have, or will have once they said a name.
    pub id: String,
    /// What they are called; none until they first say something.
    pub name: Option<String>,
    /// The link they came through.
    pub link_id: String,
    /// The one update it opens.
    pub update_id: String,
    /// Whether it allows comments, reactions and acknowledgements.
    pub may_comment: bool,
    /// By the link itself in `Authorization`, not by a cookie.
    pub is_program: bool,
}

/// Who asks.
#[derive(Clone, Debug)]
pub enum Viewer {
    /// Nobody we know.
    Nobody,
    /// Someone with an account.
    Person(Person),
    /// Someone with one or more share links.
    Guest(Vec<Guest>),
}

impl Viewer {
    /// The person, or 401.
    pub fn person(&self) -> Result<&Person> {
        match self {
            Self::Person(person) => Ok(person),
            Self::Nobody | Self::Guest(_) => Err(Error::Unauthenticated),
        }
    }

    /// The guest of this very update.
    pub fn guest_of(&self, update_id: &str) -> Option<&Guest> {
        match self {
            // Of several links to one update the one that lets most be done counts.
            Self::Guest(guests) => guests
                .iter()
                .rev()
                .filter(|guest| guest.update_id == update_id)
                .max_by_key(|guest| guest.may_comment),
            Self::Nobody | Self::Person(_) => None,
        }
    }

    /// What to say about something that cannot be seen: sign in first, or nothing here.
    pub fn not_visible_error(&self) -> Error {
        match self {
            Self::Person(_) => Error::NotFound,
            Self::Guest(guests) if guests.iter().any(|guest| guest.is_program) => Error::NotFound,
            Self::Nobody | Self::Guest(_) => Error::Unauthenticated,
        }
    }
}

/// An account as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct Account {
    /// The id.
    pub id: String,
    /// The address they sign in with.
    pub email: String,
    /// The name they go by.
    pub name: String,
    /// `admin` or `member`.
    pub role: String,
    /// IANA name.
    pub time_zone: String,
    /// JSON as [`crate::working_hours::WorkingHours`] reads it; none is the usual hours.
    pub working_hours: Option<String>,
    /// Until when they are away, or were.
    pub away_until: Option<Millis>,
    /// Since when they want no mail.
    pub mail_off_at: Option<Millis>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was deactivated.
    pub deactivated_at: Option<Millis>,
}

/// Whether no account was ever made.
pub async fn no_accounts_yet(connection: &mut AnyConnection) -> Result<bool> {
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM (SELECT 1 AS one FROM people LIMIT 1) AS found")
            .fetch_one(connection)
            .await?;
    Ok(count == 0)
}

/// Takes a lock that only one transaction can have, before it is asked whether there is an account.
pub async fn lock_setup(tx: &mut Tx) -> Result<()> {
    sqlx::query("UPDATE event_counter SET n = n")
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A new account.
#[derive(Debug)]
pub struct NewAccount {
    /// The address to sign in with; checked by [`text::parse_email`].
    pub email: String,
    /// The name; checked by [`text::clean_line`].
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Hashed password; without one they need a reset link.
    pub password: Option<PasswordHash>,
    /// IANA name.
    pub time_zone: String,
}

/// Adds an account and answers its id; an address that has one already is a conflict of its field.
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
    .bind(new.role.as_str())
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
        Error::invalid("email", format!("{email} has an account already."))
    } else {
        error.into()
    }
}

/// Everyone, by name.
pub async fn all(connection: &mut AnyConnection) -> Result<Vec<Account>> {
    Ok(sqlx::query_as("SELECT id, email, name, role, time_zone, working_hours, away_until, mail_off_at, created_at, deactivated_at FROM people WHERE role <> 'house' ORDER BY name_key, id")
        .fetch_all(connection)
        .await?)
}

/// One account.
pub async fn by_id(connection: &mut AnyConnection, id: &str) -> Result<Account> {
    sqlx::query_as("SELECT id, email, name, role, time_zone, working_hours, away_until, mail_off_at, created_at, deactivated_at FROM people WHERE id = $1 AND role <> 'house'")
        .bind(id)
        .fetch_optional(connection)
        .await?
        .ok_or(Error::NotFound)
}

/// The ids and names of these people, by name.
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

/// An active account by its address.
pub async fn by_email(connection: &mut AnyConnection, email: &str) -> Result<Option<Account>> {
    Ok(sqlx::query_as(
        "SELECT id, email, name, role, time_zone, working_hours, away_until, mail_off_at, created_at, deactivated_at FROM people WHERE email_key = $1 AND deactivated_at IS NULL",
    )
    .bind(text::email_key(email))
    .fetch_optional(connection)
    .await?)
}

/// The ids of the active accounts among these addresses, by [`text::email_key`].
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
        // The text is made of numbers alone.
        let mut query = sqlx::query_as(AssertSqlSafe(text));
        for email in some {
            query = query.bind(text::email_key(email));
        }
        found.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(found)
}

/// Whether the address belongs to an account that was deactivated.
pub async fn is_deactivated(connection: &mut AnyConnection, email: &str) -> Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM people WHERE email_key = $1 AND deactivated_at IS NOT NULL",
    )
    .bind(text::email_key(email))
    .fetch_one(connection)
    .await?;
    Ok(count > 0)
}

/// What an admin changes about an account; what is absent stays.
#[derive(Debug, Default)]
pub struct Change {
    /// A new role.
    pub role: Option<Role>,
    /// Deactivated or active again.
    pub active: Option<bool>,
}

/// Changes a role or deactivates. The last active admin stays one. Deactivation ends sessions and tokens.
pub async fn change(tx: &mut Tx, clock: &Clock, id: &str, change: &Change) -> Result<()> {
    // Takes the lock on all admins first, so that two of them cannot remove each other at once.
    sqlx::query("UPDATE people SET role = role WHERE role = 'admin' AND deactivated_at IS NULL")
        .execute(&mut **tx)
        .await?;
    let account = by_id(tx, id).await?;
    let role = change
        .role
        .map_or_else(|| account.role.clone(), |role| role.as_str().to_owned());
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
    }
    Ok(())
}
