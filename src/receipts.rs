//! Receipts: who received an update, who opened it, who answered which revision, and the author's
//! verdicts on readbacks.

mod answers;
mod enums;
mod overdue;
mod reminders;
mod standing;
mod verdicts;

use sqlx::{AnyConnection, FromRow};

pub use answers::{Answer, MAX_READBACK, answer, take_back};
pub use enums::{AnswerKind, MessageKind, ReceiptState, VerdictKind};
pub use overdue::{OverdueAnswers, notify_overdue, overdue_answers};
pub use reminders::{MIN_REMINDER_INTERVAL, remind};
pub(crate) use standing::objection_stands;
pub use standing::{Standing, StandingCounts, standing_counts};
use standing::{opened_current_revision, standing, was_asked};
pub use verdicts::{
    ThreadMessage, Verdict, give_verdict, set_disclosed, verdict_thread, withdraw_verdict,
};

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::events::EventKind;
use crate::infra::db::{FetchKnown, Tx};
use crate::people::Viewer;
use crate::updates::{self, Update};
use crate::{events, notifications};

/// Maximum time between two consecutive openings of an update within one visit, in milliseconds. After a longer pause,
/// a new visit starts, and the page marks what is new since the previous visit.
const VISIT_GAP: Millis = 60_000;

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

/// Returns the time at which the person's previous visit to the update ended; `None` if there was
/// no previous visit.
pub async fn previous_visit(
    connection: &mut AnyConnection,
    clock: &Clock,
    update_id: &str,
    person_id: &str,
) -> Result<Option<Millis>> {
    let visit: Option<(Millis, Option<Millis>)> = sqlx::query_as(
        "SELECT seen_at, before_at FROM visits WHERE update_id = $1 AND person_id = $2",
    )
    .bind(update_id)
    .bind(person_id)
    .fetch_optional(connection)
    .await?;
    Ok(visit.and_then(|(seen, before)| end_of_previous_visit(clock, seen, before)))
}

/// What the page of an update knows about its reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader {
    /// The time of the previous visit; see [`previous_visit`].
    pub previous_visit: Option<Millis>,
    /// Whether the reader has muted the update.
    pub muted: bool,
}

/// Returns the previous visit of a person, and whether the person has muted the update.
pub async fn reader(
    connection: &mut AnyConnection,
    clock: &Clock,
    update_id: &str,
    person_id: &str,
) -> Result<Reader> {
    let (seen, before, mutes): (Option<Millis>, Option<Millis>, i64) = sqlx::query_as(
        "SELECT max(v.seen_at), max(v.before_at),
         (SELECT count(*) FROM mutes WHERE update_id = $1 AND person_id = $2)
         FROM visits v WHERE v.update_id = $1 AND v.person_id = $2",
    )
    .bind(update_id)
    .bind(person_id)
    .fetch_one(connection)
    .await?;
    Ok(Reader {
        previous_visit: seen.and_then(|seen| end_of_previous_visit(clock, seen, before)),
        muted: mutes > 0,
    })
}

fn end_of_previous_visit(clock: &Clock, seen: Millis, before: Option<Millis>) -> Option<Millis> {
    if clock.now() - seen > VISIT_GAP {
        Some(seen)
    } else {
        before
    }
}

/// Records that a person has the update open. The page's script reports this when the page becomes
/// visible, and again when new content arrives. Marks the person's notifications about the update
/// as read, and starts or extends the visit. The first report also sets the receipt's `opened_at`.
/// Does nothing for guests.
pub async fn record_opening(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<()> {
    updates::lock_for_update(tx, id).await?;
    let update = updates::find(tx, viewer, id).await?;
    let Viewer::Person(person) = viewer else {
        return Ok(());
    };
    let now = clock.now();
    notifications::mark_read(tx, clock, &person.id, id).await?;
    sqlx::query(
        "INSERT INTO visits (update_id, person_id, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (update_id, person_id) DO UPDATE SET
             before_at = CASE WHEN excluded.seen_at - visits.seen_at > $4 THEN visits.seen_at ELSE visits.before_at END,
             seen_at = excluded.seen_at",
    )
    .bind(id)
    .bind(&person.id)
    .bind(now)
    .bind(VISIT_GAP)
    .execute(&mut **tx)
    .await?;
    if update.published_at.is_none() || update.author_id == person.id {
        return events::record_deferred(tx, clock).await;
    }
    let new = ensure_receipt(tx, &update, &person.id).await?;
    let first = sqlx::query(
        "UPDATE receipts SET opened_at = $3
         WHERE update_id = $1 AND person_id = $2 AND opened_at IS NULL AND removed_at IS NULL",
    )
    .bind(id)
    .bind(&person.id)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    if new {
        updates::refresh_obligations(tx, clock, id, Some(&person.id)).await?;
    }
    if first.rows_affected() > 0 {
        return events::record(tx, clock, EventKind::Opening, id, &person.id, &person.id).await;
    }
    events::record_deferred(tx, clock).await
}

/// Makes the person a recipient if the update is for everyone and the person is not a recipient
/// yet. If an update for everyone expects no answer, publication creates receipts only for people
/// who are in the audience by name or through a group. Everyone else gets a receipt by opening or
/// answering the update. Returns whether a receipt was created or restored.
async fn ensure_receipt(tx: &mut Tx, update: &Update, person_id: &str) -> Result<bool> {
    let Some(sent_at) = update
        .published_at
        .filter(|_| update.everyone_at.is_some() && update.author_id != person_id)
    else {
        return Ok(false);
    };
    let made = sqlx::query(
        "INSERT INTO receipts (update_id, person_id, sent_at) VALUES ($1, $2, $3)
         ON CONFLICT (update_id, person_id) DO UPDATE SET removed_at = NULL WHERE receipts.removed_at IS NOT NULL",
    )
    .bind(&update.id)
    .bind(person_id)
    .bind(sent_at)
    .execute(&mut **tx)
    .await?;
    if made.rows_affected() > 0 {
        updates::refresh_access_of_recipient(tx, &update.id, person_id).await?;
    }
    Ok(made.rows_affected() > 0)
}
