//! Schemas of share links and of access to an update.

use serde::Serialize;

use super::PersonView;

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
    /// Address of its page.
    pub url: String,
}

/// A share link in the list of all links, for admins.
#[derive(Clone, Debug, Serialize)]
pub struct ListedLinkView {
    /// Id of the link.
    pub id: String,
    /// The update it opens.
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
    /// `open`, `revoked` or `unpublished`.
    pub state: String,
}

/// One way in which an update can be opened now.
#[derive(Clone, Debug, Serialize)]
pub struct AccessView {
    /// `person`, `group`, `workspace` or `link`.
    pub kind: String,
    /// Name of the person, group or link; `everyone` for the workspace.
    pub name: String,
    /// `author`, `recipient`, `later_members`, `everyone`, `visibility` or `link`.
    pub reason: String,
    /// Start of the access, RFC 3339.
    pub since: String,
}
