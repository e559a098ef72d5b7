//! What a comment said before it was edited.

use sqlx::{AnyConnection, FromRow};

use super::{Comment, find_visible};
use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db::Tx;
use crate::people::Viewer;

/// An earlier wording.
#[derive(Clone, Debug, FromRow)]
pub struct Version {
    /// Of which comment.
    pub comment_id: String,
    /// Markdown.
    pub body: String,
    /// Until when it said so.
    pub until_at: Millis,
}

/// The earlier wordings of a comment that the viewer may see, oldest first.
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

/// Those of all comments of an update, oldest first; which comments the viewer may see was asked before.
pub async fn versions_for_update(
    connection: &mut AnyConnection,
    update_id: &str,
) -> Result<Vec<Version>> {
    Ok(sqlx::query_as(
        "SELECT v.comment_id, v.body, v.until_at FROM comments c JOIN comment_versions v ON v.comment_id = c.id
         WHERE c.update_id = $1 AND c.edited_at IS NOT NULL ORDER BY v.comment_id, v.n",
    )
    .bind(update_id)
    .fetch_all(connection)
    .await?)
}

/// Keeps what a comment says before it says something else.
pub(super) async fn save_version(tx: &mut Tx, clock: &Clock, comment: &Comment) -> Result<()> {
    // Of two edits at once the second waits here, and keeps what the first one wrote.
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

/// Forgets what a removed comment said.
pub(super) async fn delete_history(tx: &mut Tx, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM comment_versions WHERE comment_id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
