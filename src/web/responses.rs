//! Responses: HTML or JSON, redirects, and rendered errors.

pub(crate) mod redirect;
pub(crate) mod sign_in;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError};
use askama::Template;
use serde::Serialize;
use serde_json::json;

use super::extract::accept::wants_html;
use super::extract::context::RequestContext;
use super::extract::flash::Flash;
use super::pages::{ErrorPage, Page};
use crate::error::Error;
use crate::state::State;

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

/// Redirects a browser with 303 to a page that shows a message once, and returns the result to a program as JSON.
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
                _ => redirect::local_path(
                    uri.path_and_query()
                        .map(actix_web::http::uri::PathAndQuery::as_str),
                ),
            }
        }
        _ => otherwise.to_owned(),
    }
}

/// Renders an error: as a page for a browser, or as a problem document (RFC 9457) for a program. Redirects a browser to
/// the sign-in page if sign-in is required. An error page shows the text that the user entered, so that nothing is
/// lost.
pub(crate) fn render_error(
    req: &HttpRequest,
    error: &Error,
    request_id: &str,
    page: Page,
    typed: Vec<(String, String)>,
) -> HttpResponse {
    let status = error.status_code();
    let mut answer = HttpResponse::build(status);
    if let Some(seconds) = error.retry_after() {
        answer.insert_header((header::RETRY_AFTER, seconds));
    }
    if !wants_html(req.headers()) {
        return problem_document(&mut answer, error, request_id);
    }
    if matches!(error, Error::Unauthenticated) && page.me.is_none() {
        let next = if req.method() == Method::GET {
            req.uri().to_string()
        } else {
            return_path(req, "/")
        };
        return see_other(&format!("/session?next={}", encode_query_value(&next)));
    }
    let nobody_here = matches!(error, Error::NotFound);
    let detail = match (&page.me, nobody_here) {
        (Some(me), true) => format!(
            "There is nothing at this address that {} can see. Ask the person who sent the link for access.",
            me.email
        ),
        (None, true) if req.path().starts_with("/s/") => {
            "This link does not work. Ask for a new one.".into()
        }
        (None, true) => {
            "There is nothing at this address. Ask the person who sent the link for a new one."
                .into()
        }
        (_, false) => error.detail(),
    };
    let page = Page {
        title: error.title().into(),
        ..page
    };
    let shown = ErrorPage {
        page,
        status: status.as_u16(),
        heading: error.title().into(),
        detail,
        request_id: request_id.into(),
        typed,
    };
    match shown.render() {
        Ok(body) => answer.content_type("text/html; charset=utf-8").body(body),
        Err(failed) => {
            tracing::error!(error = %failed, "the error page could not be rendered");
            problem_document(&mut answer, error, request_id)
        }
    }
}

fn problem_document(
    answer: &mut HttpResponseBuilder,
    error: &Error,
    request_id: &str,
) -> HttpResponse {
    let mut body = json!({
        "type": "about:blank", "title": error.title(), "status": error.status(),
        "detail": error.detail(), "instance": format!("urn:request:{request_id}"),
    });
    let fields = error.fields();
    if !fields.is_empty() {
        body["errors"] = json!(fields);
    }
    if matches!(error, Error::Unauthenticated) {
        answer.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
    }
    answer
        .content_type("application/problem+json")
        .body(body.to_string())
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
