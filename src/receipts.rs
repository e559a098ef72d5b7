//! Receipts: who received an update, who opened it, who answered which revision, and the author's
//! verdicts on readbacks.

mod answers;
mod disclosure;
mod enums;
mod next_due;
mod openings;
mod overdue;
mod reminders;
mod standing;
mod verdict_thread;
mod verdicts;

use sqlx::{AnyConnection, FromRow};

pub use answers::{Answer, MAX_READBACK, answer, take_back};
pub use disclosure::set_disclosed;
pub use enums::{AnswerKind, MessageKind, ReceiptState, VerdictKind};
pub use next_due::next_due_zones;
pub use openings::{Reader, previous_visit, reader, record_opening};
pub use overdue::{OverdueAnswers, notify_overdue, overdue_answers};
pub use reminders::{MIN_REMINDER_INTERVAL, remind};
pub use standing::{Standing, StandingCounts, standing_counts};
pub(crate) use standing::{objection_stands, readback_needs_verdict};
use standing::{opened_current_revision, standing, was_asked};
pub use verdict_thread::{ThreadMessage, verdict_thread};
pub use verdicts::{Verdict, give_verdict, withdraw_verdict};

use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db::FetchKnown;

/// The receipt of one recipient of an update: whether the recipient opened and answered the update,
/// and the author's verdict.
#[derive(Clone, Debug, FromRow)]
pub struct Receipt {
    /// Id of the recipient.
    pub person_id: String,
    /// Name of the recipient.
    pub name: String,
    /// IANA time zone of the recipient.
    pub time_zone: String,
    /// When the recipient's absence ends.
    pub away_until: Option<Millis>,
    /// When the update was sent to the recipient.
    pub sent_at: Millis,
    /// When the recipient first opened the update.
    pub opened_at: Option<Millis>,
    /// The recipient's answer.
    pub answer: Option<AnswerKind>,
    /// When the recipient answered.
    pub answered_at: Option<Millis>,
    /// Revision that the recipient answered.
    pub answered_revision: Option<i64>,
    /// Text of the readback or objection.
    pub words: Option<String>,
    /// The author's verdict on the readback.
    pub verdict: Option<VerdictKind>,
    /// Text of the author's correction.
    pub correction: Option<String>,
    /// When the recipient began to owe an answer; `None` if the recipient owes no answer.
    pub owes_since: Option<Millis>,
    /// When the recipient's answer is due.
    pub due_at: Option<Millis>,
    /// When the author last reminded the recipient.
    pub reminded_at: Option<Millis>,
    /// When the author showed the verdict thread to every member who can see the update.
    pub disclosed_at: Option<Millis>,
    /// How the recipient has responded to the current revision.
    pub standing: Standing,
}

/// How much of a receipt a member may see. Everybody who may see the update sees how the recipient
/// answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptAccess {
    /// Everything is visible. The author and the recipient have this access.
    Full,
    /// The answer, including the text of a readback, and the author's verdict are visible, because
    /// the author disclosed the exchange. The time of opening is hidden.
    Exchange,
    /// Only the kind and time of the answer, and the reason for an objection, are visible. The text
    /// of a readback, the verdict and the time of opening are hidden.
    Answer,
}

impl ReceiptAccess {
    /// Whether the member may see when the recipient opened the update.
    pub fn sees_openings(self) -> bool {
        match self {
            Self::Full => true,
            Self::Exchange | Self::Answer => false,
        }
    }

    /// Whether the member may see the readback and the author's verdict.
    pub fn sees_exchange(self) -> bool {
        match self {
            Self::Full | Self::Exchange => true,
            Self::Answer => false,
        }
    }
}

impl Receipt {
    /// Whether the author disclosed the exchange about the current answer. A disclosure does not
    /// cover later answers.
    pub fn is_disclosed(&self) -> bool {
        self.disclosed_at
            .zip(self.answered_at)
            .is_some_and(|(disclosed, answered)| answered <= disclosed)
    }

    /// Whether the recipient owes an answer, as far as a member with this access may know. Returns `false` if the
    /// recipient owes a new readback because of a correction that the member may not see.
    pub fn owes(&self, revision: i64, access: ReceiptAccess) -> bool {
        let is_hidden = !access.sees_exchange()
            && self.verdict == Some(VerdictKind::Corrected)
            && self.answered_revision.is_some_and(|seen| seen >= revision);
        self.owes_since.is_some() && !is_hidden
    }

    /// Computes the state of the receipt for the current `revision`, as far as a member with this access may know.
    pub fn state(&self, revision: i64, access: ReceiptAccess) -> ReceiptState {
        let verdict = self.verdict.filter(|_| access.sees_exchange());
        match (self.answer, verdict) {
            (Some(_), _) if self.answered_revision.is_some_and(|seen| seen < revision) => {
                ReceiptState::Stale
            }
            (Some(AnswerKind::Declined), _) => ReceiptState::Declined,
            (Some(AnswerKind::ReadBack), Some(VerdictKind::Confirmed)) => ReceiptState::Confirmed,
            (Some(AnswerKind::ReadBack), Some(VerdictKind::Corrected)) => {
                ReceiptState::NeedsCorrection
            }
            (Some(AnswerKind::ReadBack), None) => ReceiptState::ReadBack,
            (Some(AnswerKind::Acknowledged), _) => ReceiptState::Acknowledged,
            (None, _) if access.sees_openings() && self.opened_at.is_some() => ReceiptState::Opened,
            (None, _) => ReceiptState::Waiting,
        }
    }
}

/// SQL that selects [`Receipt`] rows of the update `$1`.
macro_rules! select_receipts {
    () => {
        concat!("SELECT r.person_id, p.name, p.time_zone, p.away_until, r.sent_at, r.opened_at, r.answer,
         r.answered_at, r.answered_revision, r.words, r.verdict,
         CASE WHEN r.verdict = 'corrected' THEN (SELECT e.body FROM exchanges e WHERE e.update_id = r.update_id
             AND e.person_id = r.person_id AND e.kind = 'corrected' ORDER BY e.id DESC LIMIT 1) END AS correction,
         r.owes_since, r.due_at, r.reminded_at, r.disclosed_at, ",
         standing!("coalesce(r.verdict, '') = 'corrected'"),
         " AS standing FROM receipts r JOIN people p ON p.id = r.person_id JOIN updates u ON u.id = r.update_id
         WHERE r.update_id = $1 AND r.removed_at IS NULL")
    };
}

/// Lists all recipients of an update, sorted by name. Leaves out people who were deactivated before
/// they answered.
pub async fn of_update(connection: &mut AnyConnection, update_id: &str) -> Result<Vec<Receipt>> {
    sqlx::query_as(concat!(
        select_receipts!(),
        " AND ",
        was_asked!(),
        " ORDER BY p.name_key, p.id"
    ))
    .bind(update_id)
    .fetch_known(connection)
    .await
}

/// Returns the receipt of one person; `None` if the person is not a recipient.
pub async fn of_person(
    connection: &mut AnyConnection,
    update_id: &str,
    person_id: &str,
) -> Result<Option<Receipt>> {
    Ok(
        sqlx::query_as(concat!(select_receipts!(), " AND r.person_id = $2"))
            .bind(update_id)
            .bind(person_id)
            .fetch_optional(connection)
            .await?,
    )
}

/// A guest's answer to an update.
#[derive(Clone, Debug, FromRow)]
pub struct GuestAnswer {
    /// Id of the guest.
    pub id: String,
    /// Name that the guest gave.
    pub name: String,
    /// Name of the share link that the guest used.
    pub link: String,
    /// When the guest answered.
    pub acknowledged_at: Millis,
    /// Text of the readback, if the update asks for a readback.
    pub readback: Option<String>,
}

/// Lists the answers of guests, oldest first.
pub async fn guest_answers(
    connection: &mut AnyConnection,
    update_id: &str,
) -> Result<Vec<GuestAnswer>> {
    Ok(sqlx::query_as(
        "SELECT g.id, g.name, l.name AS link, g.acknowledged_at, g.readback
         FROM guests g JOIN links l ON l.id = g.link_id
         WHERE l.update_id = $1 AND g.acknowledged_at IS NOT NULL ORDER BY g.acknowledged_at, g.id",
    )
    .bind(update_id)
    .fetch_all(connection)
    .await?)
}

/// Returns the time of a guest's answer, the revision that it answers, and its readback, if any.
/// Returns `None` if the guest has not answered.
pub async fn guest_answer(
    connection: &mut AnyConnection,
    guest_id: &str,
) -> Result<Option<(Millis, i64, Option<String>)>> {
    let answer: Option<(Option<Millis>, Option<i64>, Option<String>)> = sqlx::query_as(
        "SELECT acknowledged_at, acknowledged_revision, readback FROM guests WHERE id = $1",
    )
    .bind(guest_id)
    .fetch_optional(connection)
    .await?;
    Ok(answer.and_then(|(at, revision, words)| Some((at?, revision?, words))))
}
