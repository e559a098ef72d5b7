//! Earlier versions of edited comments.

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::{Comment, find_visible};
use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db::{self, Tx};
use crate::people::Viewer;

/// Text of a comment before an edit.
#[derive(Clone, Debug, FromRow)]
pub struct Version {
    /// Id of the comment.
    pub comment_id: String,
    /// Text in Markdown.
    pub body: String,
    /// When an edit replaced this text.
    pub until_at: Millis,
}

/// Lists the earlier versions of a comment, oldest first. Fails if the viewer may not see the comment.
pub async fn history(
    connection: &mut AnyConnection,
    viewer: &Viewer,
    id: &str,
) -> Result<Vec<Version>> {
    find_visible(connection, viewer, id).await?;
    Ok(sqlx::query_as(
        "SELECT comment_id, body, until_at FROM comment_versions WHERE comment_id = $1 ORDER BY n",
    )
    .bind(id)
    .fetch_all(connection)
    .await?)
}

/// Lists the earlier versions of several comments, oldest first within each comment. Does not check which comments the
/// viewer may see; the caller must do so.
pub async fn versions_of(
    connection: &mut AnyConnection,
    comments: &[&str],
) -> Result<Vec<Version>> {
    let mut found = Vec::new();
    for some in comments.chunks(db::MAX_VARIABLES) {
        let text = format!(
            "SELECT comment_id, body, until_at FROM comment_versions WHERE comment_id IN ({}) ORDER BY comment_id, n",
            db::placeholders(1, some.len())
        );
        let mut query = sqlx::query_as(AssertSqlSafe(text));
        for comment in some {
            query = query.bind(*comment);
        }
        found.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(found)
}

/// Saves the current text of a comment before an edit replaces it.
pub(super) async fn save_version(tx: &mut Tx, clock: &Clock, comment: &Comment) -> Result<()> {
    // Lock the row. If two edits run at the same time, the second one waits here and then saves the
    // text that the first one wrote.
    let body: String =
        sqlx::query_scalar("UPDATE comments SET revision = revision WHERE id = $1 RETURNING body")
            .bind(&comment.id)
            .fetch_one(&mut **tx)
            .await?;
    let n: i64 = sqlx::query_scalar(
        "SELECT coalesce(max(n), 0) + 1 FROM comment_versions WHERE comment_id = $1",
    )
    .bind(&comment.id)
    .fetch_one(&mut **tx)
    .await?;
    sqlx::query(
        "INSERT INTO comment_versions (comment_id, n, body, until_at) VALUES ($1, $2, $3, $4)",
    )
    .bind(&comment.id)
    .bind(n)
    .bind(body)
    .bind(clock.now())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes the earlier versions of a removed comment.
pub(super) async fn delete_history(tx: &mut Tx, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM comment_versions WHERE comment_id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
