//! What is being written, kept as one types.

use actix_web::{HttpRequest, web};

use crate::state::State;
use crate::web::extract::context::Ask;
use crate::web::extract::fields::Fields;
use crate::web::responses::{Answer, nothing};
use crate::{drafts, text};

pub(crate) async fn put(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    payload: web::Payload,
) -> Answer {
    let mut fields = Fields::read(&req, payload).await?;
    let body = fields
        .text("body", text::COMMENT)
        .flatten()
        .unwrap_or_default();
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    drafts::put(&mut tx, &state.clock, &ask.viewer, &at.0, &at.1, &body).await?;
    tx.commit().await?;
    nothing(&ask, &format!("/updates/{}", at.0))
}

pub(crate) async fn discard(
    ask: Ask,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> Answer {
    let mut tx = state.db.begin().await?;
    drafts::discard(&mut tx, &ask.viewer, &at.0, &at.1).await?;
    tx.commit().await?;
    nothing(&ask, &format!("/updates/{}", at.0))
}
