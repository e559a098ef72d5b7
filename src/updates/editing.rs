//! Edits of drafts and published updates. A material edit starts a new revision and asks everyone
//! again, including the people who have already answered.

use super::inbox_changes::inboxes_changed;
use super::publication::check_has_recipients;
use super::{
    Content, Update, access, asked_again, audience, check_due_is_ahead, due_columns, enqueue_index,
    find_as_author, find_own, group_changes, lock_for_update, refresh_obligations, revisions,
};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::infra::db::Tx;
use crate::notifications;
use crate::notifications::{Kind, Notification};
use crate::people::{Person, Viewer};

/// Edits a draft or a published update. Adds and removes recipients if the audience changes.
///
/// Returns [`Error::Conflict`] if `content.version` is outdated.
pub async fn edit(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    content: &Content,
) -> Result<Update> {
    let person = viewer.person()?;
    lock_for_update(tx, id).await?;
    let before = find_own(tx, viewer, id).await?;
    check_edit(content, &before)?;
    let published = before.published_at.is_some();
    let material = published && content.material.is_some();
    write_content(tx, clock, &before, content, material).await?;
    if material {
        revisions::supersede(tx, clock, &before).await?;
    }
    let groups_before = audience::audience_group_ids(tx, id).await?;
    if let Some(addressed) = &content.audience {
        audience::save_audience(tx, clock, id, addressed).await?;
    }
    if published {
        let groups_before = content.audience.as_ref().map(|_| groups_before.as_slice());
        update_recipients(tx, clock, &before, groups_before, material, person).await?;
        if content.audience.is_some()
            || content.visibility.is_some()
            || content.later_members.is_some()
        {
            inboxes_changed(tx, id).await?;
        }
    }
    enqueue_index(tx, clock, id, id).await?;
    events::record(tx, clock, EventKind::Update, id, id, &person.id).await?;
    find_as_author(tx, id).await
}

fn check_edit(content: &Content, before: &Update) -> Result<()> {
    if content
        .version
        .is_some_and(|version| version != before.version)
    {
        return Err(Error::Conflict(
            "This update was edited elsewhere while you were editing it. Your text is still here. \
             Load the other version, or save again to replace it."
                .into(),
        ));
    }
    let published = before.published_at.is_some();
    if published && content.title.as_deref().is_some_and(str::is_empty) {
        return Err(Error::invalid(
            "title",
            "is empty. A published update needs a title.",
        ));
    }
    Ok(())
}

/// Writes the changed fields and increments the version. A material edit also increments the revision.
async fn write_content(
    tx: &mut Tx,
    clock: &Clock,
    before: &Update,
    content: &Content,
    material: bool,
) -> Result<()> {
    let published = before.published_at.is_some();
    let due = content.due.unwrap_or(before.due());
    let (due_at, due_days) = due_columns(due);
    if due_at != before.due_at {
        check_due_is_ahead(clock, due_at)?;
    }
    let what_changed = content
        .material
        .clone()
        .unwrap_or(before.what_changed.clone());
    let changed = sqlx::query(
        "UPDATE updates SET title = $1, notes = $2, visibility = $3, expectation = $4, due_at = $5, due_days = $6,
         otherwise = $7, prompt = $8, revision = revision + $9, what_changed = $10, version = version + 1,
         edited_at = $11, later_members_at = $12
         WHERE id = $13 AND version = $14",
    )
    .bind(content.title.as_ref().unwrap_or(&before.title))
    .bind(content.notes.as_ref().unwrap_or(&before.notes))
    .bind(content.visibility.unwrap_or(before.visibility))
    .bind(content.expectation.unwrap_or(before.expectation))
    .bind(due_at)
    .bind(due_days)
    .bind(content.otherwise.clone().unwrap_or(before.otherwise.clone()))
    .bind(content.prompt.clone().unwrap_or(before.prompt.clone()))
    .bind(i64::from(material))
    .bind(what_changed.filter(|_| published))
    .bind(published.then(|| clock.now()))
    .bind(access::later_members_since(clock, content, before))
    .bind(&before.id)
    .bind(before.version)
    .execute(&mut **tx)
    .await?;
    if changed.rows_affected() == 0 {
        return Err(Error::Conflict(
            "This update was edited elsewhere at the same time. Save again.".into(),
        ));
    }
    Ok(())
}

/// Adds and removes recipients, computes who owes an answer, and notifies people of the edit.
/// `groups_before` contains the groups of the earlier audience if the edit changes the audience.
async fn update_recipients(
    tx: &mut Tx,
    clock: &Clock,
    before: &Update,
    groups_before: Option<&[String]>,
    material: bool,
    person: &Person,
) -> Result<()> {
    let id = &before.id;
    let after = find_as_author(tx, id).await?;
    let answered = if material {
        asked_again::people_who_answered(tx, id).await?
    } else {
        Vec::new()
    };
    audience::add_recipients(tx, clock, before, &after, groups_before).await?;
    access::refresh(tx, id).await?;
    if before.later_members_at.is_none() && after.later_members_at.is_some() {
        group_changes::notify_of_earlier_joiners(tx, clock, id).await?;
    }
    refresh_obligations(tx, clock, id, None).await?;
    if groups_before.is_some() || after.expectation != before.expectation {
        let settled = find_as_author(tx, id).await?;
        check_has_recipients(tx, clock, &settled).await?;
    }
    let kind = if after.asks_for_answer() {
        Kind::Changed
    } else {
        Kind::Sent
    };
    let edit = Notification {
        kind,
        update_id: id,
        subject_id: id,
        actor_id: &person.id,
    };
    notifications::notify(tx, clock, edit, &answered).await
}
