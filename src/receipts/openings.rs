//! Openings of updates: visits, the first opening of a recipient, and people who become recipients by opening an
//! update for everyone.

use sqlx::AnyConnection;

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::events::{self, EventKind};
use crate::infra::db::Tx;
use crate::notifications;
use crate::people::Viewer;
use crate::updates::{self, Update};

/// Maximum time between two consecutive openings of an update within one visit, in milliseconds. After a longer pause,
/// a new visit starts, and the page marks what is new since the previous visit.
const VISIT_GAP: Millis = 60_000;

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
pub(super) async fn ensure_receipt(tx: &mut Tx, update: &Update, person_id: &str) -> Result<bool> {
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
