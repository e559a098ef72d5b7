//! Handlers for reactions to updates and comments.

use actix_web::{HttpRequest, web};

use crate::comments::{self, ReactionTarget};
use crate::state::State;
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::responses::{HandlerResult, no_content_or_redirect, return_path};
use crate::{receipts, text};

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
    let opened = fields.page_was_open();
    fields.finish()?;
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(state, req))?;
    let mut tx = state.db.begin().await?;
    if opened {
        // Lock the update before `react` locks the counter of event numbers.
        let update_id = match on {
            ReactionTarget::Update(id) => id.to_owned(),
            ReactionTarget::Comment(id) => {
                let (_, update) = comments::find_visible(&mut tx, &ctx.viewer, id).await?;
                update.id
            }
        };
        receipts::record_opening(&mut tx, &state.clock, &ctx.viewer, &update_id).await?;
    }
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
