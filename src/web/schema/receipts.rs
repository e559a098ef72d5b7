//! Schemas of receipts, verdict threads and changes.

use serde::Serialize;

use super::{MediaView, PersonView, TrimView};
use crate::receipts::{MessageKind, ReceiptState, Standing};

/// Receipt of one recipient.
#[derive(Clone, Debug, Serialize)]
pub struct ReceiptView {
    /// The recipient.
    pub person: PersonView,
    /// State of the receipt.
    pub state: ReceiptState,
    /// How the recipient has responded to the current content; only for the author and the recipient.
    pub standing: Option<Standing>,
    /// When the update was sent to the recipient.
    pub sent_at: Option<String>,
    /// When the recipient opened the update; only for the author and the recipient.
    pub opened_at: Option<String>,
    /// Fraction of the video that the recipient watched, from 0 to 1. Always `None`, because it is not measured
    /// yet.
    pub coverage: Option<f64>,
    /// Ranges that the recipient has not watched. Always `None`, because they are not measured yet.
    pub unwatched: Option<Vec<[i64; 2]>>,
    /// When the recipient answered. An objection is also an answer.
    pub answered_at: Option<String>,
    /// When the recipient acknowledged the update or read it back.
    pub acknowledged_at: Option<String>,
    /// Revision that the recipient answered.
    pub revision: Option<i64>,
    /// The recipient's readback. Only the author and the recipient may see it, unless the author disclosed it.
    pub readback: Option<String>,
    /// The author's correction; visible to the same people as the readback.
    pub correction: Option<String>,
    /// Reason for the recipient's objection; visible to every member who may see the update.
    pub reason: Option<String>,
    /// Whether the author disclosed the thread to every member who can see the update.
    pub disclosed: bool,
    /// Whether the recipient owes an answer.
    pub owes: bool,
    /// Due time for this recipient.
    pub due: Option<String>,
    /// Whether the due time has passed without an answer.
    pub overdue: bool,
    /// When the author last reminded the recipient; only for the author and the recipient.
    pub reminded_at: Option<String>,
    /// End of the recipient's current absence.
    pub away_until: Option<String>,
    /// The recipient's time zone, to show their local time.
    #[serde(skip)]
    pub zone: String,
    /// Group in which a list shows the receipt.
    #[serde(skip)]
    pub group: ReceiptGroup,
    /// Messages between the author and the recipient that the viewer may read, oldest first.
    #[serde(skip)]
    pub exchange: Vec<ExchangeView>,
}

impl ReceiptView {
    /// Returns whether the recipient's local time differs from the reader's.
    pub fn has_other_clock(&self, zone: &str, now: &i64) -> bool {
        differs(&self.zone, zone, now)
    }

    /// Returns whether the recipient objects to the current content.
    pub fn is_objection(&self) -> bool {
        self.state == ReceiptState::Declined
    }

    /// Returns `true` if the recipient answered without opening the current revision and the viewer may know this.
    pub fn is_answered_unopened(&self) -> bool {
        self.standing == Some(Standing::AnsweredUnopened)
    }

    /// Returns whether the recipient's readback awaits a verdict.
    pub fn awaits_verdict(&self) -> bool {
        self.state == ReceiptState::ReadBack
    }

    /// Returns whether the current readback has a verdict that the viewer may see.
    pub fn has_verdict(&self) -> bool {
        matches!(
            self.state,
            ReceiptState::Confirmed | ReceiptState::NeedsCorrection
        )
    }

    /// Returns whether the author can disclose the thread. A thread that contains only an objection
    /// cannot be disclosed, because every member sees the objection anyway.
    pub fn can_be_disclosed(&self) -> bool {
        self.readback.is_some() || self.reason.is_some() && self.exchange.len() > 1
    }

    /// Returns the messages before the last readback, except for withdrawn messages.
    pub fn earlier_exchange(&self) -> impl Iterator<Item = &ExchangeView> {
        let last = self.exchange.iter().rposition(ExchangeView::is_readback);
        self.exchange[..last.unwrap_or_default()]
            .iter()
            .filter(|message| message.taken_back_at.is_none())
    }
}

/// Returns whether clocks in the two time zones differ at `now`.
pub(super) fn differs(one: &str, other: &str, now: &i64) -> bool {
    let offset = |zone: &str| {
        let time = jiff::Timestamp::from_millisecond(*now).ok()?;
        Some(jiff::tz::TimeZone::get(zone).ok()?.to_offset(time))
    };
    offset(one) != offset(other)
}

/// Group of a receipt in a list. Each receipt is in one group. Groups that reveal who opened the update exist only in
/// the list that the author sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptGroup {
    /// The recipient objects to the current content.
    Objections,
    /// The recipient owes an answer.
    Waiting,
    /// The recipient's answer stands, and the recipient opened the current revision. Only for the author.
    Heard,
    /// The recipient's answer stands, but the recipient has not opened the current revision. Only for the author.
    AnsweredUnopened,
    /// The recipient's answer stands. Everyone but the author sees this group instead of `Heard` and
    /// `AnsweredUnopened`.
    Answered,
    /// The recipient answered an earlier version of the content and owes no new answer.
    AnsweredEarlier,
    /// The recipient opened the update and owes no answer. Only the author sees this group.
    Opened,
    /// The recipient has not opened the update and owes no answer. Only the author sees this group.
    NotOpened,
    /// The recipient owes no answer and gave none that stands. Everyone but the author gets this group instead of
    /// `Opened` and `NotOpened`. The page does not list these recipients.
    Hidden,
}

/// One message of the verdict thread between the author and the recipient.
#[derive(Clone, Debug, Serialize)]
pub struct ExchangeView {
    /// Kind of message.
    pub kind: MessageKind,
    /// Revision that the message refers to.
    pub revision: i64,
    /// Text of the message.
    pub body: String,
    /// When the message was sent.
    pub said_at: String,
    /// When the sender withdrew the message.
    pub taken_back_at: Option<String>,
}

impl ExchangeView {
    /// Returns whether the recipient wrote the message.
    pub fn is_by_recipient(&self) -> bool {
        match self.kind {
            MessageKind::Readback | MessageKind::Decline => true,
            MessageKind::Confirmed | MessageKind::Corrected => false,
        }
    }

    /// Returns whether the message is a readback.
    pub fn is_readback(&self) -> bool {
        self.kind == MessageKind::Readback
    }

    /// Returns whether the message is the reason for an objection.
    pub fn is_decline(&self) -> bool {
        self.kind == MessageKind::Decline
    }

    /// Returns whether the message confirms a readback.
    pub fn is_confirmation(&self) -> bool {
        self.kind == MessageKind::Confirmed
    }

    /// Returns whether the message corrects a readback.
    pub fn is_correction(&self) -> bool {
        self.kind == MessageKind::Corrected
    }
}

/// Answer of a guest, listed separately from the receipts.
#[derive(Clone, Debug, Serialize)]
pub struct GuestAnswerView {
    /// The guest.
    pub guest: PersonView,
    /// Name of the share link that the guest used.
    pub link: String,
    /// When the guest acknowledged the update.
    pub acknowledged_at: String,
    /// The guest's readback; only for the author.
    pub readback: Option<String>,
    /// Whether the guest read the update back.
    #[serde(skip)]
    pub read_back: bool,
}

/// Changes since the reader answered.
#[derive(Clone, Debug, Default)]
pub struct ChangesView {
    /// What the edits changed, in the author's words, oldest first.
    pub said: Vec<String>,
    /// Title as HTML with additions and removals marked; empty if it is unchanged.
    pub title: String,
    /// Notes as sanitized HTML with additions and removals marked; empty if they are unchanged.
    pub notes: String,
    /// Names of added files.
    pub added: Vec<String>,
    /// Names of removed files.
    pub removed: Vec<String>,
    /// Recordings whose trim changed.
    pub trimmed: Vec<TrimmedView>,
}

/// A recording whose trim changed.
#[derive(Clone, Debug)]
pub struct TrimmedView {
    /// File name.
    pub name: String,
    /// New duration in milliseconds; `None` if the whole recording plays again.
    pub length_ms: Option<i64>,
}

/// The current or an earlier revision of an update, for its author.
#[derive(Clone, Debug, Serialize)]
pub struct RevisionView {
    /// Revision number.
    pub revision: i64,
    /// Title of the update.
    pub title: String,
    /// Notes in Markdown.
    pub notes: String,
    /// Notes as sanitized HTML.
    pub notes_html: String,
    /// What the revision changed, in the author's words.
    pub what_changed: Option<String>,
    /// When this revision became the current one.
    pub begun_at: String,
    /// Files of the revision. A deleted file has no `media`.
    pub files: Vec<FileView>,
}

/// A file of a revision.
#[derive(Clone, Debug, Serialize)]
pub struct FileView {
    /// Id of the media.
    pub id: String,
    /// File name in this revision.
    pub name: String,
    /// Range that played in this revision, if the recording was trimmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trim: Option<TrimView>,
    /// The media, if it still exists.
    pub media: Option<MediaView>,
}
