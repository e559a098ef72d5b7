//! Response schemas. The JSON for programs and the templates use the same types.
//!
//! Times are RFC 3339 in UTC with milliseconds. Positions in a video are in milliseconds, and positions in a
//! picture are from 0 to 1.

mod access;
mod comments;
mod inbox;
mod media;
mod receipts;

use serde::Serialize;

use crate::infra::db::text_enum;
use crate::media::MediaKind;
use crate::people::Role;
use crate::share_message;
use crate::updates::{DEFAULT_PROMPT, Expectation, UpdateState, Visibility};
use crate::working_hours::WorkingHours;

pub use access::{AccessKind, AccessReason, AccessView, LinkView, ListedLinkView, UpdateRefView};
pub use inbox::{EntryView, InboxCountsView, InboxView, SnoozedView};
pub use media::{MarkupSummaryView, MarkupView, MediaView, RenditionView, TrimView, UploadView};
pub use receipts::{
    ChangesView, DiffKind, DiffView, ExchangeView, FileView, GuestAnswerView, ReceiptGroup,
    ReceiptView, RevisionView, TrimmedView,
};

pub use comments::{AnchorView, AuthorView, CommentView, ReactionView, RegionView, VersionView};

/// A person or a guest, as others see them.
#[derive(Clone, Debug, Serialize)]
pub struct PersonView {
    /// Id of the person or guest; for a group in an audience, id of the group.
    pub id: String,
    /// Display name.
    pub name: String,
}

/// Counts of an update. A correction that the viewer may not see does not count.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CountsView {
    /// Number of recipients.
    pub recipients: i64,
    /// Number of recipients who opened the update and whose answer to the current content stands
    /// and is not an objection. The arc of the logo shows this number.
    pub heard: i64,
    /// Number of recipients who opened the update; only for the author.
    pub opened: Option<i64>,
    /// Number of recipients whose acknowledgement or readback of the current content stands.
    pub acknowledged: i64,
    /// Number of recipients in `acknowledged` who have not opened the update; only for the author.
    pub answered_unopened: Option<i64>,
    /// Number of recipients who object to the current content.
    pub objections: i64,
    /// Number of recipients who still owe an answer.
    pub owing: i64,
    /// Number of readbacks without a verdict; only for the author.
    pub unheard: Option<i64>,
    /// Number of comments and replies, without removed ones.
    pub comments: i64,
    /// Number of questions without an answer.
    pub open_questions: i64,
}

impl CountsView {
    /// Returns the number of readbacks that wait for the viewer's verdict.
    pub fn readbacks_to_review(&self) -> i64 {
        self.unheard.unwrap_or_default()
    }

    /// Returns the number of recipients whose answer to the current content stands.
    pub fn answered(&self) -> i64 {
        self.acknowledged + self.objections
    }
}

/// Audience of an update.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AudienceView {
    /// People whom the author named.
    pub people: Vec<PersonView>,
    /// Groups that the author named.
    pub groups: Vec<PersonView>,
    /// Whether the update is for everyone with an account.
    pub everyone: bool,
}

/// A due time.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum DueView {
    /// A fixed time, RFC 3339.
    At(String),
    /// A number of working days, counted for each recipient.
    Within {
        /// The number of days, at least 1.
        working_days: i64,
    },
}

/// A complete update.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateView {
    /// Id of the update.
    pub id: String,
    /// Address of the update's page.
    pub url: String,
    /// State of the update.
    pub state: UpdateState,
    /// Title; may be empty in a draft.
    pub title: String,
    /// Notes in Markdown.
    pub notes: String,
    /// Notes as sanitised HTML.
    pub notes_html: String,
    /// Author of the update.
    pub author: PersonView,
    /// Revision of the content.
    pub revision: i64,
    /// Increases with each edit. Send it back with an edit, so that a conflicting edit is rejected with 409.
    pub version: i64,
    /// What the last material edit changed, in the author's words.
    pub what_changed: Option<String>,
    /// Who may open the update.
    pub visibility: Visibility,
    /// What the update expects of its recipients.
    pub expectation: Expectation,
    /// Due time.
    pub due: Option<DueView>,
    /// What the author will do if there is no answer by the due time.
    pub otherwise: Option<String>,
    /// Readback prompt; null means the default prompt.
    pub prompt: Option<String>,
    /// Message with the link of the update, for the author to send; only for the author of a published update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the draft was created.
    pub created_at: String,
    /// When the update was published.
    pub published_at: Option<String>,
    /// When the update was last edited after publication.
    pub edited_at: Option<String>,
    /// When the update was moved to the trash.
    pub trashed_at: Option<String>,
    /// Audience; empty for guests.
    pub audience: AudienceView,
    /// Whether people who join the audience's groups later may open the update.
    pub later_members: bool,
    /// Media of the update, in the author's order.
    pub media: Vec<MediaView>,
    /// Counts of recipients, answers and comments.
    pub counts: CountsView,
    /// Reactions to the update.
    pub reactions: Vec<ReactionView>,
    /// The viewer's receipt, if the viewer is a recipient.
    pub my_receipt: Option<ReceiptView>,
}

impl UpdateView {
    /// Returns the readback prompt or the default one.
    pub fn readback_prompt(&self) -> &str {
        self.prompt.as_deref().unwrap_or(DEFAULT_PROMPT)
    }

    /// Returns the title, or "Untitled".
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
    /// Id of the update.
    pub id: String,
    /// Address of the update's page.
    pub url: String,
    /// State of the update.
    pub state: UpdateState,
    /// Title; may be empty in a draft.
    pub title: String,
    /// Author of the update.
    pub author: PersonView,
    /// What the update expects of its recipients.
    pub expectation: Expectation,
    /// Due time.
    pub due: Option<DueView>,
    /// Earliest due time among the recipients who owe an answer; only for the author.
    #[serde(skip)]
    pub next_due: Option<String>,
    /// Whether the earliest due time has passed.
    #[serde(skip)]
    pub overdue: bool,
    /// When the draft was created.
    pub created_at: String,
    /// When the update was published.
    pub published_at: Option<String>,
    /// When the update was moved to the trash.
    pub trashed_at: Option<String>,
    /// Kind of the update's first media.
    pub kind: Option<MediaKind>,
    /// Signed address of a thumbnail.
    pub thumbnail: Option<String>,
    /// Duration of the update's first video, in milliseconds.
    pub duration_ms: Option<i64>,
    /// Counts of recipients, answers and comments.
    pub counts: CountsView,
    /// Places where the search text was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<FoundView>,
}

impl RowView {
    /// Returns the title, or "Untitled".
    pub fn heading(&self) -> &str {
        if self.title.is_empty() {
            "Untitled"
        } else {
            &self.title
        }
    }

    /// Whether the update's first media is a video.
    pub fn begins_with_video(&self) -> bool {
        self.kind == Some(MediaKind::Video)
    }

    /// Whether the update's first media is a picture.
    pub fn begins_with_picture(&self) -> bool {
        self.kind == Some(MediaKind::Image)
    }

    /// Returns the duration as `3:12`; empty for pictures.
    pub fn length(&self) -> String {
        self.duration_ms
            .map(share_message::format_length)
            .unwrap_or_default()
    }
}

text_enum! {
    /// The text that matched a search.
    pub enum HitKind {
        /// The title.
        Title = "title",
        /// The notes.
        Notes = "notes",
        /// A comment.
        Comment = "comment",
        /// Text drawn over a picture.
        Markup = "markup",
    }
}

/// A place where the search text was found.
#[derive(Clone, Debug, Serialize)]
pub struct FoundView {
    /// Which text matched.
    pub kind: HitKind,
    /// Text around the match.
    pub text: String,
    /// Position in the video, in milliseconds, if there is one.
    pub at_ms: Option<i64>,
    /// Address of the place where the text was found.
    pub url: String,
}

impl FoundView {
    /// Whether the title matched.
    pub fn is_in_title(&self) -> bool {
        self.kind == HitKind::Title
    }
}

/// An account, as members see it.
#[derive(Clone, Debug, Serialize)]
pub struct AccountView {
    /// Id of the account.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Email address used to sign in.
    pub email: String,
    /// Role of the account.
    pub role: Role,
    /// IANA time zone name.
    pub time_zone: String,
    /// `{"days":[1..7],"from":"09:00","to":"17:00"}`; `None` means Monday to Friday, 09:00 to 17:00.
    pub working_hours: Option<WorkingHours>,
    /// End of the current absence; `None` if the person is not away.
    pub away_until: Option<String>,
    /// Current time, to show the person's local time on the page.
    #[serde(skip)]
    pub now: String,
    /// When the account was created.
    pub created_at: String,
    /// When the account was deactivated; `None` while it is active.
    pub deactivated_at: Option<String>,
}

impl AccountView {
    /// Whether the account is an admin's.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}

/// The viewer's own account.
#[derive(Clone, Debug, Serialize)]
pub struct MeView {
    /// The account as other members see it.
    #[serde(flatten)]
    pub account: AccountView,
    /// Notification settings.
    pub notify: NotifyView,
}

/// Notification settings of a person.
#[derive(Clone, Debug, Serialize)]
pub struct NotifyView {
    /// Whether the person gets email.
    pub mail: bool,
}

/// A group of people.
#[derive(Clone, Debug, Serialize)]
pub struct GroupView {
    /// Id of the group.
    pub id: String,
    /// Name without the `@`.
    pub name: String,
    /// Members, sorted by name.
    pub members: Vec<PersonView>,
    /// Person who created the group.
    pub made_by: PersonView,
    /// Email addresses of the members, for the form.
    #[serde(skip)]
    pub emails: String,
    /// Whether the viewer may change the group.
    #[serde(skip)]
    pub mine: bool,
    /// Whether the viewer is a member.
    #[serde(skip)]
    pub member: bool,
}

impl GroupView {
    /// Returns the members' names as `Ada, Bob and 3 more`, with at most twelve names.
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

    /// Returns the number of members.
    pub fn size(&self) -> i64 {
        i64::try_from(self.members.len()).unwrap_or(i64::MAX)
    }
}

/// "How we work here": the rules and defaults of the workspace.
#[derive(Clone, Debug, Serialize)]
pub struct WorkspaceView {
    /// Rules in Markdown; empty if there are none.
    pub rules: String,
    /// Rules as sanitised HTML.
    pub rules_html: String,
    /// Person to contact with questions.
    pub contact: Option<ContactView>,
    /// Default due time for updates that have none of their own.
    pub due: Option<DaysView>,
}

/// Contact person of the workspace.
#[derive(Clone, Debug, Serialize)]
pub struct ContactView {
    /// Id of the person.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Email address of the person.
    pub email: String,
}

/// A due time in working days, counted for each recipient.
#[derive(Clone, Debug, Serialize)]
pub struct DaysView {
    /// Number of working days, 1 to 60.
    pub working_days: i64,
}

/// A pending invitation.
#[derive(Clone, Debug, Serialize)]
pub struct InvitationView {
    /// Id of the invitation.
    pub id: String,
    /// Email address of the invited person.
    pub email: String,
    /// Role of the account.
    pub role: Role,
    /// When the invitation was created.
    pub created_at: String,
    /// When the invitation expires.
    pub expires_at: String,
    /// Link to pass on; only in the response that creates the invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl InvitationView {
    /// Whether the invitation creates an admin.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}

/// A browser session of the viewer.
#[derive(Clone, Debug, Serialize)]
pub struct SessionView {
    /// Id of the session.
    pub id: String,
    /// Name of the browser and of the operating system.
    pub browser: String,
    /// When the session started.
    pub created_at: String,
    /// When the session was last used.
    pub last_seen_at: String,
    /// Whether the current request uses this session.
    pub current: bool,
}

/// An API token of the viewer.
#[derive(Clone, Debug, Serialize)]
pub struct TokenView {
    /// Id of the token.
    pub id: String,
    /// Name that the owner gave the token.
    pub name: String,
    /// When the token was created.
    pub created_at: String,
    /// When the token was last used.
    pub last_used_at: Option<String>,
    /// Secret of the token; only in the response that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// A page of a list.
#[derive(Clone, Debug, Serialize)]
pub struct ListView<T> {
    /// Rows of the page.
    pub items: Vec<T>,
    /// Value to send as `after` for the next page; `None` on the last page.
    pub next: Option<String>,
}
