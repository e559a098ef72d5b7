//! Contexts of the templates. Handlers fill them in, and templates see nothing else.

mod receipts;

use std::collections::BTreeMap;

use askama::Template;

pub use receipts::{AnswerBar, OverviewPage, ReceiptSummary, ReceiptsPage, VersionsPage};

use super::filters;
use super::schema::{
    AccountView, CommentView, ContactView, GroupView, GuestAnswerView, InboxView, InvitationView,
    LinkView, ListedLinkView, PersonView, ReceiptView, RowView, SessionView, TokenView, UpdateView,
    WorkspaceView,
};
use crate::error::FieldErrors;
use crate::inbox::Reason;
use crate::media::MediaKind;
use crate::receipts::ReceiptState;
use crate::updates::UpdateState;
use crate::workspace::Workspace;

/// Layout data that every page needs.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Title of the window, before "· hearback".
    pub title: String,
    /// The signed-in person.
    pub me: Option<Me>,
    /// Current entry of the navigation: `inbox`, `updates`, `new`, `people`, `me`, or an empty string.
    pub at: &'static str,
    /// Current time by the domain's clock, in milliseconds.
    pub now: i64,
    /// IANA time zone for times that the browser does not format itself.
    pub zone: String,
    /// Nonce for the Content-Security-Policy of this response. Turbo needs the nonce for the style element that it
    /// adds.
    pub nonce: String,
    /// Number of updates that wait for the viewer's answer. Shown in the navigation and the title.
    pub owed_count: i64,
    /// Whether the page uses plain HTTP and is not local. Browsers then allow neither recording nor copying.
    pub insecure: bool,
    /// Sentence about what was just done; shown once.
    pub flash_text: Option<String>,
    /// Link that is shown only once, with a copy button.
    pub flash_link: Option<String>,
    /// Whether the browser copies the link at once.
    pub flash_copyable: bool,
    /// Whether the workspace has written rules at `/workspace`.
    pub rules: bool,
    /// Contact person of the workspace, for signed-in viewers.
    pub contact: Option<ContactView>,
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
    /// Returns whether the viewer is an admin.
    pub fn is_admin(&self) -> bool {
        self.me.as_ref().is_some_and(|me| me.is_admin)
    }

    /// Sets the workspace's rules and contact person.
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
    /// Typed values, keyed by field.
    pub values: BTreeMap<String, String>,
    /// Errors, keyed by field. Each says what is wrong and how to fix it.
    pub errors: FieldErrors,
    /// Error of the form as a whole.
    pub problem: Option<String>,
}

impl Form {
    /// Returns the typed value of a field.
    pub fn value(&self, field: &str) -> &str {
        self.values.get(field).map_or("", String::as_str)
    }

    /// Returns the error of a field, or an empty string.
    pub fn error(&self, field: &str) -> &str {
        self.errors.get(field).map_or("", String::as_str)
    }
}

/// Page that creates the first account. POST /setup: `code`, `name`, `email`, `password`, `time_zone`.
#[derive(Template)]
#[template(path = "people/setup.html")]
pub struct SetupPage {
    /// Layout data.
    pub page: Page,
    /// Typed values; `code` comes from the address.
    pub form: Form,
}

/// Sign-in page. POST /session: `email`, `password`, `next`.
#[derive(Template)]
#[template(path = "people/sign_in.html")]
pub struct SignInPage {
    /// Layout data.
    pub page: Page,
    /// Typed values; `next` is the address to open after sign-in.
    pub form: Form,
}

/// Page that accepts an invitation. POST /invitations/{token}: `name`, `password`, `time_zone`.
#[derive(Template)]
#[template(path = "people/invitation.html")]
pub struct InvitationPage {
    /// Layout data.
    pub page: Page,
    /// Typed values and their errors.
    pub form: Form,
    /// Email address of the invited person.
    pub email: String,
    /// Name of the person who sent the invitation.
    pub invited_by: String,
    /// Rules of the workspace, shown collapsed, and its contact person.
    pub workspace: WorkspaceView,
    /// Address that the form posts to.
    pub action: String,
}

/// Page that turns off email. POST /unsubscribe/{token}.
#[derive(Template)]
#[template(path = "people/unsubscribe.html")]
pub struct UnsubscribePage {
    /// Layout data.
    pub page: Page,
    /// Email address of the person.
    pub email: String,
    /// Whether email to the person is already off.
    pub off: bool,
    /// Address that the form posts to.
    pub action: String,
}

/// Page that resets a password through a link. POST /resets/{token}: `password`.
#[derive(Template)]
#[template(path = "people/reset.html")]
pub struct ResetPage {
    /// Layout data.
    pub page: Page,
    /// Typed values and their errors.
    pub form: Form,
    /// Email address of the account.
    pub email: String,
    /// Address that the form posts to.
    pub action: String,
}

/// People and invitations. PATCH /people/{id}: `role` or `active` (`true`/`false`); POST /people/{id}/reset;
/// POST /invitations: `emails` (separated by line breaks or commas), `role`; DELETE /invitations/{id}.
#[derive(Template)]
#[template(path = "people/index.html")]
pub struct PeoplePage {
    /// Layout data.
    pub page: Page,
    /// Every account.
    pub people: Vec<AccountView>,
    /// Pending invitations, for admins.
    pub invitations: Vec<InvitationView>,
    /// Invitation form, for admins.
    pub form: Form,
    /// New invitations with their `InvitationView::url` set. The links are shown only once.
    pub made: Vec<InvitationView>,
}

/// Every share link of the workspace, for admins. DELETE /links/{id}.
#[derive(Template)]
#[template(path = "people/links.html")]
pub struct LinksPage {
    /// Layout data.
    pub page: Page,
    /// One page of links, newest first.
    pub links: Vec<ListedLinkView>,
    /// Address of the next page with older links; empty on the last page.
    pub next: String,
}

/// Groups page. POST /groups: `name`, `members` (addresses separated by commas); PATCH and DELETE /groups/{id}.
#[derive(Template)]
#[template(path = "people/groups.html")]
pub struct GroupsPage {
    /// Layout data.
    pub page: Page,
    /// All groups, sorted by name.
    pub groups: Vec<GroupView>,
    /// Every account, to complete addresses.
    pub people: Vec<AccountView>,
    /// Values and errors of the form that failed.
    pub form: Form,
    /// Id of the group whose form failed; empty for the form of a new group.
    pub editing: String,
}

impl GroupsPage {
    /// Returns the value of a field in a group's form: the typed value if this form failed, otherwise the stored
    /// value `is`.
    pub fn value<'a>(&'a self, id: &str, field: &str, is: &'a str) -> &'a str {
        if self.has_failed(id) {
            self.form.value(field)
        } else {
            is
        }
    }

    /// Returns the error of a field in a group's form.
    pub fn error(&self, id: &str, field: &str) -> &str {
        if self.has_failed(id) {
            self.form.error(field)
        } else {
            ""
        }
    }

    /// Returns whether the form of this group failed. An empty id stands for the form of a new group.
    pub fn has_failed(&self, id: &str) -> bool {
        self.editing == id && !self.form.errors.is_empty()
    }
}

/// "How we work here". PATCH /workspace: `rules`, `contact` (an address), `due` (a number of working days).
#[derive(Template)]
#[template(path = "people/workspace.html")]
pub struct WorkspacePage {
    /// Layout data.
    pub page: Page,
    /// Rules, contact and default due time.
    pub workspace: WorkspaceView,
    /// Whether to show the form instead of the rules.
    pub edit: bool,
    /// Values and errors of the form.
    pub form: Form,
    /// Every account, to choose the contact from; only with `edit`.
    pub people: Vec<AccountView>,
}

/// Personal settings. PATCH /me: `name`, `email`, `time_zone`, `days` repeated, `from`, `to`, `away_until`,
/// `mail`; PUT /me/password: `current`, `password`; DELETE /sessions/{id}; POST /tokens: `name`; DELETE
/// /tokens/{id}; DELETE /session signs out.
#[derive(Template)]
#[template(path = "people/me.html")]
pub struct MePage {
    /// Layout data.
    pub page: Page,
    /// The viewer's account.
    pub account: AccountView,
    /// Typed values of any form on the page. The field names do not overlap: `name`, `email`, `time_zone`,
    /// `days`, `from`, `to`, `away_until`, `mail`, `current`, `password`, `token_name`.
    pub form: Form,
    /// IANA time zone names to choose from.
    pub zones: Vec<String>,
    /// The viewer's active sessions.
    pub sessions: Vec<SessionView>,
    /// The viewer's tokens. A new token includes its secret in `token`.
    pub tokens: Vec<TokenView>,
}

/// The inbox, which is the home page.
#[derive(Template)]
#[template(path = "inbox/index.html")]
pub struct InboxPage {
    /// Layout data.
    pub page: Page,
    /// Entries of the inbox.
    pub inbox: InboxView,
    /// Whether nothing has ever been published in this workspace.
    pub first_day: bool,
}

/// The library: every update the viewer may see. GET /updates: `q`, `author`, `audience=me`, `state`, `kind`,
/// `after`.
#[derive(Template)]
#[template(path = "updates/index.html")]
pub struct LibraryPage {
    /// Layout data.
    pub page: Page,
    /// One page of updates.
    pub items: Vec<RowView>,
    /// Address of the next page; empty on the last page.
    pub next: String,
    /// Current filters.
    pub filter: LibraryFilter,
    /// People to choose from in the author filter.
    pub people: Vec<PersonView>,
}

/// Filters of the library. A filter that is not set is empty or `None`.
#[derive(Clone, Debug, Default)]
pub struct LibraryFilter {
    /// Search text.
    pub q: String,
    /// Id of the author.
    pub author: String,
    /// Whether only updates addressed to the viewer are listed.
    pub to_me: bool,
    /// State of the listed updates; `None` for everything except the trash.
    pub state: Option<UpdateState>,
    /// Kind of media that the listed updates contain.
    pub kind: Option<MediaKind>,
}

impl LibraryFilter {
    /// Returns whether the list is the trash.
    pub fn is_trash(&self) -> bool {
        self.state == Some(UpdateState::Trashed)
    }

    /// Returns whether the list shows drafts.
    pub fn is_drafts(&self) -> bool {
        self.state == Some(UpdateState::Draft)
    }

    /// Returns whether only updates with a video are listed.
    pub fn is_videos(&self) -> bool {
        self.kind == Some(MediaKind::Video)
    }

    /// Returns whether only updates with a picture are listed.
    pub fn is_pictures(&self) -> bool {
        self.kind == Some(MediaKind::Image)
    }
}

/// Form for a new update, a draft, or an edit of a published update.
///
/// New: POST /updates (multipart: `media` files, `title`, `notes`, `audience` repeated, `visibility`,
/// `expectation`, `due`, `otherwise`, `publish`).
/// Draft or edit: PATCH /updates/{id} with the same fields and `version`; POST /updates/{id}/media (multipart `media`);
/// DELETE /media/{id}; PUT /updates/{id}/publication; DELETE /updates/{id}.
#[derive(Template)]
#[template(path = "updates/edit.html")]
pub struct EditPage {
    /// Layout data.
    pub page: Page,
    /// The draft or the update; `None` for a new update.
    pub update: Option<UpdateView>,
    /// Typed values and errors. `audience` is one string, separated by commas.
    pub form: Form,
    /// Every other account, to complete addresses.
    pub people: Vec<AccountView>,
    /// Addresses in the audience that have no account. Admins see the button "Invite and ask".
    pub unknown: Vec<String>,
    /// Names of the admins, who can invite. Shown to members.
    pub admins: Vec<String>,
    /// Why no file can be uploaded now, for example because the disk is full; `None` if files can be uploaded.
    pub refusal: Option<String>,
    /// Accepted file types and maximum upload size, in words.
    pub limit: String,
    /// Maximum upload size in bytes.
    pub max_upload: u64,
    /// Maximum length of a recording, in seconds. A recording stops by itself after that.
    pub max_recording: u32,
    /// Number of people who answered the update and can be asked to answer again.
    pub answered: i64,
    /// Whether media was added or removed since people answered.
    pub media_changed: bool,
}

impl EditPage {
    /// Returns the id of the draft or the update; empty for a new update.
    pub fn id(&self) -> &str {
        self.update.as_ref().map_or("", |update| &update.id)
    }

    /// Returns whether the update is published.
    pub fn published(&self) -> bool {
        self.update
            .as_ref()
            .is_some_and(|update| update.state.is_published())
    }

    /// Returns the groups in the audience as `@design and @ops`; empty if there are none.
    pub fn groups(&self) -> String {
        let names: Vec<&str> = self
            .form
            .value("audience")
            .split([',', ';', '\n'])
            .map(str::trim)
            .filter(|name| name.starts_with('@'))
            .collect();
        match names.split_last() {
            None => String::new(),
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
        }
    }

    /// Returns whether the update has media.
    pub fn has_media(&self) -> bool {
        self.update
            .as_ref()
            .is_some_and(|update| !update.media.is_empty())
    }
}

/// Page of an update, for a member or a guest.
#[derive(Template)]
#[template(path = "updates/show.html")]
pub struct UpdatePage {
    /// Layout data.
    pub page: Page,
    /// The update.
    pub update: UpdateView,
    /// Threads in the order in which the page shows them.
    pub comments: Vec<CommentView>,
    /// Values and errors of the composer. A guest without a name also enters `name`.
    pub form: Form,
    /// The viewer's unsent texts, keyed by subject: `comment`, `readback`, `decline`, or the id of the comment the
    /// viewer replies to.
    pub drafts: BTreeMap<String, String>,
    /// People whom the viewer's new comment mentions and who cannot see the update.
    pub unseen: Vec<PersonView>,
    /// Receipts of the recipients; empty for guests.
    pub receipts: Vec<ReceiptView>,
    /// Guests who acknowledged; empty if the viewer is a guest.
    pub guests: Vec<GuestAnswerView>,
    /// Share links; empty for everyone but the author.
    pub links: Vec<LinkView>,
    /// Summary of who can open the update: "You, 6 people, 1 open link". Empty for guests.
    pub access_summary: String,
    /// Whether the viewer is the author.
    pub author: bool,
    /// Whether the viewer is a guest.
    pub guest: bool,
    /// Whether the viewer may comment, react and acknowledge.
    pub may_answer: bool,
    /// Whether the viewer is a guest who has not given a name yet.
    pub needs_name: bool,
    /// Bar at the bottom, with the requested answer and the viewer's answer.
    pub answer_bar: AnswerBar,
    /// Whether the viewer muted the update.
    pub muted: bool,
    /// Whether the viewer's inbox has an update to read, which may be this one.
    pub next: bool,
    /// Whether the server sends email to recipients.
    pub mail: bool,
    /// Address of the page's live stream; empty if there is none.
    pub live: String,
    /// Number of the last event that the page already shows.
    pub event: i64,
    /// Open Graph data; only on share pages.
    pub share: Option<SharePreview>,
}

impl UpdatePage {
    /// Returns the unsent text for a subject, or an empty string.
    pub fn draft(&self, subject: &str) -> &str {
        self.drafts.get(subject).map_or("", String::as_str)
    }

    /// Returns the text of the composer: the text of a refused comment, or else the unsent text.
    pub fn composer_text(&self) -> &str {
        self.form
            .values
            .get("body")
            .map_or_else(|| self.draft("comment"), String::as_str)
    }

    /// Returns how many people answered the update and can be asked to answer again.
    pub fn answered_count(&self) -> usize {
        self.receipts
            .iter()
            .filter(|receipt| receipt.answered_at.is_some())
            .count()
    }

    /// Returns whether the update changed since the viewer answered.
    pub fn changed_since_answer(&self) -> bool {
        self.answer_bar.is_stale()
    }
}

/// Open Graph data of a share page.
#[derive(Clone, Debug)]
pub struct SharePreview {
    /// Absolute address of the page.
    pub url: String,
    /// Absolute address of a picture; may be empty.
    pub image: String,
    /// One line of the notes.
    pub description: String,
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
    /// What happened, what is safe and what to do next.
    pub detail: String,
    /// Id of the request, to report to an admin.
    pub request_id: String,
    /// Text that was typed before the failure, so that nothing is lost.
    pub typed: Vec<(String, String)>,
}
