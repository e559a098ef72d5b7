//! How a workspace works: its own rules, whom to ask, and by when answers are due unless something else is said.

use sqlx::{AnyConnection, FromRow};

use crate::error::{Error, Result};
use crate::infra::db::Tx;
use crate::people::{self, Person};
use crate::text;
use crate::working_hours::MAX_DUE_DAYS;

/// Characters of the rules.
pub const MAX_RULES: usize = 20_000;

/// What is kept of it. Each is absent until an admin says it.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// Markdown; empty when nothing is written down.
    pub rules: String,
    /// Whom to ask; none also when they were deactivated.
    pub contact: Option<Contact>,
    /// So many working days an answer may take, unless an update says otherwise.
    pub due_days: Option<i64>,
}

/// Whom to ask.
#[derive(Clone, Debug)]
pub struct Contact {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

/// What is changed; what is absent stays, and an inner none clears.
#[derive(Debug, Default)]
pub struct Change {
    /// New rules, Markdown.
    pub rules: Option<Option<String>>,
    /// An e-mail address, or the id of a person.
    pub contact: Option<Option<String>>,
    /// Working days, as [`check_due_days`] checks them.
    pub due_days: Option<Option<i64>>,
}

#[derive(FromRow)]
struct Row {
    name: String,
    value: String,
    person_name: Option<String>,
    person_email: Option<String>,
}

/// How the workspace works, in one question to the database.
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

/// The same for what stands around every page: of the rules no more than whether there are any.
pub async fn load_summary(connection: &mut AnyConnection) -> Result<Workspace> {
    from_rows(
        sqlx::query_as(
            "SELECT s.name, CASE WHEN s.name = 'rules' THEN '+' ELSE s.value END AS value, p.name AS person_name, p.email AS person_email
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

/// So many working days can something be due in.
pub fn check_due_days(n: i64) -> Result<i64, String> {
    if (1..=MAX_DUE_DAYS).contains(&n) {
        Ok(n)
    } else {
        Err(format!(
            "is {n} working days. Right would be 1 to {MAX_DUE_DAYS}."
        ))
    }
}

/// Changes how the workspace works. Admins may.
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

/// The id of an active account, by id or address.
async fn find_contact(tx: &mut Tx, named: &str) -> Result<String> {
    let wrong = |text: String| Error::invalid("contact", text);
    if !named.contains('@') {
        return match people::by_id(tx, named).await {
            Ok(account) if account.deactivated_at.is_none() => Ok(account.id),
            Ok(account) => Err(wrong(format!(
                "is {}, who is deactivated. Choose someone who is here.",
                account.name
            ))),
            Err(Error::NotFound) => Err(wrong(format!(
                "is {named:?}, which is nobody. Right would be an e-mail address of an account."
            ))),
            Err(error) => Err(error),
        };
    }
    let email = text::parse_email(named).map_err(wrong)?;
    match people::by_email(tx, &email).await? {
        Some(account) => Ok(account.id),
        None => Err(wrong(format!(
            "is {email}, which has no account here. Choose someone who has."
        ))),
    }
}

async fn set_setting(tx: &mut Tx, name: &str, value: Option<&str>) -> Result<()> {
    match value {
        Some(value) => {
            sqlx::query("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
                .bind(name)
                .bind(value)
                .execute(&mut **tx)
                .await?
        }
        None => sqlx::query("DELETE FROM settings WHERE name = $1").bind(name).execute(&mut **tx).await?,
    };
    Ok(())
}
