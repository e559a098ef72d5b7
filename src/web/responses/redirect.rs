//! Redirect targets: to the page that sent a form, to a path of this site, and to the sign-in page.

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse};

use super::see_other;

/// Returns `next` if it is a path of this site. Otherwise returns `/`, so that `next` cannot redirect to another
/// host.
pub(crate) fn local_path(next: Option<&str>) -> String {
    match next {
        // Accept only printable ASCII, because a header cannot contain other characters. Browsers percent-encode all
        // other characters of an address.
        Some(next)
            if next.starts_with('/')
                && !next.starts_with("//")
                && next
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'\\') =>
        {
            next.to_owned()
        }
        _ => "/".into(),
    }
}

/// Redirects a browser to the sign-in page, which leads back to the requested page.
pub(super) fn redirect_to_sign_in(req: &HttpRequest) -> HttpResponse {
    let next = if req.method() == Method::GET {
        req.uri().to_string()
    } else {
        return_path(req, "/")
    };
    see_other(&format!("/session?next={}", encode_query_value(&next)))
}

/// Returns the path of the page that sent the form, as given in `Referer`. Returns `otherwise` if
/// `Referer` is missing or names another site.
pub(crate) fn return_path(req: &HttpRequest, otherwise: &str) -> String {
    let referer = req
        .headers()
        .get(header::REFERER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<actix_web::http::Uri>().ok());
    let host = req
        .headers()
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    match referer {
        Some(uri) if uri.authority().map(actix_web::http::uri::Authority::as_str) == host => {
            // A browser shows a refused form at the address to which it sent the form, so `Referer`
            // can be that address. There is no page at that address, so return the path of the
            // update's page.
            match uri
                .path()
                .strip_prefix("/updates/")
                .and_then(|rest| rest.split_once('/'))
            {
                Some((id, "acknowledgement" | "decline" | "comments" | "reminders" | "links")) => {
                    format!("/updates/{id}")
                }
                _ => local_path(Some(&without_open_parts(&uri))),
            }
        }
        _ => otherwise.to_owned(),
    }
}

/// Returns the path and query of an update's page. If the query asks for an open form or menu, which was just sent, it
/// asks for the page with the same comment instead.
fn without_open_parts(uri: &actix_web::http::Uri) -> String {
    let asks = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        matches!(name, "reply" | "edit" | "react" | "more")
    };
    let is_update = uri.path().starts_with("/updates/") || uri.path().starts_with("/s/");
    let open = uri
        .query()
        .filter(|_| is_update)
        .and_then(|query| query.split('&').find(asks));
    match open.and_then(|pair| pair.split_once('=')) {
        Some((_, id)) => format!("{}?comment={id}", uri.path()),
        None => uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
    }
}

/// Percent-encodes a query value. Does not encode slashes.
pub(crate) fn encode_query_value(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                escaped.push(char::from(byte))
            }
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}
