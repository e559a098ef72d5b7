//! Compresses pages and JSON. Media are never compressed, because their formats already are, and event streams are
//! not, because a compressor would delay events. Assets are compressed when they are built.

use actix_http::encoding::Encoder;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, ContentEncoding, HeaderValue};

use crate::web::extract::accept::negotiated_encoding;

/// Bodies with fewer bytes than this are not compressed, because they fit in one network packet anyway.
const MIN_BYTES: u64 = 1024;
/// The types of the bodies that are compressed.
const COMPRESSED_TYPES: [&str; 5] = [
    "text/html",
    "text/plain",
    "text/csv",
    "application/json",
    "application/problem+json",
];

/// Returns the encoding with which the response to this request may be compressed.
///
/// Another site can make a browser request a page, choose a part of the page through the address, and guess the rest
/// from the length of the compressed response (the BREACH attack). So only programs, and pages of this server, get
/// compressed responses. A browser that does not say which page sends the request gets none if it sends a cookie.
pub(super) fn allowed_encoding(request: &ServiceRequest) -> ContentEncoding {
    let sender = request.headers().get("sec-fetch-site");
    let is_safe = match sender.map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => true,
        Some(_) => false,
        None => !request.headers().contains_key(header::COOKIE),
    };
    if is_safe {
        negotiated_encoding(request)
    } else {
        ContentEncoding::Identity
    }
}

/// Compresses the body if its type and length make that worthwhile.
pub(super) fn compress(response: ServiceResponse, encoding: ContentEncoding) -> ServiceResponse {
    if encoding == ContentEncoding::Identity || !is_worthwhile(&response) {
        return response;
    }
    let mut response =
        response.map_body(|head, body| BoxBody::new(Encoder::response(encoding, head, body)));
    // The encoder has added another `Vary`.
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static(VARY));
    response
}

/// The value of `Vary` for pages and JSON.
pub(super) const VARY: &str = "Accept, Accept-Encoding";

fn is_worthwhile(response: &ServiceResponse) -> bool {
    let long =
        matches!(response.response().body().size(), BodySize::Sized(bytes) if bytes >= MIN_BYTES);
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    long && COMPRESSED_TYPES.contains(&kind)
}
