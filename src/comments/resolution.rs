//! Resolving and reopening threads, and who may do so.

use super::{Comment, REMOVED, find_visible, questions};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events;
use crate::events::EventKind;
use crate::infra::db::Tx;
use crate::people::{self, Viewer};
use crate::updates::{self, Update};

/// Resolves or reopens a thread and returns the id of the update. If the thread begins with a
/// question, only the asker may do so or, if the asker is a guest, also the update's author.
/// Otherwise, anyone who may comment in the thread may do so.
pub async fn resolve(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    resolved: bool,
) -> Result<String> {
    let (comment, update) = find_visible(tx, viewer, id).await?;
    if let Viewer::Guest(_) = viewer {
        people::guest_who_may_comment(viewer, &update.id)?;
    }
    if comment.parent_id.is_some() {
        return Err(Error::Conflict(
            "A reply cannot be resolved, only a whole thread. Use the id of the thread’s first comment.".into(),
        ));
    }
    let hosts = comment.guest_id.is_some() && updates::must_be_author(viewer, &update).is_ok();
    if comment.is_question() && !comment.is_by(viewer) && !hosts {
        return Err(not_allowed(&comment, &update, resolved));
    }
    if comment.removed_at.is_some() {
        return Err(Error::Conflict(REMOVED.into()));
    }
    sqlx::query(
        "UPDATE comments SET resolved_at = CASE WHEN $1 = 0 THEN NULL ELSE coalesce(resolved_at, $2) END
         WHERE id = $3")
        .bind(i64::from(resolved))
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    questions::refresh_question(tx, &update.id, id).await?;
    events::record(tx, clock, EventKind::Comment, &update.id, id, "").await?;
    Ok(update.id)
}

/// The error for a viewer who may not resolve or reopen a question. It names the people who may.
fn not_allowed(question: &Comment, update: &Update, resolved: bool) -> Error {
    let asker = &question.author_name;
    let who = if question.guest_id.is_some() {
        format!("{asker} and {}", update.author_name)
    } else {
        asker.clone()
    };
    Error::Forbidden(if resolved {
        format!("Only {who} can close this question. You can post an answer instead.")
    } else {
        format!("Only {who} can reopen this question. You can post a reply instead.")
    })
}
