//! What one open page has to do next.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::{EventHub, Topic};

/// What an open page has to do because of events that concern it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pending {
    /// The number of the first event about the update that the page has not handled.
    pub(crate) first_event: Option<i64>,
    /// The person's inbox may have changed.
    pub(crate) inbox: bool,
    /// The viewer may have lost access.
    pub(crate) rights: bool,
}

impl Pending {
    pub(super) fn add_event(&mut self, n: i64) {
        self.first_event.get_or_insert(n);
    }

    pub(super) fn count_inbox(&mut self) {
        self.inbox = true;
    }

    /// A person who lost access to updates also has fewer entries in the inbox.
    pub(super) fn check_rights(&mut self) {
        self.rights = true;
        self.inbox = true;
    }
}

/// Collects what an open page has to do. Its size does not grow with the number of events, so a slow client does not
/// use more memory.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    pending: Mutex<Pending>,
    filled: Notify,
}

impl Mailbox {
    pub(super) fn add(&self, change: &dyn Fn(&mut Pending)) {
        change(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        self.filled.notify_one();
    }
}

/// The subscription of an open page. Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: EventHub,
    topics: Vec<Topic>,
    mailbox: Arc<Mailbox>,
}

impl Subscription {
    pub(super) fn new(hub: EventHub, topics: Vec<Topic>, mailbox: Arc<Mailbox>) -> Self {
        Self {
            hub,
            topics,
            mailbox,
        }
    }

    /// Waits until events concern the page, and returns what it has to do. May return early with nothing to do.
    pub(crate) async fn next(&self) -> Pending {
        self.mailbox.filled.notified().await;
        let mut pending = self
            .mailbox
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *pending)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.unsubscribe(&self.topics, &self.mailbox);
    }
}
