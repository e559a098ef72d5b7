//! The default headers of every response, such as the Content-Security-Policy.

use actix_web::cookie::Cookie;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpMessage, web};

use crate::state::State;
use crate::web::extract::context::Nonce;
use crate::web::extract::flash::FLASH_COOKIE;

/// Sets the default headers of a response. Does not replace headers that a handler has already set,
/// as the handlers of media and assets do.
pub(super) fn set_headers(response: &mut ServiceResponse, id: &str) {
    let policy = content_security_policy(response);
    let fixed = [
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    // Browsers ignore these on assets. A page loads a dozen of them, so leave them out there.
    let for_documents = [
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "display-capture=(self), camera=(self), microphone=(self), geolocation=(), payment=(), usb=()",
        ),
    ];
    let secure = response
        .request()
        .app_data::<web::Data<State>>()
        .is_some_and(|state| state.config.is_https());
    delete_shown_flash(response);
    let path = response.request().path();
    let (tus, asset) = (path.starts_with("/uploads"), path.starts_with("/assets/"));
    let headers = response.headers_mut();
    if tus {
        headers.insert(
            HeaderName::from_static("tus-resumable"),
            HeaderValue::from_static(crate::web::handlers::uploads::TUS_VERSION),
        );
        headers.insert(
            HeaderName::from_static("tus-version"),
            HeaderValue::from_static(crate::web::handlers::uploads::TUS_VERSION),
        );
    }
    let mut put = |name: HeaderName, value: &str| {
        if !headers.contains_key(&name)
            && let Ok(value) = HeaderValue::from_str(value)
        {
            headers.insert(name, value);
        }
    };
    put(HeaderName::from_static("x-request-id"), id);
    put(header::CONTENT_SECURITY_POLICY, &policy);
    put(header::VARY, "Accept, Accept-Encoding");
    if secure {
        put(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    for (name, value) in fixed {
        put(name, value);
    }
    if !asset {
        for (name, value) in for_documents {
            put(name, value);
        }
    }
}

fn content_security_policy(response: &ServiceResponse) -> String {
    let nonce = response
        .request()
        .extensions()
        .get::<Nonce>()
        .map(|nonce| nonce.0.clone())
        .unwrap_or_default();
    let media = response
        .request()
        .app_data::<web::Data<State>>()
        .map(|state| state.media_sources.clone())
        .unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data: blob:{media}; media-src 'self' blob:{media}; connect-src 'self'; \
         worker-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'; manifest-src 'self'"
    )
}

/// Deletes the flash cookie if the response is a page that shows the flash message.
fn delete_shown_flash(response: &mut ServiceResponse) {
    let page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if page
        && response.status() == StatusCode::OK
        && response.request().cookie(FLASH_COOKIE).is_some()
    {
        let mut gone = Cookie::build(FLASH_COOKIE, "").path("/").finish();
        gone.make_removal();
        if let Err(error) = response.response_mut().add_cookie(&gone) {
            tracing::error!(%error, "a cookie could not be deleted");
        }
    }
}
