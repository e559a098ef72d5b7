//! One open page, and the messages that it gets.

use std::fmt::Write as _;

use actix_web::web;
use bytes::Bytes;
use futures_util::Stream;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};
use tracing::{Instrument, Span};

use super::access::{may_receive, still_allowed};
use crate::error::{Error, Result};
use crate::events::hub::{Pending, Subscription};
use crate::events::{self, Event, EventKind};
use crate::inbox;
use crate::people::Viewer;
use crate::state::State;
use crate::web::presenters::counts_view;

/// An open page. Its size matters, because a server can have thousands of them.
pub(super) struct OpenPage {
    state: web::Data<State>,
    viewer: Viewer,
    /// Id of the update; `None` if the page shows only the inbox counts.
    update: Option<String>,
    /// Number of the last event that the page received.
    last: i64,
    /// The counts that the page received last.
    counts: Option<inbox::Counts>,
    subscription: Subscription,
    stop: watch::Receiver<bool>,
    keep_alive: Interval,
    /// Span of the request, so that statements and warnings are logged with its id.
    span: Span,
    step: Step,
}

/// What the stream sends next.
enum Step {
    /// How soon the page reconnects.
    Retry,
    /// What the page missed, and the counts.
    Missed,
    /// What happens from now on.
    Wait,
}

impl OpenPage {
    /// Prepares the stream of a page that has received the events up to the number `last`.
    pub(super) fn new(
        state: web::Data<State>,
        viewer: Viewer,
        update: Option<String>,
        last: i64,
        subscription: Subscription,
    ) -> Self {
        let mut keep_alive = tokio::time::interval(state.config.keep_alive);
        keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        keep_alive.reset();
        Self {
            stop: state.event_hub.stop.clone(),
            state,
            viewer,
            update,
            last,
            counts: None,
            subscription,
            keep_alive,
            span: Span::current(),
            step: Step::Retry,
        }
    }

    /// Returns the messages to the page. They end when the server stops, access ends or an error occurs. The server
    /// drops the stream when the client disconnects.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Bytes>> {
        // Box the page, so that the stream moves only a pointer with each message.
        futures_util::stream::unfold(Box::new(self), |mut page| async move {
            let text = page.next_text().await?;
            page.keep_alive.reset();
            Some((Ok(text), page))
        })
    }

    async fn next_text(&mut self) -> Option<Bytes> {
        loop {
            let pending = match self.step {
                Step::Retry => {
                    self.step = Step::Missed;
                    return Some(Bytes::from_static(b"retry: 2000\n\n"));
                }
                Step::Missed => {
                    self.step = Step::Wait;
                    Pending {
                        first_event: Some(self.last.saturating_add(1)),
                        inbox: true,
                        // Access may have ended before the subscription began.
                        rights: true,
                    }
                }
                Step::Wait => tokio::select! {
                    biased;
                    _ = self.stop.wait_for(|stop| *stop) => return None,
                    _ = self.keep_alive.tick() => return Some(Bytes::from_static(b": still here\n\n")),
                    pending = self.subscription.next() => pending,
                },
            };
            let readers = self.state.event_hub.readers.clone();
            let _permit = readers.acquire_owned().await.ok()?;
            let span = self.span.clone();
            // Box the future, so that its memory is in use only while the page has something to do.
            match Box::pin(self.messages(pending)).instrument(span).await {
                Ok(Some(text)) if text.is_empty() => {}
                Ok(Some(text)) => return Some(Bytes::from(text)),
                Ok(None) => return None,
                // End the stream. The page reconnects with the number of its last event, so it misses no event.
                Err(error) => {
                    let _entered = self.span.enter();
                    tracing::warn!(%error, "events could not be sent to an open page");
                    return None;
                }
            }
        }
    }

    /// Returns the messages that the page has not received yet, or `None` if access has ended. Never holds two database
    /// connections at once: many streams that each hold one and wait for a second would deadlock.
    async fn messages(&mut self, pending: Pending) -> Result<Option<String>> {
        let events = self.missed_events(pending.first_event).await?;
        let is_concerned = pending.rights || !events.is_empty();
        let update = self.update.as_deref();
        if is_concerned && !still_allowed(&self.state, &self.viewer, update).await? {
            return Ok(None);
        }
        let mut text = String::new();
        for event in &events {
            self.write_event(event, &mut text).await?;
            self.last = event.n;
        }
        if pending.inbox {
            self.write_counts(&mut text).await?;
        }
        Ok(Some(text))
    }

    /// Lists the events about the update from the number `first` that the page has not received.
    async fn missed_events(&self, first: Option<i64>) -> Result<Vec<Event>> {
        let (Some(update), Some(first)) = (&self.update, first) else {
            return Ok(Vec::new());
        };
        let after = self.last.max(first - 1);
        events::list_of_update_after(&mut *self.state.db.read().await?, update, after).await
    }

    async fn write_event(&self, event: &Event, text: &mut String) -> Result<()> {
        // Report both kinds of event as a change of the receipt, because the receipt shows whether the recipient
        // opened the update and what the verdict is.
        let kind = match event.kind {
            Some(EventKind::Opening | EventKind::Verdict) => EventKind::Receipt,
            Some(kind) => kind,
            None => return Ok(()),
        };
        if may_receive(&self.state, &self.viewer, event).await? {
            let body = json!({ "kind": kind, "id": event.subject_id });
            let _ = write!(text, "id: {}\nevent: {kind}\ndata: {body}\n\n", event.n);
        }
        Ok(())
    }

    /// Writes the counts of the viewer's inbox if they differ from those that the page received last.
    async fn write_counts(&mut self, text: &mut String) -> Result<()> {
        let Ok(person) = self.viewer.person() else {
            return Ok(());
        };
        let mut connection = self.state.db.read().await?;
        let now = inbox::counts(&mut connection, &self.state.clock, &person.id).await?;
        if self.counts.replace(now) != Some(now) {
            let body = serde_json::to_string(&counts_view(now)).map_err(Error::internal)?;
            let _ = write!(text, "event: inbox\ndata: {body}\n\n");
        }
        Ok(())
    }
}
