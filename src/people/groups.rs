//! Groups: named sets of people. An update can be sent to a group instead of to each of its members. Groups cannot
//! contain other groups.

mod load;
mod members;
mod names;

use std::collections::BTreeSet;

pub use load::{all, by_id, by_name, names};
use members::set_members;
pub use members::{members, remove_member, resolve_members};
use names::name_taken_or;
pub use names::parse_name;

use super::Person;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events;
use crate::infra::db::Tx;

/// Maximum number of groups. The number is limited because one page lists all groups.
const MAX_GROUPS: i64 = 500;

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
    /// Whether this person may change the group. Only admins and the creator of the group may change it.
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
    /// Email address. The form for editing the group shows it.
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

/// Changes a group's name or members, and returns the ids of the people who joined. Only admins and the creator of the
/// group may change it.
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
    for left in before.iter().filter(|before| !members.contains(before)) {
        events::rights_changed(tx, left);
    }
    Ok(members
        .iter()
        .filter(|member| !before.contains(*member))
        .cloned()
        .collect())
}

/// Deletes a group. Does nothing if the group no longer exists. Only admins and the creator of the group may delete it.
pub async fn remove(tx: &mut Tx, by: &Person, id: &str) -> Result<()> {
    match by_id(tx, id).await {
        Ok(group) => check_may_change(&group, by)?,
        Err(Error::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    }
    for member in members(tx, id).await? {
        events::rights_changed(tx, &member);
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
