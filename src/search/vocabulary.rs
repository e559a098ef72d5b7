//! The vocabulary: all words that occur in places. A search for the beginning of a word becomes a search for the words
//! that begin with it, because the engines find whole words much faster.

use std::collections::BTreeSet;

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::error::Result;
use crate::infra::db::{Dialect, Tx};

/// Maximum number of words in one SQL statement.
pub(super) const CHUNK_SIZE: usize = 500;

/// Returns at most `limit` words that begin with `beginning` and are longer.
pub(super) async fn completions(
    connection: &mut AnyConnection,
    beginning: &str,
    limit: usize,
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT word FROM search_words WHERE word > $1 AND word < $2 ORDER BY word LIMIT $3",
    )
    .bind(beginning)
    .bind(format!("{beginning}{}", char::MAX))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?)
}

/// Locks the vocabulary for writing until the transaction ends. Two transactions that lock the same words in different
/// orders would otherwise deadlock. On SQLite, there is only one writer.
pub(super) async fn lock(tx: &mut Tx) -> Result<()> {
    if tx.dialect() == Dialect::Postgres {
        // The number is arbitrary.
        sqlx::query("SELECT pg_advisory_xact_lock(1752392040)")
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Adds the words of a place.
pub(super) async fn add(tx: &mut Tx, words: &str) -> Result<()> {
    let words: Vec<&str> = distinct(words).into_iter().collect();
    lock(tx).await?;
    for some in words.chunks(CHUNK_SIZE) {
        let rows: Vec<String> = (1..=some.len()).map(|n| format!("(${n})")).collect();
        let text = format!(
            "INSERT INTO search_words (word) VALUES {} ON CONFLICT (word) DO UPDATE SET unused_since = NULL
             WHERE search_words.unused_since IS NOT NULL",
            rows.join(", ")
        );
        let mut query = sqlx::query(AssertSqlSafe(text));
        for word in some {
            query = query.bind(*word);
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Returns the words that occur in `words` but not in `others`.
pub(super) fn without(words: &str, others: &str) -> String {
    let others = distinct(others);
    let gone = distinct(words)
        .into_iter()
        .filter(|word| !others.contains(word));
    gone.collect::<Vec<_>>().join(" ")
}

/// Returns the distinct words of a text.
pub(super) fn distinct(words: &str) -> BTreeSet<&str> {
    words.split(' ').filter(|word| !word.is_empty()).collect()
}
