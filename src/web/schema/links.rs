//! Schemas of share links.

use serde::Serialize;

use super::PersonView;
use crate::links::LinkState;

/// A share link, for the author.
#[derive(Clone, Debug, Serialize)]
pub struct LinkView {
    /// Id of the link.
    pub id: String,
    /// Name that the author gave the link.
    pub name: String,
    /// Whether guests may comment.
    pub comments: bool,
    /// When the link was created.
    pub created_at: String,
    /// When the link was revoked; `None` while it is active.
    pub revoked_at: Option<String>,
    /// Full address; only in the response that creates the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Short reference to an update.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateRefView {
    /// Id of the update.
    pub id: String,
    /// Title of the update.
    pub title: String,
    /// Address of the update's page.
    pub url: String,
}

/// A share link in the list of all links, for admins.
#[derive(Clone, Debug, Serialize)]
pub struct ListedLinkView {
    /// Id of the link.
    pub id: String,
    /// The update that the link opens.
    pub update: UpdateRefView,
    /// Person who created the link.
    pub author: PersonView,
    /// Name that the author gave the link.
    pub name: String,
    /// Whether guests may comment.
    pub comments: bool,
    /// When the link was created.
    pub created_at: String,
    /// Expiry time; currently always null, because links do not expire.
    pub expires_at: Option<String>,
    /// When the link was revoked; `None` while it is active.
    pub revoked_at: Option<String>,
    /// How many times guests opened the page through this link.
    pub opens: i64,
    /// When a guest last opened the page.
    pub last_opened_at: Option<String>,
    /// State of the link.
    pub state: LinkState,
}

impl ListedLinkView {
    /// Returns whether the link was revoked.
    pub fn is_revoked(&self) -> bool {
        self.state == LinkState::Revoked
    }

    /// Returns whether the link cannot be opened because its update is not published.
    pub fn is_unpublished(&self) -> bool {
        self.state == LinkState::Unpublished
    }
}
