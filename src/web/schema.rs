//! The shapes that answers have: what the contract promises to programs is what the templates read.
//!
//! Times are RFC 3339 in UTC with milliseconds; positions in a video are milliseconds; positions in a picture are 0–1.

mod access;
mod comments;
mod inbox;
mod media;
mod receipts;

use serde::Serialize;
use serde_json::Value;

use crate::share_message;

pub use access::{AccessView, LinkView, ListedLinkView, UpdateRefView};
pub use inbox::{EntryView, InboxCountsView, InboxView, SnoozedView};
pub use media::{MarkupSummaryView, MarkupView, MediaView, RenditionView, TrimView, UploadView};
pub use receipts::{
    ChangesView, DiffView, ExchangeView, FileView, GuestAnswerView, ReceiptView, RevisionView,
    TrimmedView,
};

pub use comments::{AnchorView, AuthorView, CommentView, ReactionView, RegionView, VersionView};

/// A person or a guest, as others see them.
#[derive(Clone, Debug, Serialize)]
pub struct PersonView {
    /// The id; of a guest, too.
    pub id: String,
    /// The name they go by.
    pub name: String,
}

/// Numbers of an update.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CountsView {
    /// People it was sent to.
    pub recipients: i64,
    /// Recipients who opened it; for the author alone.
    pub opened: Option<i64>,
    /// Recipients who acknowledged or read back its present content.
    pub acknowledged: i64,
    /// Recipients who still owe an answer.
    pub owing: i64,
    /// Readbacks that the author has not heard; for the author alone.
    pub unheard: Option<i64>,
    /// Comments and replies that are not removed.
    pub comments: i64,
    /// Questions that nobody has answered.
    pub open_questions: i64,
}

impl CountsView {
    /// Readbacks that wait to be heard by who asks.
    pub fn readbacks_to_review(&self) -> i64 {
        self.unheard.unwrap_or_default()
    }

    /// How many have answered: what the returning arc shows.
    pub fn answered(&self) -> i64 {
        self.recipients - self.owing
    }
}

/// Whom an update is for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AudienceView {
    /// Named people.
    pub people: Vec<PersonView>,
    /// Named groups.
    pub groups: Vec<PersonView>,
    /// Everyone with an account.
    pub everyone: bool,
}

/// What is asked of those who are to say it back, unless the author asks something else.
pub const DEFAULT_PROMPT: &str = "What will you do, and by when?";

/// An update, whole.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateView {
    /// The id.
    pub id: String,
    /// The address of its page.
    pub url: String,
    /// `draft`, `published` or `trashed`.
    pub state: String,
    /// The title; may be empty in a draft.
    pub title: String,
    /// Markdown.
    pub notes: String,
    /// The same as safe HTML.
    pub notes_html: String,
    /// Who posts it.
    pub author: PersonView,
    /// The version of its content.
    pub revision: i64,
    /// Counts every edit: send it back with an edit to learn of another one meanwhile (409).
    pub version: i64,
    /// What the last material edit changed, in the author's words.
    pub what_changed: Option<String>,
    /// `audience` or `workspace`.
    pub visibility: String,
    /// `fyi`, `acknowledge` or `readback`.
    pub expectation: String,
    /// By when: a time, `{"working_days":n}`, or null.
    pub due: Value,
    /// What the author does if nothing is heard by then.
    pub otherwise: Option<String>,
    /// What recipients are asked when they read back; null is the usual question.
    pub prompt: Option<String>,
    /// Words to pass on with the link; for the author of what was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the draft was begun.
    pub created_at: String,
    /// When it was sent.
    pub published_at: Option<String>,
    /// When it was last edited after that.
    pub edited_at: Option<String>,
    /// When it was put into the trash.
    pub trashed_at: Option<String>,
    /// Whom it is for; empty for guests.
    pub audience: AudienceView,
    /// Whether people who join its groups later may open it too.
    pub later_members: bool,
    /// Its recordings and pictures, in order.
    pub media: Vec<MediaView>,
    /// Numbers.
    pub counts: CountsView,
    /// Emojis.
    pub reactions: Vec<ReactionView>,
    /// The standing of who asks, if they are a recipient.
    pub my_receipt: Option<ReceiptView>,
}

impl UpdateView {
    /// By when, if it is a time; empty if not.
    pub fn due_at(&self) -> &str {
        self.due.as_str().unwrap_or_default()
    }

    /// By when in working days; 0 if it is not that.
    pub fn due_days(&self) -> i64 {
        self.due["working_days"].as_i64().unwrap_or_default()
    }

    /// What is asked when it is to be said back.
    pub fn readback_prompt(&self) -> &str {
        self.prompt.as_deref().unwrap_or(DEFAULT_PROMPT)
    }

    /// The title, or what stands in for it.
    pub fn heading(&self) -> &str {
        if self.title.is_empty() {
            "Untitled"
        } else {
            &self.title
        }
    }
}

/// An update as a row of a list.
#[derive(Clone, Debug, Serialize)]
pub struct RowView {
    /// The id.
    pub id: String,
    /// The address of its page.
    pub url: String,
    /// `draft`, `published` or `trashed`.
    pub state: String,
    /// The title; may be empty in a draft.
    pub title: String,
    /// Who posts it.
    pub author: PersonView,
    /// `fyi`, `acknowledge` or `readback`.
    pub expectation: String,
    /// By when: a time, `{"working_days":n}`, or null.
    pub due: Value,
    /// When the next of those who owe is due; for the author.
    #[serde(skip)]
    pub next_due: Option<String>,
    /// That has passed.
    #[serde(skip)]
    pub overdue: bool,
    /// When the draft was begun.
    pub created_at: String,
    /// When it was sent.
    pub published_at: Option<String>,
    /// When it was put into the trash.
    pub trashed_at: Option<String>,
    /// `video`, `image`, or nothing: what its first media is.
    pub kind: Option<String>,
    /// The signed address of a thumbnail.
    pub thumbnail: Option<String>,
    /// The length of its first video.
    pub duration_ms: Option<i64>,
    /// Numbers.
    pub counts: CountsView,
    /// Where the words were found that were searched for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<FoundView>,
}

impl RowView {
    /// The title, or what stands in for it.
    pub fn heading(&self) -> &str {
        if self.title.is_empty() {
            "Untitled"
        } else {
            &self.title
        }
    }

    /// The length as `3:12`; empty for pictures.
    pub fn length(&self) -> String {
        self.duration_ms
            .map(share_message::format_length)
            .unwrap_or_default()
    }
}

/// A place where searched words stand.
#[derive(Clone, Debug, Serialize)]
pub struct FoundView {
    /// `title`, `notes`, `comment` or `markup`.
    pub kind: String,
    /// The words around it.
    pub text: String,
    /// The moment of the video, where there is one.
    pub at_ms: Option<i64>,
    /// The address that jumps there.
    pub url: String,
}

/// An account, as members see it.
#[derive(Clone, Debug, Serialize)]
pub struct AccountView {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The address they sign in with.
    pub email: String,
    /// `admin` or `member`.
    pub role: String,
    /// IANA time zone.
    pub time_zone: String,
    /// `{"days":[1..7],"from":"09:00","to":"17:00"}`; none is Monday to Friday, 09:00 to 17:00.
    pub working_hours: Option<Value>,
    /// Until when they are away; none when they are not.
    pub away_until: Option<String>,
    /// Now, for their clock on the page.
    #[serde(skip)]
    pub now: String,
    /// When the account was made.
    pub created_at: String,
    /// When it was deactivated.
    pub deactivated_at: Option<String>,
}

/// My own account.
#[derive(Clone, Debug, Serialize)]
pub struct MeView {
    /// As others see it.
    #[serde(flatten)]
    pub account: AccountView,
    /// How I want to hear of things.
    pub notify: NotifyView,
}

/// How a person wants to hear of things.
#[derive(Clone, Debug, Serialize)]
pub struct NotifyView {
    /// Whether mail comes about what is asked of them.
    pub mail: bool,
}

/// A group of people.
#[derive(Clone, Debug, Serialize)]
pub struct GroupView {
    /// The id.
    pub id: String,
    /// The handle, without the `@`.
    pub name: String,
    /// Who is in it, by name.
    pub members: Vec<PersonView>,
    /// Who made it.
    pub made_by: PersonView,
    /// The addresses of its members, for the form.
    #[serde(skip)]
    pub emails: String,
    /// Whether who asks may change it.
    #[serde(skip)]
    pub mine: bool,
    /// Whether who asks is in it.
    #[serde(skip)]
    pub member: bool,
}

impl GroupView {
    /// `Ada, Bob and 3 more`: at most a dozen names.
    pub fn names(&self) -> String {
        const SHOWN: usize = 12;
        let names: Vec<&str> = self
            .members
            .iter()
            .take(SHOWN)
            .map(|member| member.name.as_str())
            .collect();
        match (names.split_last(), self.members.len().saturating_sub(SHOWN)) {
            (None, _) => "Nobody yet.".into(),
            (_, more @ 1..) => format!("{} and {more} more", names.join(", ")),
            (Some((last, [])), 0) => (*last).to_owned(),
            (Some((last, others)), 0) => format!("{} and {last}", others.join(", ")),
        }
    }

    /// How many are in it.
    pub fn size(&self) -> i64 {
        i64::try_from(self.members.len()).unwrap_or(i64::MAX)
    }
}

/// How the workspace works.
#[derive(Clone, Debug, Serialize)]
pub struct WorkspaceView {
    /// Its own rules, Markdown; empty when nobody wrote any down.
    pub rules: String,
    /// The same as HTML.
    pub rules_html: String,
    /// Whom to ask.
    pub contact: Option<ContactView>,
    /// By when an answer is due, unless an update says otherwise.
    pub due: Option<DaysView>,
}

/// Whom to ask.
#[derive(Clone, Debug, Serialize)]
pub struct ContactView {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

/// So many working days of each recipient.
#[derive(Clone, Debug, Serialize)]
pub struct DaysView {
    /// 1 to 60.
    pub working_days: i64,
}

/// An invitation that was not accepted yet.
#[derive(Clone, Debug, Serialize)]
pub struct InvitationView {
    /// The id.
    pub id: String,
    /// Whom it is for.
    pub email: String,
    /// `admin` or `member`.
    pub role: String,
    /// When it was made.
    pub created_at: String,
    /// When it ends.
    pub expires_at: String,
    /// The link to pass on; only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A place where I am signed in.
#[derive(Clone, Debug, Serialize)]
pub struct SessionView {
    /// The id.
    pub id: String,
    /// The browser, in its own words.
    pub browser: String,
    /// When it began.
    pub created_at: String,
    /// When it was last used.
    pub last_seen_at: String,
    /// Whether it is this one.
    pub current: bool,
}

/// A token for programs.
#[derive(Clone, Debug, Serialize)]
pub struct TokenView {
    /// The id.
    pub id: String,
    /// What I call it.
    pub name: String,
    /// When it was made.
    pub created_at: String,
    /// When it was last used.
    pub last_used_at: Option<String>,
    /// The token itself; only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// A list with a cursor.
#[derive(Clone, Debug, Serialize)]
pub struct ListView<T> {
    /// The rows.
    pub items: Vec<T>,
    /// What to send as `after` for more.
    pub next: Option<String>,
}
