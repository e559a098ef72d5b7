//! Handler for a single receipt. Unlike the list, it contains all that the author and the recipient said to each other.

use actix_web::http::StatusCode;
use actix_web::web;

use crate::error::Error;
use crate::people::Viewer;
use crate::receipts;
use crate::state::State;
use crate::updates;
use crate::web::extract::context::RequestContext;
use crate::web::presenters;
use crate::web::responses::{HandlerResult, json, see_other};

/// Shows one recipient's receipt with its verdict thread.
pub(crate) async fn show(
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> HandlerResult {
    let (id, person) = at.into_inner();
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ctx.viewer, &id).await?;
    if matches!(ctx.viewer, Viewer::Guest(_)) {
        return Err(Error::NotFound);
    }
    let exchanges = receipts::verdict_thread(&mut connection, &ctx.viewer, &update).await?;
    let receipt = receipts::of_person(&mut connection, &id, &person)
        .await?
        .ok_or(Error::NotFound)?;
    if ctx.wants_html {
        return Ok(see_other(&format!(
            "/updates/{}/receipts#receipt-{}",
            update.id, receipt.person_id
        )));
    }
    let view = presenters::receipt_views(
        &state,
        &ctx,
        &update,
        std::slice::from_ref(&receipt),
        &exchanges,
    )
    .remove(0);
    let mut body = serde_json::to_value(&view).map_err(Error::internal)?;
    body["exchange"] = serde_json::to_value(&view.exchange).map_err(Error::internal)?;
    json(StatusCode::OK, &body)
}
