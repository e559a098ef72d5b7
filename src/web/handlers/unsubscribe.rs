//! The way out of mail: an address that does nothing but end it, for whoever has the mail (RFC 8058).

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

/// What the body of a mail program's request holds.
const ONE_CLICK: &[u8] = b"One-Click";

/// One button: programs that look for viruses follow links, and must not end anything.
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
            page: ctx.page(&state, "Mail", "").await?,
            email: account.email,
            off,
            action,
        },
    )
}

/// Ends it.
pub(crate) async fn stop(
    ctx: RequestContext,
    state: web::Data<State>,
    token: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let person_id = person_id_of(&state.key, &token)?;
    // Mail programs send a form of either kind (RFC 8058 §3.2): what was meant is clear whatever it is.
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
    // A mail program must not be sent elsewhere (RFC 8058 §3.1).
    if ctx.wants_html && !one_click {
        Ok(see_other(&format!("/unsubscribe/{token}")))
    } else {
        Ok(HttpResponse::NoContent().finish())
    }
}
