//! Content negotiation.

use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, HeaderMap};
use actix_web::{HttpMessage, HttpRequest};

/// Returns whether to respond with HTML: `Accept` must rank `text/html` at least as high as JSON, and the request must
/// have no `Authorization` header.
pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    if headers.contains_key(header::AUTHORIZATION) {
        return false;
    }
    let accept: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let quality = |names: &[&str]| {
        let of = |name: &&str| {
            accept.iter().find_map(|part| {
                let mut bits = part.split(';').map(str::trim);
                if !bits.next()?.eq_ignore_ascii_case(name) {
                    return None;
                }
                Some(
                    bits.find_map(|bit| bit.strip_prefix("q="))
                        .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0)),
                )
            })
        };
        names.iter().find_map(of)
    };
    match quality(&["text/html"]) {
        Some(html) if html > 0.0 => {
            html >= quality(&["application/json", "application/*", "*/*"]).unwrap_or(0.0)
        }
        _ => false,
    }
}

/// Returns whether the client requests CSV with `Accept: text/csv` or `?format=csv`. The parameter is for links,
/// which cannot set a header.
pub(crate) fn wants_csv(req: &HttpRequest) -> bool {
    let named = req
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.starts_with("text/csv"));
    named
        || req
            .query_string()
            .split('&')
            .any(|pair| pair == "format=csv")
}

/// Returns the best of the `supported` encodings that the client accepts, or `Identity`.
pub(crate) fn negotiated_encoding(
    request: &impl HttpMessage,
    supported: &[ContentEncoding],
) -> ContentEncoding {
    let supported: Vec<Encoding> = supported
        .iter()
        .chain([&ContentEncoding::Identity])
        .map(|encoding| Encoding::Known(*encoding))
        .collect();
    let chosen = request
        .get_header::<AcceptEncoding>()
        .and_then(|accepted| accepted.negotiate(supported.iter()));
    match chosen {
        Some(Encoding::Known(encoding)) => encoding,
        Some(Encoding::Unknown(_)) | None => ContentEncoding::Identity,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn html(accept: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        wants_html(&headers)
    }

    #[test]
    fn html_is_preferred_if_the_accept_header_ranks_it_at_least_as_high_as_json() {
        assert!(html(
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        ));
        assert!(html(
            "text/vnd.turbo-stream.html, text/html, application/xhtml+xml"
        ));
        assert!(html("application/json, text/html"));
        assert!(!html("*/*"));
        assert!(!html("application/json"));
        assert!(!html("text/html;q=0.5, application/json"));
    }
}
