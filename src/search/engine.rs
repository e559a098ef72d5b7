//! The full-text index of each database engine over the table `said`.
//!
//! The index is not part of a migration, because it differs between the engines and can be rebuilt from the table at any
//! time. The table of words is created here as well: it needs the byte order of its words, which each engine names
//! differently.

use sqlx::{AnyConnection, Executor};

use super::facets;
use crate::error::Result;
use crate::infra::db::Dialect;

/// SQL that creates the index by which a job finds words that may be unused.
const SEARCH_WORDS_UNUSED: &str = "CREATE INDEX search_words_unused ON search_words (unused_since)
     WHERE unused_since IS NOT NULL";

/// SQL that creates the index of SQLite. The texts are already split into folded words, so the tokenizer only splits
/// them at spaces (and before each facet). With `secure-delete`, a deletion removes the words from the index
/// immediately; otherwise, they would stay in the file until FTS5 merges its segments.
///
/// The table is created again with a key of the type `INTEGER`. Only with this type does SQLite store the rows in the
/// order of the key; with `BIGINT`, each lookup would search two trees.
const SQLITE: &[&str] = &[
    "CREATE TABLE said_in_order (n INTEGER PRIMARY KEY, update_id TEXT NOT NULL, subject_id TEXT NOT NULL,
     words TEXT NOT NULL, facets TEXT NOT NULL DEFAULT '')",
    "INSERT INTO said_in_order (n, update_id, subject_id, words, facets)
     SELECT n, update_id, subject_id, words, facets FROM said ORDER BY n",
    "DROP TABLE said",
    "ALTER TABLE said_in_order RENAME TO said",
    "CREATE INDEX said_update ON said (update_id)",
    "CREATE INDEX said_subject ON said (subject_id)",
    "CREATE TABLE search_words (word TEXT PRIMARY KEY, unused_since BIGINT)",
    SEARCH_WORDS_UNUSED,
    "CREATE VIRTUAL TABLE said_words USING fts5 (words, facets, content = 'said', content_rowid = 'n',
     tokenize = 'ascii')",
    "INSERT INTO said_words (said_words, rank) VALUES ('secure-delete', 1)",
    "INSERT INTO said_words (said_words) VALUES ('rebuild')",
    "CREATE VIRTUAL TABLE temp.said_terms USING fts5vocab (main, said_words, col)",
    "INSERT INTO search_words (word) SELECT term FROM temp.said_terms WHERE col = 'words'",
    "DROP TABLE temp.said_terms",
];

/// SQL that creates the index of PostgreSQL. A GIN index has no order, so the keys also name the periods of time that
/// contain the place; see [`super::periods`]. Without `fastupdate`, no search has to read a list of pending entries.
const POSTGRES: &[&str] = &[
    // Earlier versions stored longer words than an index can contain.
    "UPDATE said SET words = regexp_replace(words, '([^ ]{64})[^ ]+', '\\1', 'g') WHERE words ~ '[^ ]{65}'",
    "CREATE TABLE search_words (word TEXT COLLATE \"C\" PRIMARY KEY, unused_since BIGINT)",
    SEARCH_WORDS_UNUSED,
    "ALTER TABLE said ADD COLUMN keys TSVECTOR GENERATED ALWAYS AS (array_to_tsvector(
         string_to_array(words, ' ') || string_to_array(facets, ' ') || ARRAY[
             '@26.' || (n >> 42)::text, '@28.' || (n >> 44)::text, '@30.' || (n >> 46)::text,
             '@32.' || (n >> 48)::text, '@34.' || (n >> 50)::text, '@36.' || (n >> 52)::text,
             '@38.' || (n >> 54)::text, '@40.' || (n >> 56)::text])) STORED",
    "CREATE INDEX said_keys ON said USING gin (keys) WITH (fastupdate = off)",
    "INSERT INTO search_words (word) SELECT DISTINCT unnest(string_to_array(words, ' ')) FROM said",
    "ANALYZE said",
];

/// Statements that remove the search index from a SQLite database.
const DROP_SQLITE: &[&str] = &[
    "DROP TABLE IF EXISTS said_words",
    "DROP TABLE IF EXISTS search_words",
];

/// SQL that removes the index of PostgreSQL.
const DROP_POSTGRES: &[&str] = &[
    "ALTER TABLE said DROP COLUMN IF EXISTS keys",
    "DROP TABLE IF EXISTS search_words",
];

/// Creates the search index of the database engine, unless it exists. Replaces an index that an earlier version created.
pub async fn create_engine_index(connection: &mut AnyConnection, dialect: Dialect) -> Result<()> {
    let current = match dialect {
        Dialect::Sqlite => {
            "SELECT count(*) FROM sqlite_master WHERE name = 'said_words' AND sql LIKE '%facets%'"
        }
        Dialect::Postgres => {
            "SELECT count(*) FROM information_schema.columns WHERE table_schema = current_schema()
             AND table_name = 'said' AND column_name = 'keys'"
        }
    };
    let current: i64 = sqlx::query_scalar(current)
        .fetch_one(&mut *connection)
        .await?;
    if current == 0 {
        rebuild(connection, dialect).await?;
    }
    Ok(())
}

/// Derives the facets of all places again, and rebuilds the index of the database engine from the table `said`. The
/// caller's transaction makes this safe to interrupt.
pub async fn rebuild(connection: &mut AnyConnection, dialect: Dialect) -> Result<()> {
    let (drop, create) = match dialect {
        Dialect::Sqlite => (DROP_SQLITE, SQLITE),
        Dialect::Postgres => (DROP_POSTGRES, POSTGRES),
    };
    execute_all(connection, drop).await?;
    connection
        .execute(facets::rebuild_statement(dialect))
        .await?;
    execute_all(connection, create).await
}

async fn execute_all(connection: &mut AnyConnection, statements: &[&'static str]) -> Result<()> {
    for statement in statements {
        connection.execute(*statement).await?;
    }
    Ok(())
}
