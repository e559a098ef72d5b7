//! Live pages. Each page receives one stream of server-sent events, in order and without gaps.
//!
//! An event about an update contains only a kind and an id. The page fetches the changed content
//! with the viewer's permissions. An `inbox` event contains the counts of the viewer's inbox.

mod access;
mod open_page;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use self::open_page::OpenPage;
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::responses::HandlerResult;
use crate::{events, updates};

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
    let person = ctx.viewer.person().ok().map(|person| person.id.as_str());
    let subscription = state.event_hub.subscribe(update.as_deref(), person);
    let from = match last.or(after) {
        Some(n) => n,
        None => events::newest_number(&mut *state.db.read().await?).await?,
    };
    let page = OpenPage::new(state, ctx.viewer, update, from, subscription);
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(page.into_stream()))
}
