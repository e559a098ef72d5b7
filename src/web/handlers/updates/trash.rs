//! Handlers for the trash: moving updates into it, restoring them, and deleting them for good.

use actix_web::http::StatusCode;
use actix_web::web;

use crate::state::State;
use crate::updates;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::NoFields;
use crate::web::extract::flash::Flash;
use crate::web::presenters;
use crate::web::responses::{
    HandlerResult, json_or_redirect, no_content_or_redirect, see_other_with_flash,
};

pub(crate) async fn trash(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    updates::trash(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    tx.commit().await?;
    if ctx.wants_html {
        return see_other_with_flash(
            &state,
            "/trash",
            &Flash::text(
                "The update is in the trash. It will be permanently deleted after 30 days.",
            ),
        );
    }
    no_content_or_redirect(&ctx, "/trash")
}

pub(crate) async fn restore(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    _: NoFields,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    let update = updates::restore(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    tx.commit().await?;
    let view = presenters::update_view(&mut *state.db.read().await?, &state, &ctx, &update).await?;
    json_or_redirect(&ctx, StatusCode::OK, &format!("/updates/{id}"), &view)
}

/// Permanently deletes one update from the viewer's trash. Does nothing if the update is not in the trash.
pub(crate) async fn delete(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    delete_from_trash(&ctx, &state, Some(&id)).await
}

/// Permanently deletes everything in the viewer's trash.
pub(crate) async fn empty_trash(ctx: RequestContext, state: web::Data<State>) -> HandlerResult {
    delete_from_trash(&ctx, &state, None).await
}

async fn delete_from_trash(
    ctx: &RequestContext,
    state: &State,
    one: Option<&str>,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    updates::empty_trash(&mut tx, &state.clock, ctx.person()?, one).await?;
    tx.commit().await?;
    no_content_or_redirect(ctx, "/trash")
}
