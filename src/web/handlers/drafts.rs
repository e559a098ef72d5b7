//! Handlers that save and discard text that a person has typed but not sent.

use actix_web::{HttpRequest, web};

use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::responses::{HandlerResult, no_content_or_redirect};
use crate::{drafts, text};

pub(crate) async fn put(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    payload: web::Payload,
) -> HandlerResult {
    let mut fields = Fields::read(&req, payload).await?;
    let body = fields
        .markdown("body", text::MAX_COMMENT)
        .flatten()
        .unwrap_or_default();
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    drafts::save(&mut tx, &state.clock, &ctx.viewer, &at.0, &at.1, &body).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, &format!("/updates/{}", at.0))
}

pub(crate) async fn discard(
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    drafts::discard(&mut tx, &ctx.viewer, &at.0, &at.1).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, &format!("/updates/{}", at.0))
}
