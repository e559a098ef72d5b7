//! Updates as rows of lists: the library, and whatever else names several of them.

use data_encoding::BASE64URL_NOPAD;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::visible;
use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db;
use crate::infra::db::Dialect;
use crate::search;

/// An update as a row.
#[derive(Clone, Debug, FromRow)]
pub struct Row {
    /// The id.
    pub id: String,
    /// Who posts it.
    pub author_id: String,
    /// Their name.
    pub author_name: String,
    /// The title; may be empty in a draft.
    pub title: String,
    /// `fyi`, `acknowledge` or `readback`.
    pub expectation: String,
    /// By when, as a time.
    pub due_at: Option<Millis>,
    /// By when, in working days of each recipient.
    pub due_days: Option<i64>,
    /// When the draft was begun.
    pub created_at: Millis,
    /// When it was published.
    pub published_at: Option<Millis>,
    /// When it was put into the trash.
    pub trashed_at: Option<Millis>,
    /// What lists are ordered by.
    pub listed_at: Millis,
    /// People it was sent to.
    pub recipients: i64,
    /// Recipients who acknowledged or read back its present content.
    pub acknowledged: i64,
    /// Recipients who still owe an answer.
    pub owing: i64,
    /// When the next of their answers is due.
    pub next_due_at: Option<Millis>,
    /// Readbacks that the author has not heard.
    pub unheard: i64,
    /// Questions that nobody has answered.
    pub open_questions: i64,
    /// Comments and replies that are not removed.
    pub comments: i64,
}

/// The columns of [`Row`].
macro_rules! row_columns {
    () => {
        "u.id, u.author_id, a.name AS author_name, u.title, u.expectation, u.due_at, u.due_days, u.created_at, u.published_at, u.trashed_at,
         u.listed_at, u.recipients, u.acknowledged, u.owing, u.next_due_at, u.unheard, u.open_questions,
         (SELECT count(*) FROM comments c WHERE c.update_id = u.id AND c.removed_at IS NULL) AS comments"
    };
}

/// Which updates are asked for; empty texts mean any.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// A person's id.
    pub author: String,
    /// Sent to who asks.
    pub to_me: bool,
    /// `draft`, `published`, `trashed`; empty: all but the trash.
    pub state: String,
    /// `video` or `image`.
    pub kind: String,
    /// Words that all must stand in its title, notes or one of its comments.
    pub search_words: String,
}

/// Where a list goes on: after the row with this place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What the list is ordered by.
    pub listed_at: Millis,
    /// The row's id, for rows of the same time.
    pub id: String,
}

impl Cursor {
    /// As it stands in an address.
    pub fn encode(&self) -> String {
        BASE64URL_NOPAD.encode(format!("{}.{}", self.listed_at, self.id).as_bytes())
    }

    /// Reads what [`Cursor::encode`] wrote; none if the text is something else.
    pub fn decode(text: &str) -> Option<Self> {
        let plain = String::from_utf8(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()?;
        let (listed_at, id) = plain.split_once('.')?;
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_id.then_some(Self {
            listed_at: listed_at.parse().ok()?,
            id: id.to_owned(),
        })
    }
}

impl Row {
    /// Where a list goes on after this row.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            listed_at: self.listed_at,
            id: self.id.clone(),
        }
    }
}

/// At most `limit` rows that the person may see, newest first, after the cursor.
pub async fn list(
    connection: &mut AnyConnection,
    dialect: Dialect,
    person_id: &str,
    filter: &Filter,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<Row>> {
    let query = search::match_query(dialect, &filter.search_words);
    if query.is_none() && !filter.search_words.trim().is_empty() {
        return Ok(Vec::new());
    }
    // Only what is asked for stands in the text, so that the engine sees which index serves it.
    let (listed_at, id) = after.map_or((Millis::MAX, ""), |cursor| {
        (cursor.listed_at, cursor.id.as_str())
    });
    let mut text = String::from(concat!(
        "SELECT ",
        row_columns!(),
        " FROM updates u JOIN people a ON a.id = u.author_id WHERE ",
        visible!("$1"),
        " AND (u.listed_at, u.id) < ($2, $3)"
    ));
    text.push_str(match filter.state.as_str() {
        // Drafts and the trash are always one's own.
        "draft" => " AND u.author_id = $1 AND u.published_at IS NULL AND u.trashed_at IS NULL",
        "published" => " AND u.published_at IS NOT NULL AND u.trashed_at IS NULL",
        "trashed" => " AND u.author_id = $1 AND u.trashed_at IS NOT NULL",
        _ => " AND u.trashed_at IS NULL",
    });
    if filter.to_me {
        text.push_str(concat!(
            " AND u.author_id <> $1 AND u.published_at IS NOT NULL AND (u.everyone_at IS NOT NULL OR EXISTS",
            " (SELECT 1 FROM receipts r WHERE r.update_id = u.id AND r.person_id = $1 AND r.removed_at IS NULL))"
        ));
    }
    let mut more: Vec<&str> = Vec::new();
    let mut also = |condition: &str, value| {
        more.push(value);
        text.push_str(&condition.replace('?', &format!("${}", 4 + more.len())));
    };
    if !filter.author.is_empty() {
        also(" AND u.author_id = ?", filter.author.as_str());
    }
    if !filter.kind.is_empty() {
        also(
            " AND EXISTS (SELECT 1 FROM media m WHERE m.update_id = u.id AND m.comment_id IS NULL AND m.removed_at IS NULL AND m.kind = ?)",
            filter.kind.as_str(),
        );
    }
    if let Some(query) = &query {
        let matching = match dialect {
            Dialect::Sqlite => {
                " AND u.id IN (SELECT s.update_id FROM said_words w JOIN said s ON s.n = w.rowid WHERE said_words MATCH ?)"
            }
            Dialect::Postgres => {
                " AND u.id IN (SELECT s.update_id FROM said s WHERE s.vector @@ to_tsquery('simple', ?))"
            }
        };
        also(matching, query);
    }
    text.push_str(" ORDER BY u.listed_at DESC, u.id DESC LIMIT $4");
    let mut rows = sqlx::query_as(AssertSqlSafe(text))
        .bind(person_id)
        .bind(listed_at)
        .bind(id)
        .bind(limit);
    for value in more {
        rows = rows.bind(value);
    }
    Ok(rows.fetch_all(connection).await?)
}

/// The rows of these updates, in no order; who asks was checked before.
pub async fn by_ids(connection: &mut AnyConnection, ids: &[String]) -> Result<Vec<Row>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        concat!(
            "SELECT ",
            row_columns!(),
            " FROM updates u JOIN people a ON a.id = u.author_id WHERE u.id IN ({})"
        ),
        db::placeholders(1, ids.len())
    );
    let mut query = sqlx::query_as(AssertSqlSafe(text));
    for id in ids {
        query = query.bind(id);
    }
    Ok(query.fetch_all(connection).await?)
}

/// The updates that the words fit best, among the newest 1,000 places that the person may see; best first.
pub async fn best_matches(
    connection: &mut AnyConnection,
    dialect: Dialect,
    person_id: &str,
    typed: &str,
) -> Result<Vec<String>> {
    let Some(query) = search::match_query(dialect, typed) else {
        return Ok(Vec::new());
    };
    // Both engines rank with lower being better here: bm25() does, ts_rank() is turned round.
    let places = match dialect {
        Dialect::Sqlite => {
            "SELECT s.n, s.update_id, bm25(said_words) AS worth FROM said_words w JOIN said s ON s.n = w.rowid WHERE said_words MATCH $2"
        }
        Dialect::Postgres => {
            "SELECT s.n, s.update_id, -ts_rank(s.vector, to_tsquery('simple', $2)) AS worth FROM said s WHERE s.vector @@ to_tsquery('simple', $2)"
        }
    };
    let text = format!(
        concat!(
            "SELECT newest.update_id FROM (SELECT f.n, f.update_id, f.worth FROM ({}) AS f JOIN updates u ON u.id = f.update_id WHERE ",
            visible!("$1"),
            " AND u.trashed_at IS NULL ORDER BY f.n DESC LIMIT 1000) AS newest GROUP BY newest.update_id ORDER BY min(newest.worth), max(newest.n) DESC"
        ),
        places
    );
    Ok(sqlx::query_scalar(AssertSqlSafe(text))
        .bind(person_id)
        .bind(query)
        .fetch_all(connection)
        .await?)
}
