//! Handlers that mute and unmute an update for the viewer.

use actix_web::{HttpRequest, web};

use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::NoFields;
use crate::web::responses::{HandlerResult, no_content_or_redirect, return_path};
use crate::{events, notifications, sample, updates};

/// Mutes an update for the viewer. Notifications that directly concern the viewer are still sent.
pub(crate) async fn mute(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    _: NoFields,
) -> HandlerResult {
    set_muted(&req, &ctx, &state, &id, true).await
}

pub(crate) async fn unmute(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    set_muted(&req, &ctx, &state, &id, false).await
}

async fn set_muted(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    id: &str,
    muted: bool,
) -> HandlerResult {
    let person = ctx.person()?;
    let mut tx = state.db.begin().await?;
    let update = updates::find(&mut tx, &ctx.viewer, id).await?;
    if muted {
        sample::before_mute(&mut tx, &state.clock, &update).await?;
    }
    notifications::set_muted(&mut tx, &state.clock, &person.id, id, muted).await?;
    events::record_deferred(&mut tx, &state.clock).await?;
    tx.commit().await?;
    no_content_or_redirect(ctx, &return_path(req, &format!("/updates/{id}")))
}
