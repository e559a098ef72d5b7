//! Notifications: one row for each person, kind and subject. The transaction that makes a change
//! also writes its notifications. The inbox and emails read these rows. This module does not depend
//! on updates or comments and refers to them only by id.

mod mutes;
pub mod unsubscribe;

pub use mutes::{is_muted, set_muted};
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::events;
use crate::infra::db;
use crate::infra::db::{Tx, text_enum};

text_enum! {
    /// Why someone gets a notification. That person is called the notified person below.
    pub enum Kind {
        /// The notified person received a new update that expects no answer.
        Sent = "sent",
        /// The notified person received an update that expects an answer.
        Asked = "asked",
        /// The author made a material edit, so a new answer is required.
        Changed = "changed",
        /// The author reminded the notified person to answer.
        Reminded = "reminded",
        /// The author corrected the notified person's readback, so a new readback is required.
        Corrected = "corrected",
        /// The author confirmed the notified person's readback.
        Confirmed = "confirmed",
        /// Someone commented on the notified person's update, or replied in a thread to which the notified person has
        /// contributed.
        Commented = "comment",
        /// Someone mentioned the notified person in a comment.
        Mentioned = "mention",
        /// Someone asked a question about the notified person's update.
        Questioned = "question",
        /// Someone answered a question that the notified person asked.
        Answered = "answer",
        /// Someone answered the notified person's update with a readback.
        ReadBack = "readback",
        /// Someone objected to the notified person's update.
        Declined = "declined",
        /// Someone acknowledged the notified person's update.
        Heard = "heard",
        /// Every recipient has answered the notified person's update.
        AllHeard = "all_heard",
        /// An answer to the notified person's update is overdue.
        Overdue = "overdue",
        /// Someone joined a group to which the notified person's update is addressed, and can now
        /// open the update.
        Joined = "joined",
    }
}

impl Kind {
    /// Whether the notification ends a snooze that has an end time. This is true for notifications that require the
    /// person to act: repeated requests for an answer, objections and overdue answers.
    fn ends_snooze(self) -> bool {
        matches!(
            self,
            Self::Changed | Self::Reminded | Self::Corrected | Self::Declined | Self::Overdue
        )
    }

    /// Whether the notification also reaches people who muted the update. This is true if it asks
    /// for an answer, addresses the person directly or requires the author to act.
    fn bypasses_mute(self) -> bool {
        !matches!(
            self,
            Self::Sent | Self::Commented | Self::Heard | Self::AllHeard | Self::Joined
        )
    }
}

/// The arguments of [`notify`].
#[derive(Clone, Copy, Debug)]
pub struct Notification<'a> {
    /// Why the people are notified.
    pub kind: Kind,
    /// Id of the update.
    pub update_id: &'a str,
    /// Id of the comment, person or update that the notification is about. A person has at most one
    /// notification per kind and subject. Notifying the person again marks it as unread.
    pub subject_id: &'a str,
    /// Id of the person or guest who caused the notification and is therefore not notified.
    pub actor_id: &'a str,
}

/// Maximum number of people in one SQL statement.
const CHUNK_SIZE: usize = 500;

/// Notifies each of these people once, except the actor and deactivated people. People who muted
/// the update get only notifications whose kind bypasses the mute. Also ends these people's snoozes
/// of the update; a snooze with an end time ends only if the person has to act.
pub async fn notify(
    tx: &mut Tx,
    clock: &Clock,
    notification: Notification<'_>,
    people: &[String],
) -> Result<()> {
    for chunk in people.chunks(CHUNK_SIZE) {
        let muted = if notification.kind.bypasses_mute() {
            ""
        } else {
            " AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.person_id = p.id AND m.update_id = $3)"
        };
        let text = format!(
            "INSERT INTO notices (person_id, kind, subject_id, update_id, actor_id, at)
             SELECT p.id, $1, $2, $3, $4, $5 FROM people p WHERE p.deactivated_at IS NULL AND p.id <> $4{muted}
             AND p.id IN ({})
             ON CONFLICT (person_id, kind, subject_id) DO UPDATE
             SET at = excluded.at, actor_id = excluded.actor_id, read_at = NULL, mailed_at = NULL",
            db::placeholders(6, chunk.len())
        );
        let mut statement = sqlx::query(AssertSqlSafe(text))
            .bind(notification.kind)
            .bind(notification.subject_id)
            .bind(notification.update_id)
            .bind(notification.actor_id)
            .bind(clock.now());
        for person in chunk {
            statement = statement.bind(person);
        }
        statement.execute(&mut **tx).await?;
        end_snoozes(tx, notification, chunk).await?;
        for person in chunk.iter().filter(|id| *id != notification.actor_id) {
            events::inbox_changed(tx, person);
        }
    }
    Ok(())
}

/// A notification for one person, with its own subject. The argument of [`notify_personally`].
#[derive(Clone, Debug)]
pub struct PersonalNotification {
    /// Id of the person to notify.
    pub person_id: String,
    /// Id of the update.
    pub update_id: String,
    /// Id of the comment, person or update that the notification is about.
    pub subject_id: String,
    /// Id of the person or guest who caused the notification.
    pub actor_id: String,
}

/// Works like [`notify`], but every notification has its own update, subject and actor. Does not
/// end snoozes.
pub async fn notify_personally(
    tx: &mut Tx,
    clock: &Clock,
    kind: Kind,
    notifications: &[PersonalNotification],
) -> Result<()> {
    let muted = if kind.bypasses_mute() {
        ""
    } else {
        " AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.person_id = p.id AND m.update_id = v.column2)"
    };
    for chunk in notifications.chunks(CHUNK_SIZE) {
        let rows: Vec<String> = (0..chunk.len())
            .map(|row| format!("({})", db::placeholders(3 + 4 * row, 4)))
            .collect();
        let text = format!(
            "INSERT INTO notices (person_id, kind, subject_id, update_id, actor_id, at)
             SELECT p.id, $1, v.column3, v.column2, v.column4, $2 FROM (VALUES {}) AS v
             JOIN people p ON p.id = v.column1
             WHERE p.deactivated_at IS NULL AND p.id <> v.column4{muted}
             ON CONFLICT (person_id, kind, subject_id) DO UPDATE
             SET at = excluded.at, actor_id = excluded.actor_id, read_at = NULL, mailed_at = NULL",
            rows.join(", ")
        );
        let mut statement = sqlx::query(AssertSqlSafe(text))
            .bind(kind)
            .bind(clock.now());
        for one in chunk {
            statement = statement
                .bind(&one.person_id)
                .bind(&one.update_id)
                .bind(&one.subject_id)
                .bind(&one.actor_id);
        }
        statement.execute(&mut **tx).await?;
        for one in chunk {
            events::inbox_changed(tx, &one.person_id);
        }
    }
    Ok(())
}

/// Makes a person's notification new and unread again, but does not email it a second time. Returns
/// `false` if the person has no such notification.
pub async fn renew(
    tx: &mut Tx,
    clock: &Clock,
    kind: Kind,
    subject_id: &str,
    person_id: &str,
) -> Result<bool> {
    let renewed = sqlx::query(
        "UPDATE notices SET at = $1, read_at = NULL WHERE person_id = $2 AND kind = $3 AND subject_id = $4",
    )
    .bind(clock.now())
    .bind(person_id)
    .bind(kind)
    .bind(subject_id)
    .execute(&mut **tx)
    .await?;
    events::inbox_changed(tx, person_id);
    Ok(renewed.rows_affected() > 0)
}

/// Ends these people's snoozes of the update. A snooze without an end time ends with any
/// notification. A snooze with an end time ends only if the person has to act.
async fn end_snoozes(tx: &mut Tx, notification: Notification<'_>, people: &[String]) -> Result<()> {
    let timed = if notification.kind.ends_snooze() {
        ""
    } else {
        " AND until_at IS NULL"
    };
    let text = format!(
        "DELETE FROM snoozes WHERE update_id = $1 AND person_id <> $2{timed} AND person_id IN ({})",
        db::placeholders(3, people.len())
    );
    let mut statement = sqlx::query(AssertSqlSafe(text))
        .bind(notification.update_id)
        .bind(notification.actor_id);
    for person in people {
        statement = statement.bind(person);
    }
    statement.execute(&mut **tx).await?;
    Ok(())
}

/// Returns the subject for a notification about something that a person did with an update, such as answering it. The
/// subject contains the ids of both the update and the person, because the key of a notification does not contain the
/// update.
pub fn subject_of_person(update_id: &str, person_id: &str) -> String {
    format!("{update_id}.{person_id}")
}

/// Deletes the author's notification about a person's answer. Versions before 0.2.0 used the
/// person's id as the subject of these notifications, so this function also deletes notifications
/// with that subject.
pub async fn retract_answer(tx: &mut Tx, update_id: &str, person_id: &str) -> Result<()> {
    let notified: Vec<String> = sqlx::query_scalar(
        "DELETE FROM notices WHERE update_id = $1 AND subject_id IN ($2, $3) RETURNING person_id",
    )
    .bind(update_id)
    .bind(subject_of_person(update_id, person_id))
    .bind(person_id)
    .fetch_all(&mut **tx)
    .await?;
    all_changed(tx, &notified);
    Ok(())
}

/// Deletes all notifications about a subject that no longer exists, such as a removed comment or a
/// withdrawn answer.
pub async fn retract(tx: &mut Tx, update_id: &str, subject_id: &str) -> Result<()> {
    let notified: Vec<String> = sqlx::query_scalar(
        "DELETE FROM notices WHERE update_id = $1 AND subject_id = $2 RETURNING person_id",
    )
    .bind(update_id)
    .bind(subject_id)
    .fetch_all(&mut **tx)
    .await?;
    all_changed(tx, &notified);
    Ok(())
}

/// Deletes a person's notification of this kind about an update, because the notification no longer
/// applies. Affects only notifications whose subject is the update itself.
pub async fn retract_kind(tx: &mut Tx, kind: Kind, update_id: &str, person_id: &str) -> Result<()> {
    sqlx::query("DELETE FROM notices WHERE person_id = $1 AND kind = $2 AND subject_id = $3")
        .bind(person_id)
        .bind(kind)
        .bind(update_id)
        .execute(&mut **tx)
        .await?;
    events::inbox_changed(tx, person_id);
    Ok(())
}

/// Lists the people who have a notification of this kind about a subject of the update.
pub async fn people_notified(
    connection: &mut AnyConnection,
    update_id: &str,
    kind: Kind,
    subject_id: &str,
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT person_id FROM notices WHERE update_id = $1 AND kind = $2 AND subject_id = $3",
    )
    .bind(update_id)
    .bind(kind)
    .bind(subject_id)
    .fetch_all(connection)
    .await?)
}

/// Changes the kind of a person's notification about a subject. The notification is not marked as unread or emailed
/// again.
pub async fn change_kind(
    tx: &mut Tx,
    subject_id: &str,
    person_id: &str,
    from: Kind,
    to: Kind,
) -> Result<()> {
    sqlx::query(
        "UPDATE notices SET kind = $1 WHERE person_id = $2 AND kind = $3 AND subject_id = $4",
    )
    .bind(to)
    .bind(person_id)
    .bind(from)
    .bind(subject_id)
    .execute(&mut **tx)
    .await?;
    events::inbox_changed(tx, person_id);
    Ok(())
}

/// Deletes these people's notifications about a subject, so that the caller can replace them with notifications of a
/// different kind.
pub async fn retract_for(tx: &mut Tx, subject_id: &str, people: &[String]) -> Result<()> {
    for chunk in people.chunks(CHUNK_SIZE) {
        let text = format!(
            "DELETE FROM notices WHERE subject_id = $1 AND person_id IN ({})",
            db::placeholders(2, chunk.len())
        );
        let mut statement = sqlx::query(AssertSqlSafe(text)).bind(subject_id);
        for person in chunk {
            statement = statement.bind(person);
        }
        statement.execute(&mut **tx).await?;
        all_changed(tx, chunk);
    }
    Ok(())
}

fn all_changed(tx: &mut Tx, people: &[String]) {
    for person in people {
        events::inbox_changed(tx, person);
    }
}

/// Marks a person's notifications about an update as read. Called when the person opens or answers
/// the update.
pub async fn mark_read(tx: &mut Tx, clock: &Clock, person_id: &str, update_id: &str) -> Result<()> {
    let read = sqlx::query(
        "UPDATE notices SET read_at = $1
         WHERE update_id = $2 AND person_id = $3 AND read_at IS NULL",
    )
    .bind(clock.now())
    .bind(update_id)
    .bind(person_id)
    .execute(&mut **tx)
    .await?;
    if read.rows_affected() > 0 {
        events::inbox_changed(tx, person_id);
    }
    Ok(())
}

/// Deletes snoozes that have ended, and notifications that were read longer than [`RETENTION`] ago.
pub async fn sweep(tx: &mut Tx, clock: &Clock) -> Result<()> {
    sqlx::query("DELETE FROM notices WHERE read_at < $1")
        .bind(clock.now() - RETENTION)
        .execute(&mut **tx)
        .await?;
    let snoozers: Vec<String> =
        sqlx::query_scalar("DELETE FROM snoozes WHERE until_at < $1 RETURNING person_id")
            .bind(clock.now())
            .fetch_all(&mut **tx)
            .await?;
    all_changed(tx, &snoozers);
    Ok(())
}

/// How long read notifications are kept, in milliseconds.
pub const RETENTION: Millis = 30 * 24 * 3_600_000;
