//! Compresses pages and JSON with gzip. Media are never compressed, because their formats already are, and event
//! streams are not, because a compressor would delay events. Assets are compressed when they are built.

use std::io::Write;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, ContentEncoding, HeaderValue};
use bytes::Bytes;
use flate2::{Compression, GzBuilder};

use super::method_override::form_pairs;
use crate::error::{Error, Result};
use crate::ids::random;
use crate::web::extract::accept::negotiated_encoding;
use crate::web::extract::viewer::bearer_token;

/// Bodies with fewer bytes than this are not compressed, because they fit in one network packet anyway.
const MIN_BYTES: usize = 1024;
/// Bodies with more bytes than this are compressed on another thread.
const MAX_INLINE_BYTES: usize = 16 * 1024;
/// The types of the bodies that are compressed.
const COMPRESSED_TYPES: [&str; 5] = [
    "text/html",
    "text/plain",
    "text/csv",
    "application/json",
    "application/problem+json",
];

/// Returns whether the response to this request may be compressed.
///
/// Another site can make a browser request a page, choose a part of the page through the address, and guess the rest
/// from the length of the compressed response (the BREACH attack). So a browser gets compressed responses only for
/// requests of this server's own pages and of the person, and never for a search, because its page repeats the query.
/// A browser that does not say which page sends the request gets none if it sends a cookie.
pub(super) fn may_compress(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    if *request.method() == Method::HEAD
        || negotiated_encoding(request, &[ContentEncoding::Gzip]) != ContentEncoding::Gzip
    {
        return false;
    }
    if bearer_token(headers).is_some() {
        return true;
    }
    let is_search = form_pairs(request.query_string().as_bytes())
        .iter()
        .any(|(name, _)| name == "q");
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => !is_search,
        Some(_) => false,
        None => !headers.contains_key(header::COOKIE),
    }
}

/// Compresses the body if its type and length make that worthwhile.
pub(super) async fn compress(response: ServiceResponse) -> Result<ServiceResponse> {
    if !is_worthwhile(&response) {
        return Ok(response);
    }
    let (request, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    let body = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(stream) => return Ok(ServiceResponse::new(request, response.set_body(stream))),
    };
    let body = if body.len() <= MAX_INLINE_BYTES {
        gzip(&body)?
    } else {
        actix_web::web::block(move || gzip(&body))
            .await
            .map_err(Error::internal)??
    };
    response.headers_mut().insert(
        header::CONTENT_ENCODING,
        HeaderValue::from_static(ContentEncoding::Gzip.as_str()),
    );
    let response = response.set_body(BoxBody::new(Bytes::from(body)));
    Ok(ServiceResponse::new(request, response))
}

fn is_worthwhile(response: &ServiceResponse) -> bool {
    let size = response.response().body().size();
    let long = matches!(size, BodySize::Sized(bytes) if bytes >= MIN_BYTES as u64);
    let kind = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    long && COMPRESSED_TYPES.contains(&kind)
        && !response.headers().contains_key(header::CONTENT_ENCODING)
}

/// Compresses `body`. The header of the result contains up to 63 random bytes, so that the length of a response does
/// not reveal small differences between bodies.
fn gzip(body: &[u8]) -> Result<Vec<u8>> {
    let [length] = random::<1>();
    let padding: Vec<u8> = random::<63>()
        .iter()
        .take(usize::from(length) % 64)
        .map(|byte| byte | 1)
        .collect();
    let out = Vec::with_capacity(body.len() / 4);
    let mut encoder = GzBuilder::new()
        .comment(padding)
        .write(out, Compression::new(4));
    encoder.write_all(body)?;
    Ok(encoder.finish()?)
}
