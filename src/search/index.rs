//! The jobs that write and delete the search rows of updates, comments and pictures.

use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use tokio::sync::watch;

use super::context::SearchContext;
use super::facets::{self, UpdateFacets};
use super::{places, tokenize, unused_words, vocabulary};
use crate::clock::Clock;
use crate::error::Result;
use crate::infra::db::{Db, Dialect, Tx};
use crate::infra::jobs::{self, Job, Lane, Outcome};

/// Maximum number of places that one transaction moves. Between transactions, others can write.
const MAX_MOVED: usize = 50;

/// Maximum size of the facets that one transaction writes, in bytes, unless a single place has
/// more.
const MAX_MOVED_FACETS: usize = 100_000;

/// Rewrites the search row of a subject: the title and notes of an update, the text and drawing of a
/// comment, or the text on a picture. For an update, updates the facets of its other places too.
/// Removes the row if the subject no longer exists.
#[derive(Debug, Serialize, Deserialize)]
pub struct IndexSubject {
    /// The id of the update that contains the subject or is the subject.
    pub update: String,
    /// The id of the update, the comment or the picture.
    #[serde(default)]
    pub subject: String,
}

impl Job for IndexSubject {
    const KIND: &'static str = "index";
    type Context = SearchContext;

    async fn run(self, context: &SearchContext, _stop: &watch::Receiver<bool>) -> Result<Outcome> {
        let mut tx = context.db.begin().await?;
        index(&mut tx, &context.clock, &self.update, &self.subject).await?;
        tx.commit().await?;
        if self.subject == self.update {
            move_all_places(&context.db, &self.update).await?;
        }
        Ok(Outcome::Done)
    }
}

/// Deletes the search rows of an update and of its comments and pictures.
#[derive(Debug, Serialize, Deserialize)]
pub struct ForgetUpdate {
    /// The id of the deleted update.
    pub update: String,
}

impl Job for ForgetUpdate {
    const KIND: &'static str = "forget";
    const LANE: Lane = Lane::Deletion;
    type Context = SearchContext;

    async fn run(self, context: &SearchContext, _stop: &watch::Receiver<bool>) -> Result<Outcome> {
        let mut tx = context.db.begin().await?;
        let words = delete_rows(&mut tx, "update_id", &self.update).await?;
        unused_words::release(&mut tx, &context.clock, &words).await?;
        tx.commit().await?;
        Ok(Outcome::Done)
    }
}

/// Updates the facets of all places of an update, and their position in the order of lists.
#[derive(Debug, Serialize, Deserialize)]
pub struct IndexFacets {
    /// The id of the update.
    pub update: String,
}

impl Job for IndexFacets {
    const KIND: &'static str = "facets";
    type Context = SearchContext;

    async fn run(self, context: &SearchContext, _stop: &watch::Receiver<bool>) -> Result<Outcome> {
        move_all_places(&context.db, &self.update).await?;
        Ok(Outcome::Done)
    }
}

/// Writes the current facets of an update to all its places.
async fn move_all_places(db: &Db, update_id: &str) -> Result<()> {
    loop {
        let mut tx = db.begin().await?;
        let moved = move_places(&mut tx, update_id).await?;
        tx.commit().await?;
        if moved == 0 {
            return Ok(());
        }
    }
}

/// Enqueues a job that updates the facets of an update. Call it after every change to the data that
/// `facets.rs` reads.
pub async fn enqueue_facets(tx: &mut Tx, clock: &Clock, update_id: &str) -> Result<()> {
    let job = IndexFacets {
        update: update_id.to_owned(),
    };
    jobs::enqueue(tx, clock, &job).await
}

/// Writes the current facets of an update to some of its places that still have outdated ones. Returns how many
/// places it changed.
async fn move_places(tx: &mut Tx, update_id: &str) -> Result<usize> {
    lock_update(tx, update_id).await?;
    let Some(current) = facets::of_update(tx, update_id).await? else {
        return Ok(0);
    };
    let limit = (MAX_MOVED_FACETS / current.facets.len()).clamp(1, MAX_MOVED);
    let outdated: Vec<String> = sqlx::query_scalar(
        "SELECT subject_id FROM said WHERE update_id = $1 AND (facets <> $2 OR n < $3 OR n >= $4) LIMIT $5",
    )
    .bind(update_id)
    .bind(&current.facets)
    .bind(places::first_number(current.listed_at))
    .bind(places::after_time(current.listed_at))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(&mut **tx)
    .await?;
    for subject_id in &outdated {
        let words = delete_rows(tx, "subject_id", subject_id).await?;
        if !words.is_empty() {
            insert(tx, update_id, subject_id, &words, &current).await?;
        }
    }
    Ok(outdated.len())
}

async fn index(tx: &mut Tx, clock: &Clock, update_id: &str, subject_id: &str) -> Result<()> {
    lock_update(tx, update_id).await?;
    let before = delete_rows(tx, "subject_id", subject_id).await?;
    let text: Option<String> = sqlx::query_scalar(
        "SELECT title || ' ' || notes FROM updates WHERE id = $1
         UNION ALL SELECT body || ' ' || coalesce(drawn, '') FROM comments WHERE id = $1 AND removed_at IS NULL
         UNION ALL SELECT k.texts FROM markups k JOIN media m ON m.id = k.media_id WHERE m.id = $1
         AND m.removed_at IS NULL",
    )
    .bind(subject_id)
    .fetch_optional(&mut **tx)
    .await?;
    let mut words = tokenize(text.as_deref().unwrap_or_default());
    match facets::of_update(tx, update_id).await? {
        Some(current) if !words.is_empty() => {
            insert(tx, update_id, subject_id, &words, &current).await?;
            vocabulary::add(tx, &words).await?;
        }
        Some(_) => {}
        // The update was deleted in the meantime.
        None => words.clear(),
    }
    unused_words::release(tx, clock, &vocabulary::without(&before, &words)).await
}

/// Locks the update until the transaction ends, so that jobs about the same update run one after another and see each
/// other's changes. On SQLite, all write transactions run one after another anyway.
async fn lock_update(tx: &mut Tx, update_id: &str) -> Result<()> {
    if tx.dialect() == Dialect::Postgres {
        sqlx::query("SELECT id FROM updates WHERE id = $1 FOR NO KEY UPDATE")
            .bind(update_id)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Inserts the row of a place with the first free number, starting at its preferred one. If all numbers of this
/// `listed_at` are in use, the place cannot be found.
async fn insert(
    tx: &mut Tx,
    update_id: &str,
    subject_id: &str,
    words: &str,
    update: &UpdateFacets,
) -> Result<()> {
    let Some(n) = free_number(tx, (update_id, subject_id), words, update).await? else {
        tracing::warn!(
            update_id,
            "an update has too many comments to be found by search"
        );
        return Ok(());
    };
    if tx.dialect() == Dialect::Sqlite {
        sqlx::query("INSERT INTO said_words (rowid, words, facets) VALUES ($1, $2, $3)")
            .bind(n)
            .bind(words)
            .bind(&update.facets)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Inserts the row and returns its number. Returns `None` if there is no free number.
async fn free_number(
    tx: &mut Tx,
    ids: (&str, &str),
    words: &str,
    update: &UpdateFacets,
) -> Result<Option<i64>> {
    let (first, end) = (
        places::first_number(update.listed_at),
        places::after_time(update.listed_at),
    );
    let preferred = preferred_number(update, ids.1);
    for n in (preferred..end).chain(first..preferred) {
        if insert_row(tx, n, ids, words, &update.facets).await? {
            return Ok(Some(n));
        }
    }
    Ok(None)
}

async fn insert_row(
    tx: &mut Tx,
    n: i64,
    (update_id, subject_id): (&str, &str),
    words: &str,
    facets: &str,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO said (n, update_id, subject_id, words, facets) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (n) DO NOTHING",
    )
    .bind(n)
    .bind(update_id)
    .bind(subject_id)
    .bind(words)
    .bind(facets)
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes the search row of a subject immediately, so that its text is no longer stored.
pub async fn forget_subject(tx: &mut Tx, clock: &Clock, subject_id: &str) -> Result<()> {
    let words = delete_rows(tx, "subject_id", subject_id).await?;
    unused_words::release(tx, clock, &words).await
}

/// Deletes search rows. On SQLite, deletes the words from the full-text index first, because FTS5 looks up these words
/// in the rows of `said`. Returns the words of the rows.
async fn delete_rows(tx: &mut Tx, column: &'static str, id: &str) -> Result<String> {
    if tx.dialect() == Dialect::Sqlite {
        let text = format!(
            "DELETE FROM said_words WHERE rowid IN (SELECT n FROM said WHERE {column} = $1)"
        );
        sqlx::query(AssertSqlSafe(text))
            .bind(id)
            .execute(&mut **tx)
            .await?;
    }
    let words: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "DELETE FROM said WHERE {column} = $1 RETURNING words"
    )))
    .bind(id)
    .fetch_all(&mut **tx)
    .await?;
    Ok(words.join(" "))
}

/// Returns the number of a place: `listed_at` of the update, and 16 bits of the subject's id that make collisions
/// unlikely.
fn preferred_number(update: &UpdateFacets, subject_id: &str) -> i64 {
    let random = data_encoding::BASE32HEX_NOPAD
        .decode(subject_id.to_ascii_uppercase().as_bytes())
        .unwrap_or_default();
    // The server generates all ids, so they are long enough. A shorter id would only make collisions
    // more likely.
    let low = random
        .last_chunk::<2>()
        .map_or(0, |low| u16::from_be_bytes(*low));
    places::first_number(update.listed_at) + i64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_newer_updates_have_larger_numbers() {
        let update = |listed_at| UpdateFacets {
            facets: String::new(),
            listed_at,
        };
        let id = crate::clock::Clock::default().id();
        let [first, second] = [1, 2].map(|at| preferred_number(&update(at), &id));
        assert!(places::first_number(1) <= first && first < places::first_number(2));
        assert!(places::first_number(2) <= second && second < places::first_number(3));
    }
}
