//! Email: whether it is configured, and its jobs.

use super::State;
use crate::error::Result;
use crate::infra::db::Tx;
use crate::notification_emails;

impl State {
    /// Whether email is configured. If not, authors copy a message and send it to the recipients
    /// themselves.
    pub fn sends_mail(&self) -> bool {
        self.mail.is_some()
    }

    /// Enqueues emails to the people whom this transaction has notified about an update. Each email
    /// is sent in the recipient's working hours, and only after the author can no longer undo the
    /// publication. Does nothing if email is not configured.
    pub async fn enqueue_mail(&self, tx: &mut Tx, update_id: &str) -> Result<()> {
        if !self.sends_mail() {
            return Ok(());
        }
        notification_emails::enqueue(tx, &self.clock, update_id).await
    }

    /// Enqueues an email with a person's waiting notifications, after the person's time zone,
    /// working hours or absence has changed, or the account has been reactivated. Does nothing if
    /// email is not configured.
    pub async fn reschedule_mail(&self, tx: &mut Tx, person_id: &str) -> Result<()> {
        if !self.sends_mail() {
            return Ok(());
        }
        notification_emails::reschedule(tx, &self.clock, person_id).await
    }
}
