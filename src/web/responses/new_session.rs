//! The response that starts a session.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

use super::see_other;
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::cookies::{cookie, session_cookie};

/// Lifetime of the session cookie in days, which is the maximum that browsers accept. The server ends a session
/// earlier, after 30 days without use.
const SESSION_COOKIE_DAYS: i64 = 400;

/// Builds the response that starts a session.
pub(crate) fn session_response(
    state: &State,
    ctx: &RequestContext,
    secret: &str,
    to: &str,
) -> HttpResponse {
    let mut answer = if ctx.wants_html {
        see_other(to)
    } else {
        HttpResponse::NoContent().finish()
    };
    // The cookie contains only characters that are valid in a header, so this cannot fail.
    let _ = answer.add_cookie(&cookie(
        state,
        session_cookie(state).into(),
        secret.to_owned(),
        SESSION_COOKIE_DAYS,
    ));
    answer
}

/// Returns a readable browser name such as `Firefox on Windows`. For a program, returns its user agent.
pub(crate) fn browser_name(req: &HttpRequest) -> String {
    let agent = req
        .headers()
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("Unknown");
    // Most browsers also claim to be other browsers, so the order matters: the first match is the real browser.
    let names = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Chrom", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let known = |list: &[(&str, &'static str)]| {
        list.iter()
            .find(|(sign, _)| agent.contains(sign))
            .map(|(_, name)| *name)
    };
    match (known(&names), known(&systems)) {
        (Some(name), Some(system)) => format!("{name} on {system}"),
        (Some(name), None) => name.to_owned(),
        (None, _) => agent.chars().take(100).collect(),
    }
}
