//! Reads some of an update's threads. The SQL selects them, so that the cost depends on the threads that are shown and
//! not on how many there are.

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::{Comment, select_comments};
use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db::{self, FetchKnown};
use crate::people::Viewer;
use crate::updates::question_is_open;

/// What paging needs to know about a thread.
#[derive(Clone, Debug, FromRow)]
pub struct ThreadStart {
    /// Id of the first comment.
    pub id: String,
    /// When the first comment was created.
    pub created_at: Millis,
    /// Number of replies that were not removed.
    pub replies: i64,
    /// Number of comments on the whole update that were not removed, including those that a guest cannot see.
    pub comments: i64,
}

/// Where a list of threads starts, and its direction. Ids sort by creation time, so a position stays valid even after
/// its thread is removed.
#[derive(Clone, Copy, Debug)]
pub enum ThreadsFrom<'a> {
    /// The threads after the one with this id, oldest first. An empty id stands for the start.
    After(&'a str),
    /// The thread with this id and the threads after it, oldest first.
    At(&'a str),
    /// The threads before the one with this id, newest first.
    Before(&'a str),
    /// The thread with this id and the threads before it, newest first.
    UpTo(&'a str),
    /// All threads, newest first.
    Newest,
    /// Only the thread with this id.
    Only(&'a str),
    /// The threads that begin with an open question, oldest first.
    OpenQuestions,
}

impl ThreadsFrom<'_> {
    /// The condition on the first comment `c`, and the order. `$3` is the id.
    fn sql(self) -> &'static str {
        match self {
            Self::After(_) => "c.id > $3 ORDER BY c.id",
            Self::At(_) => "c.id >= $3 ORDER BY c.id",
            Self::Before(_) => "c.id < $3 ORDER BY c.id DESC",
            Self::UpTo(_) => "c.id <= $3 ORDER BY c.id DESC",
            Self::Newest => "$3 = '' ORDER BY c.id DESC",
            Self::Only(_) => "c.id = $3 ORDER BY c.id",
            Self::OpenQuestions => {
                concat!(
                    "$3 = '' AND c.kind = 'question' AND ",
                    question_is_open!(),
                    " ORDER BY c.id"
                )
            }
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::After(id) | Self::At(id) | Self::Before(id) | Self::UpTo(id) | Self::Only(id) => {
                id
            }
            Self::Newest | Self::OpenQuestions => "",
        }
    }
}

/// Lists at most `limit` threads that the viewer may see. Omits threads whose first comment was removed and has no
/// replies. Guests get only the threads that were started through their share link. The caller must have checked that
/// the viewer may see the update.
pub async fn thread_starts(
    connection: &mut AnyConnection,
    viewer: &Viewer,
    update_id: &str,
    from: ThreadsFrom<'_>,
    limit: i64,
) -> Result<Vec<ThreadStart>> {
    let text = format!(
        "SELECT c.id, c.created_at,
         (SELECT count(*) FROM comments r WHERE r.parent_id = c.id AND r.removed_at IS NULL) AS replies,
         (SELECT count(*) FROM comments a WHERE a.update_id = $1 AND a.removed_at IS NULL) AS comments
         FROM comments c WHERE c.update_id = $1 AND c.parent_id IS NULL AND ($2 = '' OR c.link_id = $2)
         AND (c.removed_at IS NULL OR EXISTS (SELECT 1 FROM comments r WHERE r.parent_id = c.id
         AND r.removed_at IS NULL)) AND {} LIMIT $4",
        from.sql()
    );
    Ok(sqlx::query_as(AssertSqlSafe(text))
        .bind(update_id)
        .bind(link_of(viewer, update_id))
        .bind(from.id())
        .bind(limit)
        .fetch_all(connection)
        .await?)
}

/// Id of the share link whose threads the viewer may see; empty for people, who see all threads.
fn link_of<'a>(viewer: &'a Viewer, update_id: &str) -> &'a str {
    viewer
        .guest_of(update_id)
        .map_or("", |guest| guest.link_id.as_str())
}

/// Returns the id of the first comment of the thread that contains the comment `id`. Returns `None` if the update has
/// no such comment. Does not check whether the viewer may see the thread.
pub async fn root_of(
    connection: &mut AnyConnection,
    update_id: &str,
    id: &str,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "SELECT coalesce(parent_id, id) FROM comments WHERE id = $1 AND update_id = $2",
    )
    .bind(id)
    .bind(update_id)
    .fetch_optional(connection)
    .await?)
}

/// Lists the comments of the threads with these first comments, in the order of their creation. Of each thread it
/// returns at most the `max_replies` newest replies and, for a question, the accepted answer. Of the thread `whole` it
/// returns all replies. Removed replies are left out. Does not check whether the viewer may see the threads.
pub async fn of_threads(
    connection: &mut AnyConnection,
    roots: &[String],
    max_replies: i64,
    whole: Option<&str>,
) -> Result<Vec<Comment>> {
    if roots.is_empty() {
        return Ok(Vec::new());
    }
    let places = db::placeholders(3, roots.len());
    let text = format!(
        concat!(
            select_comments!(),
            "WHERE c.id IN (SELECT f.id FROM comments f WHERE f.id IN ({places}) UNION ALL
             SELECT n.id FROM (SELECT r.id, r.parent_id,
             row_number() OVER (PARTITION BY r.parent_id ORDER BY r.id DESC) AS place
             FROM comments r WHERE r.parent_id IN ({places}) AND r.removed_at IS NULL) n
             WHERE n.place <= $1 OR n.parent_id = $2
             OR n.id = (SELECT q.accepted_id FROM comments q WHERE q.id = n.parent_id)) ORDER BY c.id"
        ),
        places = places
    );
    let mut query = sqlx::query_as(AssertSqlSafe(text))
        .bind(max_replies)
        .bind(whole.unwrap_or_default());
    for root in roots {
        query = query.bind(root);
    }
    query.fetch_known(connection).await
}

/// Returns how many comments the viewer may see that were not removed, and how many of them are open questions.
pub async fn count_visible(
    connection: &mut AnyConnection,
    viewer: &Viewer,
    update_id: &str,
) -> Result<(i64, i64)> {
    Ok(sqlx::query_as(
        concat!(
            "SELECT count(*), CAST(coalesce(sum(CASE WHEN c.kind = 'question' AND c.parent_id IS NULL AND ",
            question_is_open!(),
            " THEN 1 ELSE 0 END), 0) AS BIGINT)
             FROM comments c WHERE c.update_id = $1 AND c.removed_at IS NULL AND ($2 = '' OR c.link_id = $2
             OR c.parent_id IN (SELECT f.id FROM comments f WHERE f.update_id = $1 AND f.link_id = $2))"
        ),
    )
    .bind(update_id)
    .bind(link_of(viewer, update_id))
    .fetch_one(connection)
    .await?)
}
