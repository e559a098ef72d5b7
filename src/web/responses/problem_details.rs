//! Problem details (RFC 9457), the error responses for programs.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde_json::json;

use crate::error::Error;

/// Completes `answer` as a problem document about `error`.
pub(super) fn problem_document(
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
