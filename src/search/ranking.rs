//! The ranking of a search: which updates match best.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::facets::RequiredFacets;
use super::places::Matching;
use super::query::SearchQuery;
use crate::error::Result;
use crate::infra::db::Dialect;

/// Maximum number of matching places to rank. If there are more, only the newest are ranked.
const MAX_RANKED_PLACES: i64 = 1000;

/// Returns the ids of at most `limit` updates that match the query and have the facets, best match first. Ranks only the
/// newest 1,000 matching places. The caller must check whether the viewer may see the updates.
pub async fn best_updates(
    connection: &mut AnyConnection,
    dialect: Dialect,
    query: &SearchQuery,
    facets: &RequiredFacets,
    limit: i64,
) -> Result<Vec<String>> {
    let below = i64::MAX;
    let matching = Matching::new(connection, dialect, query, facets, below).await?;
    let needles = query.needles();
    let text = format!(
        "SELECT p.update_id FROM ({}) AS p GROUP BY p.update_id ORDER BY max({}) DESC, max(p.n) DESC LIMIT $4",
        matching.statement(&format!(
            "s.n, s.update_id, length(s.words) AS size, {}",
            counts(5, needles.len())
        )),
        score(needles.len())
    );
    let mut ranked = sqlx::query_scalar(AssertSqlSafe(text))
        .bind(matching.query)
        .bind(below)
        .bind(MAX_RANKED_PLACES)
        .bind(limit);
    for needle in needles {
        ranked = ranked.bind(needle);
    }
    Ok(ranked.fetch_all(connection).await?)
}

/// Returns the SQL columns that count how often each word occurs in the place `s`. The words are the parameters from
/// `first` onwards.
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

/// Returns the SQL for how well the place `p` matches. Like BM25, the score grows ever less with each further occurrence
/// of a word, and short places score higher than long ones. Unlike BM25, it does not count in how many places a word
/// occurs, because that would read all of them.
fn score(words: usize) -> String {
    let scores = (0..words).map(|n| format!("p.count{n} / (p.count{n} + 0.3 + 0.003 * p.size)"));
    scores.collect::<Vec<_>>().join(" + ")
}
