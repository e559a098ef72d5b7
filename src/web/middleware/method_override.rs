//! Replaces the method of a POST by the one that the form or the tus client names.

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::web;

pub(super) fn is_form(request: &ServiceRequest) -> bool {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| {
            kind.to_ascii_lowercase()
                .starts_with("application/x-www-form-urlencoded")
        })
}

pub(super) fn form_pairs(text: &[u8]) -> Vec<(String, String)> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| web::Query::<Vec<(String, String)>>::from_query(text).ok())
        .map_or_else(Vec::new, web::Query::into_inner)
}

/// Returns the method that a form requests with the parameter `_method`.
pub(super) fn method_override(text: &[u8]) -> Option<Method> {
    form_pairs(text)
        .into_iter()
        .rev()
        .find(|(name, _)| name == "_method")
        .and_then(|(_, method)| match method.as_str() {
            "PUT" => Some(Method::PUT),
            "PATCH" => Some(Method::PATCH),
            "DELETE" => Some(Method::DELETE),
            _ => None,
        })
}

/// Applies the header `X-HTTP-Method-Override` to an upload. Some proxies allow only GET and POST, so tus clients may
/// send the real method in this header (tus 1.0).
pub(super) fn apply_tus_override(request: &mut ServiceRequest) {
    if request.path().starts_with("/uploads/")
        && let Some(meant) = request
            .headers()
            .get("x-http-method-override")
            .and_then(|name| Method::from_bytes(name.as_bytes()).ok())
    {
        request.head_mut().method = meant;
    }
}
