//! Settings of the workspace: its rules, its contact person and the default due time.

use sqlx::{AnyConnection, FromRow};

use crate::error::{Error, FieldError, Result};
use crate::infra::db::Tx;
use crate::people::{self, Person};
use crate::text;
use crate::working_hours::{Due, MAX_DUE_DAYS};

/// Maximum length of the rules, in characters.
pub const MAX_RULES: usize = 20_000;

/// Settings of the workspace. Each setting is empty until an admin sets it.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// Rules in Markdown; empty if there are none.
    pub rules: String,
    /// Contact person; `None` if there is none or the account was deactivated.
    pub contact: Option<Contact>,
    /// Default number of working days until an answer is due, for updates without their own due
    /// time.
    pub due_days: Option<i64>,
}

/// Contact person of the workspace.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Id of the person.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Email address of the person.
    pub email: String,
}

/// Changes to the settings. `None` leaves a value unchanged, and `Some(None)` clears it.
#[derive(Debug, Default)]
pub struct Change {
    /// New rules in Markdown.
    pub rules: Option<Option<String>>,
    /// Email address or id of the new contact person.
    pub contact: Option<Option<String>>,
    /// New default number of working days until an answer is due, already checked by
    /// [`check_due_days`].
    pub due_days: Option<Option<i64>>,
}

#[derive(FromRow)]
struct Row {
    name: String,
    value: String,
    person_name: Option<String>,
    person_email: Option<String>,
}

/// Loads all settings in one query.
pub async fn load(connection: &mut AnyConnection) -> Result<Workspace> {
    from_rows(
        sqlx::query_as(
            "SELECT s.name, s.value, p.name AS person_name, p.email AS person_email FROM settings s
             LEFT JOIN people p ON s.name = 'contact' AND p.id = s.value AND p.deactivated_at IS NULL
             WHERE s.name IN ('rules', 'contact', 'due_days')",
        )
        .fetch_all(connection)
        .await?,
    )
}

/// Loads the settings that the page layout needs. Does not load the text of the rules. If there are
/// rules, `rules` contains a placeholder; otherwise it is empty.
pub async fn load_summary(connection: &mut AnyConnection) -> Result<Workspace> {
    from_rows(
        sqlx::query_as(
            "SELECT s.name, CASE WHEN s.name = 'rules' THEN '+' ELSE s.value END AS value, p.name AS person_name,
             p.email AS person_email
             FROM settings s LEFT JOIN people p ON s.name = 'contact' AND p.id = s.value AND p.deactivated_at IS NULL
             WHERE s.name IN ('rules', 'contact', 'due_days')",
        )
        .fetch_all(connection)
        .await?,
    )
}

fn from_rows(rows: Vec<Row>) -> Result<Workspace> {
    let mut workspace = Workspace::default();
    for row in rows {
        match (row.name.as_str(), row.person_name, row.person_email) {
            ("rules", ..) => workspace.rules = row.value,
            ("contact", Some(name), Some(email)) => {
                workspace.contact = Some(Contact {
                    id: row.value,
                    name,
                    email,
                })
            }
            ("due_days", ..) => workspace.due_days = row.value.parse().ok(),
            _ => {}
        }
    }
    Ok(workspace)
}

/// Returns the due time of updates that ask for an answer and whose author does not set a due time.
pub async fn default_due(connection: &mut AnyConnection) -> Result<Option<Due>> {
    Ok(load_summary(connection).await?.due_days.map(Due::Days))
}

/// Checks that a number of working days is between 1 and [`MAX_DUE_DAYS`].
pub fn check_due_days(n: i64) -> Result<i64, String> {
    if (1..=MAX_DUE_DAYS).contains(&n) {
        Ok(n)
    } else {
        Err(format!(
            "is {n} working days. Must be from 1 to {MAX_DUE_DAYS}."
        ))
    }
}

/// Changes the settings. Fails unless `by` is an admin.
pub async fn change(tx: &mut Tx, by: &Person, change: &Change) -> Result<()> {
    by.must_be_admin()?;
    if let Some(rules) = &change.rules {
        set_setting(tx, "rules", rules.as_deref()).await?;
    }
    if let Some(contact) = &change.contact {
        let id = match contact {
            Some(named) => Some(find_contact(tx, named).await?),
            None => None,
        };
        set_setting(tx, "contact", id.as_deref()).await?;
    }
    if let Some(days) = change.due_days {
        set_setting(tx, "due_days", days.map(|days| days.to_string()).as_deref()).await?;
    }
    Ok(())
}

/// Finds an active account by its id or email address (`named`) and returns its id.
async fn find_contact(tx: &mut Tx, named: &str) -> Result<String> {
    fn wrong(message: impl Into<FieldError>) -> Error {
        Error::invalid("contact", message)
    }
    if !named.contains('@') {
        return match people::by_id(tx, named).await {
            Ok(account) if account.deactivated_at.is_none() => Ok(account.id),
            Ok(account) => Err(wrong(format!(
                "is {}, whose account is deactivated. Choose someone with an active account.",
                account.name
            ))),
            Err(Error::NotFound) => Err(wrong(format!(
                "is {named:?}, which matches no account. Use the id or the e-mail address of an account."
            ))),
            Err(error) => Err(error),
        };
    }
    let email = text::parse_email(named).map_err(wrong)?;
    match people::by_email(tx, &email).await? {
        Some(account) => Ok(account.id),
        None => Err(wrong(format!(
            "is {email}, which has no active account. Choose someone with an active account."
        ))),
    }
}

async fn set_setting(tx: &mut Tx, name: &str, value: Option<&str>) -> Result<()> {
    match value {
        Some(value) => {
            sqlx::query(
                "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE
                 SET value = excluded.value",
            )
            .bind(name)
            .bind(value)
            .execute(&mut **tx)
            .await?
        }
        None => {
            sqlx::query("DELETE FROM settings WHERE name = $1")
                .bind(name)
                .execute(&mut **tx)
                .await?
        }
    };
    Ok(())
}
