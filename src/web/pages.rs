//! Contexts of the templates. Handlers fill them in, and templates see nothing else.

mod people;
mod receipt_summary;
mod receipts;
mod threads;
mod updates;

use std::collections::BTreeMap;

use askama::Template;

pub use people::{
    DemoFaces, GroupsPage, InvitationPage, LinksPage, MePage, PeoplePage, ResetPage, SetupPage,
    SignInPage, UnsubscribePage, WorkspacePage,
};
pub use receipt_summary::{ReceiptFold, ReceiptSummary};
pub use receipts::{AnswerCard, OverviewPage, ReceiptsPage, VersionsPage};
pub use threads::{Asked, MarkView, ThreadsPart};
pub use updates::{
    AccessSummary, AuthorField, EditPage, LibraryFilter, LibraryPage, SharePreview, UpdatePage,
};

use super::filters;
use super::schema::{ContactView, InboxView};
use crate::inbox::Reason;
use crate::workspace::Workspace;

/// Layout data that every page needs.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Window title, without the suffix "· hearback".
    pub title: String,
    /// The signed-in person.
    pub me: Option<Me>,
    /// Current entry of the navigation, if there is one.
    pub at: Option<NavEntry>,
    /// Current time of the server's clock, in milliseconds.
    pub now: i64,
    /// IANA time zone for times that the browser does not format itself.
    pub zone: String,
    /// Nonce for the Content-Security-Policy of this response. Turbo needs the nonce for the style element that it
    /// adds.
    pub nonce: String,
    /// Number of updates that are waiting for the viewer's answer. Shown in the navigation and the title.
    pub owed_count: i64,
    /// Whether the page is served over plain HTTP from an address that is not local. Browsers then
    /// allow neither recording nor copying.
    pub insecure: bool,
    /// Sentence about what was just done; shown once.
    pub flash_text: Option<String>,
    /// Link, token or message that the page shows only once, with a copy button.
    pub flash_link: Option<String>,
    /// Whether the page tries to copy `flash_link` immediately.
    pub flash_copyable: bool,
    /// Whether the workspace has rules. The page `/workspace` shows them.
    pub rules: bool,
    /// Contact person of the workspace, for signed-in viewers.
    pub contact: Option<ContactView>,
}

/// An entry of the navigation, or of the tabs under *People*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NavEntry {
    /// The form for a new update.
    New,
    /// The inbox.
    Inbox,
    /// The library, and the pages of updates.
    Library,
    /// The tab with accounts and invitations.
    People,
    /// The tab with groups.
    Groups,
    /// The tab with the rules of the workspace.
    Workspace,
    /// The tab with all share links.
    ShareLinks,
    /// The viewer's settings.
    Settings,
}

/// The signed-in person.
#[derive(Clone, Debug)]
pub struct Me {
    /// Id of the person.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Email address used to sign in.
    pub email: String,
    /// Whether the person is an admin.
    pub is_admin: bool,
}

impl Page {
    /// Returns whether `entry` is the current entry of the navigation or of the tabs.
    pub fn is_at(&self, entry: NavEntry) -> bool {
        self.at == Some(entry)
    }

    /// Returns whether the page is one of the tabs under *People*.
    pub fn is_at_people_tabs(&self) -> bool {
        matches!(
            self.at,
            Some(NavEntry::People | NavEntry::Groups | NavEntry::Workspace | NavEntry::ShareLinks)
        )
    }

    /// Returns whether the viewer is an admin.
    pub fn is_admin(&self) -> bool {
        self.me.as_ref().is_some_and(|me| me.is_admin)
    }

    /// Stores whether the workspace has rules, and who its contact person is.
    pub(super) fn set_workspace(&mut self, workspace: Workspace) {
        self.rules = !workspace.rules.is_empty();
        self.contact = workspace.contact.map(|contact| ContactView {
            id: contact.id,
            name: contact.name,
            email: contact.email,
        });
    }

    /// Returns the id of the signed-in person, or an empty string.
    pub fn my_id(&self) -> &str {
        self.me.as_ref().map_or("", |me| &me.id)
    }
}

/// Values of a form and their errors.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Values, keyed by field.
    pub values: BTreeMap<String, String>,
    /// Errors, keyed by field. Each is a full sentence that says what is wrong and how to fix it.
    pub errors: BTreeMap<String, String>,
    /// Error of the form as a whole.
    pub problem: Option<String>,
}

impl Form {
    /// Returns the value of a field, or an empty string.
    pub fn value(&self, field: &str) -> &str {
        self.values.get(field).map_or("", String::as_str)
    }

    /// Returns the error of a field, or an empty string.
    pub fn error(&self, field: &str) -> &str {
        self.errors.get(field).map_or("", String::as_str)
    }
}

/// The inbox, which is the home page.
#[derive(Template)]
#[template(path = "inbox/index.html")]
pub struct InboxPage {
    /// Layout data.
    pub page: Page,
    /// Entries of the inbox.
    pub inbox: InboxView,
    /// Whether the viewer has never sent an update.
    pub first_day: bool,
    /// Times that the viewer can choose as the end of a snooze.
    pub snooze_choices: Vec<SnoozeChoice>,
}

impl InboxPage {
    /// Maximum number of entries below which the page still suggests a first recording.
    const FEW_ENTRIES: usize = 3;

    /// Returns whether no section has an entry.
    pub fn is_empty(&self) -> bool {
        self.entry_count() == 0
    }

    /// Returns whether the viewer owes nothing and nothing is new.
    pub fn is_caught_up(&self) -> bool {
        self.inbox.owed_by_me.is_empty() && self.inbox.said_to_me.is_empty()
    }

    /// Returns whether the page suggests a first recording below the entries.
    pub fn suggests_recording(&self) -> bool {
        self.first_day && self.entry_count() <= Self::FEW_ENTRIES
    }

    fn entry_count(&self) -> usize {
        let inbox = &self.inbox;
        inbox.owed_by_me.len() + inbox.said_to_me.len() + inbox.owed_to_me.len()
    }
}

/// A time that the viewer can choose as the end of a snooze.
#[derive(Clone, Debug)]
pub struct SnoozeChoice {
    /// Value of the field `until`.
    pub until: &'static str,
    /// Label, such as `Tomorrow morning`.
    pub label: String,
    /// The time, such as `Mon 09:00`.
    pub time: String,
}

/// Error page.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Layout data.
    pub page: Page,
    /// HTTP status code.
    pub status: u16,
    /// Short heading.
    pub heading: String,
    /// What happened, which data is safe, and what to do next.
    pub detail: String,
    /// Id of the request, to report to an admin.
    pub request_id: String,
    /// Text that the user entered before the failure. The page shows it, so that nothing is lost.
    pub typed: Vec<(String, String)>,
}
