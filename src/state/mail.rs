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

    /// Enqueues emails about the requests and reminders that this transaction has created. They are
    /// sent once the author can no longer undo the publication. Does nothing if email is not
    /// configured.
    pub async fn enqueue_mail(&self, tx: &mut Tx, update_id: &str) -> Result<()> {
        if self.sends_mail() {
            notification_emails::enqueue(tx, &self.clock, update_id).await
        } else {
            Ok(())
        }
    }
}
