//! Accounts and viewers.

mod credentials;
mod expiry_sweep;
pub mod groups;
mod guests;
mod invitations;
mod media_url_credentials;
mod names;
mod passwords;
mod profile;
mod roles_and_deactivation;
mod sessions;
mod sign_in;
mod system_account;
mod tokens;

use std::collections::BTreeMap;

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

pub(crate) use credentials::hash;
pub use credentials::must_be_active;
pub use expiry_sweep::sweep;
pub use guests::{guest_name, guest_who_may_comment, named_guest_id};
pub use invitations::{
    CreatedInvitation, Invitation, accept, change_password, create_reset_link,
    invitation_by_secret, invitations, invite, reset_by_secret, reset_password, withdraw,
};
pub use media_url_credentials::viewer_by_grant;
pub use names::names_by_id;
pub use passwords::PasswordHash;
pub use profile::{
    Profile, all_time_zones, edit, hours_or_default, parse_time_zone, work_schedules,
};
pub use roles_and_deactivation::{Change, change};
pub use sessions::{
    Session, end_session, end_session_by_secret, open_session, sessions, viewer_by_session,
};
pub use sign_in::sign_in;
pub use system_account::{ensure_system_account, system_account};
pub use tokens::{Token, create_token, end_token, tokens, viewer_by_token};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db;
use crate::infra::db::{FetchKnown, Tx, text_enum};
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

/// The credential that authenticated a request. Media URLs are signed for this credential, so they
/// stop working when the credential is revoked or expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Browser session, with its id.
    Session(String),
    /// API token, with its id.
    Token(String),
}

/// A signed-in person.
#[derive(Clone, Debug)]
pub struct Person {
    /// Id of the account.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Email address for signing in.
    pub email: String,
    /// Role of the account.
    pub role: Role,
    /// IANA time zone name.
    pub time_zone: String,
    /// Credential that authenticated the current request.
    pub grant: Grant,
}

impl Person {
    /// Whether the person is an admin.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// Fails with [`Error::Forbidden`] unless the person is an admin.
    pub fn must_be_admin(&self) -> Result<()> {
        if self.is_admin() {
            Ok(())
        } else {
            Err(Error::Forbidden(
                "Only an admin can do this. Ask one of your admins.".into(),
            ))
        }
    }
}

/// A visitor who is known only through a share link.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Id of the guest. It is not stored until the guest has given a name.
    pub id: String,
    /// Name of the guest. `None` until the guest first comments or answers.
    pub name: Option<String>,
    /// Id of the share link through which the guest opened the update.
    pub link_id: String,
    /// Id of the one update that the link opens.
    pub update_id: String,
    /// Whether the link allows comments, reactions and acknowledgements.
    pub may_comment: bool,
    /// Whether the client sends the link's secret in the `Authorization` header, as programs do,
    /// instead of a cookie.
    pub is_program: bool,
}

/// The person, guest or visitor who sent a request. All access checks use this type.
#[derive(Clone, Debug)]
pub enum Viewer {
    /// A visitor who is not signed in and has no share link.
    Nobody,
    /// A signed-in person.
    Person(Person),
    /// A guest who has opened one or more share links. Each link has its own [`Guest`].
    Guest(Vec<Guest>),
}

impl Viewer {
    /// Returns the person, or fails with [`Error::Unauthenticated`].
    pub fn person(&self) -> Result<&Person> {
        match self {
            Self::Person(person) => Ok(person),
            Self::Nobody | Self::Guest(_) => Err(Error::Unauthenticated),
        }
    }

    /// Returns the viewer's guest identity for this update. Returns `None` if the viewer has not opened a share link to
    /// the update.
    pub fn guest_of(&self, update_id: &str) -> Option<&Guest> {
        match self {
            // If several links open the same update, prefer a link that allows comments.
            Self::Guest(guests) => guests
                .iter()
                .rev()
                .filter(|guest| guest.update_id == update_id)
                .max_by_key(|guest| guest.may_comment),
            Self::Nobody | Self::Person(_) => None,
        }
    }

    /// Returns the error for a resource that the viewer cannot see. Signed-in people and programs
    /// get `NotFound`. Everyone else gets `Unauthenticated`, because they may be able to see the
    /// resource after signing in.
    pub fn not_visible_error(&self) -> Error {
        match self {
            Self::Person(_) => Error::NotFound,
            Self::Guest(guests) if guests.iter().any(|guest| guest.is_program) => Error::NotFound,
            Self::Nobody | Self::Guest(_) => Error::Unauthenticated,
        }
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
        Error::invalid("email", format!("{email} already has an account."))
    } else {
        error.into()
    }
}

/// Returns all accounts, sorted by name, including deactivated ones.
pub async fn all(connection: &mut AnyConnection) -> Result<Vec<Account>> {
    sqlx::query_as(
        "SELECT id, email, name, role, time_zone, working_hours, away_until, mail_off_at, created_at, deactivated_at
         FROM people WHERE role <> 'house' ORDER BY name_key, id")
        .fetch_known(connection)
        .await
}

/// Finds an account by id, including a deactivated one.
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
