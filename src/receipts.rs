//! Receipts: who was asked, who opened it, who acknowledged which revision.

use sqlx::{AnyConnection, FromRow};

use crate::clock::{Clock, Millis};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::people::Viewer;
use crate::updates::{self, Update};
use crate::{events, people};

/// A visit begins anew after a minute away: what came since the one before is "new since your visit".
const VISIT: Millis = 60_000;

/// One recipient's standing.
#[derive(Clone, Debug, FromRow)]
pub struct Receipt {
    /// The recipient.
    pub person_id: String,
    /// Their name.
    pub name: String,
    /// When it was sent to them.
    pub sent_at: Millis,
    /// When they first opened it.
    pub opened_at: Option<Millis>,
    /// When they acknowledged.
    pub acknowledged_at: Option<Millis>,
    /// Which revision that was.
    pub acknowledged_revision: Option<i64>,
}

impl Receipt {
    /// The state that follows from the facts. What was opened is told only where `opened` may be seen.
    pub fn state(&self, revision: i64, opened: bool) -> &'static str {
        match self.acknowledged_revision {
            Some(seen) if seen >= revision => "acknowledged",
            Some(_) => "stale",
            None if opened && self.opened_at.is_some() => "opened",
            None => "waiting",
        }
    }
}

/// All recipients, by name. Who was deactivated before they answered owes nothing any more and is left out.
pub async fn of(connection: &mut AnyConnection, update_id: &str) -> Result<Vec<Receipt>> {
    Ok(sqlx::query_as(
        "SELECT r.person_id, p.name, r.sent_at, r.opened_at, r.answered_at AS acknowledged_at, r.answered_revision AS acknowledged_revision FROM receipts r
         JOIN people p ON p.id = r.person_id WHERE r.update_id = $1 AND r.removed_at IS NULL
         AND (p.deactivated_at IS NULL OR r.answered_at IS NOT NULL) ORDER BY p.name_key, p.id",
    )
    .bind(update_id)
    .fetch_all(connection)
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
}

/// The guests who acknowledged, in order.
pub async fn of_guests(connection: &mut AnyConnection, update_id: &str) -> Result<Vec<GuestAnswer>> {
    Ok(sqlx::query_as(
        "SELECT g.id, g.name, l.name AS link, g.acknowledged_at FROM guests g JOIN links l ON l.id = g.link_id
         WHERE l.update_id = $1 AND g.acknowledged_at IS NOT NULL ORDER BY g.acknowledged_at, g.id",
    )
    .bind(update_id)
    .fetch_all(connection)
    .await?)
}

/// When a guest acknowledged, and which revision.
pub async fn of_guest(connection: &mut AnyConnection, guest_id: &str) -> Result<Option<(Millis, i64)>> {
    let answer: Option<(Option<Millis>, Option<i64>)> =
        sqlx::query_as("SELECT acknowledged_at, acknowledged_revision FROM guests WHERE id = $1")
            .bind(guest_id)
            .fetch_optional(connection)
            .await?;
    Ok(answer.and_then(|(at, revision)| at.zip(revision)))
}

/// Until when the person had seen the update before this visit; none at the first.
pub async fn seen_before(connection: &mut AnyConnection, clock: &Clock, update_id: &str, person_id: &str) -> Result<Option<Millis>> {
    let visit: Option<(Millis, Option<Millis>)> =
        sqlx::query_as("SELECT seen_at, before_at FROM visits WHERE update_id = $1 AND person_id = $2")
            .bind(update_id)
            .bind(person_id)
            .fetch_optional(connection)
            .await?;
    Ok(visit.and_then(|(seen, before)| if clock.now() - seen > VISIT { Some(seen) } else { before }))
}

/// The page's own script says that the viewer has it before them.
pub async fn open(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<()> {
    let update = updates::find(tx, viewer, id).await?;
    let Viewer::Person(person) = viewer else { return Ok(()) };
    let now = clock.now();
    sqlx::query(
        "INSERT INTO visits (update_id, person_id, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (update_id, person_id) DO UPDATE SET
             before_at = CASE WHEN excluded.seen_at - visits.seen_at > $4 THEN visits.seen_at ELSE visits.before_at END, seen_at = excluded.seen_at",
    )
    .bind(id)
    .bind(&person.id)
    .bind(now)
    .bind(VISIT)
    .execute(&mut **tx)
    .await?;
    if update.published_at.is_none() || update.author_id == person.id {
        return Ok(());
    }
    receive(tx, &update, &person.id).await?;
    let first = sqlx::query(
        "UPDATE receipts SET opened_at = $3 WHERE update_id = $1 AND person_id = $2 AND opened_at IS NULL AND removed_at IS NULL",
    )
    .bind(id)
    .bind(&person.id)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    if first.rows_affected() > 0 {
        events::record(tx, clock, "opening", id, &person.id, &person.id).await?;
    }
    Ok(())
}

/// What is for everyone and asks nothing has a receipt only once somebody opens or answers it.
async fn receive(tx: &mut Tx, update: &Update, person_id: &str) -> Result<()> {
    let Some(sent_at) = update.published_at.filter(|_| update.everyone_at.is_some() && update.author_id != person_id) else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO receipts (update_id, person_id, sent_at) VALUES ($1, $2, $3)
         ON CONFLICT (update_id, person_id) DO UPDATE SET removed_at = NULL",
    )
    .bind(&update.id)
    .bind(person_id)
    .bind(sent_at)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Acknowledges the present revision. Done already, the first time stays. `seen` is the revision that was on the page.
pub async fn acknowledge(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str, seen: Option<i64>, name: Option<&str>) -> Result<()> {
    let update = updates::find(tx, viewer, id).await?;
    published(&update)?;
    if seen.is_some_and(|seen| seen != update.revision) {
        return Err(Error::Conflict("It was changed since you opened it. Look at it again, then answer.".into()));
    }
    let (statement, target, actor) = target(tx, clock, viewer, &update, name).await?;
    let done = sqlx::query(statement).bind(clock.now()).bind(update.revision).bind(&target).bind(id).execute(&mut **tx).await?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    events::record(tx, clock, "receipt", id, &actor, &actor).await
}

async fn target(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    update: &Update,
    name: Option<&str>,
) -> Result<(&'static str, String, String)> {
    if let Viewer::Person(person) = viewer {
        if !update.asks() {
            receive(tx, update, &person.id).await?;
        }
        must_be_recipient(tx, update, &person.id).await?;
        let statement = "UPDATE receipts SET answered_at = $1, answered_revision = $2 WHERE person_id = $3 AND update_id = $4
                         AND (answered_revision IS NULL OR answered_revision < $2)";
        return Ok((statement, person.id.clone(), person.id.clone()));
    }
    let guest = people::speaking_guest(tx, clock, viewer, &update.id, name).await?;
    let statement = "UPDATE guests SET acknowledged_at = $1, acknowledged_revision = $2 WHERE id = $3 AND $4 <> ''
                     AND (acknowledged_revision IS NULL OR acknowledged_revision < $2)";
    Ok((statement, guest.clone(), guest))
}

async fn must_be_recipient(tx: &mut Tx, update: &Update, person_id: &str) -> Result<()> {
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM receipts WHERE update_id = $1 AND person_id = $2 AND removed_at IS NULL")
        .bind(&update.id)
        .bind(person_id)
        .fetch_one(&mut **tx)
        .await?;
    if known == 0 { Err(Error::Forbidden("Only those it was sent to can answer it.".into())) } else { Ok(()) }
}

fn published(update: &Update) -> Result<()> {
    match update.state() {
        "published" => Ok(()),
        _ => Err(Error::Conflict("It is not published, so there is nothing to answer.".into())),
    }
}

/// Takes an acknowledgement back; without one nothing happens.
pub async fn take_back(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<()> {
    let update = updates::find(tx, viewer, id).await?;
    published(&update)?;
    let (actor, done) = match viewer {
        Viewer::Person(person) => {
            must_be_recipient(tx, &update, &person.id).await?;
            let statement = "UPDATE receipts SET answered_at = NULL, answered_revision = NULL
                             WHERE update_id = $1 AND person_id = $2 AND answered_at IS NOT NULL";
            (person.id.clone(), sqlx::query(statement).bind(id).bind(&person.id).execute(&mut **tx).await?)
        }
        Viewer::Guest(_) | Viewer::Nobody => {
            let guest = people::guest_who_may_speak(viewer, id)?;
            let statement =
                "UPDATE guests SET acknowledged_at = NULL, acknowledged_revision = NULL WHERE id = $1 AND acknowledged_at IS NOT NULL";
            (guest.id.clone(), sqlx::query(statement).bind(&guest.id).execute(&mut **tx).await?)
        }
    };
    if done.rows_affected() == 0 {
        return Ok(());
    }
    events::record(tx, clock, "receipt", id, &actor, &actor).await
}
