//! Responses: HTML or JSON, redirects, and rendered errors.

mod error_page;
pub(crate) mod new_session;
mod problem_details;
pub(crate) mod redirect;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use askama::Template;
use serde::Serialize;

use super::extract::context::RequestContext;
use super::extract::flash::Flash;
use crate::error::Error;
use crate::state::State;

pub(crate) use error_page::render_error;
pub(crate) use redirect::{encode_query_value, return_path};

/// Result of a handler. [`render_error`] turns the error into a response.
pub(crate) type HandlerResult = Result<HttpResponse, Error>;

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        HttpResponse::build(self.status_code()).finish()
    }
}

/// Renders a template as an HTML response.
pub(crate) fn html_page(status: StatusCode, template: &impl Template) -> HandlerResult {
    let body = template.render().map_err(Error::internal)?;
    Ok(HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .body(body))
}

/// Renders a template as the response to an error. Sets the error's status and, if known, `Retry-After`.
pub(crate) fn html_error_page(error: &Error, template: &impl Template) -> HandlerResult {
    let mut answer = html_page(error.status_code(), template)?;
    if let Some(seconds) = error.retry_after() {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(answer)
}

/// Returns a JSON response.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> HandlerResult {
    Ok(HttpResponse::build(status).json(body))
}

/// Redirects a browser to `to` with status 303. Sends `body` to a program as JSON.
pub(crate) fn json_or_redirect(
    ctx: &RequestContext,
    status: StatusCode,
    to: &str,
    body: &impl Serialize,
) -> HandlerResult {
    if ctx.wants_html {
        return Ok(see_other(to));
    }
    let mut answer = HttpResponse::build(status);
    if status == StatusCode::CREATED {
        answer.insert_header((header::LOCATION, to));
    }
    Ok(answer.json(body))
}

/// For a browser, redirects with status 303 to a page that shows a message once. For an API client,
/// returns the result as JSON.
pub(crate) fn json_or_flash(
    ctx: &RequestContext,
    state: &State,
    status: StatusCode,
    (to, flash): (&str, Flash),
    body: &impl Serialize,
) -> HandlerResult {
    if ctx.wants_html {
        see_other_with_flash(state, to, &flash)
    } else {
        json(status, body)
    }
}

/// Redirects a browser to `to` with status 303. Sends status 204 to a program.
pub(crate) fn no_content_or_redirect(ctx: &RequestContext, to: &str) -> HandlerResult {
    Ok(if ctx.wants_html {
        see_other(to)
    } else {
        HttpResponse::NoContent().finish()
    })
}

/// Redirects with status 303 to a path on this site.
pub(crate) fn see_other(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, to))
        .finish()
}

/// Redirects with status 303 to a path on this site. The page at that path shows a message once.
pub(crate) fn see_other_with_flash(state: &State, to: &str, said: &Flash) -> HandlerResult {
    let mut answer = see_other(to);
    said.put(state, &mut answer)?;
    Ok(answer)
}

/// Boxes the body of a response, so that all responses have the same type.
pub(crate) fn box_body<B: MessageBody + 'static>(
    response: actix_web::dev::ServiceResponse<B>,
) -> actix_web::dev::ServiceResponse {
    response.map_into_boxed_body()
}
