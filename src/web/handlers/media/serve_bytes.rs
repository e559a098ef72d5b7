//! Serves media at signed addresses, with support for range requests and caching.

use actix_web::body::SizedStream;
use actix_web::http::header::{
    self, ByteRangeSpec, EntityTag, Header, HeaderValue, IfNoneMatch, IfRange, Range,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use serde::Deserialize;

use super::redirect_to_bucket::redirect_url;
use crate::error::Result;
use crate::media::{self, ServedObject};
use crate::state::State;
use crate::web::extract::viewer::parse_grant;
use crate::web::media_urls;
use crate::web::responses::{HandlerResult, encode_query_value};

/// Query parameters of a signed media address. If `download` is present, the file is served as an attachment.
#[derive(Debug, Deserialize)]
pub(crate) struct Signed {
    #[serde(default)]
    g: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    s: String,
    download: Option<String>,
}

/// Serves the file at a signed address, in full or as one range (RFC 9110 §14).
pub(crate) async fn bytes(
    req: HttpRequest,
    state: web::Data<State>,
    key: web::Path<String>,
    signed: web::Query<Signed>,
) -> HandlerResult {
    let storage_key = media_urls::check(
        &state,
        &key,
        &signed.g,
        signed.e.parse().unwrap_or(0),
        &signed.s,
    )?;
    let grant = parse_grant(&signed.g)?;
    let mut connection = state.db.read().await?;
    let served = media::find_object(&mut connection, &state.clock, &grant, &storage_key).await?;
    drop(connection);
    if let Some(there) =
        redirect_url(&state, req.method(), &served, signed.download.is_some()).await?
    {
        return Ok(HttpResponse::Found()
            .insert_header((header::LOCATION, there))
            .insert_header((header::CACHE_CONTROL, "private, no-store"))
            .finish());
    }
    let length = u64::try_from(served.bytes).unwrap_or(0);
    let tag = EntityTag::new_strong(served.key.trim_start_matches("media/").to_owned());
    let mut answer = HttpResponse::Ok();
    set_headers(&mut answer, &served, &tag, signed.download.is_some());
    if not_modified(&req, &tag) {
        return Ok(answer.status(StatusCode::NOT_MODIFIED).finish());
    }
    let requested = requested_range(&req, &tag, length);
    set_range_headers(&mut answer, &requested, length);
    let range = match requested {
        RequestedRange::Whole => 0..length,
        RequestedRange::Part(range) => range,
        RequestedRange::Unsatisfiable => return Ok(answer.finish()),
    };
    let size = range.end - range.start;
    if *req.method() == Method::HEAD {
        return Ok(answer.no_chunking(size).body(SizedStream::new(
            size,
            futures_util::stream::empty::<Result<bytes::Bytes>>(),
        )));
    }
    let body = state.uploads.media.storage.get(&served.key, range).await?;
    Ok(answer.body(SizedStream::new(size, body)))
}

fn set_headers(
    answer: &mut HttpResponseBuilder,
    served: &ServedObject,
    tag: &EntityTag,
    download: bool,
) {
    let kind = if download { "attachment" } else { "inline" };
    // Send the file name as percent-encoded UTF-8 (RFC 6266, RFC 8187).
    let disposition = format!(
        "{kind}; filename*=UTF-8''{}",
        encode_query_value(&download_name(served)).replace('/', "%2F")
    );
    answer
        .content_type(served.content_type.clone())
        .insert_header((header::ETAG, tag.to_string()))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        ))
        .insert_header((
            "cross-origin-resource-policy",
            HeaderValue::from_static("same-origin"),
        ))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
}

/// Sets the status and `Content-Range` of a response to a range request.
fn set_range_headers(answer: &mut HttpResponseBuilder, requested: &RequestedRange, length: u64) {
    let (status, range) = match requested {
        RequestedRange::Whole => return,
        RequestedRange::Part(range) => (
            StatusCode::PARTIAL_CONTENT,
            format!("bytes {}-{}/{length}", range.start, range.end - 1),
        ),
        RequestedRange::Unsatisfiable => (
            StatusCode::RANGE_NOT_SATISFIABLE,
            format!("bytes */{length}"),
        ),
    };
    answer
        .status(status)
        .insert_header((header::CONTENT_RANGE, range));
}

/// Returns the original file name with the extension of the served format. The format can differ from the original: a
/// WebP may be served as a PNG, and a MOV as an MP4.
fn download_name(served: &ServedObject) -> String {
    let ending = match served.content_type.as_str() {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "video/webm" => "webm",
        "video/mp4" => "mp4",
        "video/x-matroska" => "mkv",
        "video/quicktime" => "mov",
        _ => return served.file_name.clone(),
    };
    const ENDINGS: [&str; 10] = [
        "png", "jpg", "jpeg", "webp", "gif", "apng", "webm", "mp4", "mov", "mkv",
    ];
    let name = &served.file_name;
    match name.rsplit_once('.') {
        Some((_, old))
            if old.eq_ignore_ascii_case(ending)
                || (ending == "jpg" && old.eq_ignore_ascii_case("jpeg")) =>
        {
            name.clone()
        }
        Some((stem, old))
            if !stem.is_empty() && ENDINGS.iter().any(|known| old.eq_ignore_ascii_case(known)) =>
        {
            format!("{stem}.{ending}")
        }
        _ => format!("{name}.{ending}"),
    }
}

fn not_modified(req: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(req) {
        Ok(IfNoneMatch::Any) if req.headers().contains_key(header::IF_NONE_MATCH) => true,
        Ok(IfNoneMatch::Items(items)) => items.iter().any(|item| item.weak_eq(tag)),
        _ => false,
    }
}

enum RequestedRange {
    Whole,
    Part(std::ops::Range<u64>),
    Unsatisfiable,
}

/// Parses the requested range. As HTTP allows, returns `Whole` if the request asks for several
/// ranges, or if its `If-Range` header does not match the current ETag.
fn requested_range(req: &HttpRequest, tag: &EntityTag, length: u64) -> RequestedRange {
    if !req.headers().contains_key(header::RANGE) {
        return RequestedRange::Whole;
    }
    if req.headers().contains_key(header::IF_RANGE)
        && !matches!(IfRange::parse(req), Ok(IfRange::EntityTag(asked)) if asked.strong_eq(tag))
    {
        return RequestedRange::Whole;
    }
    match Range::parse(req) {
        Ok(Range::Bytes(specs)) if specs.len() == 1 => satisfy(&specs[0], length),
        _ => RequestedRange::Whole,
    }
}

fn satisfy(spec: &ByteRangeSpec, length: u64) -> RequestedRange {
    match spec.to_satisfiable_range(length) {
        Some((from, to)) => RequestedRange::Part(from..to + 1),
        None => RequestedRange::Unsatisfiable,
    }
}
