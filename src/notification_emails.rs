//! Mail of what is asked: one for each ask and each reminder, to who still owes it and has not read it, and never twice.
//!
//! A mail is written down as sent before it is handed over. So a process that dies in between, or a second node that does the same work,
//! loses one at the worst; the other way round it would come twice. What the server puts off is taken back and tried again.

use serde::Deserialize;
use serde_json::json;
use sqlx::{AnyConnection, FromRow};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db::{Db, Tx};
use crate::infra::jobs;
use crate::infra::smtp::{Failure, Mail, Mailer};
use crate::{share_message, updates};

/// Nothing is mailed before its author can no longer take it back.
const SEND_DELAY: Millis = updates::UNDO_WINDOW + 1;

/// Whether the notice `n` is to be mailed at all: to someone active who wants mail, has not read it and still owes, of an update that is out.
macro_rules! email_wanted {
    () => {
        "n.kind IN ('asked', 'changed', 'reminded', 'corrected') AND n.mailed_at IS NULL AND n.read_at IS NULL
         AND EXISTS (SELECT 1 FROM people p WHERE p.id = n.person_id AND p.deactivated_at IS NULL AND p.mail_off_at IS NULL)
         AND EXISTS (SELECT 1 FROM receipts r WHERE r.update_id = n.update_id AND r.person_id = n.person_id
                     AND r.removed_at IS NULL AND r.owes_since IS NOT NULL)
         AND EXISTS (SELECT 1 FROM updates u WHERE u.id = n.update_id AND u.published_at IS NOT NULL AND u.trashed_at IS NULL)"
    };
}

#[derive(Deserialize)]
struct Payload {
    update: String,
}

/// Has what the transaction asks of an update mailed, if it asks anything, when it can no longer be taken back.
pub async fn enqueue(tx: &mut Tx, clock: &Clock, update_id: &str) -> Result<()> {
    let asked: i64 = sqlx::query_scalar(concat!(
        "SELECT count(*) FROM notices n WHERE n.update_id = $1 AND n.at >= $2 AND ",
        email_wanted!()
    ))
    .bind(update_id)
    .bind(clock.now() - SEND_DELAY)
    .fetch_one(&mut **tx)
    .await?;
    if asked == 0 {
        return Ok(());
    }
    jobs::enqueue_at(
        tx,
        clock,
        "mail",
        &json!({ "update": update_id }),
        clock.now() + SEND_DELAY,
    )
    .await
}

/// Where links of mail lead.
pub struct EmailLinks<'a> {
    /// The public address, without a slash at its end.
    pub base: &'a str,
    /// The address that ends mail to this person.
    pub unsubscribe: &'a (dyn Fn(&str) -> String + Send + Sync),
}

/// Mails what waits of an update. Answers false when it was asked to stop in between; an error when some of it has to be tried again.
pub async fn deliver(
    db: &Db,
    clock: &Clock,
    mailer: &Mailer,
    links: &EmailLinks<'_>,
    payload: &str,
    stopping: impl Fn() -> bool,
) -> Result<bool> {
    let payload: Payload = serde_json::from_str(payload).map_err(Error::internal)?;
    let letters = pending_emails(&mut *db.read().await?, clock, &payload.update).await?;
    let mut post = mailer.session();
    let mut put_off = None;
    for pending in &letters {
        if stopping() {
            post.close().await;
            return Ok(false);
        }
        let mut tx = db.begin().await?;
        let mine = claim(&mut tx, clock, pending).await?;
        tx.commit().await?;
        if !mine {
            continue;
        }
        match post.send(&pending.to_mail(clock, links)).await {
            Ok(()) => {}
            Err(Failure::Permanent(why)) => tracing::warn!(
                why,
                person = pending.person_id,
                update = pending.update_id,
                "a mail is not taken"
            ),
            Err(Failure::Ambiguous(why)) => {
                tracing::warn!(
                    why,
                    person = pending.person_id,
                    update = pending.update_id,
                    "a mail may not have arrived; it is not sent again"
                );
            }
            Err(failure @ (Failure::Transient(_) | Failure::Unavailable(_))) => {
                let mut tx = db.begin().await?;
                unclaim(&mut tx, pending).await?;
                tx.commit().await?;
                let away = matches!(failure, Failure::Unavailable(_));
                put_off = Some(failure.to_string());
                if away {
                    break;
                }
            }
        }
    }
    post.close().await;
    match put_off {
        None => Ok(true),
        Some(why) => Err(Error::Unavailable(
            "Mail could not be handed over; it is tried again.".into(),
            why.into(),
        )),
    }
}

/// One mail that waits.
#[derive(Debug, FromRow)]
struct PendingEmail {
    person_id: String,
    kind: String,
    subject_id: String,
    at: Millis,
    name: String,
    email: String,
    time_zone: String,
    due_at: Option<Millis>,
    update_id: String,
    author: String,
    title: String,
    expectation: String,
    otherwise: Option<String>,
    what_changed: Option<String>,
    length_ms: Option<i64>,
}

/// What waits to be mailed, the newest for each person: who was asked and reminded while mail stood still gets the reminder.
async fn pending_emails(
    connection: &mut AnyConnection,
    clock: &Clock,
    update_id: &str,
) -> Result<Vec<PendingEmail>> {
    let mut letters: Vec<PendingEmail> = sqlx::query_as(concat!(
        "SELECT n.person_id, n.kind, n.subject_id, n.at, p.name, p.email, p.time_zone, r.due_at, u.id AS update_id, a.name AS author, u.title,
             u.expectation, u.otherwise, u.what_changed,
             (SELECT max(m.duration_ms) FROM media m WHERE m.update_id = u.id AND m.comment_id IS NULL AND m.removed_at IS NULL) AS length_ms
         FROM notices n JOIN people p ON p.id = n.person_id JOIN updates u ON u.id = n.update_id JOIN people a ON a.id = u.author_id
         JOIN receipts r ON r.update_id = n.update_id AND r.person_id = n.person_id
         WHERE n.update_id = $1 AND n.at < $2 AND ",
        email_wanted!(),
        " ORDER BY n.person_id, n.at DESC, n.kind DESC"
    ))
    .bind(update_id)
    .bind(clock.now() - updates::UNDO_WINDOW)
    .fetch_all(connection)
    .await?;
    letters.dedup_by(|later, first| later.person_id == first.person_id);
    Ok(letters)
}

/// Writes down that a mail is sent, with what it makes needless; false where it need not be any more, or somebody else sends it.
async fn claim(tx: &mut Tx, clock: &Clock, pending: &PendingEmail) -> Result<bool> {
    let claimed = sqlx::query(concat!(
        "UPDATE notices AS n SET mailed_at = $1 WHERE n.person_id = $2 AND n.kind = $3 AND n.subject_id = $4 AND n.at = $5 AND ",
        email_wanted!()
    ))
    .bind(clock.now())
    .bind(&pending.person_id)
    .bind(&pending.kind)
    .bind(&pending.subject_id)
    .bind(pending.at)
    .execute(&mut **tx)
    .await?;
    if claimed.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(concat!(
        "UPDATE notices AS n SET mailed_at = $1 WHERE n.update_id = $2 AND n.person_id = $3 AND n.at <= $4 AND ",
        email_wanted!()
    ))
    .bind(clock.now())
    .bind(&pending.update_id)
    .bind(&pending.person_id)
    .bind(pending.at)
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

/// It was not sent after all.
async fn unclaim(tx: &mut Tx, pending: &PendingEmail) -> Result<()> {
    sqlx::query("UPDATE notices SET mailed_at = NULL WHERE person_id = $1 AND kind = $2 AND subject_id = $3 AND at = $4")
        .bind(&pending.person_id)
        .bind(&pending.kind)
        .bind(&pending.subject_id)
        .bind(pending.at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

impl PendingEmail {
    fn to_mail(&self, clock: &Clock, links: &EmailLinks<'_>) -> Mail {
        let Self { author, title, .. } = self;
        let subject = match self.kind.as_str() {
            "changed" => format!("Changed: “{title}”"),
            "reminded" => format!("Reminder: “{title}”"),
            "corrected" => format!("{author} asks again: “{title}”"),
            _ => format!("{author} asks: “{title}”"),
        };
        let unsubscribe = (links.unsubscribe)(&self.person_id);
        Mail {
            id: format!(
                "{}.{}.{}.{}",
                self.kind, self.subject_id, self.person_id, self.at
            ),
            at: clock.now(),
            name: self.name.clone(),
            address: self.email.clone(),
            subject,
            text: self.text(clock.now(), links.base, &unsubscribe),
            unsubscribe,
        }
    }

    fn text(&self, now: Millis, base: &str, unsubscribe: &str) -> String {
        let Self {
            author,
            title,
            expectation,
            ..
        } = self;
        let due = self.due_at.map(|due| {
            format!(
                "{} (your time, {})",
                share_message::due_text(due, now, &self.time_zone),
                self.time_zone
            )
        });
        let link = format!("{base}/updates/{}", self.update_id);
        let mut parts = vec![share_message::message(
            author,
            title,
            expectation,
            self.length_ms,
            due.as_deref(),
            &link,
        )];
        match (self.kind.as_str(), &self.what_changed) {
            ("changed", Some(changed)) => {
                parts.push(format!("What changed: {}", one_line(changed)))
            }
            ("corrected", _) => parts.push(format!(
                "What you said back was not quite it; {author} says why."
            )),
            _ => {}
        }
        if let Some(otherwise) = &self.otherwise {
            let then = if due.is_some() { " by then" } else { "" };
            parts.push(format!(
                "If nothing is heard{then}, {author} will: {}",
                one_line(otherwise)
            ));
        }
        parts.push(format!(
            "-- \nNo more mail when something is asked of you: {unsubscribe}"
        ));
        parts.join("\n\n") + "\n"
    }
}

/// Somebody's words on one line, so that they cannot look like what Hearback says.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
