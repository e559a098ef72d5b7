//! Schemas of share links and of access to an update.

use serde::Serialize;

use super::PersonView;
use crate::infra::db::text_enum;
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

text_enum! {
    /// Who can open an update.
    pub enum AccessKind {
        /// A person.
        Person = "person",
        /// People who join a group later.
        Group = "group",
        /// Everyone with an account.
        Workspace = "workspace",
        /// Everyone with the share link.
        Link = "link",
    }
}

text_enum! {
    /// Why someone can open an update.
    pub enum AccessReason {
        /// The person is the update's author.
        Author = "author",
        /// The person is a recipient.
        Recipient = "recipient",
        /// The author gave access to people who join the group later.
        LaterMembers = "later_members",
        /// The update is addressed to everyone.
        Everyone = "everyone",
        /// The author made the update visible to everyone in the workspace.
        Visibility = "visibility",
        /// The author created a share link.
        Link = "link",
    }
}

/// Someone who can open an update now, and the reason.
#[derive(Clone, Debug, Serialize)]
pub struct AccessView {
    /// Whether this entry is a person, a group, everyone with an account, or a share link.
    pub kind: AccessKind,
    /// Name of the person, group or link; `everyone` for the workspace.
    pub name: String,
    /// Reason for the access.
    pub reason: AccessReason,
    /// When the access started, RFC 3339.
    pub since: String,
}
