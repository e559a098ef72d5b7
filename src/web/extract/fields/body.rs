//! Bodies of requests: their size limit, their timeout and their content type.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, web};

use crate::error::{Error, Result};

/// Maximum size of a body without files: 1 MiB.
pub(crate) const MAX_BODY: usize = 1 << 20;

/// Timeout for reading a body without files.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads the whole body of a request that uploads no files, within the size limit and the timeout.
pub(crate) async fn read_body(payload: web::Payload) -> Result<bytes::Bytes> {
    read_body_up_to(payload, MAX_BODY).await
}

pub(super) async fn read_body_up_to(payload: web::Payload, max: usize) -> Result<bytes::Bytes> {
    let read = tokio::time::timeout(BODY_TIMEOUT, payload.to_bytes_limited(max)).await;
    let read = read.map_err(|_| {
        Error::Malformed(format!(
            "The request did not arrive within {} s.",
            BODY_TIMEOUT.as_secs()
        ))
    })?;
    let body = read
        .map_err(|_| Error::TooLarge(format!("The request is larger than {} MiB.", max >> 20)))?;
    body.map_err(|error| Error::Malformed(format!("The request was interrupted: {error}.")))
}

/// Returns whether the body is a form that may contain files.
pub(crate) fn is_multipart(req: &HttpRequest) -> bool {
    content_type(req) == "multipart/form-data"
}

pub(super) fn content_type(req: &HttpRequest) -> String {
    let kind = req
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    kind.split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

pub(super) fn not_text() -> Error {
    Error::Malformed("A form field is not valid UTF-8 text.".into())
}
