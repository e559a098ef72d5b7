//! What is being written, kept as one types.

use actix_web::{HttpRequest, web};

use super::answer::{Answer, nothing};
use super::fields::Fields;
use super::viewer::Ask;
use crate::app::State;
use crate::{drafts, words};

pub(crate) async fn put(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    payload: web::Payload,
) -> Answer {
    let mut fields = Fields::read(&req, payload).await?;
    let body = fields
        .text("body", words::COMMENT)
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
