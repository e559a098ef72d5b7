//! Reminders to recipients who owe an answer.

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::infra::db::Tx;
use crate::notifications;
use crate::notifications::{Kind, Notification};
use crate::people::Viewer;
use crate::updates::{self, Update};

use super::{Receipt, of_update};

/// Minimum time between two reminders to the same recipient, in milliseconds.
pub const MIN_REMINDER_INTERVAL: Millis = 4 * 3_600_000;

/// Reminds all recipients who owe an answer and were not reminded within the last
/// [`MIN_REMINDER_INTERVAL`]. Only the author may send reminders. Returns the update and the
/// reminded recipients. Returns [`Error::Conflict`] if there is nobody to remind.
pub async fn remind(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
) -> Result<(Update, Vec<Receipt>)> {
    updates::lock_for_update(tx, id).await?;
    let update = updates::find_own(tx, viewer, id).await?;
    let owing: Vec<Receipt> = of_update(tx, id)
        .await?
        .into_iter()
        .filter(|receipt| receipt.owes_since.is_some())
        .collect();
    if owing.is_empty() {
        return Err(Error::Conflict(
            "There is nobody to remind: no recipient still has to answer this update.".into(),
        ));
    }
    let now = clock.now();
    let next = next_reminder(&owing).unwrap_or(now);
    let reminded: Vec<Receipt> = owing
        .into_iter()
        .filter(|receipt| may_remind(receipt, now))
        .collect();
    if reminded.is_empty() {
        return Err(too_soon(next - now));
    }
    sqlx::query(
        "UPDATE receipts SET reminded_at = $1
         WHERE update_id = $2 AND owes_since IS NOT NULL AND (reminded_at IS NULL OR reminded_at <= $3)",
    )
    .bind(now)
    .bind(id)
    .bind(now - MIN_REMINDER_INTERVAL)
    .execute(&mut **tx)
    .await?;
    let people: Vec<String> = reminded
        .iter()
        .map(|receipt| receipt.person_id.clone())
        .collect();
    notifications::notify(
        tx,
        clock,
        Notification {
            kind: Kind::Reminded,
            update_id: id,
            subject_id: id,
            actor_id: &update.author_id,
        },
        &people,
    )
    .await?;
    events::record(tx, clock, EventKind::Receipt, id, id, &update.author_id).await?;
    Ok((update, reminded))
}

fn may_remind(receipt: &Receipt, now: Millis) -> bool {
    receipt
        .reminded_at
        .is_none_or(|at| at <= now - MIN_REMINDER_INTERVAL)
}

/// Returns the earliest time at which one of these recipients may be reminded again. Ignores
/// recipients who were never reminded.
fn next_reminder(owing: &[Receipt]) -> Option<Millis> {
    let last = owing
        .iter()
        .filter_map(|receipt| receipt.reminded_at)
        .min()?;
    Some(last + MIN_REMINDER_INTERVAL)
}

fn too_soon(wait: Millis) -> Error {
    let minutes = (wait + 59_999) / 60_000;
    Error::Conflict(format!(
        "Everyone who still has to answer was reminded within the last four hours. \
         You can remind them again in {} h {} min.",
        minutes / 60,
        minutes % 60
    ))
}
