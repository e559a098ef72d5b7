//! Handlers for reactions to updates and comments.

use actix_web::{HttpRequest, web};

use crate::comments::{self, ReactionTarget};
use crate::state::State;
use crate::text;
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::responses::{HandlerResult, no_content_or_redirect, return_path};

pub(crate) async fn react_to_update(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    payload: web::Payload,
) -> HandlerResult {
    react(
        &req,
        &ctx,
        &state,
        ReactionTarget::Update(&at.0),
        &at.1,
        payload,
    )
    .await
}

pub(crate) async fn react_to_comment(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    payload: web::Payload,
) -> HandlerResult {
    react(
        &req,
        &ctx,
        &state,
        ReactionTarget::Comment(&at.0),
        &at.1,
        payload,
    )
    .await
}

async fn react(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    on: ReactionTarget<'_>,
    emoji: &str,
    payload: web::Payload,
) -> HandlerResult {
    let mut fields = Fields::read(req, payload).await?;
    let name = fields.text("name", text::MAX_NAME).flatten();
    fields.finish()?;
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(state, req))?;
    let mut tx = state.db.begin().await?;
    let update = comments::react(
        &mut tx,
        &state.clock,
        &ctx.viewer,
        on,
        emoji,
        name.as_deref(),
    )
    .await?;
    tx.commit().await?;
    no_content_or_redirect(ctx, &return_path(req, &format!("/updates/{update}")))
}

pub(crate) async fn unreact_to_update(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> HandlerResult {
    unreact(&req, &ctx, &state, ReactionTarget::Update(&at.0), &at.1).await
}

pub(crate) async fn unreact_to_comment(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> HandlerResult {
    unreact(&req, &ctx, &state, ReactionTarget::Comment(&at.0), &at.1).await
}

async fn unreact(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    on: ReactionTarget<'_>,
    emoji: &str,
) -> HandlerResult {
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(state, req))?;
    let mut tx = state.db.begin().await?;
    let update = comments::unreact(&mut tx, &state.clock, &ctx.viewer, on, emoji).await?;
    tx.commit().await?;
    no_content_or_redirect(ctx, &return_path(req, &format!("/updates/{update}")))
}
