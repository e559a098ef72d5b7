//! Lists of updates, such as the one on the Library page.

/// SQL columns of [`Row`].
macro_rules! row_columns {
    () => {
        "u.id, u.author_id, a.name AS author_name, u.title, u.expectation, u.due_at, u.due_days, u.created_at,
         u.published_at, u.trashed_at, u.listed_at, u.next_due_at, u.unheard, u.open_questions,
         (SELECT count(*) FROM comments c WHERE c.update_id = u.id AND c.removed_at IS NULL) AS comments"
    };
}

mod matching;
mod ranges;

use data_encoding::BASE64URL_NOPAD;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::{Expectation, MediaKind, UpdateState};
use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db;
use crate::infra::db::{Dialect, FetchKnown};
use crate::search::{Place, SearchQuery};

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
    /// Places that match the search words; empty without a search.
    #[sqlx(skip)]
    pub places: Vec<Place>,
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

/// A page of a list of updates.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest<'a> {
    /// Id of the viewer. The list contains only updates that the viewer may see.
    pub person_id: &'a str,
    /// Which of these updates the list contains.
    pub filter: &'a Filter,
    /// Where the page starts; `None` for the first page.
    pub after: Option<&'a Cursor>,
    /// Maximum number of rows.
    pub limit: i64,
}

impl PageRequest<'_> {
    /// Returns the sort key and the id after which the page starts. Lists are in descending order.
    fn start(&self) -> (Millis, &str) {
        self.after.map_or((Millis::MAX, ""), |cursor| {
            (cursor.listed_at, cursor.id.as_str())
        })
    }
}

/// Lists updates, newest first.
pub async fn list(
    connection: &mut AnyConnection,
    dialect: Dialect,
    page: PageRequest<'_>,
) -> Result<Vec<Row>> {
    let PageRequest {
        person_id,
        filter,
        limit,
        ..
    } = page;
    if !filter.search_words.trim().is_empty() {
        return matching::list(connection, dialect, page).await;
    }
    let (listed_at, id) = page.start();
    let text = format!(
        concat!(
            "SELECT ",
            row_columns!(),
            " FROM ({}) AS page CROSS JOIN updates u JOIN people a ON a.id = u.author_id WHERE u.id = page.id
             ORDER BY u.listed_at DESC, u.id DESC"
        ),
        ranges::page_statement(dialect, person_id, filter)
    );
    // Rows that contain a value unknown to this version are skipped. Read additional rows to replace them. Otherwise,
    // the page would be too short and look like the last page.
    let mut extra = 0;
    loop {
        let wanted = limit + extra;
        let query = sqlx::query_as(AssertSqlSafe(text.clone()))
            .bind(person_id)
            .bind(listed_at)
            .bind(id)
            .bind(wanted)
            .bind(&filter.author);
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

/// Returns at most `limit` updates that match the query and that the person may see, best match
/// first. Ranks only the newest 1,000 matching places.
pub async fn best_matches(
    connection: &mut AnyConnection,
    dialect: Dialect,
    person_id: &str,
    query: &SearchQuery,
    limit: usize,
) -> Result<Vec<Row>> {
    matching::best(connection, dialect, person_id, query, limit).await
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
