//! Unsubscribing from email through the link in a message, without signing in (RFC 8058).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::notifications::unsubscribe::person_id_of;
use crate::people::{self, Profile};
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::read_body;
use crate::web::pages::UnsubscribePage;
use crate::web::responses::{HandlerResult, html_page, json, see_other};

/// Marker in the body of a one-click request from an email program.
const ONE_CLICK: &[u8] = b"One-Click";

/// Shows a page with one button. GET changes nothing, because virus scanners follow links.
pub(crate) async fn show(
    ctx: RequestContext,
    state: web::Data<State>,
    token: web::Path<String>,
) -> HandlerResult {
    let person_id = person_id_of(&state.key, &token)?;
    let account = people::by_id(&mut *state.db.read().await?, person_id).await?;
    let off = account.mail_off_at.is_some();
    if !ctx.wants_html {
        return json(
            StatusCode::OK,
            &json!({ "email": account.email, "mail": !off }),
        );
    }
    let action = format!("/unsubscribe/{token}");
    html_page(
        StatusCode::OK,
        &UnsubscribePage {
            page: ctx.page(&state, "Mail", None).await?,
            email: account.email,
            off,
            action,
        },
    )
}

/// Turns off email notifications for the person.
pub(crate) async fn stop(
    ctx: RequestContext,
    state: web::Data<State>,
    token: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let person_id = person_id_of(&state.key, &token)?;
    // Email programs may send a URL-encoded or a multipart form (RFC 8058 §3.2), so look for the marker in the raw
    // body.
    let one_click = read_body(payload)
        .await?
        .windows(ONE_CLICK.len())
        .any(|part| part == ONE_CLICK);
    let mut tx = state.db.begin().await?;
    people::edit(
        &mut tx,
        &state.clock,
        person_id,
        &Profile {
            mail: Some(false),
            ..Profile::default()
        },
    )
    .await?;
    tx.commit().await?;
    // The response to an email program must not be a redirect (RFC 8058 §3.1).
    if ctx.wants_html && !one_click {
        Ok(see_other(&format!("/unsubscribe/{token}")))
    } else {
        Ok(HttpResponse::NoContent().finish())
    }
}
