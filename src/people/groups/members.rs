//! Members of groups: who can be a member, and how many members a group can have.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, FromRow};

use super::{by_id, check_may_change};
use crate::error::{Error, FieldError, Result};
use crate::events;
use crate::infra::db::{self, Tx};
use crate::people::Person;
use crate::text;

/// Maximum number of members in a group.
const MAX_MEMBERS: usize = 3000;

/// Maximum number of email addresses in one query. Each address is a parameter of the query, and a
/// query can have at most 32,766 parameters in SQLite and 65,535 in PostgreSQL.
const CHUNK_SIZE: usize = 1000;

/// Returns the ids of the people with these email addresses, without duplicates. If some of these people cannot be
/// members, the error lists their addresses and says why.
pub async fn resolve_members(
    connection: &mut AnyConnection,
    given: &[String],
) -> Result<Vec<String>> {
    let addresses = parse_addresses(given)?;
    let accounts = find_accounts(connection, &addresses).await?;
    let listed = |fits: &dyn Fn(Option<&Account>) -> bool| -> Vec<&str> {
        addresses
            .iter()
            .filter(|(key, _)| fits(accounts.get(*key)))
            .map(|(_, email)| email.as_str())
            .collect()
    };
    let strangers = listed(&|account| account.is_none());
    if !strangers.is_empty() {
        let have = text::plural_form(strangers.len(), "has no account", "have no account");
        return Err(invalid(FieldError::sentence(format!(
            "{} {have}. Ask an admin to invite them. Once they have joined, add them to the group.",
            text::join_list(&strangers, "and")
        ))));
    }
    let gone = listed(&|account| account.is_some_and(|account| account.deactivated_at.is_some()));
    if !gone.is_empty() {
        let noun = text::plural_form(gone.len(), "account", "accounts");
        let are = text::plural_form(gone.len(), "is", "are");
        return Err(invalid(FieldError::sentence(format!(
            "The {noun} {} {are} deactivated. Leave out deactivated accounts, or ask an admin to \
             reactivate them.",
            text::join_list(&gone, "and")
        ))));
    }
    Ok(accounts.into_values().map(|account| account.id).collect())
}

fn invalid(message: impl Into<FieldError>) -> Error {
    Error::invalid("members", message)
}

/// Parses the email addresses of people, and returns them by their [`text::email_key`]. Rejects
/// names of groups.
fn parse_addresses(given: &[String]) -> Result<BTreeMap<String, String>> {
    if let Some(group) = given
        .iter()
        .find(|name| name.starts_with('@') || *name == "everyone")
    {
        return Err(invalid(format!(
            "can contain only people, not {group}. Use the e-mail addresses of the people."
        )));
    }
    let mut addresses = BTreeMap::new();
    for email in given {
        let email = text::parse_email(email).map_err(invalid)?;
        addresses.entry(text::email_key(&email)).or_insert(email);
    }
    if addresses.len() > MAX_MEMBERS {
        return Err(invalid(format!(
            "has {} people; a group can have at most {MAX_MEMBERS}. Create several groups.",
            addresses.len()
        )));
    }
    Ok(addresses)
}

#[derive(FromRow)]
struct Account {
    email_key: String,
    id: String,
    deactivated_at: Option<i64>,
}

/// Finds the accounts with these addresses, and returns them by the [`text::email_key`] of their
/// address.
async fn find_accounts(
    connection: &mut AnyConnection,
    addresses: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Account>> {
    let mut found = BTreeMap::new();
    let keys: Vec<&String> = addresses.keys().collect();
    for some in keys.chunks(CHUNK_SIZE) {
        let text = format!(
            "SELECT email_key, id, deactivated_at FROM people WHERE email_key IN ({})",
            db::placeholders(1, some.len())
        );
        // The text is safe to use as SQL: it contains placeholders but no input.
        let mut query = sqlx::query_as::<_, Account>(sqlx::AssertSqlSafe(text));
        for key in some {
            query = query.bind(key.as_str());
        }
        for account in query.fetch_all(&mut *connection).await? {
            found.insert(account.email_key.clone(), account);
        }
    }
    Ok(found)
}

/// Returns the ids of a group's active members.
pub async fn members(connection: &mut AnyConnection, id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT m.person_id FROM group_members m JOIN people p ON p.id = m.person_id
         WHERE m.group_id = $1 AND p.deactivated_at IS NULL ORDER BY m.person_id",
    )
    .bind(id)
    .fetch_all(connection)
    .await?)
}

/// Removes a person from a group. Does nothing if the person is not a member. Admins and the creator of the group may
/// remove anyone; members may remove themselves.
pub async fn remove_member(tx: &mut Tx, by: &Person, id: &str, person_id: &str) -> Result<()> {
    let group = by_id(tx, id).await?;
    if by.id != person_id {
        check_may_change(&group, by)?;
    }
    sqlx::query("DELETE FROM group_members WHERE group_id = $1 AND person_id = $2")
        .bind(id)
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
    events::rights_changed(tx, person_id);
    Ok(())
}

/// Sets the members of a group that has none.
pub(super) async fn set_members(tx: &mut Tx, id: &str, members: &[String]) -> Result<()> {
    let members: BTreeSet<&String> = members.iter().collect();
    for some in members.into_iter().collect::<Vec<_>>().chunks(CHUNK_SIZE) {
        let text = format!(
            "INSERT INTO group_members (group_id, person_id) SELECT $1, id FROM people WHERE id IN ({})",
            db::placeholders(2, some.len())
        );
        // The text is safe to use as SQL: it contains placeholders but no input.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(id);
        for member in some {
            query = query.bind(member.as_str());
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}
