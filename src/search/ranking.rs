//! The ranking of a search: which updates match best.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::match_query;
use crate::error::Result;
use crate::infra::db::Dialect;

/// Maximum number of matching places to rank. If there are more, only the newest are ranked.
const MAX_RANKED_PLACES: i64 = 1000;

/// Returns the ids of the updates that match the search words, best match first. Ranks only the
/// newest 1,000 matching places that the person may see. A place is the title and notes of an
/// update, a comment, or a picture. `visible` is the SQL condition that the person `$1` may open
/// the update `u`.
pub async fn rank_updates(
    connection: &mut AnyConnection,
    dialect: Dialect,
    visible: &'static str,
    person_id: &str,
    typed: &str,
) -> Result<Vec<String>> {
    let Some(query) = match_query(dialect, typed) else {
        return Ok(Vec::new());
    };
    // The lowest value must be the best match. `bm25()` in SQLite returns such values. `ts_rank()` in PostgreSQL
    // returns higher values for better matches, so its result is negated.
    let places = match dialect {
        Dialect::Sqlite => {
            "SELECT s.n, s.update_id, bm25(said_words) AS worth FROM said_words w JOIN said s ON s.n = w.rowid
             WHERE said_words MATCH $2"
        }
        Dialect::Postgres => {
            "SELECT s.n, s.update_id, -ts_rank(s.vector, to_tsquery('simple', $2)) AS worth FROM said s
             WHERE s.vector @@ to_tsquery('simple', $2)"
        }
    };
    let text = format!(
        "SELECT newest.update_id FROM (SELECT f.n, f.update_id, f.worth FROM ({places}) AS f
         JOIN updates u ON u.id = f.update_id WHERE {visible}
             AND u.trashed_at IS NULL ORDER BY f.n DESC LIMIT {MAX_RANKED_PLACES}) AS newest
         GROUP BY newest.update_id ORDER BY min(newest.worth), max(newest.n) DESC"
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(text))
        .bind(person_id)
        .bind(query)
        .fetch_all(connection)
        .await?)
}
