//! Emails about requests. Each request and each reminder causes at most one email to each person
//! who has not answered and has not read the notification.
//!
//! A notification is marked as mailed before its email is sent. An email is therefore never sent
//! twice, even if two nodes send emails at the same time, but a crash can lose one. If the mail
//! server asks to try again later, the notification is unmarked and the job is retried.

use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, FromRow};
use tokio::sync::watch;

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db::{Db, FetchKnown, Tx};
use crate::infra::jobs::{self, Job, Lane, Outcome};
use crate::infra::smtp::{Failure, Mail, Mailer};
use crate::notifications::{Kind, unsubscribe};
use crate::updates::Expectation;
use crate::{share_message, updates};

/// Delay before an email is sent, in milliseconds. It is longer than the time in which the author
/// can undo publication, so no email is sent about an update that is withdrawn.
const SEND_DELAY: Millis = updates::UNDO_WINDOW + 1;

/// SQL condition: the notification `n` still needs an email. The person is active, accepts email,
/// has not read the notification and has not answered. The update is published.
macro_rules! email_wanted {
    () => {
        "n.kind IN ('asked', 'changed', 'reminded', 'corrected') AND n.mailed_at IS NULL AND n.read_at IS NULL
         AND EXISTS (SELECT 1 FROM people p WHERE p.id = n.person_id AND p.deactivated_at IS NULL AND p.mail_off_at IS NULL)
         AND EXISTS (SELECT 1 FROM receipts r WHERE r.update_id = n.update_id AND r.person_id = n.person_id
                     AND r.removed_at IS NULL AND r.owes_since IS NOT NULL)
         AND EXISTS (SELECT 1 FROM updates u WHERE u.id = n.update_id AND u.published_at IS NOT NULL AND u.trashed_at IS NULL)"
    };
}

/// The mail server, the database and the settings that are needed to send emails.
pub struct MailContext {
    /// The database.
    pub db: Db,
    /// The clock of the domain.
    pub clock: Clock,
    /// The mail server and the sender.
    pub mailer: Mailer,
    /// Public base URL for links, without a trailing slash.
    pub base: String,
    /// The key that signs unsubscribe links.
    pub(crate) key: String,
}

/// Sends the pending emails of an update. Shutdown waits until the current email is sent, because
/// an interrupted email could be lost.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendEmails {
    /// The id of the update.
    pub update: String,
}

impl Job for SendEmails {
    const KIND: &'static str = "mail";
    const LANE: Lane = Lane::Mail;
    const INTERRUPTIBLE: bool = false;
    /// `None` if email is not configured. The job then sends nothing, even if email was configured
    /// when the job was enqueued.
    type Context = Option<MailContext>;

    async fn run(self, ctx: &Option<MailContext>, stop: &watch::Receiver<bool>) -> Result<Outcome> {
        match ctx {
            Some(ctx) => ctx.send_pending(&self.update, stop).await,
            None => Ok(Outcome::Done),
        }
    }
}

/// Enqueues a job that sends emails about the requests made in this transaction, if there are any.
/// The job runs once the publication can no longer be undone.
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
    let job = SendEmails {
        update: update_id.into(),
    };
    jobs::enqueue_at(tx, clock, &job, clock.now() + SEND_DELAY).await
}

impl MailContext {
    /// Sends the pending emails of an update. Returns an error if any must be sent again later.
    async fn send_pending(&self, update_id: &str, stop: &watch::Receiver<bool>) -> Result<Outcome> {
        let letters = pending_emails(&mut *self.db.read().await?, &self.clock, update_id).await?;
        let mut post = self.mailer.session();
        let mut put_off = None;
        for pending in &letters {
            if *stop.borrow() {
                post.close().await;
                return Ok(Outcome::Interrupted);
            }
            let mut tx = self.db.begin().await?;
            let mine = claim(&mut tx, &self.clock, pending).await?;
            tx.commit().await?;
            if !mine {
                continue;
            }
            let Err(failure) = post.send(&pending.to_mail(self)).await else {
                continue;
            };
            if let Some(failure) = self.handle_failure(pending, failure).await? {
                put_off = Some(failure.to_string());
                if matches!(failure, Failure::Unavailable(_)) {
                    break;
                }
            }
        }
        post.close().await;
        match put_off {
            None => Ok(Outcome::Done),
            Some(why) => Err(Error::Unavailable(
                "Emails could not be sent to the mail server. Hearback will try again.".into(),
                why.into(),
            )),
        }
    }

    /// Handles the failure to send an email. If the email can be sent again, undoes [`claim`] and
    /// returns the failure. Otherwise, only logs the failure.
    async fn handle_failure(
        &self,
        pending: &PendingEmail,
        failure: Failure,
    ) -> Result<Option<Failure>> {
        let (person, update) = (&pending.person_id, &pending.update_id);
        match failure {
            Failure::Permanent(why) => {
                tracing::warn!(why, person, update, "the mail server rejected an email")
            }
            Failure::Ambiguous(why) => {
                tracing::warn!(
                    why,
                    person,
                    update,
                    "an email may not have been delivered; not sending it again"
                );
            }
            Failure::Transient(_) | Failure::Unavailable(_) => {
                let mut tx = self.db.begin().await?;
                unclaim(&mut tx, pending).await?;
                tx.commit().await?;
                return Ok(Some(failure));
            }
        }
        Ok(None)
    }

    fn unsubscribe_url(&self, person_id: &str) -> String {
        let token = unsubscribe::token(&self.key, person_id);
        format!("{}/unsubscribe/{token}", self.base)
    }
}

/// An email that has to be sent.
#[derive(Debug, FromRow)]
struct PendingEmail {
    person_id: String,
    kind: Kind,
    subject_id: String,
    at: Millis,
    name: String,
    email: String,
    time_zone: String,
    due_at: Option<Millis>,
    update_id: String,
    author: String,
    title: String,
    expectation: Expectation,
    otherwise: Option<String>,
    what_changed: Option<String>,
    length_ms: Option<i64>,
}

/// Returns the newest pending email for each person. If a request and a reminder are both pending,
/// the person gets only the reminder.
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
    .fetch_known(connection)
    .await?;
    letters.dedup_by(|later, first| later.person_id == first.person_id);
    Ok(letters)
}

/// Marks an email as sent, and also marks the older emails that it replaces. Returns `false` if the
/// email is no longer needed or if another node has already claimed it.
async fn claim(tx: &mut Tx, clock: &Clock, pending: &PendingEmail) -> Result<bool> {
    let claimed = sqlx::query(concat!(
        "UPDATE notices AS n SET mailed_at = $1 WHERE n.person_id = $2 AND n.kind = $3 AND n.subject_id = $4 AND n.at = $5 AND ",
        email_wanted!()
    ))
    .bind(clock.now())
    .bind(&pending.person_id)
    .bind(pending.kind)
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

/// Undoes [`claim`] for an email that could not be sent.
async fn unclaim(tx: &mut Tx, pending: &PendingEmail) -> Result<()> {
    sqlx::query("UPDATE notices SET mailed_at = NULL WHERE person_id = $1 AND kind = $2 AND subject_id = $3 AND at = $4")
        .bind(&pending.person_id)
        .bind(pending.kind)
        .bind(&pending.subject_id)
        .bind(pending.at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

impl PendingEmail {
    fn to_mail(&self, ctx: &MailContext) -> Mail {
        let Self { author, title, .. } = self;
        let subject = match self.kind {
            Kind::Changed => format!("Changed: “{title}”"),
            Kind::Reminded => format!("Reminder: “{title}”"),
            Kind::Corrected => format!("{author} asks you again: “{title}”"),
            _ => format!("{author} asks you: “{title}”"),
        };
        let unsubscribe = ctx.unsubscribe_url(&self.person_id);
        Mail {
            id: format!(
                "{}.{}.{}.{}",
                self.kind, self.subject_id, self.person_id, self.at
            ),
            at: ctx.clock.now(),
            name: self.name.clone(),
            address: self.email.clone(),
            subject,
            text: self.text(ctx.clock.now(), &ctx.base, &unsubscribe),
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
            *expectation,
            self.length_ms,
            due.as_deref(),
            &link,
        )];
        match (self.kind, &self.what_changed) {
            (Kind::Changed, Some(changed)) => {
                parts.push(format!("What changed: {}", one_line(changed)))
            }
            (Kind::Corrected, _) => parts.push(format!(
                "Your readback was not quite right; {author} explains why."
            )),
            _ => {}
        }
        if let Some(otherwise) = &self.otherwise {
            let then = if due.is_some() { " by then" } else { "" };
            parts.push(format!(
                "If {author} hears nothing{then}, {author} will: {}",
                one_line(otherwise)
            ));
        }
        parts.push(format!("-- \nUnsubscribe from these emails: {unsubscribe}"));
        parts.join("\n\n") + "\n"
    }
}

/// Puts text from users on one line, so that the text cannot look like text from Hearback.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
