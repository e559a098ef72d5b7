//! Protection against cross-site requests (CSRF).

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, HeaderName};
use actix_web::web;

use crate::error::{Error, Result};
use crate::state::State;
use crate::web::extract::viewer::bearer_token;

/// Accepts unsafe requests only from our own pages and from programs. Checks `Sec-Fetch-Site` or,
/// if it is absent, `Origin`. If both are absent, rejects a request with a cookie, because another
/// site may have made a browser send it.
///
/// Requests with a bearer token are exempt: a browser never adds the token by itself, and Hearback
/// ignores the cookies of such requests.
///
/// `/unsubscribe/…` is exempt: email programs send the one-click request from anywhere (RFC 8058 §3.2). The token
/// in the address is the only credential, and cookies are ignored.
pub(super) fn check_same_site(request: &ServiceRequest) -> Result<()> {
    if request.path().starts_with("/unsubscribe/") || bearer_token(request.headers()).is_some() {
        return Ok(());
    }
    let refused = || {
        Error::Forbidden(
            "This request came from another site. Open Hearback itself and try again.".into(),
        )
    };
    let text = |name: HeaderName| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap_or("?").to_owned())
    };
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return if matches!(site.as_str(), "same-origin" | "none") {
            Ok(())
        } else {
            Err(refused())
        };
    }
    if let Some(origin) = text(header::ORIGIN) {
        let host = text(header::HOST).unwrap_or_default();
        let ours = request
            .app_data::<web::Data<State>>()
            .and_then(|state| state.config.url.clone());
        let fits = origin
            .split_once("://")
            .is_some_and(|(scheme, there)| matches!(scheme, "http" | "https") && there == host)
            || ours.as_ref() == Some(&origin);
        return if fits { Ok(()) } else { Err(refused()) };
    }
    if request.headers().contains_key(header::COOKIE) {
        Err(refused())
    } else {
        Ok(())
    }
}
