//! The answer that starts a session.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

use super::see_other;
use crate::state::State;
use crate::web::extract::context::{RequestContext, cookie, session_cookie};

/// The longest that browsers keep a cookie. When a session is over is the server's to say: after 30 days without use.
const SESSION_COOKIE_DAYS: i64 = 400;

/// The answer that begins a session.
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
    // The cookie is made of our own letters, so it always fits a header.
    let _ = answer.add_cookie(&cookie(
        state,
        session_cookie(state).into(),
        secret.to_owned(),
        SESSION_COOKIE_DAYS,
    ));
    answer
}

/// The browser in words a person knows, `Firefox on Windows`; of a program what it calls itself.
pub(crate) fn browser_name(req: &HttpRequest) -> String {
    let agent = req
        .headers()
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("Unknown");
    // Nearly all say they are several browsers: the first name in this order is the true one.
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
