//! HEAD requests: answered like GET, without a body.

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;

/// Treats HEAD as GET; the server omits the body. Media and uploads are exempt, because they have their own HEAD
/// handlers. Event streams are exempt, because a GET of a stream never ends.
pub(super) fn treat_head_as_get(request: &mut ServiceRequest) {
    let answers_head = request.path().starts_with("/m/") || request.path().starts_with("/uploads/");
    if *request.method() == Method::HEAD && !answers_head && !request.path().ends_with("/live") {
        request.head_mut().method = Method::GET;
    }
}
