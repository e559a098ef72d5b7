//! Changes to a group, and their effects on the updates whose audience contains the group.

use sqlx::{AssertSqlSafe, FromRow};

use super::{access, lock_for_update};
use crate::clock::Clock;
use crate::error::Result;
use crate::events;
use crate::infra::db;
use crate::infra::db::Tx;
use crate::notifications;
use crate::notifications::{Kind, PersonalNotification};
use crate::people::Person;
use crate::people::groups::{self, Change};
use crate::search;

/// Maximum number of people in one SQL statement.
const CHUNK_SIZE: usize = 500;

/// Changes a group. If the author of an update that was sent to the group earlier allows later
/// members, new members of the group can open this update, and its author is notified. The open
/// event streams of people who left the group check again whether they still have access.
pub async fn change_group(
    tx: &mut Tx,
    clock: &Clock,
    by: &Person,
    id: &str,
    change: &Change,
) -> Result<()> {
    let joined = groups::change(tx, by, id, change).await?;
    notify_authors(tx, clock, id, "", &joined).await?;
    events::record_deferred(tx, clock).await
}

/// Removes one person from a group. The person keeps access to the updates of which they are a recipient, but loses
/// access to updates that they could open only as a later member of the group.
pub async fn leave_group(
    tx: &mut Tx,
    clock: &Clock,
    by: &Person,
    id: &str,
    person_id: &str,
) -> Result<()> {
    groups::remove_member(tx, by, id, person_id).await?;
    events::record_deferred(tx, clock).await
}

/// Deletes a group. First adds people individually to each audience that contains the group, so that no update loses
/// recipients. For a draft, these are the group's members; for a published update, the people who became recipients
/// through the group. People who joined the group later lose access.
pub async fn delete_group(tx: &mut Tx, clock: &Clock, by: &Person, id: &str) -> Result<()> {
    let sent: Vec<String> = sqlx::query_scalar(
        "SELECT update_id FROM group_audience WHERE group_id = $1 ORDER BY update_id",
    )
    .bind(id)
    .fetch_all(&mut **tx)
    .await?;
    for update in &sent {
        lock_for_update(tx, update).await?;
    }
    name_group_recipients(tx, id).await?;
    groups::remove(tx, by, id).await?;
    for update in &sent {
        access::refresh(tx, update).await?;
        search::enqueue_facets(tx, clock, update).await?;
    }
    events::record_deferred(tx, clock).await
}

async fn name_group_recipients(tx: &mut Tx, group_id: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO audience (update_id, person_id)
         SELECT t.update_id, t.person_id FROM asked_through t JOIN receipts r ON r.update_id = t.update_id
         AND r.person_id = t.person_id
         WHERE t.group_id = $1 AND r.removed_at IS NULL
         UNION SELECT a.update_id, m.person_id FROM group_audience a JOIN updates u ON u.id = a.update_id
         JOIN group_members m ON m.group_id = a.group_id WHERE a.group_id = $1 AND u.published_at IS NULL
         ON CONFLICT DO NOTHING",
    )
    .bind(group_id)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A person who joined a group and can therefore open an update.
#[derive(FromRow)]
struct Joined {
    update_id: String,
    author_id: String,
    person_id: String,
}

/// Notifies the author of an update about the people who joined one of the update's groups after publication. Called
/// when the author allows later members to open the update.
pub(super) async fn notify_of_earlier_joiners(
    tx: &mut Tx,
    clock: &Clock,
    update_id: &str,
) -> Result<()> {
    for group in super::audience::audience_group_ids(tx, update_id).await? {
        let members: Vec<String> = sqlx::query_scalar(
            "SELECT person_id FROM group_members WHERE group_id = $1 ORDER BY person_id",
        )
        .bind(&group)
        .fetch_all(&mut **tx)
        .await?;
        notify_authors(tx, clock, &group, update_id, &members).await?;
    }
    Ok(())
}

/// Notifies authors about people who joined a group and can therefore open an update. An author
/// gets one notification per update and person. If the person could already open the update, the
/// author gets none.
///
/// If `update_id` is empty, notifies the authors of all updates whose audience contains the group.
/// Leaves out people who are also in another group of the audience, because that group already
/// gave them access.
///
/// If `update_id` is set, notifies only the author of this update, who has just allowed later
/// members to open it. Includes people who are also in another group of the audience, because no
/// group gave them access before.
async fn notify_authors(
    tx: &mut Tx,
    clock: &Clock,
    group_id: &str,
    update_id: &str,
    joined: &[String],
) -> Result<()> {
    for some in joined.chunks(CHUNK_SIZE) {
        let text = format!(
            "SELECT u.id AS update_id, u.author_id, p.id AS person_id FROM group_audience a
             JOIN updates u ON u.id = a.update_id
             JOIN people p ON p.id IN ({}) WHERE a.group_id = $1 AND ($2 = '' OR u.id = $2)
             AND u.later_members_at IS NOT NULL AND u.published_at IS NOT NULL
             AND u.author_id <> p.id AND u.visibility <> 'workspace' AND u.everyone_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.update_id = u.id AND r.person_id = p.id
             AND r.removed_at IS NULL)
             AND ($2 <> '' OR NOT EXISTS (SELECT 1 FROM group_audience o JOIN group_members m ON m.group_id = o.group_id
                                          WHERE o.update_id = u.id AND o.group_id <> $1 AND m.person_id = p.id))",
            db::placeholders(3, some.len())
        );
        let mut statement = sqlx::query_as(AssertSqlSafe(text))
            .bind(group_id)
            .bind(update_id);
        for person in some {
            statement = statement.bind(person);
        }
        let found: Vec<Joined> = statement.fetch_all(&mut **tx).await?;
        let notifications: Vec<PersonalNotification> = found
            .into_iter()
            .map(|one| PersonalNotification {
                person_id: one.author_id,
                subject_id: notifications::subject_of_person(&one.update_id, &one.person_id),
                update_id: one.update_id,
                actor_id: one.person_id,
            })
            .collect();
        notifications::notify_personally(tx, clock, Kind::Joined, &notifications).await?;
    }
    Ok(())
}
