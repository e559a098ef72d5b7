//! The attributes of our cookies, and the name and lifetime of the session cookie.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

use crate::state::State;

/// Lifetime of the session cookie in days, which is the maximum that browsers accept. The server ends a session
/// earlier, after 30 days without use.
pub(crate) const SESSION_COOKIE_DAYS: i64 = 400;

/// Returns the name of the session cookie. With HTTPS, the name has the prefix `__Host-`, which
/// makes browsers restrict the cookie to HTTPS and this host (RFC 6265bis §4.1.3).
pub(crate) fn session_cookie(state: &State) -> &'static str {
    if state.config.is_https() {
        "__Host-hearback"
    } else {
        "hearback"
    }
}

/// Builds a cookie with our defaults: `HttpOnly`, `SameSite=Lax`, valid only for this host and,
/// with HTTPS, `Secure`.
pub(crate) fn cookie(state: &State, name: String, value: String, days: i64) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .secure(state.config.is_https())
        .same_site(SameSite::Lax)
        .max_age(Duration::days(days))
        .finish()
}
