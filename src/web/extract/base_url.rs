//! The base address of generated links.

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::state::State;

/// Returns the base address, such as `https://hearback.example.org`. This is the configured address or, if none is
/// configured, the address that the request was sent to.
pub(super) fn base_url(state: &State, req: &HttpRequest) -> String {
    state.config.url.clone().unwrap_or_else(|| {
        let host = req
            .headers()
            .get(header::HOST)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        // The Host header is untrusted and becomes part of links. Accept only characters that occur in a host name,
        // an IP address or a port.
        let fits = !host.is_empty()
            && host
                .bytes()
                .all(|letter| letter.is_ascii_alphanumeric() || b".:-_[]".contains(&letter));
        let host = if fits { host } else { "localhost" };
        format!("http://{host}")
    })
}
