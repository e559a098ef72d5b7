//! Responses: HTML or JSON, redirects, and rendered errors.

mod error_page;
pub(crate) mod new_session;
mod problem_details;
pub(crate) mod redirect;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use serde::Serialize;

use super::extract::context::RequestContext;
use super::extract::flash::Flash;
use crate::error::Error;
use crate::state::State;

pub(crate) use error_page::render_error;

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

/// Returns the path of the page that sent the form, as given in `Referer`. Returns `otherwise` if
/// `Referer` is missing or names another site.
pub(crate) fn return_path(req: &HttpRequest, otherwise: &str) -> String {
    let referer = req
        .headers()
        .get(header::REFERER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<actix_web::http::Uri>().ok());
    let host = req
        .headers()
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    match referer {
        Some(uri) if uri.authority().map(actix_web::http::uri::Authority::as_str) == host => {
            // A browser shows a refused form at the address to which it sent the form, so `Referer`
            // can be that address. There is no page at that address, so return the path of the
            // update's page.
            match uri
                .path()
                .strip_prefix("/updates/")
                .and_then(|rest| rest.split_once('/'))
            {
                Some((id, "acknowledgement" | "decline" | "comments" | "reminders" | "links")) => {
                    format!("/updates/{id}")
                }
                _ => redirect::local_path(Some(&without_open_parts(&uri))),
            }
        }
        _ => otherwise.to_owned(),
    }
}

/// Returns the path and query of an update's page. If the query asks for an open form or menu, which was just sent, it
/// asks for the page with the same comment instead.
fn without_open_parts(uri: &actix_web::http::Uri) -> String {
    let asks = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        matches!(name, "reply" | "edit" | "react" | "more")
    };
    let is_update = uri.path().starts_with("/updates/") || uri.path().starts_with("/s/");
    let open = uri
        .query()
        .filter(|_| is_update)
        .and_then(|query| query.split('&').find(asks));
    match open.and_then(|pair| pair.split_once('=')) {
        Some((_, id)) => format!("{}?comment={id}", uri.path()),
        None => uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
    }
}

/// Percent-encodes a query value. Does not encode slashes.
pub(crate) fn encode_query_value(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                escaped.push(char::from(byte))
            }
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

/// Boxes the body of a response, so that all responses have the same type.
pub(crate) fn box_body<B: MessageBody + 'static>(
    response: actix_web::dev::ServiceResponse<B>,
) -> actix_web::dev::ServiceResponse {
    response.map_into_boxed_body()
}
