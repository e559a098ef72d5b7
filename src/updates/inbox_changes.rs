//! Which inboxes show an update.

use crate::error::Result;
use crate::events;
use crate::infra::db::Tx;

/// Notes that the inboxes that show this update have changed: those of its author, of recipients who owe an answer and
/// of people with an unread notification about it. Call it when the update becomes visible or invisible for these
/// people, and before their receipts or notifications are deleted.
pub(super) async fn inboxes_changed(tx: &mut Tx, update_id: &str) -> Result<()> {
    let people: Vec<String> = sqlx::query_scalar(
        "SELECT person_id FROM receipts WHERE update_id = $1 AND owes_since IS NOT NULL
         UNION SELECT person_id FROM notices WHERE update_id = $1 AND read_at IS NULL
         UNION SELECT author_id FROM updates WHERE id = $1",
    )
    .bind(update_id)
    .fetch_all(&mut **tx)
    .await?;
    for person in people {
        events::inbox_changed(tx, &person);
    }
    Ok(())
}
