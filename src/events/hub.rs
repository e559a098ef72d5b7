//! Hands the events of the database to the open pages of this node.
//!
//! One task a node reads new events, when this node commits and once a second for what others did, and hands them to all open pages.

use std::time::Duration;

use tokio::sync::{broadcast, watch};

use super::Event;
use crate::error::Result;
use crate::infra::db::Db;

/// How often other nodes' events are looked for.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The events of this node's open pages.
#[derive(Clone, Debug)]
pub(crate) struct EventHub {
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl EventHub {
    /// Begins to read events after the newest; ends with `stop`.
    pub(crate) async fn start(db: Db, stop: watch::Receiver<bool>) -> Result<Self> {
        let (sender, _) = broadcast::channel(1024);
        let newest = super::newest_number(&mut *db.read().await?).await?;
        tokio::spawn(forward_events(db, sender.clone(), newest, stop.clone()));
        Ok(Self {
            events: sender,
            stop,
        })
    }

    /// How many pages are open on this node.
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
                    // Nobody listening is no failure.
                    let _ = sender.send(event);
                }
            }
            Err(error) => tracing::warn!(%error, "events could not be read"),
        }
        tokio::select! {
            _ = commits.changed() => {}
            () = tokio::time::sleep(POLL_INTERVAL) => {}
            _ = stop.changed() => {}
        }
    }
}
