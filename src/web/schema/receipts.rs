//! The shapes of receipts, of what was said back, and of what changed.

use serde::Serialize;

use super::{MediaView, PersonView, TrimView};

/// One recipient's standing.
#[derive(Clone, Debug, Serialize)]
pub struct ReceiptView {
    /// The recipient.
    pub person: PersonView,
    /// `waiting`, `opened`, `acknowledged`, `read_back`, `confirmed`, `needs_correction`, `declined` or `stale`.
    pub state: String,
    /// When it was sent to them.
    pub sent_at: Option<String>,
    /// When they opened it; for the author and themself.
    pub opened_at: Option<String>,
    /// How much they watched, 0–1; not measured yet.
    pub coverage: Option<f64>,
    /// Stretches they have not watched; not measured yet.
    pub unwatched: Option<Vec<[i64; 2]>>,
    /// When they answered, in whatever way.
    pub answered_at: Option<String>,
    /// When they acknowledged or read back.
    pub acknowledged_at: Option<String>,
    /// The revision they answered.
    pub revision: Option<i64>,
    /// What they said back; for the author and themself, unless the author opened it.
    pub readback: Option<String>,
    /// How the author corrected it; for the same.
    pub correction: Option<String>,
    /// Why they declined; for the same.
    pub reason: Option<String>,
    /// Whether the author opened the words of the two to all who see the update.
    pub disclosed: bool,
    /// Whether they owe an answer.
    pub owes: bool,
    /// By when, for them.
    pub due: Option<String>,
    /// Whether that has passed without an answer.
    pub overdue: bool,
    /// When the author last reminded them; for the author and themself.
    pub reminded_at: Option<String>,
    /// Until when they are away.
    pub away_until: Option<String>,
    /// Their zone, to say what time it is for them.
    #[serde(skip)]
    pub zone: String,
    /// What the two said before, in order.
    #[serde(skip)]
    pub exchange: Vec<ExchangeView>,
}

impl ReceiptView {
    /// Whether their clock shows another time than the reader's.
    pub fn has_other_clock(&self, zone: &str, now: &i64) -> bool {
        let offset = |zone: &str| {
            let time = jiff::Timestamp::from_millisecond(*now).ok()?;
            Some(jiff::tz::TimeZone::get(zone).ok()?.to_offset(time))
        };
        offset(zone) != offset(&self.zone)
    }

    /// Whether a readback waits to be heard.
    pub fn awaits_verdict(&self) -> bool {
        self.state == "read_back"
    }
}

/// One thing that author and recipient said to each other.
#[derive(Clone, Debug, Serialize)]
pub struct ExchangeView {
    /// `readback`, `decline`, `confirmed` or `corrected`.
    pub kind: String,
    /// The revision it was said about.
    pub revision: i64,
    /// What was said.
    pub body: String,
    /// When.
    pub said_at: String,
    /// When its speaker took it back.
    pub taken_back_at: Option<String>,
}

/// What a guest answered, listed apart from the receipts.
#[derive(Clone, Debug, Serialize)]
pub struct GuestAnswerView {
    /// The guest.
    pub guest: PersonView,
    /// The name of the link they came through.
    pub link: String,
    /// When they acknowledged.
    pub acknowledged_at: String,
    /// What they said back; for the author.
    pub readback: Option<String>,
}

/// A piece of a text that stayed, came or went.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct DiffView {
    /// `same`, `added` or `removed`.
    pub kind: &'static str,
    /// The words.
    pub text: String,
}

/// What is different since the reader answered.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChangesView {
    /// In the author's words, oldest first.
    pub said: Vec<String>,
    /// The title, if it is another.
    pub title: Vec<DiffView>,
    /// The notes, if they are others.
    pub notes: Vec<DiffView>,
    /// Files that came.
    pub added: Vec<String>,
    /// Files that went.
    pub removed: Vec<String>,
    /// Recordings of which another stretch plays, with how long it is now.
    pub trimmed: Vec<TrimmedView>,
}

/// A recording of which another stretch plays.
#[derive(Clone, Debug, Serialize)]
pub struct TrimmedView {
    /// The name of its file.
    pub name: String,
    /// How long it is now, in milliseconds; none where all of it plays again.
    pub length_ms: Option<i64>,
}

/// An earlier or the present version, for its author.
#[derive(Clone, Debug, Serialize)]
pub struct RevisionView {
    /// Its number.
    pub revision: i64,
    /// The title.
    pub title: String,
    /// Markdown.
    pub notes: String,
    /// The same as safe HTML.
    pub notes_html: String,
    /// What it changed.
    pub what_changed: Option<String>,
    /// When it began.
    pub begun_at: String,
    /// The names of its files; those that are gone are told apart.
    pub files: Vec<FileView>,
}

/// A file of a version.
#[derive(Clone, Debug, Serialize)]
pub struct FileView {
    /// The id of the media.
    pub id: String,
    /// The name it had.
    pub name: String,
    /// Which stretch of it played, if not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trim: Option<TrimView>,
    /// The file, if it is still there.
    pub media: Option<MediaView>,
}
