//! Who is told what, and when: one row a person and thing, written in the transaction of what it tells of. The inbox, mail and
//! webhooks read them. It knows people and ids, and nothing of what they name.

pub mod unsubscribe;

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db;
use crate::infra::db::Tx;

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An update that asks nothing came.
    Sent,
    /// An answer is asked for.
    Asked,
    /// It changed, and is asked again.
    Changed,
    /// The author reminds.
    Reminded,
    /// The author corrected a readback: it is asked again.
    Corrected,
    /// The author confirmed a readback.
    Confirmed,
    /// Someone commented on an update of theirs, or in a thread they take part in.
    Commented,
    /// Someone named them in a comment.
    Mentioned,
    /// Someone asked them, the author, a question.
    Questioned,
    /// Someone answered their question.
    Answered,
    /// Someone read back to them, the author.
    ReadBack,
    /// Someone heard it, but …
    Declined,
    /// Someone got it.
    Heard,
    /// All have answered them, the author.
    AllHeard,
    /// An answer they, the author, wait for is late.
    Overdue,
    /// Someone joined a group that an update of theirs was sent to, and may open it.
    Joined,
}

impl Kind {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Asked => "asked",
            Self::Changed => "changed",
            Self::Reminded => "reminded",
            Self::Corrected => "corrected",
            Self::Confirmed => "confirmed",
            Self::Commented => "comment",
            Self::Mentioned => "mention",
            Self::Questioned => "question",
            Self::Answered => "answer",
            Self::ReadBack => "readback",
            Self::Declined => "declined",
            Self::Heard => "heard",
            Self::AllHeard => "all_heard",
            Self::Overdue => "overdue",
            Self::Joined => "joined",
        }
    }

    /// Whether it brings back what was put off until a time: they are asked anew.
    fn ends_snooze(self) -> bool {
        matches!(self, Self::Changed | Self::Reminded | Self::Corrected)
    }

    /// Whether it also reaches who muted the update: only what is asked of them, or said to them by name.
    fn bypasses_mute(self) -> bool {
        !matches!(
            self,
            Self::Sent
                | Self::Commented
                | Self::Heard
                | Self::AllHeard
                | Self::Overdue
                | Self::Joined
        )
    }
}

/// Something to tell.
#[derive(Clone, Copy, Debug)]
pub struct Notification<'a> {
    /// What.
    pub kind: Kind,
    /// Of which update.
    pub update_id: &'a str,
    /// What of it: the comment, the person, the update itself. Together with person and kind it is told once; told again it is unread again.
    pub subject_id: &'a str,
    /// Who did it: they are not told.
    pub actor_id: &'a str,
}

/// So many people a statement.
const CHUNK_SIZE: usize = 500;

/// Tells these people, each once, but for who did it and who does not want to hear of the update.
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
             SELECT p.id, $1, $2, $3, $4, $5 FROM people p WHERE p.deactivated_at IS NULL AND p.id <> $4{muted} AND p.id IN ({})
             ON CONFLICT (person_id, kind, subject_id) DO UPDATE SET at = excluded.at, actor_id = excluded.actor_id, read_at = NULL, mailed_at = NULL",
            db::placeholders(6, chunk.len())
        );
        let mut statement = sqlx::query(AssertSqlSafe(text))
            .bind(notification.kind.as_str())
            .bind(notification.subject_id)
            .bind(notification.update_id)
            .bind(notification.actor_id)
            .bind(clock.now());
        for person in chunk {
            statement = statement.bind(person);
        }
        statement.execute(&mut **tx).await?;
        end_snoozes(tx, notification, chunk).await?;
    }
    Ok(())
}

/// A notification of one person, for [`notify_personally`]. The fields are those of [`Notification`].
#[derive(Clone, Debug)]
pub struct PersonalNotification {
    /// Who is notified.
    pub person_id: String,
    /// Of which update.
    pub update_id: String,
    /// What of it.
    pub subject_id: String,
    /// Who did it.
    pub actor_id: String,
}

/// Notifies each person of something of their own, like [`notify`]. It brings back nothing that was put off: nobody answered.
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
             SELECT p.id, $1, v.column3, v.column2, v.column4, $2 FROM (VALUES {}) AS v JOIN people p ON p.id = v.column1
             WHERE p.deactivated_at IS NULL AND p.id <> v.column4{muted}
             ON CONFLICT (person_id, kind, subject_id) DO UPDATE SET at = excluded.at, actor_id = excluded.actor_id, read_at = NULL, mailed_at = NULL",
            rows.join(", ")
        );
        let mut statement = sqlx::query(AssertSqlSafe(text))
            .bind(kind.as_str())
            .bind(clock.now());
        for one in chunk {
            statement = statement
                .bind(&one.person_id)
                .bind(&one.update_id)
                .bind(&one.subject_id)
                .bind(&one.actor_id);
        }
        statement.execute(&mut **tx).await?;
    }
    Ok(())
}

/// What was put off until somebody answers is back with any news; what was put off until a time only when asked anew.
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

/// Takes back what was told of a thing that is no more: a comment that was removed, an answer that was taken back.
pub async fn retract(tx: &mut Tx, update_id: &str, subject_id: &str) -> Result<()> {
    sqlx::query("DELETE FROM notices WHERE update_id = $1 AND subject_id = $2")
        .bind(update_id)
        .bind(subject_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// The same for some people only: they are told something else of it.
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
    }
    Ok(())
}

/// The person has the update before them: nothing of it is news any more.
pub async fn mark_read(tx: &mut Tx, clock: &Clock, person_id: &str, update_id: &str) -> Result<()> {
    sqlx::query("UPDATE notices SET read_at = $1 WHERE update_id = $2 AND person_id = $3 AND read_at IS NULL")
        .bind(clock.now())
        .bind(update_id)
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Whether the person wants to hear nothing of the update that does not concern them.
pub async fn is_muted(
    connection: &mut AnyConnection,
    person_id: &str,
    update_id: &str,
) -> Result<bool> {
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM mutes WHERE person_id = $1 AND update_id = $2")
            .bind(person_id)
            .bind(update_id)
            .fetch_one(connection)
            .await?;
    Ok(count > 0)
}

/// Mutes an update for a person, or lets it be heard again. What of it was not read yet is read.
pub async fn set_muted(
    tx: &mut Tx,
    clock: &Clock,
    person_id: &str,
    update_id: &str,
    muted: bool,
) -> Result<()> {
    let statement = if muted {
        "INSERT INTO mutes (person_id, update_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM mutes WHERE person_id = $1 AND update_id = $2"
    };
    sqlx::query(statement)
        .bind(person_id)
        .bind(update_id)
        .execute(&mut **tx)
        .await?;
    if muted {
        mark_read(tx, clock, person_id, update_id).await
    } else {
        Ok(())
    }
}

/// Forgets what was read longer ago than [`RETENTION`], and what was put off until a time that has come.
pub async fn sweep(tx: &mut Tx, clock: &Clock) -> Result<()> {
    sqlx::query("DELETE FROM notices WHERE read_at < $1")
        .bind(clock.now() - RETENTION)
        .execute(&mut **tx)
        .await?;
    sqlx::query("DELETE FROM snoozes WHERE until_at < $1")
        .bind(clock.now())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What was read is kept for 30 days.
pub const RETENTION: Millis = 30 * 24 * 3_600_000;
