//! Search hits: the places that contain the words of a search.

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::places::Place;
use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db;

/// A place that contains the search words.
#[derive(Clone, Debug, FromRow)]
pub struct SearchHit {
    /// The number of the place.
    pub n: i64,
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

/// Loads the texts of these places, in the same order. The caller must check whether the viewer may see the updates.
pub async fn load_hits(connection: &mut AnyConnection, places: &[Place]) -> Result<Vec<SearchHit>> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT s.n, s.update_id, c.id AS comment_id, k.media_id, u.title,
             coalesce(c.body || ' ' || coalesce(c.drawn, ''), k.texts, u.notes) AS body, c.at_ms
         FROM said s JOIN updates u ON u.id = s.update_id
         LEFT JOIN comments c ON c.id = s.subject_id LEFT JOIN markups k ON k.media_id = s.subject_id
         WHERE s.n IN ({})",
        db::placeholders(1, places.len())
    );
    let mut hits = sqlx::query_as(AssertSqlSafe(text));
    for place in places {
        hits = hits.bind(place.n);
    }
    let mut hits: Vec<SearchHit> = hits.fetch_all(connection).await?;
    hits.sort_by_key(|hit| places.iter().position(|place| place.n == hit.n));
    Ok(hits)
}
