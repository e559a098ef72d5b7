//! Emails about notifications. During working hours, a person gets one email with all notifications
//! that still need attention. Recipients get emails about requests that they have not answered.
//! Authors get emails about objections, overdue answers, questions, readbacks and mentions.
//! Notifications that the person has already read are not emailed. Comments here call a
//! notification *waiting* while it still has to be emailed; `recipients.rs` has the exact rule.
//!
//! A notification is marked as mailed before its email is sent. An email is therefore never sent
//! twice, even if two nodes send emails at the same time. However, a crash can lose an email. If
//! the mail server asks to try again later, the notifications are unmarked and the job is retried.

mod content;
mod recipients;
mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::infra::db::{Db, Tx};
use crate::infra::jobs::{self, Job, Lane, Outcome};
use crate::infra::smtp::{Failure, MailSession, Mailer};
use crate::notifications::unsubscribe;
use crate::working_hours::next_working_moment;
use crate::{people, updates};
use content::Email;

/// Delay before an email is sent, in milliseconds. It is longer than the time in which the author can undo the
/// publication of an update, so nobody is emailed about an update whose publication was undone.
const SEND_DELAY: Millis = updates::UNDO_WINDOW + 1;
/// Maximum number of people in one job.
const MAX_PEOPLE: usize = 500;

/// The mail server, the database and the settings that are needed to send emails.
pub struct MailContext {
    /// The database.
    pub db: Db,
    /// The clock. Tests can change its time.
    pub clock: Clock,
    /// The mail server and the sender.
    pub mailer: Mailer,
    /// Public base URL for links, without a trailing slash.
    pub base: String,
    /// The key that signs unsubscribe links.
    pub(crate) key: String,
}

/// Sends emails with waiting notifications. Enqueues a later job for people who are not working
/// when this job runs. Shutdown waits until the current email is sent, because an interrupted email
/// could be lost.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SendEmails {
    /// Sends an email to each of these people, except those who have no waiting notifications.
    To {
        /// Ids of the people.
        people: Vec<String>,
    },
    /// Sends an email to everyone who has a waiting notification about the update. Only versions
    /// before 0.2.0 enqueued this job.
    About {
        /// The id of the update.
        update: String,
    },
}

impl Job for SendEmails {
    const KIND: &'static str = "mail";
    const LANE: Lane = Lane::Mail;
    const INTERRUPTIBLE: bool = false;
    /// `None` if email is not configured. The job then sends nothing, even if email was configured
    /// when the job was enqueued.
    type Context = Option<MailContext>;

    async fn run(self, ctx: &Option<MailContext>, stop: &watch::Receiver<bool>) -> Result<Outcome> {
        let Some(ctx) = ctx else {
            return Ok(Outcome::Done);
        };
        let mut connection = ctx.db.read().await?;
        let people = match &self {
            Self::To { people } => recipients::people_among(&mut connection, people).await?,
            Self::About { update } => {
                recipients::people_notified_since(&mut connection, update, 0).await?
            }
        };
        drop(connection);
        let working = ctx.postpone_for_people_at_rest(people).await?;
        ctx.send_to_all(&working, stop).await
    }
}

/// Enqueues emails to the people whom this transaction has notified about an update. Each email is
/// sent in the recipient's working hours, and only after the author can no longer undo the
/// publication.
pub async fn enqueue(tx: &mut Tx, clock: &Clock, update_id: &str) -> Result<()> {
    let since = clock.now() - SEND_DELAY;
    let people = recipients::people_notified_since(tx, update_id, since).await?;
    schedule(tx, clock, &people, clock.now() + SEND_DELAY).await
}

/// Enqueues an email with a person's waiting notifications. Call it after the person's time zone,
/// working hours or absence has changed, or after the account has been reactivated. Jobs that were
/// enqueued for the earlier working hours are kept.
pub async fn reschedule(tx: &mut Tx, clock: &Clock, person_id: &str) -> Result<()> {
    let people = recipients::people_among(tx, &[person_id.to_owned()]).await?;
    schedule(tx, clock, &people, clock.now() + SEND_DELAY).await
}

/// Schedules an email to each of these people for the person's first working moment at or after `from`. People with the
/// same working moment share a job, and therefore an SMTP connection.
async fn schedule(tx: &mut Tx, clock: &Clock, people: &[String], from: Millis) -> Result<()> {
    let mut by_time: BTreeMap<Millis, Vec<String>> = BTreeMap::new();
    for (person, schedule) in people::work_schedules(tx, people).await? {
        let at = next_working_moment(&schedule, from);
        by_time.entry(at).or_default().push(person);
    }
    for (at, people) in by_time {
        for people in people.chunks(MAX_PEOPLE) {
            let job = SendEmails::To {
                people: people.to_vec(),
            };
            jobs::enqueue_once_at(tx, clock, &job, at).await?;
        }
    }
    Ok(())
}

impl MailContext {
    /// Returns the people who are working now, and postpones the emails to the others. Some people may not be working
    /// when the job runs, because their working hours have changed or because the job is late.
    async fn postpone_for_people_at_rest(&self, people: Vec<String>) -> Result<Vec<String>> {
        let now = self.clock.now();
        let schedules = people::work_schedules(&mut *self.db.read().await?, &people).await?;
        let (working, resting): (Vec<String>, Vec<String>) =
            people.into_iter().partition(|person| {
                schedules
                    .get(person)
                    .is_some_and(|schedule| next_working_moment(schedule, now) <= now)
            });
        if !resting.is_empty() {
            let mut tx = self.db.begin().await?;
            schedule(&mut tx, &self.clock, &resting, now).await?;
            tx.commit().await?;
        }
        Ok(working)
    }

    /// Sends one email to each of these people, with all of the person's waiting notifications. Returns an error if any
    /// email must be sent again later.
    async fn send_to_all(
        &self,
        people: &[String],
        stop: &watch::Receiver<bool>,
    ) -> Result<Outcome> {
        let mut session = self.mailer.session();
        let mut put_off = None;
        for person_id in people {
            if *stop.borrow() {
                session.close().await;
                return Ok(Outcome::Interrupted);
            }
            if let Some(failure) = self.send_to(&mut session, person_id).await? {
                put_off = Some(failure.to_string());
                if matches!(failure, Failure::Unavailable(_)) {
                    break;
                }
            }
        }
        session.close().await;
        match put_off {
            None => Ok(Outcome::Done),
            Some(why) => Err(Error::Unavailable(
                "Emails could not be sent to the mail server. Hearback will try again.".into(),
                why.into(),
            )),
        }
    }

    /// Sends all waiting notifications of a person as one email. Returns the failure if the email
    /// must be sent again later.
    async fn send_to(
        &self,
        session: &mut MailSession<'_>,
        person_id: &str,
    ) -> Result<Option<Failure>> {
        let mut tx = self.db.begin().await?;
        let notices = recipients::claim(&mut tx, &self.clock, person_id).await?;
        let email = content::load(&mut tx, &self.clock, person_id, &notices).await?;
        tx.commit().await?;
        let Some(email) = email else {
            return Ok(None);
        };
        match session.send(&email.to_mail(self)).await {
            Ok(()) => Ok(None),
            Err(failure) => self.handle_failure(&email, &notices, failure).await,
        }
    }

    /// Handles the failure to send an email. If the failure is temporary, unmarks the notifications
    /// and returns the failure, so that the email is sent again later. Otherwise, only logs the
    /// failure.
    async fn handle_failure(
        &self,
        email: &Email,
        notices: &[recipients::Notice],
        failure: Failure,
    ) -> Result<Option<Failure>> {
        let person = &email.person_id;
        match failure {
            Failure::Permanent(why) => {
                tracing::warn!(why, person, "the mail server rejected an email")
            }
            Failure::Ambiguous(why) => {
                tracing::warn!(
                    why,
                    person,
                    "it is unknown whether an email was delivered; not sending it again, because it could arrive twice"
                );
            }
            Failure::Transient(_) | Failure::Unavailable(_) => {
                let mut tx = self.db.begin().await?;
                recipients::unclaim(&mut tx, person, notices).await?;
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
