//! The marks of comments in the media: on the timeline of a video, and on a picture.

use sqlx::{AnyConnection, FromRow};

use super::CommentKind;
use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db::FetchKnown;
use crate::people::Viewer;

/// What a mark shows of a comment.
#[derive(Clone, Debug, FromRow)]
pub struct Mark {
    /// Id of the comment.
    pub id: String,
    /// Id of the media that the comment points into.
    pub media_id: String,
    /// Position in the video, in milliseconds from its start.
    pub at_ms: Option<Millis>,
    /// End of the time range that starts at `at_ms`.
    pub until_ms: Option<Millis>,
    /// Point or region, as JSON.
    pub region: Option<String>,
    /// 1 if the comment has a drawing, otherwise 0.
    pub drawn: i64,
    /// Whether the comment is a remark or a question.
    pub kind: CommentKind,
    /// Name of the person or guest who wrote the comment; empty if unknown.
    pub author_name: String,
    /// The beginning of the text, in Markdown.
    pub beginning: String,
    /// When the comment was created.
    pub created_at: Millis,
}

/// Lists the marks of all comments on an update, oldest first, except those in resolved threads, whose marks are hidden.
/// Guests get only the marks in the threads of their share link. The caller must have checked that the viewer may see
/// the update.
pub async fn marks(
    connection: &mut AnyConnection,
    viewer: &Viewer,
    update_id: &str,
) -> Result<Vec<Mark>> {
    let link = viewer
        .guest_of(update_id)
        .map_or("", |guest| guest.link_id.as_str());
    sqlx::query_as(
        "SELECT c.id, c.media_id, c.at_ms, c.until_ms, c.region,
         CASE WHEN c.drawing IS NULL THEN 0 ELSE 1 END AS drawn, c.kind,
         coalesce(p.name, g.name, '') AS author_name, substr(c.body, 1, 200) AS beginning, c.created_at
         FROM comments c JOIN comments f ON f.id = coalesce(c.parent_id, c.id)
         LEFT JOIN people p ON p.id = c.person_id LEFT JOIN guests g ON g.id = c.guest_id
         WHERE c.update_id = $1 AND c.media_id IS NOT NULL AND c.removed_at IS NULL AND f.resolved_at IS NULL
         AND (c.at_ms IS NOT NULL OR c.region IS NOT NULL OR c.drawing IS NOT NULL)
         AND ($2 = '' OR f.link_id = $2) ORDER BY c.id",
    )
    .bind(update_id)
    .bind(link)
    .fetch_known(connection)
    .await
}
