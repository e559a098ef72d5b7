//! The disclosure of a verdict thread: the author shows it to every member who can see the update.

use super::verdicts::find_own_receipt;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::infra::db::Tx;
use crate::people::Viewer;

/// Shows the thread with a recipient to every member who can see the update, or hides it again.
/// Only the author may change this. The thread can be shown only if the recipient's current answer
/// is a readback or an objection.
pub async fn set_disclosed(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    person_id: &str,
    open: bool,
) -> Result<()> {
    let (update, receipt) = find_own_receipt(tx, viewer, id, person_id).await?;
    if open && receipt.words.is_none() {
        return Err(Error::Conflict(format!(
            "{} has neither read this update back nor objected, so there is nothing to share.",
            receipt.name
        )));
    }
    sqlx::query("UPDATE receipts SET disclosed_at = CASE WHEN $1 = 0 THEN NULL ELSE $2 END WHERE update_id = $3 \
                 AND person_id = $4")
        .bind(i64::from(open))
        .bind(clock.now())
        .bind(id)
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
    events::record(
        tx,
        clock,
        EventKind::Receipt,
        id,
        person_id,
        &update.author_id,
    )
    .await
}
