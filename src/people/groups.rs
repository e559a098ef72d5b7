//! Groups: named sets of people that can be addressed as one. Groups cannot contain other groups.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, FromRow};

use super::Person;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::infra::db;
use crate::infra::db::Tx;
use crate::text;

/// Maximum length of a group's name, in characters.
const MAX_NAME: usize = 40;
/// Maximum number of members in a group.
const MAX_MEMBERS: usize = 3000;
/// Maximum number of groups. It is limited because one page lists all groups.
const MAX_GROUPS: i64 = 500;
/// Maximum number of email addresses in one query. It stays below the maximum number of parameters:
/// 32,766 in SQLite and 65,535 in PostgreSQL.
const CHUNK_SIZE: usize = 1000;

/// A group with its active members.
#[derive(Clone, Debug)]
pub struct Group {
    /// Id of the group.
    pub id: String,
    /// Name of the group, without the `@`.
    pub name: String,
    /// Person who created the group.
    pub made_by: Member,
    /// Active members, sorted by name.
    pub members: Vec<Member>,
}

impl Group {
    /// Whether this person may change the group. The group's creator and admins may.
    pub fn may_be_changed_by(&self, person: &Person) -> bool {
        person.is_admin() || person.id == self.made_by.id
    }
}

/// A member or the creator of a group.
#[derive(Clone, Debug)]
pub struct Member {
    /// Id of the person.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Email address, used to fill in the form.
    pub email: String,
}

/// Changes to a group. `None` leaves a value unchanged.
#[derive(Debug, Default)]
pub struct Change {
    /// New name, already checked by [`parse_name`].
    pub name: Option<String>,
    /// Ids of all members after the change, as returned by [`resolve_members`].
    pub members: Option<Vec<String>>,
}

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    maker_id: String,
    maker_name: String,
    maker_email: String,
}

/// Parses a group name: 1 to 40 characters, each of them a–z, 0–9 or a hyphen. Removes a leading
/// `@`.
pub fn parse_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let name = name.strip_prefix('@').unwrap_or(name);
    if name == "everyone" {
        return Err(
            "is reserved, because “everyone” stands for all accounts. Choose another name, such as all-engineers.".into(),
        );
    }
    if name.is_empty() {
        return Err("is empty. Use a name such as design-team.".into());
    }
    if !name
        .bytes()
        .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-')
    {
        return Err(
            "can contain only lower-case letters a–z, digits and hyphens. Use, for example, design-team."
                .into(),
        );
    }
    if name.len() > MAX_NAME {
        return Err(format!(
            "is {} characters long; the maximum is {MAX_NAME}. Shorten it.",
            name.len()
        ));
    }
    Ok(name.to_owned())
}

/// Resolves the email addresses of members to the ids of these people, without duplicates. The
/// error lists the addresses that cannot be members and says why.
pub async fn resolve_members(
    connection: &mut AnyConnection,
    given: &[String],
) -> Result<Vec<String>> {
    let wrong = |text: String| Err(Error::invalid("members", text));
    if let Some(group) = given
        .iter()
        .find(|name| name.starts_with('@') || *name == "everyone")
    {
        return wrong(format!(
            "can contain only people, not {group}. Use the email addresses of the people."
        ));
    }
    let mut addresses = BTreeMap::new();
    for email in given {
        let email = text::parse_email(email).map_err(|wrong| Error::invalid("members", wrong))?;
        addresses.entry(text::email_key(&email)).or_insert(email);
    }
    if addresses.len() > MAX_MEMBERS {
        return wrong(format!(
            "has {} people; a group can have at most {MAX_MEMBERS}. Create several groups.",
            addresses.len()
        ));
    }
    let mut found = BTreeMap::new();
    let keys: Vec<&String> = addresses.keys().collect();
    for some in keys.chunks(CHUNK_SIZE) {
        let text = format!(
            "SELECT email_key, id, deactivated_at FROM people WHERE email_key IN ({})",
            db::placeholders(1, some.len())
        );
        // The text is safe to use as SQL: it contains placeholders but no input.
        let mut query =
            sqlx::query_as::<_, (String, String, Option<i64>)>(sqlx::AssertSqlSafe(text));
        for key in some {
            query = query.bind(key.as_str());
        }
        found.extend(
            query
                .fetch_all(&mut *connection)
                .await?
                .into_iter()
                .map(|(key, id, gone)| (key, (id, gone))),
        );
    }
    let listed = |fits: &dyn Fn(&str) -> bool| -> Vec<&str> {
        addresses
            .iter()
            .filter(|(key, _)| fits(key))
            .map(|(_, email)| email.as_str())
            .collect()
    };
    let strangers = listed(&|key| !found.contains_key(key));
    if !strangers.is_empty() {
        let have = if strangers.len() == 1 {
            "has no account"
        } else {
            "have no account"
        };
        return wrong(format!(
            "{} {have}. Ask an admin to invite them, and add them to the group once they have joined.",
            strangers.join(", ")
        ));
    }
    let gone = listed(&|key| found.get(key).is_some_and(|(_, gone)| gone.is_some()));
    if !gone.is_empty() {
        let are = if gone.len() == 1 {
            "is deactivated"
        } else {
            "are deactivated"
        };
        return wrong(format!(
            "{} {are}. Leave out deactivated accounts, or ask an admin to reactivate them.",
            gone.join(", ")
        ));
    }
    Ok(found.into_values().map(|(id, _)| id).collect())
}

/// Returns all groups with their active members, both sorted by name.
pub async fn all(connection: &mut AnyConnection) -> Result<Vec<Group>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT g.id, g.name, p.id AS maker_id, p.name AS maker_name, p.email AS maker_email FROM groups g JOIN people p ON p.id = g.made_by
         ORDER BY g.name",
    )
    .fetch_all(&mut *connection)
    .await?;
    let members: Vec<(String, String, String, String)> = sqlx::query_as(
        "SELECT m.group_id, p.id, p.name, p.email FROM group_members m JOIN people p ON p.id = m.person_id
         WHERE p.deactivated_at IS NULL ORDER BY p.name_key, p.id",
    )
    .fetch_all(connection)
    .await?;
    let mut of: BTreeMap<String, Vec<Member>> = BTreeMap::new();
    for (group, id, name, email) in members {
        of.entry(group)
            .or_default()
            .push(Member { id, name, email });
    }
    Ok(rows.into_iter().map(|row| from_row(row, &mut of)).collect())
}

fn from_row(row: Row, members: &mut BTreeMap<String, Vec<Member>>) -> Group {
    let made_by = Member {
        id: row.maker_id,
        name: row.maker_name,
        email: row.maker_email,
    };
    Group {
        members: members.remove(&row.id).unwrap_or_default(),
        id: row.id,
        name: row.name,
        made_by,
    }
}

/// Finds a group by id.
pub async fn by_id(connection: &mut AnyConnection, id: &str) -> Result<Group> {
    let row: Row = sqlx::query_as(
        "SELECT g.id, g.name, p.id AS maker_id, p.name AS maker_name, p.email AS maker_email FROM groups g JOIN people p ON p.id = g.made_by
         WHERE g.id = $1",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?
    .ok_or(Error::NotFound)?;
    let members: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT p.id, p.name, p.email FROM group_members m JOIN people p ON p.id = m.person_id
         WHERE m.group_id = $1 AND p.deactivated_at IS NULL ORDER BY p.name_key, p.id",
    )
    .bind(id)
    .fetch_all(connection)
    .await?;
    let members = members
        .into_iter()
        .map(|(id, name, email)| Member { id, name, email })
        .collect();
    Ok(from_row(
        row,
        &mut BTreeMap::from([(id.to_owned(), members)]),
    ))
}

/// Finds the id of the group with this name, given without the `@`.
pub async fn by_name(connection: &mut AnyConnection, name: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT id FROM groups WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?)
}

/// Returns the ids and names of all groups.
pub async fn names(connection: &mut AnyConnection) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as("SELECT id, name FROM groups")
        .fetch_all(connection)
        .await?)
}

/// Returns the ids of a group's active members.
pub async fn members(connection: &mut AnyConnection, id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT m.person_id FROM group_members m JOIN people p ON p.id = m.person_id WHERE m.group_id = $1 AND p.deactivated_at IS NULL
         ORDER BY m.person_id",
    )
    .bind(id)
    .fetch_all(connection)
    .await?)
}

/// Creates a group and returns its id.
pub async fn create(
    tx: &mut Tx,
    clock: &Clock,
    by: &Person,
    name: &str,
    members: &[String],
) -> Result<String> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM groups")
        .fetch_one(&mut **tx)
        .await?;
    if count >= MAX_GROUPS {
        return Err(Error::invalid(
            "name",
            format!(
                "is not accepted: there are already {count} groups, which is the maximum. Delete an unused group first."
            ),
        ));
    }
    let id = clock.id();
    sqlx::query("INSERT INTO groups (id, name, made_by, created_at) VALUES ($1, $2, $3, $4)")
        .bind(&id)
        .bind(name)
        .bind(&by.id)
        .bind(clock.now())
        .execute(&mut **tx)
        .await
        .map_err(|error| name_taken_or(error, name))?;
    set_members(tx, &id, members).await?;
    Ok(id)
}

/// Changes a group's name or members, and returns the ids of the people who joined. Only the
/// group's creator and admins may change the group.
pub async fn change(tx: &mut Tx, by: &Person, id: &str, change: &Change) -> Result<Vec<String>> {
    // Lock the row first, so that simultaneous changes do not overwrite each other.
    sqlx::query("UPDATE groups SET name = name WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    check_may_change(&by_id(tx, id).await?, by)?;
    if let Some(name) = &change.name {
        sqlx::query("UPDATE groups SET name = $1 WHERE id = $2")
            .bind(name)
            .bind(id)
            .execute(&mut **tx)
            .await
            .map_err(|error| name_taken_or(error, name))?;
    }
    let Some(members) = &change.members else {
        return Ok(Vec::new());
    };
    let before: BTreeSet<String> =
        sqlx::query_scalar("SELECT person_id FROM group_members WHERE group_id = $1")
            .bind(id)
            .fetch_all(&mut **tx)
            .await?
            .into_iter()
            .collect();
    sqlx::query("DELETE FROM group_members WHERE group_id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    set_members(tx, id, members).await?;
    Ok(members
        .iter()
        .filter(|member| !before.contains(*member))
        .cloned()
        .collect())
}

/// Removes a person from a group. Does nothing if the person is not a member. The group's creator,
/// admins and the removed person may do so.
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
    Ok(())
}

/// Deletes a group. Does nothing if the group no longer exists. Only the group's creator and admins
/// may delete it.
pub async fn remove(tx: &mut Tx, by: &Person, id: &str) -> Result<()> {
    match by_id(tx, id).await {
        Ok(group) => check_may_change(&group, by)?,
        Err(Error::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    }
    sqlx::query("DELETE FROM groups WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

fn check_may_change(group: &Group, person: &Person) -> Result<()> {
    if group.may_be_changed_by(person) {
        Ok(())
    } else {
        Err(Error::Forbidden(format!(
            "Only {}, who created this group, or an admin can change it.",
            group.made_by.name
        )))
    }
}

async fn set_members(tx: &mut Tx, id: &str, members: &[String]) -> Result<()> {
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

fn name_taken_or(error: sqlx::Error, name: &str) -> Error {
    if db::is_unique_violation(&error) {
        Error::invalid(
            "name",
            format!("is taken: a group called @{name} already exists. Choose another name."),
        )
    } else {
        error.into()
    }
}
