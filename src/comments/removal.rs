//! Removing comments: who may remove a comment, and what remains of it.

use super::{find_visible, history, questions};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events::EventKind;
use crate::infra::db::Tx;
use crate::media;
use crate::people::Viewer;
use crate::updates;
use crate::{events, notifications, search};

/// Removes a comment: deletes its text, pictures and history, and retracts its notifications. The
/// row stays, so that replies keep their thread. Only the writer may remove a comment; the update's
/// author may also remove the comments of guests. Returns the id of the update. Does nothing if the
/// comment has already been removed.
pub async fn remove(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<String> {
    if let Some(update_id) = removed_before(tx, viewer, id).await? {
        return Ok(update_id);
    }
    let (comment, update) = find_visible(tx, viewer, id).await?;
    let hosts = comment.guest_id.is_some() && updates::must_be_author(viewer, &update).is_ok();
    if !comment.is_by(viewer) && !hosts {
        return Err(Error::Forbidden(format!(
            "Only {} can remove this comment.",
            comment.author_name
        )));
    }
    if comment.removed_at.is_some() {
        return Ok(update.id);
    }
    media::delete_of_comment(tx, clock, id).await?;
    sqlx::query(
        "UPDATE comments SET body = '', mentions = NULL, drawing = NULL, drawn = NULL, removed_at = $1
         WHERE id = $2")
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    history::delete_history(tx, id).await?;
    questions::refresh_question(tx, &update.id, comment.root_id()).await?;
    notifications::retract(tx, &update.id, id).await?;
    search::forget_subject(tx, clock, id).await?;
    // On PostgreSQL, an index job that read the text before this transaction can still add it to the search index.
    // Enqueue another index job, which then deletes it.
    updates::enqueue_index(tx, clock, &update.id, id).await?;
    events::record(
        tx,
        clock,
        EventKind::Comment,
        &update.id,
        id,
        comment.author_id(),
    )
    .await?;
    Ok(update.id)
}

/// Returns the id of the update if the viewer wrote this comment and the comment was removed or deleted, even if the
/// viewer can no longer see the update. If the whole update was deleted, finds the comment only within
/// [`events::RETENTION`] of its last event.
async fn removed_before(tx: &mut Tx, viewer: &Viewer, id: &str) -> Result<Option<String>> {
    let stored: Option<(String, String, Option<i64>)> = sqlx::query_as(
        "SELECT update_id, coalesce(person_id, guest_id, ''), removed_at FROM comments WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(&mut **tx)
    .await?;
    let writers = match viewer {
        Viewer::Person(person) => vec![&person.id],
        Viewer::Guest(guests) => guests.iter().map(|guest| &guest.id).collect(),
        Viewer::Nobody => Vec::new(),
    };
    if let Some((update_id, writer, removed_at)) = stored {
        return Ok((removed_at.is_some() && writers.contains(&&writer)).then_some(update_id));
    }
    for writer in writers {
        let update_id = events::update_of_last_event(tx, EventKind::Comment, id, writer).await?;
        if update_id.is_some() {
            return Ok(update_id);
        }
    }
    Ok(None)
}
