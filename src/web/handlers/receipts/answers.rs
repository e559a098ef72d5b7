//! Handlers that record and withdraw answers. An answer is an acknowledgement, a readback or an objection.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use crate::error::Error;
use crate::receipts::{self, Answer, MAX_READBACK};
use crate::state::State;
use crate::updates::{self, Update};
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::handlers::check_input;
use crate::web::handlers::updates::{PageContent, update_page};
use crate::web::presenters;
use crate::web::responses::{HandlerResult, json, no_content_or_redirect, return_path, see_other};
use crate::{sample, text};

pub(crate) async fn acknowledge(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    answer(&req, &ctx, &state, &id, payload, |fields| {
        match fields.text("readback", MAX_READBACK).flatten() {
            Some(words) => Answer::ReadBack(words),
            None => Answer::Acknowledged,
        }
    })
    .await
}

/// Records an objection with its reason.
pub(crate) async fn decline(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    answer(&req, &ctx, &state, &id, payload, |fields| {
        match fields.text("reason", MAX_READBACK).flatten() {
            Some(reason) => Answer::Declined(reason),
            None => {
                fields.add_error("reason", "is missing. Say what’s in the way.");
                Answer::Declined(String::new())
            }
        }
    })
    .await
}

async fn answer(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    id: &str,
    payload: web::Payload,
    read: impl FnOnce(&mut Fields) -> Answer,
) -> HandlerResult {
    let mut fields = Fields::read(req, payload).await?;
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(state, req))?;
    let typed = fields.typed();
    let tried = async {
        let revision = fields.number("revision");
        let name = fields.text("name", text::MAX_NAME).flatten();
        let answer = read(&mut fields);
        let is_valid = fields.finish();
        check_input(is_valid, state, ctx, id).await?;
        let (clock, viewer) = (&state.clock, &ctx.viewer);
        let mut tx = state.db.begin().await?;
        let update = updates::find_locked(&mut tx, viewer, id).await?;
        let name = name.as_deref();
        receipts::answer(&mut tx, clock, viewer, &update, &answer, revision, name).await?;
        sample::after_answer(&mut tx, clock, viewer, &update).await?;
        state.enqueue_mail(&mut tx, id).await?;
        tx.commit().await?;
        Ok(update)
    };
    match tried.await {
        Ok(update) => answer_response(req, ctx, state, &update).await,
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) if ctx.wants_html => {
            let update = updates::find(&mut *state.db.read().await?, &ctx.viewer, id).await?;
            let status = StatusCode::from_u16(error.status()).map_err(Error::internal)?;
            update_page(
                state,
                ctx,
                status,
                &update,
                PageContent {
                    form: Fields::refilled_form(&typed, &error),
                    ..PageContent::default()
                },
            )
            .await
        }
        Err(error) => Err(error),
    }
}

pub(crate) async fn take_back(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(&state, &req))?;
    let mut tx = state.db.begin().await?;
    let update = updates::find_locked(&mut tx, &ctx.viewer, &id).await?;
    receipts::take_back(&mut tx, &state.clock, &ctx.viewer, &update).await?;
    tx.commit().await?;
    answer_response(&req, &ctx, &state, &update).await
}

/// Responds after an answer has been recorded or withdrawn: redirects a browser to the update's
/// page, and sends the receipt to a program. A guest has no receipt, so a guest's program gets
/// status 204.
async fn answer_response(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    update: &Update,
) -> HandlerResult {
    let id = &update.id;
    if ctx.wants_html {
        return Ok(see_other(&return_path(req, &format!("/updates/{id}"))));
    }
    let mut connection = state.db.read().await?;
    let person = ctx
        .viewer
        .person()
        .ok()
        .map(|person| person.id.clone())
        .unwrap_or_default();
    match receipts::of_person(&mut connection, id, &person).await? {
        Some(receipt) => json(
            StatusCode::OK,
            &presenters::receipt_view(state, ctx, update, &receipt),
        ),
        None => no_content_or_redirect(ctx, ""),
    }
}
