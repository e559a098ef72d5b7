//! Editing comments: who may edit a comment, and who is notified.

use super::{REMOVED, SavedComment, find_visible, history, mentions, notifications};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events;
use crate::events::EventKind;
use crate::infra::db::Tx;
use crate::people::Viewer;
use crate::updates;

/// The error message for an edit that leaves a comment without text.
pub const EMPTY_BODY: &str = "is empty. Write something, or remove the comment instead.";

/// Changes the text of the viewer's own comment and keeps the earlier text in the comment's
/// history. Notifies people who are mentioned for the first time, and withdraws the notifications of
/// people who are no longer mentioned.
pub async fn edit(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    body: &str,
) -> Result<SavedComment> {
    let (comment, update) = find_visible(tx, viewer, id).await?;
    if !comment.is_by(viewer) {
        return Err(Error::Forbidden(format!(
            "Only {} can edit this comment.",
            comment.author_name
        )));
    }
    if comment.removed_at.is_some() {
        return Err(Error::Conflict(REMOVED.into()));
    }
    if body.is_empty() {
        return Err(Error::invalid("body", EMPTY_BODY));
    }
    let mentions = mentions::find(tx, viewer, body).await?;
    if body != comment.body {
        history::save_version(tx, clock, &comment).await?;
        sqlx::query("UPDATE comments SET body = $1, edited_at = $2, mentions = $3 WHERE id = $4")
            .bind(body)
            .bind(clock.now())
            .bind(mentions::to_json(&mentions)?)
            .bind(id)
            .execute(&mut **tx)
            .await?;
        updates::enqueue_index(tx, clock, &update.id, id).await?;
    }
    let unseen =
        notifications::notify_of_changed_mentions(tx, clock, &update, &comment, &mentions).await?;
    events::record(
        tx,
        clock,
        EventKind::Comment,
        &update.id,
        id,
        comment.author_id(),
    )
    .await?;
    Ok(SavedComment {
        id: id.to_owned(),
        update,
        without_access: unseen,
    })
}
