//! The trash: how long it keeps updates, how they are restored, and when they are deleted for good.

use super::deletion::delete;
use super::inbox_changes::inboxes_changed;
use super::{Update, access, find, find_as_author, lock_for_update, must_be_author};
use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::events::{self, EventKind};
use crate::infra::db::Tx;
use crate::people::{Person, Viewer};
use crate::search;

/// How long an update stays in the trash, in milliseconds.
pub const TRASH_RETENTION: Millis = 30 * 24 * 3_600_000;

/// The error message for an attempt to change an update in the trash.
pub const IN_TRASH: &str = "This update is in the trash. Restore it first.";

/// Moves an update to the trash. Does nothing if the update is already in the trash.
pub async fn trash(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<()> {
    let person = viewer.person()?;
    lock_for_update(tx, id).await?;
    let update = find(tx, viewer, id).await?;
    must_be_author(viewer, &update)?;
    if update.trashed_at.is_some() {
        return Ok(());
    }
    sqlx::query("UPDATE updates SET trashed_at = $1 WHERE id = $2")
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    access::refresh(tx, id).await?;
    search::enqueue_facets(tx, clock, id).await?;
    inboxes_changed(tx, id).await?;
    events::record(tx, clock, EventKind::Update, id, id, &person.id).await
}

/// Restores an update from the trash.
pub async fn restore(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<Update> {
    let person = viewer.person()?;
    lock_for_update(tx, id).await?;
    let update = find(tx, viewer, id).await?;
    must_be_author(viewer, &update)?;
    sqlx::query("UPDATE updates SET trashed_at = NULL WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    access::refresh(tx, id).await?;
    search::enqueue_facets(tx, clock, id).await?;
    inboxes_changed(tx, id).await?;
    events::record(tx, clock, EventKind::Update, id, id, &person.id).await?;
    find_as_author(tx, id).await
}

/// Permanently deletes the update `one` from the person's trash or, if `one` is `None`, all updates there. Enqueues
/// jobs that delete the files of these updates.
pub async fn empty_trash(
    tx: &mut Tx,
    clock: &Clock,
    person: &Person,
    one: Option<&str>,
) -> Result<()> {
    let trashed: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM updates
             WHERE author_id = $1 AND trashed_at IS NOT NULL AND ($2 = '' OR id = $2)",
    )
    .bind(&person.id)
    .bind(one.unwrap_or_default())
    .fetch_all(&mut **tx)
    .await?;
    for id in &trashed {
        delete(tx, clock, id).await?;
    }
    // Record the events after all other writes. Recording locks the counter of event numbers until
    // the transaction ends.
    for id in &trashed {
        events::record(tx, clock, EventKind::Update, id, id, &person.id).await?;
    }
    Ok(())
}

/// Permanently deletes updates that have been in the trash for [`TRASH_RETENTION`]. Deletes at most
/// 100 updates per call.
pub async fn sweep_trash(tx: &mut Tx, clock: &Clock) -> Result<()> {
    let old: Vec<String> =
        sqlx::query_scalar("SELECT id FROM updates WHERE trashed_at < $1 LIMIT 100")
            .bind(clock.now() - TRASH_RETENTION)
            .fetch_all(&mut **tx)
            .await?;
    for id in old {
        delete(tx, clock, &id).await?;
    }
    Ok(())
}
