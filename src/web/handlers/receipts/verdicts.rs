//! Handlers for verdicts on readbacks, and for disclosing or withholding a verdict thread.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use crate::clock::parse_rfc3339;
use crate::error::Error;
use crate::infra::db::TextEnum;
use crate::receipts::VerdictKind;
use crate::receipts::{self, MAX_READBACK, Verdict};
use crate::state::State;
use crate::updates;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::{Fields, NoFields};
use crate::web::handlers::check_input;
use crate::web::presenters;
use crate::web::responses::{HandlerResult, json, return_path, see_other};

/// Records the author's verdict on a readback: confirmed or corrected.
pub(crate) async fn confirm(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    payload: web::Payload,
) -> HandlerResult {
    let (id, person) = at.into_inner();
    let mut fields = Fields::read(&req, payload).await?;
    let verdict = fields.choice("verdict", VerdictKind::ALL);
    let body = fields.text("body", MAX_READBACK).flatten();
    let said_at = fields.optional("said_at", |text| {
        parse_rfc3339(text)
            .ok_or_else(|| "is not a valid time. Use the value of `answered_at`.".to_owned())
    });
    let verdict = match (verdict, body) {
        (Some(VerdictKind::Corrected), Some(body)) => Verdict::Corrected(body),
        (Some(VerdictKind::Corrected), None) => {
            fields.add_error("body", "is missing. Say what is not quite right.");
            Verdict::Confirmed
        }
        (Some(VerdictKind::Confirmed), Some(_)) => {
            fields.add_error(
                "body",
                "is allowed only with the verdict `corrected`. Leave the field out, or send the verdict `corrected`.",
            );
            Verdict::Confirmed
        }
        (Some(VerdictKind::Confirmed), None) => Verdict::Confirmed,
        (None, _) => {
            fields.add_error("verdict", "is missing. Send `confirmed` or `corrected`.");
            Verdict::Confirmed
        }
    };
    check_input(fields.finish(), &state, &ctx, &id).await?;
    let mut tx = state.db.begin().await?;
    receipts::give_verdict(
        &mut tx,
        &state.clock,
        &ctx.viewer,
        &id,
        &person,
        &verdict,
        said_at,
    )
    .await?;
    state.enqueue_mail(&mut tx, &id).await?;
    tx.commit().await?;
    receipt_response(&req, &ctx, &state, &id, &person).await
}

/// Withdraws the author's verdict on a readback.
pub(crate) async fn withdraw(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> HandlerResult {
    let (id, person) = at.into_inner();
    let mut tx = state.db.begin().await?;
    receipts::withdraw_verdict(&mut tx, &state.clock, &ctx.viewer, &id, &person).await?;
    tx.commit().await?;
    receipt_response(&req, &ctx, &state, &id, &person).await
}

pub(crate) async fn disclose(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    _: NoFields,
) -> HandlerResult {
    set_disclosed(&req, &ctx, &state, at.into_inner(), true).await
}

pub(crate) async fn withhold(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> HandlerResult {
    set_disclosed(&req, &ctx, &state, at.into_inner(), false).await
}

async fn set_disclosed(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    (id, person): (String, String),
    open: bool,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    receipts::set_disclosed(&mut tx, &state.clock, &ctx.viewer, &id, &person, open).await?;
    tx.commit().await?;
    receipt_response(req, ctx, state, &id, &person).await
}

/// Responds after the author has changed a receipt: redirects a browser to the list of receipts, and sends the receipt
/// to a program.
async fn receipt_response(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    id: &str,
    person: &str,
) -> HandlerResult {
    if ctx.wants_html {
        return Ok(see_other(&return_path(
            req,
            &format!("/updates/{id}/receipts"),
        )));
    }
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ctx.viewer, id).await?;
    let receipt = receipts::of_person(&mut connection, id, person)
        .await?
        .ok_or(Error::NotFound)?;
    json(
        StatusCode::OK,
        &presenters::receipt_view(state, ctx, &update, &receipt),
    )
}
