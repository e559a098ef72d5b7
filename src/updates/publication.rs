//! Publishes drafts, and lets the author undo the publication for ten seconds.

use super::inbox_changes::inboxes_changed;
use super::{
    MediaKind, Update, access, audience, check_due_is_ahead, enqueue_index, find_as_author,
    find_own, lock_for_update, refresh_obligations, revisions,
};
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::infra::db::Tx;
use crate::people::{Person, Viewer};

/// How long after publication the author can undo it, in milliseconds.
pub const UNDO_WINDOW: Millis = 10_000;

/// Publishes a draft. The audience can then see the update and owes the expected answer. Does
/// nothing if the update is already published. If the draft has no title, sets one such as
/// `Recording, 21 Nov 14:02`. Fails if the draft is empty, or if it expects an answer but its due
/// time has passed or it has no recipients and no invited people.
pub async fn publish(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<Update> {
    let person = viewer.person()?;
    lock_for_update(tx, id).await?;
    let draft = find_own(tx, viewer, id).await?;
    if draft.published_at.is_some() {
        return Ok(draft);
    }
    let title = if draft.title.is_empty() {
        fallback_title(tx, clock, person, &draft).await?
    } else {
        draft.title.clone()
    };
    sqlx::query("UPDATE updates SET title = $1, published_at = $2, listed_at = $2, version = version + 1 WHERE id = $3")
        .bind(title)
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    check_due_is_ahead(clock, draft.due_at.filter(|_| draft.asks_for_answer()))?;
    let published = find_as_author(tx, id).await?;
    audience::add_recipients(tx, clock, &draft, &published, Some(&[])).await?;
    access::refresh(tx, id).await?;
    refresh_obligations(tx, clock, id, None).await?;
    let published = find_as_author(tx, id).await?;
    check_has_recipients(tx, clock, &published).await?;
    revisions::record_revision(tx, clock, &published).await?;
    enqueue_index(tx, clock, id, id).await?;
    events::record(tx, clock, EventKind::Update, id, id, &person.id).await?;
    Ok(published)
}

/// Undoes the publication of an update, and deletes its receipts, notifications and everything else
/// that the publication created. Returns [`Error::Conflict`] once [`UNDO_WINDOW`] has passed.
pub async fn unpublish(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<Update> {
    let person = viewer.person()?;
    lock_for_update(tx, id).await?;
    let update = find_own(tx, viewer, id).await?;
    match update.published_at {
        None => return Ok(update),
        Some(at) if clock.now() - at <= UNDO_WINDOW => {}
        Some(_) => {
            return Err(Error::Conflict(
                "This update was published more than 10 seconds ago, so publishing can no longer \
                 be undone. Edit the update, or move it to the trash."
                    .into(),
            ));
        }
    }
    inboxes_changed(tx, id).await?;
    sqlx::query("UPDATE updates SET published_at = NULL, version = version + 1 WHERE id = $1")
        .bind(id)
        .execute(&mut **tx)
        .await?;
    for trace in [
        "DELETE FROM receipts WHERE update_id = $1",
        "DELETE FROM notices WHERE update_id = $1",
        "DELETE FROM revisions WHERE update_id = $1",
        "DELETE FROM exchanges WHERE update_id = $1",
        "DELETE FROM asked_through WHERE update_id = $1",
        "DELETE FROM snoozes WHERE update_id = $1",
    ] {
        sqlx::query(trace).bind(id).execute(&mut **tx).await?;
    }
    access::refresh(tx, id).await?;
    refresh_obligations(tx, clock, id, None).await?;
    enqueue_index(tx, clock, id, id).await?;
    events::record(tx, clock, EventKind::Update, id, id, &person.id).await?;
    find_as_author(tx, id).await
}

/// Returns a title for an untitled draft, such as `Recording, 21 Nov 14:02`. The time is in the author's time zone.
/// Fails if the draft has neither notes nor media.
async fn fallback_title(
    tx: &mut Tx,
    clock: &Clock,
    author: &Person,
    draft: &Update,
) -> Result<String> {
    let kind: Option<MediaKind> = sqlx::query_scalar(
        "SELECT kind FROM media WHERE update_id = $1 AND comment_id IS NULL AND removed_at IS NULL
             ORDER BY position, id LIMIT 1",
    )
    .bind(&draft.id)
    .fetch_optional(&mut **tx)
    .await?;
    let word = match kind {
        Some(MediaKind::Video) => "Recording",
        Some(MediaKind::Image) => "Screenshot",
        None if !draft.notes.is_empty() => "Update",
        None => {
            return Err(Error::invalid(
                "title",
                "is empty, and the update has no notes or files either. Write a title or add a file.",
            ));
        }
    };
    let zone = jiff::tz::TimeZone::get(&author.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let now = jiff::Timestamp::from_millisecond(clock.now())
        .map_err(Error::internal)?
        .to_zoned(zone);
    Ok(format!("{word}, {}", now.strftime("%-d %b %H:%M")))
}

/// Returns an error if the update expects an answer but has no recipients and no invited people.
pub(super) async fn check_has_recipients(
    tx: &mut Tx,
    clock: &Clock,
    update: &Update,
) -> Result<()> {
    if update.asks_for_answer()
        && update.recipients == 0
        && audience::pending_invitees(tx, clock, &update.id)
            .await?
            .is_empty()
    {
        return Err(Error::invalid(
            "audience",
            "must contain somebody who can answer, because this update asks for an answer. \
             Add the people who should answer, or do not ask for an answer.",
        ));
    }
    Ok(())
}
