//! Wakes the open pages of this node when something that concerns them has changed.
//!
//! One task on each node reads new events. It reads after each commit on this node. It also reads
//! once a second, to find events that other nodes recorded. It compares the update and the person of each event with
//! those of the open pages in memory, so an event costs nothing for pages that it does not concern.

mod mailbox;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use self::mailbox::Mailbox;
pub(crate) use self::mailbox::{Pending, Subscription};
use super::{Event, EventKind};
use crate::error::Result;
use crate::infra::db::Db;

/// How often the hub polls for events that other nodes recorded.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Maximum number of open pages that query the database at the same time. An event can concern thousands of pages, and
/// each query needs memory while it waits for a connection.
const MAX_PARALLEL_READERS: usize = 16;

/// What an open page shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Topic {
    /// The update with this id.
    Update(String),
    /// The inbox of the person with this id.
    Person(String),
}

type Subscribers = HashMap<Topic, Vec<Arc<Mailbox>>>;

/// Passes events to the open pages of this node.
#[derive(Clone, Debug)]
pub(crate) struct EventHub {
    subscribers: Arc<Mutex<Subscribers>>,
    /// A page needs a permit to query the database.
    pub(crate) readers: Arc<Semaphore>,
    /// Becomes true when the server stops.
    pub(crate) stop: watch::Receiver<bool>,
}

impl EventHub {
    /// Starts a task that reads all events that are recorded from now on. The task ends when
    /// `stop` becomes true.
    pub(crate) async fn start(db: Db, stop: watch::Receiver<bool>) -> Result<Self> {
        let newest = super::newest_number(&mut *db.read().await?).await?;
        let hub = Self {
            subscribers: Arc::default(),
            readers: Arc::new(Semaphore::new(MAX_PARALLEL_READERS)),
            stop,
        };
        tokio::spawn(hub.clone().forward_events(db, newest));
        Ok(hub)
    }

    /// Subscribes an open page to an update, a person or both. The subscription ends when it is dropped.
    pub(crate) fn subscribe(&self, update: Option<&str>, person: Option<&str>) -> Subscription {
        let update = update.map(|id| Topic::Update(id.to_owned()));
        let person = person.map(|id| Topic::Person(id.to_owned()));
        let topics: Vec<Topic> = update.into_iter().chain(person).collect();
        let mailbox = Arc::<Mailbox>::default();
        let mut subscribers = self.lock();
        for topic in &topics {
            let pages = subscribers.entry(topic.clone()).or_default();
            pages.push(mailbox.clone());
        }
        Subscription::new(self.clone(), topics, mailbox)
    }

    fn unsubscribe(&self, topics: &[Topic], mailbox: &Arc<Mailbox>) {
        let mut subscribers = self.lock();
        for topic in topics {
            if let Some(pages) = subscribers.get_mut(topic) {
                pages.retain(|page| !Arc::ptr_eq(page, mailbox));
                if pages.is_empty() {
                    subscribers.remove(topic);
                }
            }
        }
    }

    /// Returns the number of open pages on this node.
    pub(crate) fn listeners(&self) -> usize {
        let subscribers = self.lock();
        let mut pages: Vec<_> = subscribers.values().flatten().map(Arc::as_ptr).collect();
        pages.sort_unstable();
        pages.dedup();
        pages.len()
    }

    fn lock(&self) -> MutexGuard<'_, Subscribers> {
        self.subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the pages that the event concerns.
    fn forward(&self, event: Event) {
        let wake_all = event.kind == Some(EventKind::Access);
        let is_inbox = event.kind == Some(EventKind::Inbox);
        let subscribers = self.lock();
        let wake = |topic: &Topic, change: &dyn Fn(&mut Pending)| {
            for page in subscribers.get(topic).into_iter().flatten() {
                page.add(change);
            }
        };
        if wake_all {
            for page in subscribers.values().flatten() {
                page.add(&Pending::check_rights);
            }
        } else if !event.update_id.is_empty() {
            wake(&Topic::Update(event.update_id), &|pending| {
                pending.add_event(event.n);
            });
        } else if is_inbox {
            wake(&Topic::Person(event.subject_id), &Pending::count_inbox);
        } else {
            // A newer version may have recorded an event of a kind that this version does not know. Such an event may
            // be about the rights of a person, too.
            wake(&Topic::Person(event.subject_id), &Pending::check_rights);
        }
    }

    async fn forward_events(self, db: Db, mut newest: i64) {
        let mut commits = db.commits();
        let mut stop = self.stop.clone();
        while !*stop.borrow() {
            let read = async { super::list_after(&mut *db.read().await?, newest).await };
            match read.await {
                Ok(events) => {
                    let may_be_more = events.len() == super::LIST_LIMIT;
                    for event in events {
                        newest = event.n;
                        self.forward(event);
                    }
                    if may_be_more {
                        continue;
                    }
                }
                Err(error) => tracing::warn!(%error, "could not read events"),
            }
            tokio::select! {
                _ = commits.changed() => {}
                () = tokio::time::sleep(POLL_INTERVAL) => {}
                _ = stop.changed() => {}
            }
        }
    }
}
