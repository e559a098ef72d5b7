//! Responses that start a session.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{HandlerResult, see_other};
use crate::error::{Error, Result};
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::cookies::{SESSION_COOKIE_DAYS, cookie, session_cookie};
use crate::web::extract::fields::Fields;
use crate::web::pages::Form;

/// Builds the response that starts a session.
pub(crate) fn session_response(
    state: &State,
    ctx: &RequestContext,
    secret: &str,
    to: &str,
) -> HttpResponse {
    let mut answer = if ctx.wants_html {
        see_other(to)
    } else {
        HttpResponse::NoContent().finish()
    };
    // The cookie contains only characters that are valid in a header, so this cannot fail.
    let _ = answer.add_cookie(&cookie(
        state,
        session_cookie(state).into(),
        secret.to_owned(),
        SESSION_COOKIE_DAYS,
    ));
    answer
}

/// Responds to a form whose submission starts a session and leads to the home page. `submit` returns the secret of the
/// session. If it finds invalid fields, `form_page` shows a browser the form again, with the errors.
pub(crate) async fn start_session_or_refill(
    state: &State,
    ctx: &RequestContext,
    fields: Fields,
    submit: impl AsyncFnOnce(Fields) -> Result<String>,
    form_page: impl AsyncFnOnce(StatusCode, Form) -> HandlerResult,
) -> HandlerResult {
    let typed = fields.typed();
    match submit(fields).await {
        Ok(secret) => Ok(session_response(state, ctx, &secret, "/")),
        Err(error @ Error::Invalid(_)) if ctx.wants_html => {
            let form = Fields::refilled_form(&typed, &error);
            form_page(StatusCode::UNPROCESSABLE_ENTITY, form).await
        }
        Err(error) => Err(error),
    }
}
