//! Who gets which notification by email: the rule, and the statements that find and mark these notifications.

use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::infra::db;
use crate::infra::db::{FetchKnown, Tx};
use crate::notifications::Kind;
use crate::receipts::{objection_stands, readback_needs_verdict};
use crate::updates::{self, question_is_open};

/// SQL condition: the notification `n` still has to be emailed. The person is active, accepts email
/// and has not read the notification. The update is published. Requests for an answer are emailed
/// to recipients, and all other notifications only to the author of the update. A notification is
/// emailed only as long as it applies:
///
/// - A request for an answer applies while the person owes the answer.
/// - A mention of the author applies until the comment is removed.
/// - A question applies until it is answered, resolved or removed.
/// - An objection applies while it stands.
/// - A readback applies while it refers to the current revision and has no verdict.
/// - A notification about overdue answers applies while one of these answers is still missing.
macro_rules! email_wanted {
    () => {
        concat!(
            "n.mailed_at IS NULL AND n.read_at IS NULL
         AND EXISTS (SELECT 1 FROM people p WHERE p.id = n.person_id AND p.deactivated_at IS NULL
         AND p.mail_off_at IS NULL)
         AND EXISTS (SELECT 1 FROM updates u WHERE u.id = n.update_id AND u.published_at IS NOT NULL
         AND u.trashed_at IS NULL AND (
             (n.kind IN ('asked', 'changed', 'reminded', 'corrected') AND EXISTS (SELECT 1 FROM receipts r
                 WHERE r.update_id = n.update_id AND r.person_id = n.person_id AND r.removed_at IS NULL
                 AND r.owes_since IS NOT NULL))
             OR (u.author_id = n.person_id AND (
                 (n.kind = 'mention' AND EXISTS (SELECT 1 FROM comments c WHERE c.id = n.subject_id
                 AND c.removed_at IS NULL))
                 OR (n.kind = 'question' AND EXISTS (SELECT 1 FROM comments c
                     WHERE c.id = n.subject_id AND ",
            question_is_open!(),
            "))
                 OR (n.kind = 'declined' AND EXISTS (SELECT 1 FROM receipts r
                     WHERE r.update_id = n.update_id AND r.person_id = n.actor_id AND ",
            objection_stands!(),
            "))
                 OR (n.kind = 'readback' AND EXISTS (SELECT 1 FROM receipts r
                     WHERE r.update_id = n.update_id AND r.person_id = n.actor_id AND ",
            readback_needs_verdict!(),
            "))
                 OR (n.kind = 'overdue' AND EXISTS (SELECT 1 FROM receipts r
                     WHERE r.update_id = n.update_id AND r.owes_since IS NOT NULL AND r.due_at <= n.at))))))"
        )
    };
}

/// A notification in an email. The notified person is not stored here, because the caller knows who it is.
#[derive(Debug, FromRow)]
pub(super) struct Notice {
    pub(super) kind: Kind,
    pub(super) subject_id: String,
    pub(super) update_id: String,
    pub(super) actor_id: String,
    pub(super) at: Millis,
}

/// Lists the people to whom a notification about the update still has to be emailed. Considers only notifications that
/// were created at or after `since`.
pub(super) async fn people_notified_since(
    connection: &mut AnyConnection,
    update_id: &str,
    since: Millis,
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(concat!(
        "SELECT DISTINCT n.person_id FROM notices n WHERE n.update_id = $1 AND n.at >= $2 AND ",
        email_wanted!(),
        " ORDER BY n.person_id"
    ))
    .bind(update_id)
    .bind(since)
    .fetch_all(connection)
    .await?)
}

/// Returns the ids of those of the given people who have a notification that still has to be
/// emailed. Expects at most `MAX_PEOPLE` ids, because one SQL statement contains all of them.
pub(super) async fn people_among(
    connection: &mut AnyConnection,
    people: &[String],
) -> Result<Vec<String>> {
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT DISTINCT n.person_id FROM notices n WHERE n.person_id IN ({}) AND {} ORDER BY n.person_id",
        db::placeholders(1, people.len()),
        email_wanted!()
    );
    let mut statement = sqlx::query_scalar(AssertSqlSafe(text));
    for person in people {
        statement = statement.bind(person);
    }
    Ok(statement.fetch_all(connection).await?)
}

/// Claims the notifications that still have to be emailed to a person: marks them as mailed and
/// returns them, oldest first. Leaves out recent notifications whose cause can still be undone.
/// Returns an empty list if another node has already claimed all of them.
pub(super) async fn claim(tx: &mut Tx, clock: &Clock, person_id: &str) -> Result<Vec<Notice>> {
    // Lock the person. Otherwise, two nodes could each claim some of the notifications and send two
    // emails.
    sqlx::query("UPDATE people SET name = name WHERE id = $1")
        .bind(person_id)
        .execute(&mut **tx)
        .await?;
    let mut notices: Vec<Notice> = sqlx::query_as(concat!(
        "UPDATE notices AS n SET mailed_at = $1 WHERE n.person_id = $2 AND n.at < $3 AND ",
        email_wanted!(),
        " RETURNING kind, subject_id, update_id, actor_id, at"
    ))
    .bind(clock.now())
    .bind(person_id)
    .bind(clock.now() - updates::UNDO_WINDOW)
    .fetch_known(tx)
    .await?;
    notices.sort_by(|a, b| (a.at, a.kind.as_str()).cmp(&(b.at, b.kind.as_str())));
    Ok(notices)
}

/// Undoes [`claim`] for an email that could not be sent.
pub(super) async fn unclaim(tx: &mut Tx, person_id: &str, notices: &[Notice]) -> Result<()> {
    for notice in notices {
        sqlx::query(
            "UPDATE notices SET mailed_at = NULL WHERE person_id = $1 AND kind = $2 AND subject_id = $3 AND at = $4")
            .bind(person_id)
            .bind(notice.kind)
            .bind(&notice.subject_id)
            .bind(notice.at)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}
