//! Mail: whether it is set up, its jobs, and the links in it.

use tokio::sync::watch;

use super::State;
use crate::error::Result;
use crate::infra::db::Tx;
use crate::infra::jobs::Job;
use crate::notification_emails;
use crate::notification_emails::EmailLinks;
use crate::notifications::unsubscribe;

impl State {
    /// Whether what is asked goes out as mail; else its author passes it on.
    pub fn sends_mail(&self) -> bool {
        self.config.mail.is_some()
    }

    /// Has what this transaction asks of people, or reminds them of, mailed to them once it can no longer be taken back. Without mail it
    /// does nothing.
    pub async fn enqueue_mail(&self, tx: &mut Tx, update_id: &str) -> Result<()> {
        if self.sends_mail() {
            notification_emails::enqueue(tx, &self.clock, update_id).await
        } else {
            Ok(())
        }
    }

    /// Does such a job. Answers false when the process ends before all of it is done.
    pub(crate) async fn deliver_mail(
        &self,
        job: &Job,
        stop: &watch::Receiver<bool>,
    ) -> Result<bool> {
        // Without the setting, or the address its links need, the mail of earlier days stays unsent.
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
