//! Loads groups with their active members.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, FromRow};

use super::{Group, Member};
use crate::error::{Error, Result};

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    maker_id: String,
    maker_name: String,
    maker_email: String,
}

/// Returns all groups with their active members, both sorted by name.
pub async fn all(connection: &mut AnyConnection) -> Result<Vec<Group>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT g.id, g.name, p.id AS maker_id, p.name AS maker_name, p.email AS maker_email
         FROM groups g JOIN people p ON p.id = g.made_by
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
        "SELECT g.id, g.name, p.id AS maker_id, p.name AS maker_name, p.email AS maker_email
         FROM groups g JOIN people p ON p.id = g.made_by
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
