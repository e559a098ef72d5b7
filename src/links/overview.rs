//! Every link of the workspace, for admins.

use sqlx::{AnyConnection, FromRow};

use crate::clock::Millis;
use crate::error::Result;
use crate::people::Person;
use crate::updates::Cursor;

/// Whether a link opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It opens its update.
    Open,
    /// It was ended for good: by the author, by an admin, or because the author was deactivated.
    Revoked,
    /// Its update is a draft again or in the trash; published or restored, the link opens it again.
    Unpublished,
}

impl LinkState {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Revoked => "revoked",
            Self::Unpublished => "unpublished",
        }
    }
}

/// A link with its update and author.
#[derive(Clone, Debug, FromRow)]
pub struct ListedLink {
    /// The link's id.
    pub id: String,
    /// What the author calls it.
    pub name: String,
    /// Guests may comment, since then.
    pub comments_at: Option<Millis>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was ended.
    pub revoked_at: Option<Millis>,
    /// How often a guest's page reported that it was opened.
    pub opens: i64,
    /// When it last did.
    pub last_opened_at: Option<Millis>,
    /// The update it opens.
    pub update_id: String,
    /// The update's title.
    pub title: String,
    /// Who made the update and the link.
    pub author_id: String,
    /// Their name.
    pub author_name: String,
    published_at: Option<Millis>,
    trashed_at: Option<Millis>,
    deactivated_at: Option<Millis>,
}

impl ListedLink {
    /// Whether it opens now.
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

/// At most `limit` links of the workspace, newest first, older than the one of the cursor. For admins only.
pub async fn list_all(
    connection: &mut AnyConnection,
    by: &Person,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<ListedLink>> {
    by.must_be_admin()?;
    Ok(sqlx::query_as(
        "SELECT l.id, l.name, l.comments_at, l.created_at, l.revoked_at, l.opens, l.last_opened_at, u.id AS update_id, u.title,
             a.id AS author_id, a.name AS author_name, u.published_at, u.trashed_at, a.deactivated_at
         FROM links l JOIN updates u ON u.id = l.update_id JOIN people a ON a.id = u.author_id
         WHERE $1 = '' OR l.id < $1 ORDER BY l.id DESC LIMIT $2",
    )
    .bind(after.map_or("", |cursor| &cursor.id))
    .bind(limit)
    .fetch_all(connection)
    .await?)
}
