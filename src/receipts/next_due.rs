//! The time zones of the recipients who have to answer next.

use std::collections::HashMap;

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::error::Result;
use crate::infra::db;

/// Returns, for each update, the time zone of the recipients whose answer is due first. Leaves out updates without a due
/// time, and updates for which these recipients are in different time zones.
pub async fn next_due_zones(
    connection: &mut AnyConnection,
    update_ids: &[String],
) -> Result<HashMap<String, String>> {
    if update_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let text = format!(
        "SELECT r.update_id, min(p.time_zone) FROM receipts r JOIN updates u ON u.id = r.update_id
         JOIN people p ON p.id = r.person_id
         WHERE r.update_id IN ({}) AND r.owes_since IS NOT NULL AND r.due_at = u.next_due_at
         GROUP BY r.update_id HAVING count(DISTINCT p.time_zone) = 1",
        db::placeholders(1, update_ids.len())
    );
    let mut query = sqlx::query_as(AssertSqlSafe(text));
    for id in update_ids {
        query = query.bind(id);
    }
    let zones: Vec<(String, String)> = query.fetch_all(connection).await?;
    Ok(zones.into_iter().collect())
}
