//! What each template is given. Handlers fill these; templates see nothing else.

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
use crate::workspace::Workspace;

/// What every page needs around its content.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The text of the window's title, before "· hearback".
    pub title: String,
    /// Who is signed in.
    pub me: Option<Me>,
    /// Which entry of the rail is current: `inbox`, `updates`, `new`, `people`, `me`, or nothing.
    pub at: &'static str,
    /// Now, by the domain's clock.
    pub now: i64,
    /// The IANA time zone that times are written in, where the browser does not do it itself.
    pub zone: String,
    /// The nonce of this answer's Content-Security-Policy, for the one stylesheet that Turbo makes.
    pub nonce: String,
    /// How many updates wait for an answer of mine; said in the rail and in the title.
    pub owed_count: i64,
    /// Plain http on something other than this machine: browsers then neither record nor copy.
    pub insecure: bool,
    /// A sentence about what was just done, shown once.
    pub flash_text: Option<String>,
    /// A link that is shown only this once, with a button that copies it.
    pub flash_link: Option<String>,
    /// It is copied at once.
    pub flash_copyable: bool,
    /// Whether it is written down how one works here, at `/workspace`.
    pub rules: bool,
    /// Whom to ask, for who is signed in.
    pub contact: Option<ContactView>,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct Me {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The address they sign in with.
    pub email: String,
    /// Whether they may invite, change roles and deactivate.
    pub is_admin: bool,
}

impl Page {
    /// Whether who is signed in is an admin.
    pub fn is_admin(&self) -> bool {
        self.me.as_ref().is_some_and(|me| me.is_admin)
    }

    /// Says how the workspace works.
    pub(super) fn set_workspace(&mut self, workspace: Workspace) {
        self.rules = !workspace.rules.is_empty();
        self.contact = workspace.contact.map(|contact| ContactView {
            id: contact.id,
            name: contact.name,
            email: contact.email,
        });
    }

    /// The id of who is signed in, or an empty text.
    pub fn my_id(&self) -> &str {
        self.me.as_ref().map_or("", |me| &me.id)
    }
}

/// What was typed into a form and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Field → what was typed.
    pub values: BTreeMap<String, String>,
    /// Field → what is wrong and what would be right.
    pub errors: FieldErrors,
    /// What is wrong with the whole.
    pub problem: Option<String>,
}

impl Form {
    /// What was typed into the field.
    pub fn value(&self, field: &str) -> &str {
        self.values.get(field).map_or("", String::as_str)
    }

    /// What is wrong with the field; an empty text when nothing is.
    pub fn error(&self, field: &str) -> &str {
        self.errors.get(field).map_or("", String::as_str)
    }
}

/// The first account. POST /setup: `code`, `name`, `email`, `password`, `time_zone`.
#[derive(Template)]
#[template(path = "people/setup.html")]
pub struct SetupPage {
    /// Around it.
    pub page: Page,
    /// What was typed; `code` comes from the address.
    pub form: Form,
}

/// Signing in. POST /session: `email`, `password`, `next`.
#[derive(Template)]
#[template(path = "people/sign_in.html")]
pub struct SignInPage {
    /// Around it.
    pub page: Page,
    /// What was typed; `next` is where one was going.
    pub form: Form,
}

/// Accepting an invitation. POST /invitations/{token}: `name`, `password`, `time_zone`.
#[derive(Template)]
#[template(path = "people/invitation.html")]
pub struct InvitationPage {
    /// Around it.
    pub page: Page,
    /// What was typed.
    pub form: Form,
    /// Whom the invitation is for.
    pub email: String,
    /// Who invited.
    pub invited_by: String,
    /// How the workspace works: its rules are shown folded, and whom to ask.
    pub workspace: WorkspaceView,
    /// Where the form goes.
    pub action: String,
}

/// What ends mail to a person. POST /unsubscribe/{token}.
#[derive(Template)]
#[template(path = "people/unsubscribe.html")]
pub struct UnsubscribePage {
    /// Around it.
    pub page: Page,
    /// Whose mail it is about.
    pub email: String,
    /// It is off already.
    pub off: bool,
    /// Where the form goes.
    pub action: String,
}

/// A new password by a one-hour link. POST /resets/{token}: `password`.
#[derive(Template)]
#[template(path = "people/reset.html")]
pub struct ResetPage {
    /// Around it.
    pub page: Page,
    /// What was typed.
    pub form: Form,
    /// Whose password it is.
    pub email: String,
    /// Where the form goes.
    pub action: String,
}

/// People and invitations. PATCH /people/{id}: `role` or `active` (`true`/`false`); POST /people/{id}/reset;
/// POST /invitations: `emails` (one a line or comma), `role`; DELETE /invitations/{id}.
#[derive(Template)]
#[template(path = "people/index.html")]
pub struct PeoplePage {
    /// Around it.
    pub page: Page,
    /// Everyone with an account.
    pub people: Vec<AccountView>,
    /// Pending invitations (for admins).
    pub invitations: Vec<InvitationView>,
    /// The invitation form (for admins).
    pub form: Form,
    /// Links that were just made, to pass on: shown only this once. (`InvitationView::url` is set.)
    pub made: Vec<InvitationView>,
}

/// Every share link, for admins. DELETE /links/{id}.
#[derive(Template)]
#[template(path = "people/links.html")]
pub struct LinksPage {
    /// Around it.
    pub page: Page,
    /// One page of them, newest first.
    pub links: Vec<ListedLinkView>,
    /// The address of older ones; empty when there are none.
    pub next: String,
}

/// Groups. POST /groups: `name`, `members` (addresses, with commas); PATCH and DELETE /groups/{id}.
#[derive(Template)]
#[template(path = "people/groups.html")]
pub struct GroupsPage {
    /// Around it.
    pub page: Page,
    /// All of them, by name.
    pub groups: Vec<GroupView>,
    /// Everyone with an account, to complete addresses.
    pub people: Vec<AccountView>,
    /// What was typed into the form that failed.
    pub form: Form,
    /// The id of the group whose form failed; empty for a new one's.
    pub editing: String,
}

impl GroupsPage {
    /// What the form of a group holds: what was typed, if it failed, else what is.
    pub fn value<'a>(&'a self, id: &str, field: &str, is: &'a str) -> &'a str {
        if self.has_failed(id) {
            self.form.value(field)
        } else {
            is
        }
    }

    /// What is wrong with a field of a group's form.
    pub fn error(&self, id: &str, field: &str) -> &str {
        if self.has_failed(id) {
            self.form.error(field)
        } else {
            ""
        }
    }

    /// Whether it is the form of this group that failed; an empty id is a new one's.
    pub fn has_failed(&self, id: &str) -> bool {
        self.editing == id && !self.form.errors.is_empty()
    }
}

/// How we work here. PATCH /workspace: `rules`, `contact` (an address), `due` (a number of working days).
#[derive(Template)]
#[template(path = "people/workspace.html")]
pub struct WorkspacePage {
    /// Around it.
    pub page: Page,
    /// What is written down.
    pub workspace: WorkspaceView,
    /// The form instead of the words.
    pub edit: bool,
    /// The form.
    pub form: Form,
    /// Everyone with an account, to choose the contact from; only with `edit`.
    pub people: Vec<AccountView>,
}

/// Settings of one's own. PATCH /me: `name`, `email`, `time_zone`, `days` repeated, `from`, `to`, `away_until`, `mail`; PUT /me/password: `current`, `password`;
/// DELETE /sessions/{id}; POST /tokens: `name`; DELETE /tokens/{id}; DELETE /session signs out.
#[derive(Template)]
#[template(path = "people/me.html")]
pub struct MePage {
    /// Around it.
    pub page: Page,
    /// My account.
    pub account: AccountView,
    /// What was typed (any of the forms of the page; field names differ: `name`, `email`, `time_zone`,
    /// `days`, `from`, `to`, `away_until`, `mail`, `current`, `password`, `token_name`).
    pub form: Form,
    /// IANA names to choose from.
    pub zones: Vec<String>,
    /// Where I am signed in.
    pub sessions: Vec<SessionView>,
    /// My tokens; one that was just made has its `token`.
    pub tokens: Vec<TokenView>,
}

/// The inbox, the home page.
#[derive(Template)]
#[template(path = "inbox/index.html")]
pub struct InboxPage {
    /// Around it.
    pub page: Page,
    /// What waits.
    pub inbox: InboxView,
    /// Nothing was ever sent in this workspace: the first day.
    pub first_day: bool,
}

/// The library: all one may see. GET /updates: `q`, `author`, `audience=me`, `state`, `kind`, `after`.
#[derive(Template)]
#[template(path = "updates/index.html")]
pub struct LibraryPage {
    /// Around it.
    pub page: Page,
    /// Rows.
    pub items: Vec<RowView>,
    /// The address of the next page of rows; empty when there is none.
    pub next: String,
    /// The filters as given.
    pub filter: LibraryFilter,
    /// People to filter by.
    pub people: Vec<PersonView>,
}

/// The filters of the library, as given; empty texts where not.
#[derive(Clone, Debug, Default)]
pub struct LibraryFilter {
    /// Words.
    pub q: String,
    /// A person's id.
    pub author: String,
    /// `me` or nothing.
    pub audience: String,
    /// `draft`, `published`, `trashed` or nothing.
    pub state: String,
    /// `video`, `image` or nothing.
    pub kind: String,
}

/// A new update, a draft, or an edit of one that was sent: one form.
///
/// New: POST /updates (multipart: `media` files, `title`, `notes`, `audience` repeated, `visibility`, `expectation`, `due`, `otherwise`, `publish`).
/// Draft or edit: PATCH /updates/{id} with the same fields and `version`; POST /updates/{id}/media (multipart `media`);
/// DELETE /media/{id}; PUT /updates/{id}/publication; DELETE /updates/{id}.
#[derive(Template)]
#[template(path = "updates/edit.html")]
pub struct EditPage {
    /// Around it.
    pub page: Page,
    /// The draft or the update; none on the New page.
    pub update: Option<UpdateView>,
    /// What was typed. `audience` is one text, separated by commas.
    pub form: Form,
    /// Everyone with an account but me, to complete addresses.
    pub people: Vec<AccountView>,
    /// Addresses without an account that were asked for: admins are offered "Invite and ask".
    pub unknown: Vec<String>,
    /// Who can invite, by name (told to members).
    pub admins: Vec<String>,
    /// What may be taken, in words, or why nothing is taken now (full disk).
    pub refusal: Option<String>,
    /// The largest upload, in words.
    pub limit: String,
    /// The same in bytes.
    pub max_upload: u64,
    /// After how many seconds a recording stops by itself.
    pub max_recording: u32,
    /// How many people answered it: they can be asked again.
    pub answered: i64,
    /// Recordings or pictures came or went since they did.
    pub media_changed: bool,
}

impl EditPage {
    /// The id of the draft or the update; empty on the New page.
    pub fn id(&self) -> &str {
        self.update.as_ref().map_or("", |update| &update.id)
    }

    /// Whether it was sent already.
    pub fn published(&self) -> bool {
        self.update
            .as_ref()
            .is_some_and(|update| update.state == "published")
    }

    /// The groups that the audience names, as `@design and @ops`; empty without one.
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

    /// Whether it has recordings or pictures.
    pub fn has_media(&self) -> bool {
        self.update
            .as_ref()
            .is_some_and(|update| !update.media.is_empty())
    }
}

/// An update, for a member or a guest.
#[derive(Template)]
#[template(path = "updates/show.html")]
pub struct UpdatePage {
    /// Around it.
    pub page: Page,
    /// The update.
    pub update: UpdateView,
    /// Threads in order.
    pub comments: Vec<CommentView>,
    /// The composer; `name` for a guest without one.
    pub form: Form,
    /// What who asks is writing, by subject: `comment`, `readback`, `decline`, or the id of the comment that is answered.
    pub drafts: BTreeMap<String, String>,
    /// People whom the comment that was just written names though they cannot see the update.
    pub unseen: Vec<PersonView>,
    /// Recipients; empty for guests.
    pub receipts: Vec<ReceiptView>,
    /// Guests who acknowledged; empty for guests.
    pub guests: Vec<GuestAnswerView>,
    /// Share links; empty but for the author.
    pub links: Vec<LinkView>,
    /// Who can open it, in words: "You, 6 people, 1 open link". Empty for guests.
    pub access_summary: String,
    /// Who asks is the author.
    pub author: bool,
    /// Who asks is a guest.
    pub guest: bool,
    /// Who asks may comment, react and acknowledge.
    pub may_answer: bool,
    /// A guest who has not said a name yet.
    pub needs_name: bool,
    /// What is asked of who asks: the bar at the bottom.
    pub answer_bar: AnswerBar,
    /// Who asks wants to hear nothing of it that does not concern them.
    pub muted: bool,
    /// Something waits in the inbox: this, or what is read after it.
    pub next: bool,
    /// Whether mail goes out to those who are asked.
    pub mail: bool,
    /// The address the page opens its live stream with; empty for none.
    pub live: String,
    /// The last event that the page already shows.
    pub event: i64,
    /// For Open Graph: the absolute address and the absolute poster, on share pages.
    pub share: Option<SharePreview>,
}

impl UpdatePage {
    /// What is being written about the subject; an empty text for nothing.
    pub fn draft(&self, subject: &str) -> &str {
        self.drafts.get(subject).map_or("", String::as_str)
    }

    /// What stands in the composer: what was refused just now, else the draft.
    pub fn composer_text(&self) -> &str {
        self.form
            .values
            .get("body")
            .map_or_else(|| self.draft("comment"), String::as_str)
    }

    /// How many people answered it: they can be asked again.
    pub fn answered_count(&self) -> usize {
        self.receipts
            .iter()
            .filter(|receipt| receipt.answered_at.is_some())
            .count()
    }

    /// Whether it changed since who asks answered.
    pub fn changed_since_answer(&self) -> bool {
        self.answer_bar.state == "stale"
    }
}

/// Open Graph of a share page.
#[derive(Clone, Debug)]
pub struct SharePreview {
    /// The absolute address.
    pub url: String,
    /// The absolute address of a picture; may be empty.
    pub image: String,
    /// A line of the notes.
    pub description: String,
}

/// Anything that went wrong, as a page.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Around it.
    pub page: Page,
    /// The status.
    pub status: u16,
    /// A short heading.
    pub heading: String,
    /// What happened, what is safe, what to do next.
    pub detail: String,
    /// To tell one's admin.
    pub request_id: String,
    /// What was typed when it failed, so that nothing is lost.
    pub typed: Vec<(String, String)>,
}
