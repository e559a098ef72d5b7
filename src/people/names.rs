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
