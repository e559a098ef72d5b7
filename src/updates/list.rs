//! Lists of updates, such as the one on the Library page.

use data_encoding::BASE64URL_NOPAD;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::{Expectation, MediaKind, UpdateState, visible};
use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db;
use crate::infra::db::{Dialect, FetchKnown};
use crate::search;

/// An update in a list.
#[derive(Clone, Debug, FromRow)]
pub struct Row {
    /// Unique id.
    pub id: String,
    /// Id of the author.
    pub author_id: String,
    /// Name of the author.
    pub author_name: String,
    /// Title; may be empty in a draft.
    pub title: String,
    /// What the update expects of its recipients.
    pub expectation: Expectation,
    /// When the answer is due, if the author set a fixed time.
    pub due_at: Option<Millis>,
    /// Number of working days that each recipient has to answer.
    pub due_days: Option<i64>,
    /// When the draft was created.
    pub created_at: Millis,
    /// When the update was published.
    pub published_at: Option<Millis>,
    /// When the update was moved to the trash.
    pub trashed_at: Option<Millis>,
    /// Sort key of lists: when the update was published or, for a draft, when it was created.
    pub listed_at: Millis,
    /// Earliest due time of the answers that recipients still owe.
    pub next_due_at: Option<Millis>,
    /// Number of readbacks of the current revision that have no verdict yet.
    pub unheard: i64,
    /// Number of unanswered questions, not counting the author's own.
    pub open_questions: i64,
    /// Number of comments and replies that are not removed.
    pub comments: i64,
}

/// SQL columns of [`Row`].
macro_rules! row_columns {
    () => {
        "u.id, u.author_id, a.name AS author_name, u.title, u.expectation, u.due_at, u.due_days, u.created_at,
         u.published_at, u.trashed_at, u.listed_at, u.next_due_at, u.unheard, u.open_questions,
         (SELECT count(*) FROM comments c WHERE c.update_id = u.id AND c.removed_at IS NULL) AS comments"
    };
}

/// Conditions for a list of updates. An empty string sets no condition.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Id of the author.
    pub author: String,
    /// Whether to list only updates that were sent to the viewer.
    pub to_me: bool,
    /// State of the updates; `None` for all updates except those in the trash.
    pub state: Option<UpdateState>,
    /// Kind of media that the updates contain.
    pub kind: Option<MediaKind>,
    /// Words to search for. An update matches if all words occur in the same place. The title and notes together are
    /// one place; each comment and each picture is another.
    pub search_words: String,
}

/// A position in a list, for keyset pagination. The list continues after the row with these values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Sort key of the row.
    pub listed_at: Millis,
    /// Id of the row. It orders rows that have the same sort key.
    pub id: String,
}

impl Cursor {
    /// Encodes the cursor for a URL.
    pub fn encode(&self) -> String {
        BASE64URL_NOPAD.encode(format!("{}.{}", self.listed_at, self.id).as_bytes())
    }

    /// Decodes the result of [`Cursor::encode`]. Returns `None` for any other text.
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
    /// Returns the cursor for continuing the list after this row.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            listed_at: self.listed_at,
            id: self.id.clone(),
        }
    }
}

/// Lists at most `limit` updates that the person may see, newest first, starting after the cursor.
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
    let (listed_at, id) = after.map_or((Millis::MAX, ""), |cursor| {
        (cursor.listed_at, cursor.id.as_str())
    });
    let (text, values) = list_statement(dialect, filter, query.as_deref());
    // Rows that contain a value unknown to this version are skipped. Read additional rows to replace them. Otherwise,
    // the page would be too short and look like the last page.
    let mut extra = 0;
    loop {
        let wanted = limit + extra;
        let mut query = sqlx::query_as(AssertSqlSafe(text.clone()))
            .bind(person_id)
            .bind(listed_at)
            .bind(id)
            .bind(wanted);
        for value in &values {
            query = query.bind(*value);
        }
        let (mut rows, unknown) = query.fetch_known_and_count_unknown(connection).await?;
        let unknown = i64::try_from(unknown).unwrap_or(i64::MAX);
        let read = i64::try_from(rows.len()).unwrap_or(i64::MAX) + unknown;
        if unknown <= extra || read < wanted {
            rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            return Ok(rows);
        }
        extra = unknown;
    }
}

/// Builds the SQL statement of [`list`]. Includes only the conditions that are set, because unused conditions would
/// keep the query planner from choosing the right index. Also returns the values for the placeholders from `$5`
/// onwards. `$1` is the person, `$2` and `$3` are the cursor, and `$4` is the limit.
fn list_statement<'a>(
    dialect: Dialect,
    filter: &'a Filter,
    query: Option<&'a str>,
) -> (String, Vec<&'a str>) {
    let mut text = String::from(concat!(
        "SELECT ",
        row_columns!(),
        " FROM updates u JOIN people a ON a.id = u.author_id WHERE ",
        visible!("$1"),
        " AND (u.listed_at, u.id) < ($2, $3)"
    ));
    text.push_str(match filter.state {
        // Drafts and updates in the trash are visible only to their author.
        Some(UpdateState::Draft) => {
            " AND u.author_id = $1 AND u.published_at IS NULL AND u.trashed_at IS NULL"
        }
        Some(UpdateState::Published) => " AND u.published_at IS NOT NULL AND u.trashed_at IS NULL",
        Some(UpdateState::Trashed) => " AND u.author_id = $1 AND u.trashed_at IS NOT NULL",
        None => " AND u.trashed_at IS NULL",
    });
    if filter.to_me {
        text.push_str(concat!(
            " AND u.author_id <> $1 AND u.published_at IS NOT NULL AND (u.everyone_at IS NOT NULL OR EXISTS",
            " (SELECT 1 FROM receipts r WHERE r.update_id = u.id AND r.person_id = $1 AND r.removed_at IS NULL))"
        ));
    }
    let mut values: Vec<&str> = Vec::new();
    let mut also = |condition: &str, value| {
        values.push(value);
        text.push_str(&condition.replace('?', &format!("${}", 4 + values.len())));
    };
    if !filter.author.is_empty() {
        also(" AND u.author_id = ?", filter.author.as_str());
    }
    if let Some(kind) = filter.kind {
        also(
            " AND EXISTS (SELECT 1 FROM media m WHERE m.update_id = u.id AND m.comment_id IS NULL
             AND m.removed_at IS NULL AND m.kind = ?)",
            kind.as_str(),
        );
    }
    if let Some(query) = query {
        let matching = match dialect {
            Dialect::Sqlite => {
                " AND u.id IN (SELECT s.update_id FROM said_words w JOIN said s ON s.n = w.rowid
                 WHERE said_words MATCH ?)"
            }
            Dialect::Postgres => {
                " AND u.id IN (SELECT s.update_id FROM said s WHERE s.vector @@ to_tsquery('simple', ?))"
            }
        };
        also(matching, query);
    }
    text.push_str(" ORDER BY u.listed_at DESC, u.id DESC LIMIT $4");
    (text, values)
}

/// Returns the rows of these updates in no particular order. The caller must check whether the
/// viewer may see the updates.
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
    query.fetch_known(connection).await
}

/// Returns the ids of the updates that match the search words and that the person may see, best
/// match first; see [`search::rank_updates`].
pub async fn best_matches(
    connection: &mut AnyConnection,
    dialect: Dialect,
    person_id: &str,
    typed: &str,
) -> Result<Vec<String>> {
    search::rank_updates(connection, dialect, visible!("$1"), person_id, typed).await
}
