//! Handlers that resolve or reopen a thread, and that accept an answer or withdraw the acceptance.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use super::comment_view;
use crate::comments;
use crate::state::State;
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::NoFields;
use crate::web::responses::{HandlerResult, json, return_path, see_other};

pub(crate) async fn resolve(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    _: NoFields,
) -> HandlerResult {
    set_resolved(&req, &ctx, &state, &id, true).await
}

pub(crate) async fn reopen(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    set_resolved(&req, &ctx, &state, &id, false).await
}

async fn set_resolved(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    id: &str,
    resolved: bool,
) -> HandlerResult {
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(state, req))?;
    let mut tx = state.db.begin().await?;
    let update = comments::resolve(&mut tx, &state.clock, &ctx.viewer, id, resolved).await?;
    tx.commit().await?;
    if ctx.wants_html {
        return Ok(see_other(&format!(
            "{}#c-{id}",
            return_path(req, &format!("/updates/{update}"))
        )));
    }
    json(StatusCode::OK, &comment_view(state, ctx, id).await?)
}

pub(crate) async fn accept(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    _: NoFields,
) -> HandlerResult {
    set_accepted(&req, &ctx, &state, &id, true).await
}

pub(crate) async fn take_back(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    set_accepted(&req, &ctx, &state, &id, false).await
}

/// Accepts an answer or withdraws the acceptance. Responds with the question, because its state changes too.
async fn set_accepted(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    id: &str,
    accepted: bool,
) -> HandlerResult {
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(state, req))?;
    let mut tx = state.db.begin().await?;
    let (update, question) =
        comments::accept(&mut tx, &state.clock, &ctx.viewer, id, accepted).await?;
    tx.commit().await?;
    if ctx.wants_html {
        return Ok(see_other(&format!(
            "{}#c-{id}",
            return_path(req, &format!("/updates/{update}"))
        )));
    }
    json(StatusCode::OK, &comment_view(state, ctx, &question).await?)
}
