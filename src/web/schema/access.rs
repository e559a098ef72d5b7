//! Schemas of access to an update: who can open it, and why.

use serde::Serialize;

use crate::infra::db::text_enum;

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
