//! Middleware for every request. It assigns a request id, rejects cross-site requests, applies the
//! method override, renders errors, records an opening when a form on an update's page is sent,
//! sets the default headers and logs the request.

mod compression;
mod cross_site;
mod default_headers;
mod error_rendering;
mod head_requests;
mod method_override;
mod page_opening;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};
use futures_util::future::LocalBoxFuture;
use tracing::Instrument;

use compression::{compress, may_compress};
use cross_site::check_same_site;
use default_headers::set_headers;
use error_rendering::{error_response, render_error_response};
use head_requests::treat_head_as_get;
use method_override::{apply_tus_override, form_pairs, is_form, method_override};
use page_opening::record_opening;

use super::extract::context::Nonce;
use super::extract::fields::{PageWasOpen, TypedFields, read_body};
use super::responses::box_body;
use crate::error::{Error, Result};
use crate::ids::{base32, random};
use crate::text;

/// Runs the middleware and the handler for one request. The future is boxed, because the task of a connection reserves
/// space for the future of its service as long as the connection is open. The box is freed when the response begins,
/// so the connections of live pages do not keep it.
pub(crate) fn handle_request<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> LocalBoxFuture<'static, std::result::Result<ServiceResponse, actix_web::Error>> {
    Box::pin(respond(request, next))
}

async fn respond<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> std::result::Result<ServiceResponse, actix_web::Error> {
    let id = base32(&random::<10>());
    let span = tracing::info_span!("request", id, method = %request.method(), path = path_for_log(request.path()));
    request
        .extensions_mut()
        .insert(Nonce(base32(&random::<16>())));
    let asked = request.method().clone();
    let may_compress = may_compress(&request);
    let began = std::time::Instant::now();
    let mut response = async {
        if let Err(error) = check_request(&mut request).await {
            return Ok(error_response(request, &error, &id).await);
        }
        match next.call(request).await {
            Ok(response) => {
                let response = render_error_response(box_body(response), &id).await;
                record_opening(&response).await;
                Ok(response)
            }
            Err(error) => Err(error),
        }
    }
    .instrument(span.clone())
    .await?;
    set_headers(&mut response, &id);
    if may_compress {
        response = compress(response).await?;
    }
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

/// Rejects cross-site requests and requests that contain U+0000, and applies method overrides.
async fn check_request(request: &mut ServiceRequest) -> Result<()> {
    // Reject U+0000 early: no id contains it, and PostgreSQL rejects text that contains it.
    if request.uri().path().contains("%00") {
        return Err(Error::NotFound);
    }
    if request.query_string().contains("%00") {
        return Err(Error::invalid("?", text::NUL_ERROR));
    }
    treat_head_as_get(request);
    if request.method().is_safe() {
        return Ok(());
    }
    check_same_site(request)?;
    apply_tus_override(request);
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
        let pairs = form_pairs(&body);
        TypedFields::keep(request.request(), &pairs);
        PageWasOpen::keep(request.request(), &pairs);
        request.set_payload(Payload::from(body));
    }
    if let Some(method) = method {
        request.head_mut().method = method;
    }
    Ok(())
}
