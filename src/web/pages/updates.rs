//! Contexts of the templates about updates: the library, the form and the page of an update.

use askama::Template;

use super::{AnswerCard, Form, MarkView, Page, ThreadsPart};
use crate::media::MediaKind;
use crate::receipts::ReceiptState;
use crate::text;
use crate::updates::UpdateState;
use crate::web::filters;
use crate::web::schema::{
    AccountView, GuestAnswerView, LinkView, PersonView, ReceiptView, RowView, UpdateView,
};

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
    /// The author filter.
    pub author: AuthorField,
}

/// The field of the author filter.
#[derive(Clone, Debug, Default)]
pub struct AuthorField {
    /// Name of the author, or the email address if several people have this name. If nobody was found, the text that
    /// the viewer entered. Empty if the list has no author filter.
    pub text: String,
    /// Why no author was found, as a sentence; empty if one was found.
    pub problem: String,
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
    /// Values and errors of the form. `audience` is one string whose entries are separated by commas.
    pub form: Form,
    /// People in the audience, whose names are shown instead of their addresses.
    pub people: Vec<AccountView>,
    /// Addresses in the audience that have neither an account nor a pending invitation. Admins see
    /// the button "Invite and ask".
    pub unknown: Vec<String>,
    /// Names of the admins, who can invite. Shown to members.
    pub admins: Vec<String>,
    /// Why no file can be uploaded now, for example because the disk is full; `None` if files can be uploaded.
    pub refusal: Option<String>,
    /// Accepted file types and maximum upload size, in words.
    pub limit: String,
    /// Maximum upload size in bytes.
    pub max_upload: u64,
    /// Maximum length of a recording, in seconds. A recording stops automatically when it reaches this length.
    pub max_recording: u32,
    /// Number of people who answered the update and can be asked to answer again.
    pub answered: i64,
    /// Whether media was added, removed or trimmed since the current revision began.
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
        text::join_list(&names, "and")
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
    /// One page of threads.
    pub threads: ThreadsPart,
    /// Marks of the comments that are not on the page.
    pub marks: Vec<MarkView>,
    /// Values and errors of the composer. A guest without a name also enters `name`.
    pub form: Form,
    /// The viewer's unsent comment; empty if there is none.
    pub draft: String,
    /// People who are mentioned in the viewer's new comment, but who cannot see the update.
    pub unseen: Vec<PersonView>,
    /// Receipts of the recipients; empty for guests.
    pub receipts: Vec<ReceiptView>,
    /// Guests who acknowledged the update; empty if the viewer is a guest.
    pub guests: Vec<GuestAnswerView>,
    /// Share links; empty for everyone but the author.
    pub links: Vec<LinkView>,
    /// Summary of who can open the update. Guests do not see it.
    pub access_summary: Option<AccessSummary>,
    /// Whether the viewer is the author.
    pub author: bool,
    /// Whether the viewer is a guest.
    pub guest: bool,
    /// Whether the viewer may comment, react and acknowledge.
    pub may_answer: bool,
    /// Whether the viewer is a guest who has not given a name yet.
    pub needs_name: bool,
    /// Card that asks the viewer for an answer and shows the answer that the viewer gave.
    pub answer_card: AnswerCard,
    /// Whether the viewer muted the update.
    pub muted: bool,
    /// Whether the viewer's inbox contains an update to open next. That update may be this one.
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
    /// Returns the marks as JSON for a `script` element. `<` is escaped, so that no text ends the element.
    pub fn marks_json(&self) -> String {
        let json = serde_json::to_string(&self.marks).unwrap_or_default();
        json.replace('<', "\\u003c")
    }

    /// Returns the text of the composer: the text of a refused comment, or else the unsent text.
    pub fn composer_text(&self) -> &str {
        self.form
            .values
            .get("body")
            .map_or(&self.draft, String::as_str)
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
        self.answer_card.is_stale()
    }
}

/// Open Graph data of a share page.
#[derive(Clone, Debug)]
pub struct SharePreview {
    /// Absolute address of the page.
    pub url: String,
    /// Absolute address of a picture; may be empty.
    pub image: String,
    /// The first 200 characters of the notes, as plain text on one line.
    pub description: String,
}

/// A summary of who can open an update: "You, 6 people, 1 open link" or, if the author is not the
/// viewer, "Ada, you, 5 more people".
#[derive(Clone, Debug)]
pub struct AccessSummary {
    /// The name of the author, unless the author is the viewer.
    pub author: Option<String>,
    /// The other parts of the summary, separated by commas.
    pub others: String,
}
