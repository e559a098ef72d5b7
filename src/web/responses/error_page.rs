//! Rendered errors: pages for browsers, problem documents for programs.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use super::problem_details::problem_document;
use super::redirect::redirect_to_sign_in;
use crate::error::Error;
use crate::web::extract::accept::wants_html;
use crate::web::pages::{ErrorPage, Page};

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
        return redirect_to_sign_in(req);
    }
    let nobody_here = matches!(error, Error::NotFound);
    let detail = match (&page.me, nobody_here) {
        (Some(me), true) => format!(
            "There is nothing at this address that {} can see. Ask the person who sent the link for access.",
            me.email
        ),
        (None, true) if req.path().starts_with("/s/") => {
            "This link no longer works. Ask for a new one.".into()
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
