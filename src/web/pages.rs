//! What each template is given. Handlers fill these; templates see nothing else.

use std::collections::BTreeMap;

use askama::Template;

use super::filters;
use super::shapes::{
    AccountShape, CommentShape, GuestAnswerShape, InboxShape, InvitationShape, LinkShape, PersonShape, ReceiptShape, RowShape,
    SessionShape, TokenShape, UpdateShape,
};
use crate::error::Fields;

/// What every page needs around its content.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The text of the window's title, before "· hearback".
    pub title: String,
    /// Who is signed in.
    pub me: Option<Me>,
    /// Which entry of the rail is current: `inbox`, `updates`, `new`, `people`, `me`, or nothing.
    pub at: &'static str,
    /// The IANA time zone that times are written in, where the browser does not do it itself.
    pub zone: String,
    /// The nonce of this answer's Content-Security-Policy, for the one stylesheet that Turbo makes.
    pub nonce: String,
    /// How many updates wait for an answer of mine; said in the rail and in the title.
    pub to_answer: i64,
    /// Plain http on something other than this machine: browsers then neither record nor copy.
    pub insecure: bool,
    /// A sentence about what was just done, shown once.
    pub said: Option<String>,
    /// A link that is shown only this once, with a button that copies it.
    pub said_link: Option<String>,
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
    pub admin: bool,
}

impl Page {
    /// Whether who is signed in is an admin.
    pub fn admin(&self) -> bool {
        self.me.as_ref().is_some_and(|me| me.admin)
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
    pub errors: Fields,
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
    pub people: Vec<AccountShape>,
    /// Pending invitations (for admins).
    pub invitations: Vec<InvitationShape>,
    /// The invitation form (for admins).
    pub form: Form,
    /// Links that were just made, to pass on: shown only this once. (`InvitationShape::url` is set.)
    pub made: Vec<InvitationShape>,
}

/// Settings of one's own. PATCH /me: `name`, `email`, `time_zone`; PUT /me/password: `current`, `password`;
/// DELETE /sessions/{id}; POST /tokens: `name`; DELETE /tokens/{id}; DELETE /session signs out.
#[derive(Template)]
#[template(path = "people/me.html")]
pub struct MePage {
    /// Around it.
    pub page: Page,
    /// My account.
    pub account: AccountShape,
    /// What was typed (any of the forms of the page; field names differ: `name`, `email`, `time_zone`, `current`, `password`, `token_name`).
    pub form: Form,
    /// IANA names to choose from.
    pub zones: Vec<String>,
    /// Where I am signed in.
    pub sessions: Vec<SessionShape>,
    /// My tokens; one that was just made has its `token`.
    pub tokens: Vec<TokenShape>,
}

/// The inbox, the home page.
#[derive(Template)]
#[template(path = "inbox/index.html")]
pub struct InboxPage {
    /// Around it.
    pub page: Page,
    /// What waits.
    pub inbox: InboxShape,
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
    pub items: Vec<RowShape>,
    /// The address of the next page of rows; empty when there is none.
    pub next: String,
    /// The filters as given.
    pub filter: LibraryFilter,
    /// People to filter by.
    pub people: Vec<PersonShape>,
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
    pub update: Option<UpdateShape>,
    /// What was typed. `audience` is one text, separated by commas.
    pub form: Form,
    /// Everyone with an account but me, to complete addresses.
    pub people: Vec<AccountShape>,
    /// Addresses without an account that were asked for: admins are offered "Invite and ask".
    pub unknown: Vec<String>,
    /// Who can invite, by name (told to members).
    pub admins: Vec<String>,
    /// What may be taken, in words, or why nothing is taken now (full disk).
    pub refusal: Option<String>,
    /// The largest upload, in words.
    pub limit: String,
}

impl EditPage {
    /// The id of the draft or the update; empty on the New page.
    pub fn id(&self) -> &str {
        self.update.as_ref().map_or("", |update| &update.id)
    }

    /// Whether it was sent already.
    pub fn published(&self) -> bool {
        self.update.as_ref().is_some_and(|update| update.state == "published")
    }

    /// How many people answered it: they can be asked again.
    pub fn answered(&self) -> i64 {
        self.update.as_ref().filter(|update| update.state == "published").map_or(0, |update| update.counts.acknowledged)
    }

    /// Whether it has recordings or pictures.
    pub fn has_media(&self) -> bool {
        self.update.as_ref().is_some_and(|update| !update.media.is_empty())
    }
}

/// An update, for a member or a guest.
#[derive(Template)]
#[template(path = "updates/show.html")]
pub struct UpdatePage {
    /// Around it.
    pub page: Page,
    /// The update.
    pub update: UpdateShape,
    /// Threads in order.
    pub comments: Vec<CommentShape>,
    /// The composer; `name` for a guest without one.
    pub form: Form,
    /// What who asks is writing, by subject: `comment`, `readback`, `decline`, or the id of the comment that is answered.
    pub drafts: BTreeMap<String, String>,
    /// People whom the comment that was just written names though they cannot see the update.
    pub unseen: Vec<PersonShape>,
    /// Recipients; empty for guests.
    pub receipts: Vec<ReceiptShape>,
    /// Guests who acknowledged; empty for guests.
    pub guests: Vec<GuestAnswerShape>,
    /// Share links; empty but for the author.
    pub links: Vec<LinkShape>,
    /// Who can open it, in words: "You, 6 people, 1 open link". Empty for guests.
    pub who: String,
    /// Who asks is the author.
    pub author: bool,
    /// Who asks is a guest.
    pub guest: bool,
    /// Who asks may comment, react and acknowledge.
    pub may_answer: bool,
    /// A guest who has not said a name yet.
    pub needs_name: bool,
    /// An answer is asked of who asks: the bar at the bottom.
    pub asked: bool,
    /// Who asks acknowledged the present content, at this time.
    pub acknowledged_at: Option<String>,
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
    pub fn composing(&self) -> &str {
        self.form.values.get("body").map_or_else(|| self.draft("comment"), String::as_str)
    }

    /// Whether it changed since who asks answered.
    pub fn stale(&self) -> bool {
        self.update.my_receipt.as_ref().is_some_and(|receipt| receipt.state == "stale")
    }

    /// Whether the answer of who asks is late.
    pub fn overdue(&self) -> bool {
        self.update.my_receipt.as_ref().is_some_and(|receipt| receipt.overdue)
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

/// The receipts of an update, parted into who has answered and who has not, and the sentence that says so.
pub struct Standing<'a> {
    /// Those who still owe an answer, overdue first; of an `fyi` those who have not opened it.
    pub waiting: Vec<&'a ReceiptShape>,
    /// Those who answered; of an `fyi` those who opened it.
    pub heard: Vec<&'a ReceiptShape>,
}

impl<'a> Standing<'a> {
    /// Parts the receipts of the update.
    pub fn of(update: &UpdateShape, receipts: &'a [ReceiptShape]) -> Self {
        let (heard, mut waiting): (Vec<_>, Vec<_>) = receipts.iter().partition(|receipt| match receipt.state.as_str() {
            "waiting" | "opened" | "stale" | "needs_correction" => update.expectation == "fyi" && receipt.opened_at.is_some(),
            _ => true,
        });
        waiting.sort_by_key(|receipt| !receipt.overdue);
        Self { waiting, heard }
    }

    /// `2 of 3 got it. 1 has not opened it. 1 is overdue.` What was opened is for the author alone.
    pub fn sentence(&self, update: &UpdateShape, author: bool) -> String {
        let counts = &update.counts;
        if update.expectation == "fyi" {
            return match counts.recipients {
                0 => "Nothing is asked back.".to_owned(),
                all => format!("{} of {all} opened it.", counts.opened.unwrap_or_default()),
            };
        }
        let mut said = match (counts.acknowledged, counts.recipients) {
            (0, _) => "Nobody got it yet.".to_owned(),
            (1, 1) => "They got it.".to_owned(),
            (heard, all) if heard == all => format!("All {all} got it."),
            (heard, all) => format!("{heard} of {all} got it."),
        };
        let unopened = self.waiting.iter().filter(|receipt| receipt.opened_at.is_none() && receipt.state != "stale").count();
        let overdue = self.waiting.iter().filter(|receipt| receipt.overdue).count();
        if author && unopened > 0 {
            said += &format!(" {unopened} {} not opened it.", if unopened == 1 { "has" } else { "have" });
        }
        if overdue > 0 {
            said += &format!(" {overdue} {} overdue.", if overdue == 1 { "is" } else { "are" });
        }
        said
    }
}
