//! Turns the audience into recipients at publication and after edits, and notifies new recipients.

use super::audience_group_ids;
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events;
use crate::events::EventKind;
use crate::infra::db::Tx;
use crate::notifications;
use crate::notifications::{Kind, Notification};
use crate::people::{self, Viewer};
use crate::search;
use crate::updates::{
    Update, access, find_as_author, find_own, lock_for_update, refresh_obligations,
};

/// SQL that inserts recipients and restores recipients who were removed. Returns the ids of the
/// inserted and restored recipients.
macro_rules! insert_recipients {
    ($who:literal) => {
        concat!(
            "INSERT INTO receipts (update_id, person_id, sent_at) ",
            $who,
            " ON CONFLICT (update_id, person_id) DO UPDATE SET removed_at = NULL WHERE receipts.removed_at IS NOT NULL
             RETURNING person_id"
        )
    };
}

/// Updates the recipients after a change to the audience, and notifies new recipients. Call it at
/// publication and after each edit of a published update. People who are no longer in the audience
/// lose access, but their answers are kept.
///
/// The members of a group become recipients only once: at publication or, if the group is added
/// later, at that edit. People who join the group afterwards do not become recipients.
///
/// If an update is for `everyone` and expects an answer, all people with an account become
/// recipients. People who get an account later owe no answer. If an update for `everyone` expects
/// no answer, people who are in the audience neither by name nor through a group get a receipt only
/// by opening or answering the update.
///
/// `kept` contains the groups that were in the audience before the edit. It is `None` if the edit
/// does not change the audience.
pub(in crate::updates) async fn add_recipients(
    tx: &mut Tx,
    clock: &Clock,
    before: &Update,
    after: &Update,
    kept: Option<&[String]>,
) -> Result<()> {
    let now = clock.now();
    let (id, author) = (&after.id, &after.author_id);
    let first = before.published_at.is_none();
    let owes_now = after.everyone_at.is_some() && after.asks_for_answer();
    let owed_before = !first && before.everyone_at.is_some() && before.asks_for_answer();
    let mut new = insert_listed_recipients(tx, now, after, owes_now && !owed_before).await?;
    if let Some(kept) = kept {
        new.extend(add_group_recipients(tx, now, after, if first { &[] } else { kept }).await?);
        if after.everyone_at.is_none() {
            remove_former_recipients(tx, now, id).await?;
        }
    }
    let notification = |kind| Notification {
        kind,
        update_id: id,
        subject_id: id,
        actor_id: author,
    };
    if after.asks_for_answer() {
        // If the author changed the expectation, notify all recipients again, not only the new
        // ones.
        if !first && before.expectation != after.expectation {
            new.extend(recipient_ids(tx, id).await?);
        }
        return notifications::notify(tx, clock, notification(Kind::Asked), &new).await;
    }
    if after.everyone_at.is_some() && (first || before.everyone_at.is_none()) {
        new.extend(
            sqlx::query_scalar::<_, String>("SELECT id FROM people WHERE deactivated_at IS NULL")
                .fetch_all(&mut **tx)
                .await?,
        );
    }
    if !first && before.asks_for_answer() {
        // The update no longer expects an answer, so it disappears from "To answer" in the inbox. Notify the recipients
        // who have neither opened nor answered it, so that they find it under "New for you".
        new.extend(unnotified_recipient_ids(tx, id).await?);
    }
    notifications::notify(tx, clock, notification(Kind::Sent), &new).await
}

/// Adds the people in the audience as recipients and, if `everyone` is set, all others with an
/// account. Returns the ids of the new recipients.
async fn insert_listed_recipients(
    tx: &mut Tx,
    now: Millis,
    update: &Update,
    everyone: bool,
) -> Result<Vec<String>> {
    let listed = insert_recipients!(
        "SELECT a.update_id, a.person_id, $2 FROM audience a JOIN people p ON p.id = a.person_id
         WHERE a.update_id = $1 AND p.deactivated_at IS NULL AND p.id <> $3"
    );
    let all = insert_recipients!(
        "SELECT $1, p.id, $2 FROM people p WHERE p.deactivated_at IS NULL AND p.id <> $3"
    );
    let mut new = Vec::new();
    for statement in [everyone.then_some(all), Some(listed)]
        .into_iter()
        .flatten()
    {
        new.extend(
            sqlx::query_scalar::<_, String>(statement)
                .bind(&update.id)
                .bind(now)
                .bind(&update.author_id)
                .fetch_all(&mut **tx)
                .await?,
        );
    }
    Ok(new)
}

/// Removes the recipients who are in the audience neither by name nor through a group.
async fn remove_former_recipients(tx: &mut Tx, now: Millis, update_id: &str) -> Result<()> {
    sqlx::query(
        "UPDATE receipts SET removed_at = $2 WHERE update_id = $1 AND removed_at IS NULL
         AND person_id NOT IN (SELECT person_id FROM audience WHERE update_id = $1)
         AND person_id NOT IN (SELECT person_id FROM asked_through WHERE update_id = $1)",
    )
    .bind(update_id)
    .bind(now)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Adds the members of newly added groups as recipients. For groups that are no longer in the
/// audience, deletes the record of who became a recipient through them. Returns the ids of the new
/// recipients.
async fn add_group_recipients(
    tx: &mut Tx,
    now: Millis,
    update: &Update,
    kept: &[String],
) -> Result<Vec<String>> {
    let id = &update.id;
    sqlx::query(
        "DELETE FROM asked_through WHERE update_id = $1
         AND group_id NOT IN (SELECT group_id FROM group_audience WHERE update_id = $1)",
    )
    .bind(id)
    .execute(&mut **tx)
    .await?;
    for group in audience_group_ids(tx, id)
        .await?
        .iter()
        .filter(|group| !kept.contains(group))
    {
        sqlx::query(
            "INSERT INTO asked_through (update_id, group_id, person_id)
             SELECT $1, m.group_id, m.person_id FROM group_members m JOIN people p ON p.id = m.person_id
             WHERE m.group_id = $2 AND p.deactivated_at IS NULL AND p.id <> $3 ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(group)
        .bind(&update.author_id)
        .execute(&mut **tx)
        .await?;
    }
    let members = insert_recipients!(
        "SELECT DISTINCT t.update_id, t.person_id, $2 FROM asked_through t WHERE t.update_id = $1"
    );
    Ok(sqlx::query_scalar(members)
        .bind(id)
        .bind(now)
        .fetch_all(&mut **tx)
        .await?)
}

async fn recipient_ids(tx: &mut Tx, id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT person_id FROM receipts WHERE update_id = $1 AND removed_at IS NULL",
    )
    .bind(id)
    .fetch_all(&mut **tx)
    .await?)
}

async fn unnotified_recipient_ids(tx: &mut Tx, id: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT person_id FROM receipts WHERE update_id = $1 AND removed_at IS NULL AND opened_at IS NULL
         AND answered_at IS NULL",
    )
    .bind(id)
    .fetch_all(&mut **tx)
    .await?)
}

/// Adds one person to the audience of the viewer's own draft or published update. Does nothing if
/// the person is already in the audience.
pub async fn add_recipient(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    person_id: &str,
) -> Result<Update> {
    lock_for_update(tx, id).await?;
    let before = find_own(tx, viewer, id).await?;
    let person = people::by_id(tx, person_id).await?;
    if person.deactivated_at.is_some() {
        return Err(Error::Conflict(format!(
            "The account of {} is deactivated. Ask an admin to reactivate it first.",
            person.name
        )));
    }
    if person.id == before.author_id {
        return Err(Error::Conflict(
            "You are the author of this update, so you can already see it.".into(),
        ));
    }
    add_invited_recipient(tx, clock, person_id, &[id.to_owned()]).await?;
    find_as_author(tx, id).await
}

/// Adds a person to the audience of each of these updates, for example after the person has
/// accepted an invitation. If the update is published, the person also becomes a recipient.
pub async fn add_invited_recipient(
    tx: &mut Tx,
    clock: &Clock,
    person_id: &str,
    updates: &[String],
) -> Result<()> {
    let mut updates = updates.to_vec();
    updates.sort();
    for id in &updates {
        lock_for_update(tx, id).await?;
        sqlx::query(
            "INSERT INTO audience (update_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
        let update = find_as_author(tx, id).await?;
        if update.published_at.is_none() {
            continue;
        }
        let new: Vec<String> = sqlx::query_scalar(insert_recipients!(
            "SELECT $1, p.id, $2 FROM people p WHERE p.id = $3"
        ))
        .bind(id)
        .bind(clock.now())
        .bind(person_id)
        .fetch_all(&mut **tx)
        .await?;
        access::refresh(tx, id).await?;
        search::enqueue_facets(tx, clock, id).await?;
        refresh_obligations(tx, clock, id, Some(person_id)).await?;
        let kind = if update.asks_for_answer() {
            Kind::Asked
        } else {
            Kind::Sent
        };
        notifications::notify(
            tx,
            clock,
            Notification {
                kind,
                update_id: id,
                subject_id: id,
                actor_id: &update.author_id,
            },
            &new,
        )
        .await?;
    }
    // Record the events after all other writes. Recording locks the counter of event numbers until
    // the transaction ends.
    for id in &updates {
        events::record(tx, clock, EventKind::Receipt, id, person_id, person_id).await?;
    }
    Ok(())
}
