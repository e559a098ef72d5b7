//! The shapes of share links and of who may open an update.

use serde::Serialize;

use super::PersonView;

/// A share link, for the author.
#[derive(Clone, Debug, Serialize)]
pub struct LinkView {
    /// The id.
    pub id: String,
    /// What the author calls it.
    pub name: String,
    /// Whether guests may comment.
    pub comments: bool,
    /// When it was made.
    pub created_at: String,
    /// When it was ended.
    pub revoked_at: Option<String>,
    /// The whole address; only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// An update, as far as it is named beside something of it.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateRefView {
    /// The id.
    pub id: String,
    /// The title.
    pub title: String,
    /// The address of its page.
    pub url: String,
}

/// A share link in the list of all, for admins.
#[derive(Clone, Debug, Serialize)]
pub struct ListedLinkView {
    /// The id.
    pub id: String,
    /// The update it opens.
    pub update: UpdateRefView,
    /// Who made it.
    pub author: PersonView,
    /// What the author calls it.
    pub name: String,
    /// Whether guests may comment.
    pub comments: bool,
    /// When it was made.
    pub created_at: String,
    /// When it ends; null: links do not end by themselves yet.
    pub expires_at: Option<String>,
    /// When it was ended.
    pub revoked_at: Option<String>,
    /// How often a guest's page was opened through it.
    pub opens: i64,
    /// When that was last.
    pub last_opened_at: Option<String>,
    /// `open`, `revoked` or `unpublished`.
    pub state: String,
}

/// One way in which an update can be opened now.
#[derive(Clone, Debug, Serialize)]
pub struct AccessView {
    /// `person`, `group`, `workspace` or `link`.
    pub kind: String,
    /// The name of the person, group or link; of the workspace `everyone`.
    pub name: String,
    /// `author`, `recipient`, `later_members`, `everyone`, `visibility` or `link`.
    pub reason: String,
    /// Since when.
    pub since: String,
}
