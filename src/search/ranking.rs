//! The ranking of a search: which updates match best.

use std::collections::HashSet;

use sqlx::{AnyConnection, AssertSqlSafe};

use super::facets::RequiredFacets;
use super::places::{self, Matching, Place};
use super::query::SearchQuery;
use crate::error::Result;
use crate::infra::db::Dialect;

/// Maximum number of matching places to rank. If there are more, only the newest are ranked.
const MAX_RANKED_PLACES: i64 = 1000;

/// How many of the best places to read per update that is wanted.
const PLACES_PER_UPDATE: usize = 4;

/// Returns places that match the query and have the facets, best match first: those of the best `updates` updates, and
/// possibly of others. Ranks only the newest 1,000 matching places. The caller must check whether the viewer may see the
/// updates.
pub async fn best_places(
    connection: &mut AnyConnection,
    dialect: Dialect,
    query: &SearchQuery,
    facets: &RequiredFacets,
    updates: usize,
) -> Result<Vec<Place>> {
    let matching = Matching::new(connection, dialect, query, facets, i64::MAX).await?;
    let needles = query.needles();
    let columns = format!(
        "{}, length(s.words) AS size, {}",
        places::COLUMNS,
        counts(4, needles.len())
    );
    let text = format!(
        "SELECT p.n, p.update_id, p.subject_id FROM ({}) AS p ORDER BY {} DESC, p.n DESC LIMIT $3",
        matching.statement(&columns, 4 + needles.len()),
        score(needles.len())
    );
    // Sorting all ranked places takes longer, and is only necessary if a few updates contain most of them.
    let few = i64::try_from(updates * PLACES_PER_UPDATE).unwrap_or(MAX_RANKED_PLACES);
    let mut limit = few.min(MAX_RANKED_PLACES);
    loop {
        let mut ranked = sqlx::query_as(AssertSqlSafe(text.as_str()))
            .bind(i64::MAX)
            .bind(MAX_RANKED_PLACES)
            .bind(limit);
        for needle in &needles {
            ranked = ranked.bind(needle);
        }
        if let Some(query) = &matching.query {
            ranked = ranked.bind(query);
        }
        let places: Vec<Place> = ranked
            .persistent(matching.is_reusable())
            .fetch_all(&mut *connection)
            .await?;
        let distinct: HashSet<&str> = places.iter().map(|place| &*place.update_id).collect();
        let is_complete = i64::try_from(places.len()).is_ok_and(|read| read < limit);
        if distinct.len() >= updates || is_complete || limit == MAX_RANKED_PLACES {
            return Ok(places);
        }
        limit = MAX_RANKED_PLACES;
    }
}

/// Returns the SQL columns that count how often each word occurs in the place `s`. The words are the parameters that
/// start at `first`.
fn counts(first: usize, words: usize) -> String {
    let text = "(' ' || s.words || ' ')";
    let counts = (0..words).map(|n| {
        let word = first + n;
        format!(
            "1.0 * (length(s.words) + 2 - length(replace({text}, ${word}, ''))) / length(${word}) AS count{n}"
        )
    });
    counts.collect::<Vec<_>>().join(", ")
}

/// Returns the SQL for how well the place `p` matches. As in BM25, each additional occurrence of a word adds less to
/// the score, and short places score higher than long ones. Unlike BM25, the score does not depend on the number of
/// places that contain a word, because counting them would read all of them.
fn score(words: usize) -> String {
    let scores = (0..words).map(|n| format!("p.count{n} / (p.count{n} + 0.3 + 0.003 * p.size)"));
    scores.collect::<Vec<_>>().join(" + ")
}
