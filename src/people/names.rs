//! Names of people and guests.

use std::collections::HashMap;

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::error::Result;
use crate::infra::db;

/// Returns a map from id to name for these people and guests. Leaves out unknown ids. All ids must fit into one SQL
/// statement.
pub async fn names_by_id(
    connection: &mut AnyConnection,
    ids: &[&str],
) -> Result<HashMap<String, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let places = db::placeholders(1, ids.len());
    let text = format!(
        "SELECT id, name FROM people WHERE id IN ({places}) UNION ALL SELECT id, name FROM guests
         WHERE id IN ({places})"
    );
    let mut statement = sqlx::query_as(AssertSqlSafe(text));
    for id in ids {
        statement = statement.bind(*id);
    }
    Ok(statement.fetch_all(connection).await?.into_iter().collect())
}

/// Returns the ids and case-folded names of all active accounts, sorted by name.
pub async fn active_name_keys(connection: &mut AnyConnection) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as(
        "SELECT id, name_key FROM people WHERE role <> 'house' AND deactivated_at IS NULL
         ORDER BY name_key, id",
    )
    .fetch_all(connection)
    .await?)
}
