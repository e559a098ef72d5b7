//! Email: whether it is configured, its jobs, and its links.

use tokio::sync::watch;

use super::State;
use crate::error::Result;
use crate::infra::db::Tx;
use crate::infra::jobs::Job;
use crate::notification_emails;
use crate::notification_emails::EmailLinks;
use crate::notifications::unsubscribe;

impl State {
    /// Whether email is configured. Without email, authors pass messages on themselves.
    pub fn sends_mail(&self) -> bool {
        self.config.mail.is_some()
    }

    /// Enqueues the emails about the requests and reminders of this transaction. They are sent once
    /// the update can no longer be undone. Does nothing if email is not configured.
    pub async fn enqueue_mail(&self, tx: &mut Tx, update_id: &str) -> Result<()> {
        if self.sends_mail() {
            notification_emails::enqueue(tx, &self.clock, update_id).await
        } else {
            Ok(())
        }
    }

    /// Sends the emails of a job. Returns `false` if shutdown interrupted the job.
    pub(crate) async fn deliver_mail(
        &self,
        job: &Job,
        stop: &watch::Receiver<bool>,
    ) -> Result<bool> {
        // If email or the public URL is no longer configured, emails that were enqueued earlier are
        // not sent.
        let (Some(mailer), Some(base)) = (&self.config.mail, &self.config.url) else {
            return Ok(true);
        };
        let ending = |person: &str| {
            format!(
                "{base}/unsubscribe/{}",
                unsubscribe::token(&self.key, person)
            )
        };
        let links = EmailLinks {
            base,
            unsubscribe: &ending,
        };
        notification_emails::deliver(&self.db, &self.clock, mailer, &links, &job.payload, || {
            *stop.borrow()
        })
        .await
    }
}
