//! Groups: named sets of people.

use sqlx::AnyConnection;

use crate::error::Result;

/// Ids and handles of all groups.
pub async fn handles(connection: &mut AnyConnection) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as("SELECT id, name FROM groups").fetch_all(connection).await?)
}

/// The active people of a group.
pub async fn members(connection: &mut AnyConnection, id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT m.person_id FROM group_members m JOIN people p ON p.id = m.person_id WHERE m.group_id = $1 AND p.deactivated_at IS NULL",
    )
    .bind(id)
    .fetch_all(connection)
    .await?)
}
