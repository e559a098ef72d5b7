//! Handler that reminds people who still owe an answer.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde_json::json;

use crate::error::Result;
use crate::receipts::{self, Receipt};
use crate::share_message;
use crate::state::State;
use crate::text;
use crate::updates::Update;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::NoFields;
use crate::web::extract::flash::Flash;
use crate::web::presenters;
use crate::web::responses::{HandlerResult, json, return_path, see_other_with_flash};

/// Reminds everyone who still owes an answer. Also returns a message that names these people, for the author to send.
pub(crate) async fn remind(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    _: NoFields,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    let (update, reminded) = receipts::remind(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    state.enqueue_mail(&mut tx, &id).await?;
    tx.commit().await?;
    let message = reminder_message(&state, &ctx, &update).await?;
    if ctx.wants_html {
        let text = match reminded.as_slice() {
            [one] => format!("{} has been reminded.", one.name),
            many => format!("{} people have been reminded.", many.len()),
        };
        let said = Flash {
            text: Some(format!("{text} You can also send this message:")),
            link: Some(message),
            copy: true,
            ..Flash::default()
        };
        return see_other_with_flash(
            &state,
            &return_path(&req, &format!("/updates/{id}/receipts")),
            &said,
        );
    }
    let people: Vec<_> = reminded
        .iter()
        .map(|receipt| json!({ "id": receipt.person_id, "name": receipt.name }))
        .collect();
    json(
        StatusCode::OK,
        &json!({ "reminded": people, "message": message }),
    )
}

/// Builds a message such as `Answers to “Title” (3:12) are still missing from Bob (by Fri 17:00,
/// Auckland time) and Cyd. https://…`
async fn reminder_message(state: &State, ctx: &RequestContext, update: &Update) -> Result<String> {
    let mut connection = state.db.read().await?;
    let view = presenters::update_view(&mut connection, state, ctx, update).await?;
    let owing = receipts::of_update(&mut connection, &update.id)
        .await?
        .into_iter()
        .filter(|receipt| receipt.owes_since.is_some());
    let name = |receipt: Receipt| match receipt.due_at {
        Some(due) => {
            format!(
                "{} ({}, {} time)",
                receipt.name,
                share_message::due_text(due, state.clock.now(), &receipt.time_zone),
                city_of_zone(&receipt.time_zone)
            )
        }
        None => receipt.name,
    };
    let names: Vec<String> = owing.map(name).collect();
    let length = view
        .media
        .iter()
        .find_map(|media| media.duration_ms)
        .map(|ms| format!(" ({})", share_message::format_length(ms)))
        .unwrap_or_default();
    Ok(format!(
        "Answers to “{}”{length} are still missing from {}. {}",
        view.heading(),
        text::join_list(&names, "and"),
        view.url
    ))
}

/// Returns the city of a time zone: `Auckland` for `Pacific/Auckland`.
fn city_of_zone(zone: &str) -> String {
    zone.rsplit('/').next().unwrap_or(zone).replace('_', " ")
}
