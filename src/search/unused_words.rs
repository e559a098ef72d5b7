//! Deletes words from the vocabulary that no longer occur in any place, so that deleted texts leave no trace.

use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use tokio::sync::watch;

use super::context::SearchContext;
use super::facets::RequiredFacets;
use super::places;
use super::query::SearchQuery;
use super::vocabulary::{CHUNK_SIZE, distinct, lock};
use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db::{self, Dialect, Tx};
use crate::infra::jobs::{self, Job, Lane, Outcome};

/// A word that seems to be unused is deleted after this time, in milliseconds. By then, all transactions that could have
/// added the word again have ended.
const GRACE_PERIOD: Millis = 60_000;

/// Deletes the words of a deleted place that occur in no other place. On PostgreSQL, other transactions could be adding
/// them again, so this only marks the words, and a job deletes them later.
pub(super) async fn release(tx: &mut Tx, clock: &Clock, words: &str) -> Result<()> {
    let words: Vec<&str> = distinct(words).into_iter().collect();
    if words.is_empty() {
        return Ok(());
    }
    lock(tx).await?;
    let statement = match tx.dialect() {
        Dialect::Sqlite => {
            "DELETE FROM search_words WHERE $1 > 0 AND NOT EXISTS (SELECT 1 FROM said_words
             WHERE said_words MATCH 'words : \"' || search_words.word || '\"')"
        }
        Dialect::Postgres => "UPDATE search_words SET unused_since = $1 WHERE true",
    };
    for some in words.chunks(CHUNK_SIZE) {
        let text = format!(
            "{statement} AND word IN ({})",
            db::placeholders(2, some.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(text)).bind(clock.now());
        for word in some {
            query = query.bind(*word);
        }
        query.execute(&mut **tx).await?;
    }
    if tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    // Use the same time for all changes within a minute, so that they share one job.
    let marked_before = (clock.now() / GRACE_PERIOD + 1) * GRACE_PERIOD;
    let job = ForgetUnusedWords { marked_before };
    jobs::enqueue_once_at(tx, clock, &job, marked_before + GRACE_PERIOD).await
}

/// Deletes marked words that no longer occur in any place.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForgetUnusedWords {
    /// The job handles the words that were marked before this time.
    pub marked_before: Millis,
}

impl Job for ForgetUnusedWords {
    const KIND: &'static str = "forget_words";
    const LANE: Lane = Lane::Deletion;
    type Context = SearchContext;

    async fn run(self, context: &SearchContext, _stop: &watch::Receiver<bool>) -> Result<Outcome> {
        loop {
            let mut tx = context.db.begin().await?;
            let seen = forget_some(&mut tx, self.marked_before).await?;
            tx.commit().await?;
            if seen < CHUNK_SIZE {
                return Ok(Outcome::Done);
            }
        }
    }
}

/// Deletes or unmarks some of the words that were marked before a time. Returns how many words it
/// handled.
async fn forget_some(tx: &mut Tx, marked_before: Millis) -> Result<usize> {
    let words: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT word FROM search_words WHERE unused_since < $1 LIMIT {CHUNK_SIZE}"
    )))
    .bind(marked_before)
    .fetch_all(&mut **tx)
    .await?;
    let dialect = tx.dialect();
    for word in &words {
        let query = SearchQuery::of_word(word);
        let used =
            places::newest(tx, dialect, &query, &RequiredFacets::default(), i64::MAX, 1).await?;
        let statement = if used.is_empty() {
            "DELETE FROM search_words WHERE word = $1 AND unused_since < $2"
        } else {
            "UPDATE search_words SET unused_since = NULL WHERE word = $1 AND unused_since < $2"
        };
        sqlx::query(statement)
            .bind(word)
            .bind(marked_before)
            .execute(&mut **tx)
            .await?;
    }
    Ok(words.len())
}
