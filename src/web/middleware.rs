//! Middleware around every request: request id, method override, cross-site protection, error rendering,
//! headers and logging.

use actix_web::body::MessageBody;
use actix_web::cookie::Cookie;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};
use tracing::Instrument;

use super::extract::context::{Nonce, RequestContext};
use super::extract::fields::{TypedFields, read_body};
use super::extract::flash::FLASH_COOKIE;
use super::pages::Page;
use super::responses::{box_body, render_error};
use crate::clock::{base32, random};
use crate::error::{Error, Result};
use crate::state::State;
use crate::text;

/// Handles one request from start to end.
pub(crate) async fn handle_request<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> std::result::Result<ServiceResponse, actix_web::Error> {
    let id = base32(&random::<10>());
    let span = tracing::info_span!("request", id, method = %request.method(), path = path_for_log(request.path()));
    request
        .extensions_mut()
        .insert(Nonce(base32(&random::<16>())));
    let asked = request.method().clone();
    let began = std::time::Instant::now();
    let mut response = async {
        if let Err(error) = check_request(&mut request).await {
            return Ok(error_response(request, &error, &id).await);
        }
        match next.call(request).await {
            Ok(response) => Ok(render_error_response(box_body(response), &id).await),
            Err(error) => Err(error),
        }
    }
    .instrument(span.clone())
    .await?;
    set_headers(&mut response, &id);
    let _entered = span.enter();
    let status = response.status();
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    if status.is_server_error() {
        tracing::warn!(%asked, status = status.as_u16(), ms, "answered")
    } else {
        tracing::info!(status = status.as_u16(), ms, "answered")
    }
    Ok(response)
}

/// Replaces the secret in an address with an ellipsis, for the log.
fn path_for_log(path: &str) -> String {
    for secret in ["/s/", "/resets/", "/invitations/", "/unsubscribe/"] {
        if let Some(rest) = path.strip_prefix(secret)
            && !rest.is_empty()
        {
            return format!("{secret}…");
        }
    }
    path.to_owned()
}

/// Rejects cross-site requests and applies the method override of forms.
async fn check_request(request: &mut ServiceRequest) -> Result<()> {
    // Reject U+0000 early: no id contains it, and PostgreSQL rejects text that contains it.
    if request.uri().path().contains("%00") {
        return Err(Error::NotFound);
    }
    if request.query_string().contains("%00") {
        return Err(Error::invalid("?", text::NUL_ERROR));
    }
    // Treat HEAD as GET; the server omits the body. Media and uploads have their own HEAD handlers, and a GET of an
    // event stream would never end.
    let answers_head = request.path().starts_with("/m/") || request.path().starts_with("/uploads/");
    if *request.method() == Method::HEAD && !answers_head && !request.path().ends_with("/live") {
        request.head_mut().method = Method::GET;
    }
    if request.method().is_safe() {
        return Ok(());
    }
    check_same_site(request)?;
    // Some proxies allow only GET and POST, so tus clients may send the real method in a header (tus 1.0).
    if request.path().starts_with("/uploads/")
        && let Some(meant) = request
            .headers()
            .get("x-http-method-override")
            .and_then(|name| Method::from_bytes(name.as_bytes()).ok())
    {
        request.head_mut().method = meant;
    }
    if *request.method() != Method::POST {
        return Ok(());
    }
    let mut method = method_override(request.query_string().as_bytes());
    if is_form(request) {
        let payload = request
            .extract::<web::Payload>()
            .await
            .map_err(|error| Error::Malformed(error.to_string()))?;
        let body = read_body(payload).await?;
        method = method_override(&body).or(method);
        TypedFields::keep(request.request(), &form_pairs(&body));
        request.set_payload(Payload::from(body));
    }
    if let Some(method) = method {
        request.head_mut().method = method;
    }
    Ok(())
}

fn is_form(request: &ServiceRequest) -> bool {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| {
            kind.to_ascii_lowercase()
                .starts_with("application/x-www-form-urlencoded")
        })
}

fn form_pairs(text: &[u8]) -> Vec<(String, String)> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| web::Query::<Vec<(String, String)>>::from_query(text).ok())
        .map_or_else(Vec::new, web::Query::into_inner)
}

fn method_override(text: &[u8]) -> Option<Method> {
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

/// Accepts unsafe requests only from our own pages and from programs. Checks `Sec-Fetch-Site` or, if it is absent,
/// `Origin`. If both are absent, rejects a request with a cookie, because a browser may have sent it for another
/// site.
///
/// `/unsubscribe/…` is exempt: email programs send the one-click request from anywhere (RFC 8058 §3.2). The token
/// in the address is the only credential, and cookies are ignored.
fn check_same_site(request: &ServiceRequest) -> Result<()> {
    if request.path().starts_with("/unsubscribe/") {
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

async fn error_response(request: ServiceRequest, error: &Error, id: &str) -> ServiceResponse {
    let (request, _) = request.into_parts();
    let answer = render_error(
        &request,
        error,
        id,
        RequestContext::load(&request)
            .await
            .map(|ctx| ctx.bare_page())
            .unwrap_or_default(),
        Vec::new(),
    );
    ServiceResponse::new(request, answer)
}

/// Renders an error and logs its cause once.
async fn render_error_response(response: ServiceResponse, id: &str) -> ServiceResponse {
    let wrong_method = response.status() == StatusCode::METHOD_NOT_ALLOWED;
    if response.response().error().is_none() && !wrong_method {
        return response;
    }
    let request = response.request().clone();
    // If the database is down, do not load the viewer again: each attempt takes seconds.
    let failed = response.response().error();
    let away = failed
        .and_then(actix_web::Error::as_error::<Error>)
        .is_some_and(|error| error.retry_after().is_some());
    let known = request.extensions().get::<RequestContext>().cloned();
    let ctx = match known {
        Some(ctx) => Some(ctx),
        None if away => None,
        None => RequestContext::load(&request).await.ok(),
    };
    let page = match (ctx, request.app_data::<web::Data<State>>()) {
        (Some(ctx), Some(state)) if !away => ctx.error_page(state).await,
        (Some(ctx), _) => ctx.bare_page(),
        (None, _) => Page::default(),
    };
    let typed = request
        .extensions()
        .get::<TypedFields>()
        .cloned()
        .unwrap_or_default()
        .0;
    let answer = match failed.and_then(actix_web::Error::as_error::<Error>) {
        None if wrong_method => {
            let mut answer = render_error(&request, &Error::MethodNotAllowed, id, page, typed);
            if let Some(allow) = response.headers().get(header::ALLOW) {
                answer.headers_mut().insert(header::ALLOW, allow.clone());
            }
            answer
        }
        Some(error) => {
            if let Some(cause) = error.cause() {
                tracing::error!(cause = %error_chain(cause.as_ref()), "failed");
            }
            render_error(&request, error, id, page, typed)
        }
        None => {
            let words = failed.map(ToString::to_string).unwrap_or_default();
            let error = match response.status() {
                StatusCode::NOT_FOUND => Error::NotFound,
                StatusCode::PAYLOAD_TOO_LARGE => {
                    Error::TooLarge("The request is too large.".into())
                }
                status if status.is_client_error() => {
                    Error::Malformed(format!("The request cannot be understood: {words}."))
                }
                _ => {
                    tracing::error!(cause = words, "failed");
                    Error::internal(words)
                }
            };
            render_error(&request, &error, id, page, typed)
        }
    };
    ServiceResponse::new(request, answer)
}

fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    std::iter::once(error.to_string())
        .chain(causes.map(ToString::to_string))
        .collect::<Vec<_>>()
        .join(": ")
}

/// Sets the default headers of every response. Media and assets have already set their own caching and security
/// headers.
fn set_headers(response: &mut ServiceResponse, id: &str) {
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
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:{media}; media-src 'self' blob:{media}; connect-src 'self'; worker-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
    );
    let fixed = [
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
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
    let tus = response.request().path().starts_with("/uploads");
    let headers = response.headers_mut();
    if tus {
        headers.insert(
            HeaderName::from_static("tus-resumable"),
            HeaderValue::from_static(super::handlers::uploads::TUS_VERSION),
        );
        headers.insert(
            HeaderName::from_static("tus-version"),
            HeaderValue::from_static(super::handlers::uploads::TUS_VERSION),
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
    put(header::VARY, "Accept");
    if secure {
        put(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    for (name, value) in fixed {
        put(name, value);
    }
}
