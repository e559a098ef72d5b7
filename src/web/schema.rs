//! Response schemas. The same types are sent to programs as JSON and passed to the templates.
//!
//! Times are RFC 3339 in UTC with milliseconds. Positions in a video are in milliseconds, and positions in a
//! picture are from 0 to 1.

mod access;
mod comments;
mod groups;
mod inbox;
mod links;
mod media;
mod people;
mod receipts;
mod sessions;
mod update_list;
mod updates;
mod workspace;

use serde::Serialize;

pub use access::{AccessKind, AccessReason, AccessView};
pub use comments::{AnchorView, AuthorView, CommentView, ReactionView, RegionView, VersionView};
pub use groups::GroupView;
pub use inbox::{EntryView, InboxCountsView, InboxView, PreviewView, SnoozedView};
pub use links::{LinkView, ListedLinkView, UpdateRefView};
pub use media::{MarkupSummaryView, MarkupView, MediaView, RenditionView, TrimView, UploadView};
pub use people::{AccountView, InvitationView, MeView, NotifyView};
pub use receipts::{
    ChangesView, ExchangeView, FileView, GuestAnswerView, ReceiptGroup, ReceiptView, RevisionView,
    TrimmedView,
};
pub use sessions::{SessionView, TokenView};
pub use update_list::{FoundView, HitKind, RowView};
pub use updates::{AudienceView, CountsView, DueView, UpdateView};
pub use workspace::{ContactView, DaysView, WorkspaceView};

/// A person, a guest, or a group in an audience.
#[derive(Clone, Debug, Serialize)]
pub struct PersonView {
    /// Id of the person, guest or group.
    pub id: String,
    /// Display name.
    pub name: String,
}

/// A page of a list.
#[derive(Clone, Debug, Serialize)]
pub struct ListView<T> {
    /// Rows of the page.
    pub items: Vec<T>,
    /// Value to send as `after` for the next page; `None` on the last page.
    pub next: Option<String>,
}
