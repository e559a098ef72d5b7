//! The audience of an update. Email addresses and group handles are resolved to people and groups.
//! At publication, these people and the members of these groups become recipients.

mod addresses;
mod recipients;

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

pub use addresses::{admin_names, invite_and_ask, resolve_addresses, unknown_addresses};
pub(super) use recipients::add_recipients;
pub use recipients::{add_invited_recipient, add_recipient};

use crate::clock::Clock;
use crate::error::Result;
use crate::infra::db;
use crate::infra::db::Tx;

/// The people, invitations and groups that a list of addresses stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResolvedAudience {
    /// Ids of people.
    pub people: Vec<String>,
    /// Ids of pending invitations. A person who accepts an invitation becomes a recipient.
    pub invitations: Vec<String>,
    /// Ids of groups.
    pub groups: Vec<String>,
    /// Whether the audience includes everyone with an account.
    pub everyone: bool,
}

/// A person in an audience.
#[derive(Clone, Debug, FromRow)]
pub struct NamedPerson {
    /// Id of the person.
    pub id: String,
    /// Name of the person.
    pub name: String,
    /// Email address. The form for editing the update shows it.
    pub email: String,
}

/// Maximum number of people in one SQL statement.
const CHUNK_SIZE: usize = 500;

/// Replaces the stored audience of an update.
pub(super) async fn save_audience(
    tx: &mut Tx,
    clock: &Clock,
    id: &str,
    resolved: &ResolvedAudience,
) -> Result<()> {
    sqlx::query(
        "UPDATE updates SET everyone_at = CASE WHEN $1 = 0 THEN NULL ELSE coalesce(everyone_at, $2) END WHERE id = $3")
        .bind(i64::from(resolved.everyone))
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM audience WHERE update_id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    for some in resolved.people.chunks(CHUNK_SIZE) {
        let text = format!(
            "INSERT INTO audience (update_id, person_id) SELECT $1, id FROM people WHERE id IN ({})",
            db::placeholders(2, some.len())
        );
        let mut statement = sqlx::query(AssertSqlSafe(text)).bind(id);
        for person in some {
            statement = statement.bind(person);
        }
        statement.execute(&mut **tx).await?;
    }
    sqlx::query("DELETE FROM group_audience WHERE update_id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    for group in &resolved.groups {
        sqlx::query("INSERT INTO group_audience (update_id, group_id) VALUES ($1, $2)")
            .bind(id)
            .bind(group)
            .execute(&mut **tx)
            .await?;
    }
    sqlx::query("DELETE FROM invited_audience WHERE update_id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    for invitation in &resolved.invitations {
        sqlx::query("INSERT INTO invited_audience (update_id, invitation_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(invitation)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Lists the people whom the author added to the audience, sorted by name.
pub async fn audience(connection: &mut AnyConnection, id: &str) -> Result<Vec<NamedPerson>> {
    Ok(sqlx::query_as(
        "SELECT p.id, p.name, p.email FROM audience a JOIN people p ON p.id = a.person_id WHERE a.update_id = $1
         ORDER BY p.name_key, p.id",
    )
    .bind(id)
    .fetch_all(connection)
    .await?)
}

/// Lists the email addresses of the pending invitations in the audience.
pub async fn pending_invitees(
    connection: &mut AnyConnection,
    clock: &Clock,
    id: &str,
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT i.email FROM invited_audience a JOIN invitations i ON i.id = a.invitation_id
         WHERE a.update_id = $1 AND i.expires_at > $2 ORDER BY i.email_key",
    )
    .bind(id)
    .bind(clock.now())
    .fetch_all(connection)
    .await?)
}

/// Lists the ids and names of the groups that the author added to the audience.
pub async fn audience_groups(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as(
        "SELECT g.id, g.name FROM group_audience a JOIN groups g ON g.id = a.group_id WHERE a.update_id = $1
         ORDER BY g.name",
    )
    .bind(id)
    .fetch_all(connection)
    .await?)
}

/// Lists the ids of the groups that the author added to the audience.
pub(super) async fn audience_group_ids(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Vec<String>> {
    Ok(audience_groups(connection, id)
        .await?
        .into_iter()
        .map(|(group, _)| group)
        .collect())
}
