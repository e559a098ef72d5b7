//! The places in which a search found its words.

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::facets::RequiredFacets;
use super::query::SearchQuery;
use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db::{self, Dialect};

/// A place that contains the search words.
#[derive(Clone, Debug, FromRow)]
pub struct SearchHit {
    /// Id of the update.
    pub update_id: String,
    /// Id of the comment; `None` if the words are not in a comment.
    pub comment_id: Option<String>,
    /// Id of the picture that contains the words; `None` if the words are not on a picture.
    pub media_id: Option<String>,
    /// Title of the update.
    pub title: String,
    /// The text of this place: a comment and the text in its drawing, the text on a picture, or the notes of the
    /// update.
    pub body: String,
    /// Position in the video that the comment refers to, in milliseconds.
    pub at_ms: Option<Millis>,
}

/// Finds the newest places in each of these updates that match the query, at most `limit` of each update. The caller must
/// check whether the viewer may see the updates.
pub async fn find_hits(
    connection: &mut AnyConnection,
    dialect: Dialect,
    query: &SearchQuery,
    updates: &[String],
    limit: i64,
) -> Result<Vec<SearchHit>> {
    if updates.is_empty() {
        return Ok(Vec::new());
    }
    let matching = match dialect {
        // The places of an update have neighboring numbers, so the index reads only these.
        Dialect::Sqlite => {
            "updates u CROSS JOIN said_words w CROSS JOIN said s WHERE said_words MATCH $1
             AND w.rowid >= u.listed_at * 65536 AND w.rowid < (u.listed_at + 1) * 65536
             AND s.n = w.rowid AND s.update_id = u.id"
        }
        Dialect::Postgres => {
            "updates u JOIN said s ON s.update_id = u.id WHERE s.keys @@ $1::tsquery"
        }
    };
    let text = format!(
        "SELECT f.update_id, c.id AS comment_id, k.media_id, f.title,
             coalesce(c.body || ' ' || coalesce(c.drawn, ''), k.texts, f.notes) AS body, c.at_ms
         FROM (SELECT s.update_id, s.subject_id, u.title, u.notes,
                   row_number() OVER (PARTITION BY s.update_id ORDER BY s.subject_id DESC) AS position
               FROM {matching} AND u.id IN ({})) AS f
         LEFT JOIN comments c ON c.id = f.subject_id LEFT JOIN markups k ON k.media_id = f.subject_id
         WHERE f.position <= $2 ORDER BY f.subject_id DESC",
        db::placeholders(3, updates.len())
    );
    let mut places = sqlx::query_as(AssertSqlSafe(text))
        .bind(query.to_engine(dialect, &RequiredFacets::default()))
        .bind(limit);
    for update in updates {
        places = places.bind(update);
    }
    Ok(places.fetch_all(connection).await?)
}
