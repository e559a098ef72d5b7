//! The way out of mail: an address that does nothing but end it, for whoever has the mail (RFC 8058).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::notifications::unsubscribe::person_of;
use crate::people::{self, Profile};
use crate::state::State;
use crate::web::extract::context::Ask;
use crate::web::extract::fields::whole;
use crate::web::pages::UnsubscribePage;
use crate::web::responses::{Answer, data, page, see_other};

/// What the body of a mail program's request holds.
const ONE_CLICK: &[u8] = b"One-Click";

/// One button: programs that look for viruses follow links, and must not end anything.
pub(crate) async fn show(ask: Ask, state: web::Data<State>, token: web::Path<String>) -> Answer {
    let person_id = person_of(&state.key, &token)?;
    let account = people::by_id(&mut *state.db.read().await?, person_id).await?;
    let off = account.mail_off_at.is_some();
    if !ask.html {
        return data(
            StatusCode::OK,
            &json!({ "email": account.email, "mail": !off }),
        );
    }
    let action = format!("/unsubscribe/{token}");
    page(
        StatusCode::OK,
        &UnsubscribePage {
            page: ask.page(&state, "Mail", "").await?,
            email: account.email,
            off,
            action,
        },
    )
}

/// Ends it.
pub(crate) async fn stop(
    ask: Ask,
    state: web::Data<State>,
    token: web::Path<String>,
    payload: web::Payload,
) -> Answer {
    let person_id = person_of(&state.key, &token)?;
    // Mail programs send a form of either kind (RFC 8058 §3.2): what was meant is clear whatever it is.
    let one_click = whole(payload)
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
    if ask.html && !one_click {
        Ok(see_other(&format!("/unsubscribe/{token}")))
    } else {
        Ok(HttpResponse::NoContent().finish())
    }
}
