//! The shapes that answers have: what the contract promises to programs is what the templates read.
//!
//! Times are RFC 3339 in UTC with milliseconds; positions in a video are milliseconds; positions in a picture are 0–1.

mod talk;

use serde::Serialize;

pub use talk::{AnchorShape, AuthorShape, CommentShape, ReactionShape, RegionShape, VersionShape};

/// A person or a guest, as others see them.
#[derive(Clone, Debug, Serialize)]
pub struct PersonShape {
    /// The id; of a guest, too.
    pub id: String,
    /// The name they go by.
    pub name: String,
}

/// One stored form of a recording or a picture.
#[derive(Clone, Debug, Serialize)]
pub struct RenditionShape {
    /// `original`, `playable`, `h264`, `poster`, `thumbnail`.
    pub name: String,
    /// The media type.
    #[serde(rename = "type")]
    pub content_type: String,
    /// Pixels.
    pub width: Option<i64>,
    /// Pixels.
    pub height: Option<i64>,
    /// Size.
    pub bytes: i64,
    /// A signed address that works as it is.
    pub url: String,
}

/// A recording or a picture.
#[derive(Clone, Debug, Serialize)]
pub struct MediaShape {
    /// The id.
    pub id: String,
    /// `video` or `image`.
    pub kind: String,
    /// `uploading`, `processing`, `ready` or `failed`.
    pub state: String,
    /// Why it failed, in words, or what is being done to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The name the file had where it came from.
    pub file_name: String,
    /// Pixels, as shown.
    pub width: Option<i64>,
    /// Pixels, as shown.
    pub height: Option<i64>,
    /// Length of a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// What can be fetched.
    pub renditions: Vec<RenditionShape>,
}

impl MediaShape {
    /// The address of a rendition, or an empty text.
    pub fn url(&self, name: &str) -> &str {
        self.renditions.iter().find(|rendition| rendition.name == name).map_or("", |rendition| &rendition.url)
    }

    /// Whether there is such a rendition.
    pub fn has(&self, name: &str) -> bool {
        self.renditions.iter().any(|rendition| rendition.name == name)
    }

    /// The length as `1:02:03` or `3:12`; empty for a picture.
    pub fn length(&self) -> String {
        self.duration_ms.map(clock_text).unwrap_or_default()
    }
}

/// `3:12`, or `1:02:03`, of milliseconds.
pub fn clock_text(ms: i64) -> String {
    let seconds = ms / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// Numbers of an update.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CountsShape {
    /// People it was sent to.
    pub recipients: i64,
    /// Recipients who opened it; for the author alone.
    pub opened: Option<i64>,
    /// Recipients who acknowledged its present content.
    pub acknowledged: i64,
    /// Recipients who still owe an answer.
    pub owing: i64,
    /// Comments and replies that are not removed.
    pub comments: i64,
    /// Questions without an accepted answer.
    pub open_questions: i64,
}

/// Whom an update is for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AudienceShape {
    /// Named people.
    pub people: Vec<PersonShape>,
    /// Named groups.
    pub groups: Vec<PersonShape>,
    /// Everyone with an account.
    pub everyone: bool,
}

/// One recipient's standing.
#[derive(Clone, Debug, Serialize)]
pub struct ReceiptShape {
    /// The recipient.
    pub person: PersonShape,
    /// `waiting`, `opened`, `acknowledged`, `stale`, …
    pub state: String,
    /// When it was sent to them.
    pub sent_at: Option<String>,
    /// When they opened it; for the author and themself.
    pub opened_at: Option<String>,
    /// How much they watched, 0–1; not measured yet.
    pub coverage: Option<f64>,
    /// Stretches they have not watched; not measured yet.
    pub unwatched: Option<Vec<[i64; 2]>>,
    /// When they acknowledged.
    pub acknowledged_at: Option<String>,
    /// The revision they acknowledged.
    pub revision: Option<i64>,
    /// What they said back.
    pub readback: Option<String>,
    /// By when an answer is asked for.
    pub due: Option<String>,
    /// Whether that has passed without an answer.
    pub overdue: bool,
    /// Until when they are away.
    pub away_until: Option<String>,
}

/// An update, whole.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateShape {
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
    pub author: PersonShape,
    /// The version of its content.
    pub revision: i64,
    /// Counts every edit: send it back with an edit to learn of another one meanwhile (409).
    pub version: i64,
    /// What the last material edit changed, in the author's words.
    pub what_changed: Option<String>,
    /// `audience` or `workspace`.
    pub visibility: String,
    /// `fyi` or `acknowledge`.
    pub expectation: String,
    /// By when.
    pub due: Option<String>,
    /// What the author does if nothing is heard by then.
    pub otherwise: Option<String>,
    /// When the draft was begun.
    pub created_at: String,
    /// When it was sent.
    pub published_at: Option<String>,
    /// When it was last edited after that.
    pub edited_at: Option<String>,
    /// When it was put into the trash.
    pub trashed_at: Option<String>,
    /// Whom it is for; empty for guests.
    pub audience: AudienceShape,
    /// Its recordings and pictures, in order.
    pub media: Vec<MediaShape>,
    /// Numbers.
    pub counts: CountsShape,
    /// Emojis.
    pub reactions: Vec<ReactionShape>,
    /// The standing of who asks, if they are a recipient.
    pub my_receipt: Option<ReceiptShape>,
}

impl UpdateShape {
    /// The title, or what stands in for it.
    pub fn heading(&self) -> &str {
        if self.title.is_empty() { "Untitled" } else { &self.title }
    }
}

/// An update as a row of a list.
#[derive(Clone, Debug, Serialize)]
pub struct RowShape {
    /// The id.
    pub id: String,
    /// The address of its page.
    pub url: String,
    /// `draft`, `published` or `trashed`.
    pub state: String,
    /// The title; may be empty in a draft.
    pub title: String,
    /// Who posts it.
    pub author: PersonShape,
    /// `fyi` or `acknowledge`.
    pub expectation: String,
    /// By when.
    pub due: Option<String>,
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
    pub counts: CountsShape,
    /// Where the words were found that were searched for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<FoundShape>,
}

impl RowShape {
    /// The title, or what stands in for it.
    pub fn heading(&self) -> &str {
        if self.title.is_empty() { "Untitled" } else { &self.title }
    }

    /// The length as `3:12`; empty for pictures.
    pub fn length(&self) -> String {
        self.duration_ms.map(clock_text).unwrap_or_default()
    }
}

/// A place where searched words stand.
#[derive(Clone, Debug, Serialize)]
pub struct FoundShape {
    /// `title`, `notes` or `comment`.
    pub kind: String,
    /// The words around it.
    pub text: String,
    /// The moment of the video, where there is one.
    pub at_ms: Option<i64>,
    /// The address that jumps there.
    pub url: String,
}

/// Something that waits in the inbox.
#[derive(Clone, Debug, Serialize)]
pub struct EntryShape {
    /// The entry's id.
    pub id: String,
    /// `acknowledge`, `changed`, `sent`, `comments` or `waiting`.
    pub why: String,
    /// What it is about.
    pub update: RowShape,
    /// By when.
    pub due: Option<String>,
    /// Whether that has passed.
    pub overdue: bool,
    /// Whether I opened it.
    pub opened: bool,
    /// How many comments are new, where that is why.
    pub new_comments: i64,
    /// When it came to be.
    pub at: String,
}

/// Everything that waits for me.
#[derive(Clone, Debug, Serialize)]
pub struct InboxShape {
    /// What I owe, by due time.
    pub owed_by_me: Vec<EntryShape>,
    /// What others owe me.
    pub owed_to_me: Vec<EntryShape>,
    /// What was said to me.
    pub said_to_me: Vec<EntryShape>,
    /// How many of each.
    pub counts: InboxCountsShape,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct InboxCountsShape {
    /// What I owe.
    pub owed_by_me: i64,
    /// What others owe me.
    pub owed_to_me: i64,
    /// What was said to me.
    pub said_to_me: i64,
}

/// A share link, for the author.
#[derive(Clone, Debug, Serialize)]
pub struct LinkShape {
    /// The id.
    pub id: String,
    /// What the author calls it.
    pub name: String,
    /// Whether guests may comment.
    pub comments: bool,
    /// When it was made.
    pub created_at: String,
    /// When it was ended.
    pub revoked_at: Option<String>,
    /// The whole address; only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What a guest answered, listed apart from the receipts.
#[derive(Clone, Debug, Serialize)]
pub struct GuestAnswerShape {
    /// The guest.
    pub guest: PersonShape,
    /// The name of the link they came through.
    pub link: String,
    /// When they acknowledged.
    pub acknowledged_at: String,
}

/// An account, as members see it.
#[derive(Clone, Debug, Serialize)]
pub struct AccountShape {
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
    /// When the account was made.
    pub created_at: String,
    /// When it was deactivated.
    pub deactivated_at: Option<String>,
}

/// An invitation that was not accepted yet.
#[derive(Clone, Debug, Serialize)]
pub struct InvitationShape {
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
pub struct SessionShape {
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
pub struct TokenShape {
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
pub struct ListShape<T> {
    /// The rows.
    pub items: Vec<T>,
    /// What to send as `after` for more.
    pub next: Option<String>,
}
