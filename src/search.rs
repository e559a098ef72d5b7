//! Full-text search in titles, notes, comments and text on pictures, on both database engines.
//!
//! This module splits texts into case-folded words, so that both engines give the same results. The
//! table `said` has one row for each update, comment and picture with markup. Jobs write these
//! rows. Each engine has its own full-text index over the table. The index can be rebuilt from the
//! table at any time.

mod index;
mod ranking;

use sqlx::{AnyConnection, AssertSqlSafe, Executor, FromRow};

pub use index::{ForgetUpdate, IndexSubject, forget_subject};
pub use ranking::rank_updates;

use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db;
use crate::infra::db::Dialect;
use crate::text::fold;

/// Creates the search index of the database engine. The index is not part of a migration, because
/// it differs between engines and can be rebuilt at any time.
pub async fn create_engine_index(connection: &mut AnyConnection, dialect: Dialect) -> Result<()> {
    match dialect {
        Dialect::Sqlite => create_sqlite_index(connection).await,
        Dialect::Postgres => {
            let make = [
                "ALTER TABLE said ADD COLUMN IF NOT EXISTS vector TSVECTOR
                 GENERATED ALWAYS AS (to_tsvector('simple', words)) STORED",
                "CREATE INDEX IF NOT EXISTS said_vector ON said USING gin (vector)",
            ];
            execute_all(connection, &make).await
        }
    }
}

/// Creates the FTS5 index over `said`. With `secure-delete`, a deletion removes the words from the
/// index at once; otherwise, they would stay in the file until FTS5 merges its segments. Replaces
/// the index of earlier Hearback versions, which had no content table and kept deleted words.
async fn create_sqlite_index(connection: &mut AnyConnection) -> Result<()> {
    let existing: Option<String> =
        sqlx::query_scalar("SELECT sql FROM sqlite_master WHERE name = 'said_words'")
            .fetch_optional(&mut *connection)
            .await?;
    match existing {
        Some(sql) if sql.contains("content = 'said'") => return Ok(()),
        Some(_) => execute_all(connection, &["DROP TABLE said_words"]).await?,
        None => {}
    }
    let make = [
        "CREATE VIRTUAL TABLE said_words USING fts5 (words, content = 'said', content_rowid = 'n')",
        "INSERT INTO said_words (said_words, rank) VALUES ('secure-delete', 1)",
        "INSERT INTO said_words (said_words) VALUES ('rebuild')",
    ];
    execute_all(connection, &make).await
}

async fn execute_all(connection: &mut AnyConnection, statements: &[&'static str]) -> Result<()> {
    for statement in statements {
        connection.execute(*statement).await?;
    }
    Ok(())
}

/// Returns the case-folded words of a text, separated by single spaces.
fn tokenize(text: &str) -> String {
    fold(text)
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns a full-text query for the database engine. The query finds texts that contain all words in `typed`; the last
/// word may be a prefix. Uses only the first 12 words. Returns `None` if `typed` contains no word.
pub fn match_query(dialect: Dialect, typed: &str) -> Option<String> {
    let parted = tokenize(typed);
    let words: Vec<&str> = parted
        .split(' ')
        .filter(|word| !word.is_empty())
        .take(12)
        .collect();
    let last = words.len().checked_sub(1)?;
    let quoted = words
        .iter()
        .enumerate()
        .map(|(n, word)| match (dialect, n == last) {
            (Dialect::Sqlite, false) => format!("\"{word}\""),
            (Dialect::Sqlite, true) => format!("\"{word}\"*"),
            (Dialect::Postgres, false) => format!("'{word}'"),
            (Dialect::Postgres, true) => format!("'{word}':*"),
        });
    let joint = if dialect == Dialect::Sqlite {
        " "
    } else {
        " & "
    };
    Some(quoted.collect::<Vec<_>>().join(joint))
}

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

/// Finds places that contain all words in `typed`, newest first. Searches only the updates with the given ids. Returns
/// at most 200 places.
pub async fn find_hits(
    connection: &mut AnyConnection,
    dialect: Dialect,
    typed: &str,
    updates: &[String],
) -> Result<Vec<SearchHit>> {
    let Some(query) = match_query(dialect, typed) else {
        return Ok(Vec::new());
    };
    if updates.is_empty() {
        return Ok(Vec::new());
    }
    let matching = match dialect {
        Dialect::Sqlite => "said_words w JOIN said s ON s.n = w.rowid WHERE said_words MATCH $1",
        Dialect::Postgres => "said s WHERE s.vector @@ to_tsquery('simple', $1)",
    };
    let text = format!(
        "SELECT f.update_id, c.id AS comment_id, k.media_id, u.title,
             coalesce(c.body || ' ' || coalesce(c.drawn, ''), k.texts, u.notes) AS body, c.at_ms
         FROM (SELECT s.n, s.update_id, s.subject_id FROM {matching}) AS f
         JOIN updates u ON u.id = f.update_id LEFT JOIN comments c ON c.id = f.subject_id
         LEFT JOIN markups k ON k.media_id = f.subject_id
         WHERE f.update_id IN ({}) ORDER BY f.n DESC LIMIT 200",
        db::placeholders(2, updates.len())
    );
    let mut places = sqlx::query_as(AssertSqlSafe(text)).bind(query);
    for update in updates {
        places = places.bind(update);
    }
    Ok(places.fetch_all(connection).await?)
}

/// Whether any word of the text begins with a word in `typed`.
pub fn matches(text: &str, typed: &str) -> bool {
    let wanted = tokenize(typed);
    tokenize(text).split(' ').any(|word| {
        wanted
            .split(' ')
            .any(|wanted| !wanted.is_empty() && word.starts_with(wanted))
    })
}

/// Returns at most 24 words of a text around the first match. Adds an ellipsis at each end where
/// words were left out.
pub fn excerpt(text: &str, typed: &str) -> String {
    let wanted = tokenize(typed);
    let wanted: Vec<&str> = wanted.split(' ').collect();
    let words: Vec<&str> = text.split_whitespace().collect();
    let hit = words
        .iter()
        .position(|word| {
            tokenize(word)
                .split(' ')
                .any(|part| wanted.iter().any(|wanted| part.starts_with(wanted)))
        })
        .unwrap_or(0);
    let (from, to) = (hit.saturating_sub(8), (hit + 16).min(words.len()));
    let (before, after) = (
        if from > 0 { "… " } else { "" },
        if to < words.len() { " …" } else { "" },
    );
    format!("{before}{}{after}", words[from..to].join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn match_query_treats_operators_as_plain_words() {
        assert_eq!(
            match_query(Dialect::Sqlite, "O'Brien \"x\" OR café").as_deref(),
            Some("\"o\" \"brien\" \"x\" \"or\" \"cafe\"*")
        );
        assert_eq!(
            match_query(Dialect::Postgres, "a' | !b").as_deref(),
            Some("'a' & 'b':*")
        );
        assert_eq!(match_query(Dialect::Postgres, " !! "), None);
    }

    #[test]
    fn excerpt_shows_the_text_around_the_match() {
        let text = (0..100)
            .map(|n| format!("word{n}"))
            .collect::<Vec<_>>()
            .join(" ");
        let excerpt = excerpt(&text, "WORD50");
        assert!(excerpt.starts_with("… ") && excerpt.contains("word50") && excerpt.ends_with(" …"));
    }
}
