//! Forwards events from the database to the open pages of this node.
//!
//! One task on each node reads new events. It reads after each commit on this node. It also reads
//! once a second, to find events that other nodes recorded.

use std::time::Duration;

use tokio::sync::{broadcast, watch};

use super::Event;
use crate::error::Result;
use crate::infra::db::Db;

/// How often the hub polls for events that other nodes recorded.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Broadcasts events to the open pages of this node.
#[derive(Clone, Debug)]
pub(crate) struct EventHub {
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl EventHub {
    /// Starts a task that forwards all events that are recorded from now on. The task ends when
    /// `stop` becomes true.
    pub(crate) async fn start(db: Db, stop: watch::Receiver<bool>) -> Result<Self> {
        let (sender, _) = broadcast::channel(1024);
        let newest = super::newest_number(&mut *db.read().await?).await?;
        tokio::spawn(forward_events(db, sender.clone(), newest, stop.clone()));
        Ok(Self {
            events: sender,
            stop,
        })
    }

    /// Returns the number of open pages on this node.
    pub(crate) fn listeners(&self) -> usize {
        self.events.receiver_count()
    }
}

async fn forward_events(
    db: Db,
    sender: broadcast::Sender<Event>,
    mut newest: i64,
    mut stop: watch::Receiver<bool>,
) {
    let mut commits = db.commits();
    while !*stop.borrow() {
        let read = async { super::list_after(&mut *db.read().await?, newest).await };
        match read.await {
            Ok(events) => {
                for event in events {
                    newest = event.n;
                    // Ignore the error: sending fails only if no page is open.
                    let _ = sender.send(event);
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
