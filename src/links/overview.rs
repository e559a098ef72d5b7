//! The list of all share links of the workspace, for admins.

use sqlx::{AnyConnection, FromRow};

use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db::text_enum;
use crate::people::Person;
use crate::updates::Cursor;

text_enum! {
    /// State of a share link.
    pub enum LinkState {
        /// The link opens its update.
        Open = "open",
        /// The link was revoked permanently: by the author, by an admin, or because the author was deactivated.
        Revoked = "revoked",
        /// The update was unpublished or moved to the trash. The link works again once the update is
        /// published or restored.
        Unpublished = "unpublished",
    }
}

/// A share link with its update and author.
#[derive(Clone, Debug, FromRow)]
pub struct ListedLink {
    /// Id of the link.
    pub id: String,
    /// Name that the author gave the link.
    pub name: String,
    /// When the author allowed comments by guests; `None` means that guests cannot comment.
    pub comments_at: Option<Millis>,
    /// When the link was created.
    pub created_at: Millis,
    /// When the link was revoked; `None` while it is active.
    pub revoked_at: Option<Millis>,
    /// How many times guests opened the update through this link.
    pub opens: i64,
    /// When a guest last opened the update through this link.
    pub last_opened_at: Option<Millis>,
    /// Id of the update that the link opens.
    pub update_id: String,
    /// Title of the update.
    pub title: String,
    /// Id of the person who created both the update and the link.
    pub author_id: String,
    /// Name of the author.
    pub author_name: String,
    published_at: Option<Millis>,
    trashed_at: Option<Millis>,
    deactivated_at: Option<Millis>,
}

impl ListedLink {
    /// Returns the current state of the link.
    pub fn state(&self) -> LinkState {
        if self.revoked_at.is_some() || self.deactivated_at.is_some() {
            LinkState::Revoked
        } else if self.published_at.is_none() || self.trashed_at.is_some() {
            LinkState::Unpublished
        } else {
            LinkState::Open
        }
    }
}

/// Lists at most `limit` links of the workspace, newest first, starting after the cursor. Fails
/// unless `by` is an admin.
pub async fn list_all(
    connection: &mut AnyConnection,
    by: &Person,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<ListedLink>> {
    by.must_be_admin()?;
    Ok(sqlx::query_as(
        "SELECT l.id, l.name, l.comments_at, l.created_at, l.revoked_at, l.opens, l.last_opened_at,
         u.id AS update_id, u.title, a.id AS author_id, a.name AS author_name, u.published_at, u.trashed_at,
         a.deactivated_at
         FROM links l JOIN updates u ON u.id = l.update_id JOIN people a ON a.id = u.author_id
         WHERE $1 = '' OR l.id < $1 ORDER BY l.id DESC LIMIT $2",
    )
    .bind(after.map_or("", |cursor| &cursor.id))
    .bind(limit)
    .fetch_all(connection)
    .await?)
}
