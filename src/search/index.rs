//! The jobs that write and delete the search rows of updates, comments and pictures.

use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use tokio::sync::watch;

use super::tokenize;
use crate::error::Result;
use crate::infra::db::{Db, Dialect, Tx};
use crate::infra::jobs::{Job, Lane, Outcome};

/// Rewrites the search row of a subject: the title and notes of an update, the text and drawing of a
/// comment, or the text on a picture. Removes the row if the subject no longer exists.
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
    type Context = Db;

    async fn run(self, db: &Db, _stop: &watch::Receiver<bool>) -> Result<Outcome> {
        let mut tx = db.begin().await?;
        index(&mut tx, &self.update, &self.subject).await?;
        tx.commit().await?;
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
    type Context = Db;

    async fn run(self, db: &Db, _stop: &watch::Receiver<bool>) -> Result<Outcome> {
        let mut tx = db.begin().await?;
        delete_rows(&mut tx, "update_id", &self.update).await?;
        tx.commit().await?;
        Ok(Outcome::Done)
    }
}

async fn index(tx: &mut Tx, update_id: &str, subject_id: &str) -> Result<()> {
    delete_rows(tx, "subject_id", subject_id).await?;
    let text: Option<String> = sqlx::query_scalar(
        "SELECT title || ' ' || notes FROM updates WHERE id = $1
         UNION ALL SELECT body || ' ' || coalesce(drawn, '') FROM comments WHERE id = $1 AND removed_at IS NULL
         UNION ALL SELECT k.texts FROM markups k JOIN media m ON m.id = k.media_id WHERE m.id = $1
         AND m.removed_at IS NULL",
    )
    .bind(subject_id)
    .fetch_optional(&mut **tx)
    .await?;
    let words = tokenize(text.as_deref().unwrap_or_default());
    if words.is_empty() {
        return Ok(());
    }
    let mut n = row_number(subject_id);
    while !insert(tx, n, update_id, subject_id, &words).await? {
        n += 1;
    }
    if tx.dialect() == Dialect::Sqlite {
        sqlx::query("INSERT INTO said_words (rowid, words) VALUES ($1, $2)")
            .bind(n)
            .bind(words)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    n: i64,
    update_id: &str,
    subject_id: &str,
    words: &str,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO said (n, update_id, subject_id, words) VALUES ($1, $2, $3, $4) ON CONFLICT (n) DO NOTHING")
        .bind(n)
        .bind(update_id)
        .bind(subject_id)
        .bind(words)
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes the search row of a subject immediately, so that its words are no longer stored.
pub async fn forget_subject(tx: &mut Tx, subject_id: &str) -> Result<()> {
    delete_rows(tx, "subject_id", subject_id).await
}

/// Deletes search rows. On SQLite, deletes the words from the full-text index first, because FTS5 looks up these words
/// in the rows of `said`.
async fn delete_rows(tx: &mut Tx, column: &'static str, id: &str) -> Result<()> {
    if tx.dialect() == Dialect::Sqlite {
        let text = format!(
            "DELETE FROM said_words WHERE rowid IN (SELECT n FROM said WHERE {column} = $1)"
        );
        sqlx::query(AssertSqlSafe(text))
            .bind(id)
            .execute(&mut **tx)
            .await?;
    }
    sqlx::query(AssertSqlSafe(format!(
        "DELETE FROM said WHERE {column} = $1"
    )))
    .bind(id)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Returns a row number for the search table. Newer ids get greater numbers. The upper bits are the
/// id's timestamp in milliseconds (48 bits); the lower 14 bits make collisions unlikely.
fn row_number(id: &str) -> i64 {
    let mut bytes = [0_u8; 16];
    match data_encoding::BASE32HEX_NOPAD.decode(id.to_ascii_uppercase().as_bytes()) {
        Ok(decoded) if decoded.len() == 16 => bytes.copy_from_slice(&decoded),
        // The server generates all ids, so decoding cannot fail. If it did, row number 0 would be harmless.
        _ => {}
    }
    let time = i64::from_be_bytes([
        0, 0, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5],
    ]);
    let rest = i64::from(
        u16::from_be_bytes([bytes[6], bytes[7]])
            .wrapping_add(u16::from_be_bytes([bytes[8], bytes[9]]) << 6)
            & 0x3fff,
    );
    time << 14 | rest
}

#[cfg(test)]
mod tests {
    use super::row_number;

    #[test]
    fn newer_ids_get_greater_search_row_numbers() {
        let clock = crate::clock::Clock::default();
        let first = row_number(&clock.id());
        clock.advance(10);
        assert!(row_number(&clock.id()) > first && first > 0);
    }
}
