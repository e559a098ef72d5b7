//! Live pages. Each page receives one stream of server-sent events, in order and without gaps.
//!
//! An event about an update contains only a kind and an id. The page fetches the changed content
//! with the viewer's permissions. An `inbox` event contains the counts of the viewer's inbox.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::Stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{broadcast, mpsc};
use tokio::time::MissedTickBehavior;

use crate::error::{Error, Result};
use crate::events::{self, Event, EventKind};
use crate::infra::db;
use crate::people::Viewer;
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::viewer::{grant, viewer_by_grant};
use crate::web::presenters::counts_view;
use crate::web::responses::HandlerResult;
use crate::{comments, inbox, receipts, updates};

/// Query parameters of a stream. `after` is the number of the last event that the page has
/// received.
#[derive(Debug, Deserialize)]
pub(crate) struct StreamQuery {
    after: Option<i64>,
}

/// Streams an update's events, and the counts of the viewer's inbox.
pub(crate) async fn update(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    after: web::Query<StreamQuery>,
) -> HandlerResult {
    updates::find(&mut *state.db.read().await?, &ctx.viewer, &id).await?;
    stream(&req, ctx, state, Some(id.into_inner()), after.after).await
}

/// Streams the counts of the viewer's inbox.
pub(crate) async fn inbox(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    after: web::Query<StreamQuery>,
) -> HandlerResult {
    ctx.person()?;
    stream(&req, ctx, state, None, after.after).await
}

async fn stream(
    req: &HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    update: Option<String>,
    after: Option<i64>,
) -> HandlerResult {
    let last = req
        .headers()
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .and_then(|id| id.parse().ok());
    // Subscribe before reading past events. Otherwise, an event that occurs between the two steps would not wake the
    // stream.
    let listening = state.event_hub.events.subscribe();
    let from = match last.or(after) {
        Some(n) => n,
        None => events::newest_number(&mut *state.db.read().await?).await?,
    };
    let (sender, receiver) = mpsc::channel(16);
    actix_web::rt::spawn(write_events(ctx, state, update, from, listening, sender));
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(event_stream(receiver)))
}

fn event_stream(receiver: mpsc::Receiver<String>) -> impl Stream<Item = Result<Bytes>> {
    futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver
            .recv()
            .await
            .map(|line| (Ok(Bytes::from(line)), receiver))
    })
}

/// Writes events to one page until the client disconnects, the server stops, access ends or an
/// error occurs.
async fn write_events(
    ctx: RequestContext,
    state: web::Data<State>,
    update: Option<String>,
    mut last: i64,
    mut listening: broadcast::Receiver<Event>,
    page: mpsc::Sender<String>,
) {
    let mut stop = state.event_hub.stop.clone();
    let mut counts = None;
    if page.send("retry: 2000\n\n".into()).await.is_err() {
        return;
    }
    // Reset the interval only after sending data to this page. Events for other pages also wake this task. If they
    // reset the interval too, this connection could stay silent until a proxy closes it.
    let mut keep_alive = tokio::time::interval(state.config.keep_alive);
    keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    keep_alive.reset();
    loop {
        match next_message(&ctx, &state, update.as_deref(), &mut last, &mut counts).await {
            Ok(Some(text)) if text.is_empty() => {}
            Ok(Some(text)) => {
                if page.send(text).await.is_err() {
                    return;
                }
                keep_alive.reset();
            }
            Ok(None) => return,
            // End the stream. The page reconnects with the number of its last event, so it misses no event.
            Err(error) => {
                tracing::warn!(%error, "events could not be sent to an open page");
                return;
            }
        }
        let woken = tokio::select! {
            biased;
            _ = stop.changed() => false,
            () = page.closed() => false,
            _ = keep_alive.tick() => page.send(": still here\n\n".into()).await.is_ok(),
            event = listening.recv() => !matches!(event, Err(broadcast::error::RecvError::Closed)),
        };
        if !woken {
            return;
        }
        // Empty the queue, because the next call to `next_message` handles all events that have
        // arrived so far.
        while listening.try_recv().is_ok() {}
    }
}

/// Returns the messages that the page has not received yet, or `None` if access has ended. Never holds two database
/// connections at once: many streams that each hold one and wait for a second would deadlock.
async fn next_message(
    ctx: &RequestContext,
    state: &State,
    update: Option<&str>,
    last: &mut i64,
    counts: &mut Option<inbox::Counts>,
) -> Result<Option<String>> {
    use std::fmt::Write as _;
    let mut text = String::new();
    let events = missed_events(state, *last).await?;
    if !events.is_empty() && !still_allowed(state, ctx, update).await? {
        return Ok(None);
    }
    let mut connection = state.db.read().await?;
    for event in events
        .iter()
        .filter(|event| Some(event.update_id.as_str()) == update)
    {
        if may_receive(&mut connection, ctx, event).await? {
            // Report both kinds of event as a change of the receipt, because the receipt shows whether the recipient
            // opened the update and what the verdict is.
            let kind = match event.kind {
                Some(EventKind::Opening | EventKind::Verdict) => EventKind::Receipt,
                Some(kind) => kind,
                None => continue,
            };
            let body = json!({ "kind": kind, "id": event.subject_id });
            let _ = write!(text, "id: {}\nevent: {kind}\ndata: {body}\n\n", event.n);
        }
    }
    if let (Ok(person), true) = (ctx.viewer.person(), !events.is_empty() || counts.is_none()) {
        let now = inbox::counts(&mut connection, &state.clock, &person.id).await?;
        if counts.replace(now) != Some(now) {
            let body = serde_json::to_string(&counts_view(now)).map_err(Error::internal)?;
            let _ = write!(text, "event: inbox\ndata: {body}\n\n");
        }
    }
    *last = events.last().map_or(*last, |newest| newest.n);
    Ok(Some(text))
}

async fn missed_events(state: &State, mut last: i64) -> Result<Vec<Event>> {
    let mut connection = state.db.read().await?;
    let mut all = Vec::new();
    loop {
        let events = events::list_after(&mut connection, last).await?;
        let Some(newest) = events.last() else {
            return Ok(all);
        };
        last = newest.n;
        all.extend(events);
    }
}

/// Returns whether the viewer still has access. Access ends, for example, when the link is revoked,
/// when the session ends, or when the person is removed from the audience.
async fn still_allowed(state: &State, ctx: &RequestContext, update: Option<&str>) -> Result<bool> {
    let looked = async {
        let viewer =
            viewer_by_grant(state, &grant(&ctx.viewer, update.unwrap_or_default())).await?;
        match update {
            Some(id) => updates::find(&mut *state.db.read().await?, &viewer, id)
                .await
                .map(drop),
            None => Ok(()),
        }
    };
    found(looked.await)
}

/// Returns whether the viewer may receive this event. Guests receive only events about content that
/// they can see. If a person opens the update or gets a verdict, only that person and the author
/// receive the event. Exception: if the author disclosed the person's verdict thread, every member
/// who can see the update receives the event about the verdict.
async fn may_receive(
    connection: &mut db::ReadConnection,
    ctx: &RequestContext,
    event: &Event,
) -> Result<bool> {
    let Some(kind) = event.kind else {
        return Ok(false);
    };
    match (&ctx.viewer, kind) {
        (Viewer::Person(person), EventKind::Opening | EventKind::Verdict)
            if person.id != event.subject_id =>
        {
            let update = updates::find(connection, &ctx.viewer, &event.update_id).await?;
            if updates::must_be_author(&ctx.viewer, &update).is_ok() {
                return Ok(true);
            }
            let receipt = receipts::of_person(connection, &update.id, &event.subject_id).await?;
            let is_disclosed = receipt.is_some_and(|receipt| receipt.is_disclosed());
            Ok(kind == EventKind::Verdict && is_disclosed)
        }
        (Viewer::Person(_), _) | (Viewer::Guest(_), EventKind::Update | EventKind::Media) => {
            Ok(true)
        }
        (Viewer::Guest(_), EventKind::Reaction) if event.subject_id == event.update_id => Ok(true),
        (Viewer::Guest(_), EventKind::Comment | EventKind::Reaction) => {
            found(comments::find_visible(connection, &ctx.viewer, &event.subject_id).await)
        }
        (Viewer::Guest(guests), EventKind::Receipt) => {
            Ok(guests.iter().any(|guest| guest.id == event.subject_id))
        }
        _ => Ok(false),
    }
}

/// Returns `true` on success, and `false` if the error means that access is denied. Returns other errors unchanged.
fn found<T>(looked: Result<T>) -> Result<bool> {
    match looked {
        Ok(_) => Ok(true),
        Err(Error::NotFound | Error::Unauthenticated) => Ok(false),
        Err(error) => Err(error),
    }
}
