//! Handlers for assets, the API description, `robots.txt` and unknown addresses.

use actix_web::http::header::{self, ContentEncoding};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::error::Error;
use crate::web::assets;
use crate::web::extract::accept::negotiated_encoding;
use crate::web::responses::HandlerResult;

pub(crate) async fn openapi() -> HandlerResult {
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(include_str!("../../../docs/openapi.json")))
}

/// Asks search engines not to crawl any page.
pub(crate) async fn robots() -> HandlerResult {
    Ok(HttpResponse::Ok()
        .content_type("text/plain")
        .body("User-agent: *\nDisallow: /\n"))
}

/// The policy of assets. It applies to workers, which send requests and import scripts; browsers ignore the policy of
/// other assets.
const ASSET_POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'";

/// Serves an asset by its content-hashed name, compressed if the build made a compressed version that the client accepts.
pub(crate) async fn asset(req: HttpRequest, name: web::Path<String>) -> HandlerResult {
    if name.ends_with(".br") || name.ends_with(".gz") {
        return Err(Error::NotFound);
    }
    let file = assets::by_hashed_name(&name).ok_or(Error::NotFound)?;
    let encoding = negotiated_encoding(&req, &[ContentEncoding::Brotli, ContentEncoding::Gzip]);
    let compressed = match encoding {
        ContentEncoding::Brotli => assets::by_hashed_name(&format!("{name}.br")),
        ContentEncoding::Gzip => assets::by_hashed_name(&format!("{name}.gz")),
        _ => None,
    };
    let kind = match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    };
    let mut answer = HttpResponse::Ok();
    answer
        .content_type(kind)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::CONTENT_SECURITY_POLICY, ASSET_POLICY))
        .insert_header((header::VARY, "Accept-Encoding"));
    Ok(match compressed {
        Some(compressed) => answer.insert_header(encoding).body(compressed.into_owned()),
        None => answer.body(file.into_owned()),
    })
}

pub(crate) async fn favicon() -> HandlerResult {
    Ok(HttpResponse::Found()
        .insert_header((header::LOCATION, assets::url("favicon.svg")))
        .finish())
}

pub(crate) async fn not_found() -> HandlerResult {
    Err(Error::NotFound)
}
