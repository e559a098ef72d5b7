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

    /// Enqueues emails about the notifications that this transaction has written for an update.
    /// They are sent in the recipients' working hours, and not before the author can no longer undo
    /// the publication. Does nothing if email is not configured.
    pub async fn enqueue_mail(&self, tx: &mut Tx, update_id: &str) -> Result<()> {
        if !self.sends_mail() {
            return Ok(());
        }
        notification_emails::enqueue(tx, self.db.dialect(), &self.clock, update_id).await
    }

    /// Enqueues the email that waits for a person whose time zone, working hours or absence
    /// changed. Does nothing if email is not configured.
    pub async fn reschedule_mail(&self, tx: &mut Tx, person_id: &str) -> Result<()> {
        if !self.sends_mail() {
            return Ok(());
        }
        notification_emails::reschedule(tx, self.db.dialect(), &self.clock, person_id).await
    }
}
