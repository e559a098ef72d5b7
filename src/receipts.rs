//! Receipts: who was asked, who opened it, who answered what to which revision, and what its author said to that.

mod answers;
mod reminders;
mod verdicts;

use sqlx::{AnyConnection, FromRow};

pub use answers::{Answer, MAX_READBACK, answer, take_back};
pub use reminders::{MIN_REMINDER_INTERVAL, notify_overdue, remind};
pub use verdicts::{ThreadMessage, Verdict, give_verdict, set_disclosed, verdict_thread};

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db::Tx;
use crate::people::Viewer;
use crate::updates::{self, Update};
use crate::{events, notifications};

/// A visit begins anew after a minute away: what came since the one before is "new since your visit".
const VISIT_GAP: Millis = 60_000;

/// One recipient's standing: facts, from which the state follows.
#[derive(Clone, Debug, FromRow)]
pub struct Receipt {
    /// The recipient.
    pub person_id: String,
    /// Their name.
    pub name: String,
    /// Their time zone, IANA.
    pub time_zone: String,
    /// Until when they are away.
    pub away_until: Option<Millis>,
    /// When it was sent to them.
    pub sent_at: Millis,
    /// When they first opened it.
    pub opened_at: Option<Millis>,
    /// `acknowledged`, `read_back` or `declined`.
    pub answer: Option<String>,
    /// When they answered so.
    pub answered_at: Option<Millis>,
    /// Which revision that was.
    pub answered_revision: Option<i64>,
    /// What they said back, or why they declined.
    pub words: Option<String>,
    /// What the author said to a readback: `confirmed` or `corrected`.
    pub verdict: Option<String>,
    /// How the author corrected it.
    pub correction: Option<String>,
    /// Since when they owe an answer; none when they do not.
    pub owes_since: Option<Millis>,
    /// By when it is due for them.
    pub due_at: Option<Millis>,
    /// When the author last reminded them.
    pub reminded_at: Option<Millis>,
    /// When the author opened the exchange of the two to all who see the update.
    pub disclosed_at: Option<Millis>,
}

impl Receipt {
    /// The state that follows from the facts. What was opened is told only where `opened` may be seen.
    pub fn state(&self, revision: i64, opened: bool) -> &'static str {
        match (self.answer.as_deref(), self.verdict.as_deref()) {
            (Some(_), _) if self.answered_revision.is_some_and(|seen| seen < revision) => "stale",
            (Some("declined"), _) => "declined",
            (Some("read_back"), Some("confirmed")) => "confirmed",
            (Some("read_back"), Some(_)) => "needs_correction",
            (Some("read_back"), None) => "read_back",
            (Some(_), _) => "acknowledged",
            (None, _) if opened && self.opened_at.is_some() => "opened",
            (None, _) => "waiting",
        }
    }
}

/// The columns of [`Receipt`], of `receipts r JOIN people p`.
macro_rules! select_receipts {
    () => {
        "SELECT r.person_id, p.name, p.time_zone, p.away_until, r.sent_at, r.opened_at, r.answer, r.answered_at, r.answered_revision, r.words,
         r.verdict, CASE WHEN r.verdict = 'corrected' THEN (SELECT e.body FROM exchanges e WHERE e.update_id = r.update_id
             AND e.person_id = r.person_id AND e.kind = 'corrected' ORDER BY e.id DESC LIMIT 1) END AS correction,
         r.owes_since, r.due_at, r.reminded_at, r.disclosed_at
         FROM receipts r JOIN people p ON p.id = r.person_id WHERE r.update_id = $1 AND r.removed_at IS NULL"
    };
}

/// All recipients, by name. Who was deactivated before they answered owes nothing any more and is left out.
pub async fn of_update(connection: &mut AnyConnection, update_id: &str) -> Result<Vec<Receipt>> {
    Ok(sqlx::query_as(concat!(
        select_receipts!(),
        " AND (p.deactivated_at IS NULL OR r.answered_at IS NOT NULL) ORDER BY p.name_key, p.id"
    ))
    .bind(update_id)
    .fetch_all(connection)
    .await?)
}

/// One recipient's standing, if they are one.
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

/// How many recipients opened it.
pub async fn count_opened(connection: &mut AnyConnection, update_id: &str) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM receipts WHERE update_id = $1 AND removed_at IS NULL AND opened_at IS NOT NULL")
        .bind(update_id)
        .fetch_one(connection)
        .await?)
}

/// A guest who acknowledged.
#[derive(Clone, Debug, FromRow)]
pub struct GuestAnswer {
    /// The guest.
    pub id: String,
    /// The name they said.
    pub name: String,
    /// The name of the link they came through.
    pub link: String,
    /// When.
    pub acknowledged_at: Millis,
    /// What they said back, if that was asked.
    pub readback: Option<String>,
}

/// The guests who acknowledged, in order.
pub async fn guest_answers(
    connection: &mut AnyConnection,
    update_id: &str,
) -> Result<Vec<GuestAnswer>> {
    Ok(sqlx::query_as(
        "SELECT g.id, g.name, l.name AS link, g.acknowledged_at, g.readback FROM guests g JOIN links l ON l.id = g.link_id
         WHERE l.update_id = $1 AND g.acknowledged_at IS NOT NULL ORDER BY g.acknowledged_at, g.id",
    )
    .bind(update_id)
    .fetch_all(connection)
    .await?)
}

/// When a guest answered, which revision, and what they said back.
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

/// Until when the person had seen the update before this visit; none at the first.
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
    Ok(visit.and_then(|(seen, before)| {
        if clock.now() - seen > VISIT_GAP {
            Some(seen)
        } else {
            before
        }
    }))
}

/// The page's own script says that the viewer has it before them.
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
             before_at = CASE WHEN excluded.seen_at - visits.seen_at > $4 THEN visits.seen_at ELSE visits.before_at END, seen_at = excluded.seen_at",
    )
    .bind(id)
    .bind(&person.id)
    .bind(now)
    .bind(VISIT_GAP)
    .execute(&mut **tx)
    .await?;
    if update.published_at.is_none() || update.author_id == person.id {
        return Ok(());
    }
    let new = ensure_receipt(tx, &update, &person.id).await?;
    let first = sqlx::query(
        "UPDATE receipts SET opened_at = $3 WHERE update_id = $1 AND person_id = $2 AND opened_at IS NULL AND removed_at IS NULL",
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
        events::record(tx, clock, "opening", id, &person.id, &person.id).await?;
    }
    Ok(())
}

/// What is for everyone and asks nothing has a receipt only once somebody opens or answers it. Answers whether they are a recipient since now.
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
        updates::refresh_access(tx, &update.id, Some(person_id)).await?;
    }
    Ok(made.rows_affected() > 0)
}
