//! Renders errors from handlers and from actix, and logs their causes.

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, web};

use crate::error::Error;
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::TypedFields;
use crate::web::pages::Page;
use crate::web::responses::render_error;

pub(super) async fn error_response(
    request: ServiceRequest,
    error: &Error,
    id: &str,
) -> ServiceResponse {
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
pub(super) async fn render_error_response(response: ServiceResponse, id: &str) -> ServiceResponse {
    let wrong_method = response.status() == StatusCode::METHOD_NOT_ALLOWED;
    if response.response().error().is_none() && !wrong_method {
        return response;
    }
    let request = response.request().clone();
    let failed = response.response().error();
    let own_error = failed.and_then(actix_web::Error::as_error::<Error>);
    let away = own_error.is_some_and(|error| error.retry_after().is_some());
    let page = page_around_error(&request, away).await;
    let typed = request
        .extensions()
        .get::<TypedFields>()
        .cloned()
        .unwrap_or_default()
        .0;
    let answer = match own_error {
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
            let error = error_of_actix(response.status(), words);
            render_error(&request, &error, id, page, typed)
        }
    };
    ServiceResponse::new(request, answer)
}

/// Loads the layout data of an error page. If the database is down (`away`), does not load the
/// viewer again, because each attempt takes seconds.
async fn page_around_error(request: &HttpRequest, away: bool) -> Page {
    let known = request.extensions().get::<RequestContext>().cloned();
    let ctx = match known {
        Some(ctx) => Some(ctx),
        None if away => None,
        None => RequestContext::load(request).await.ok(),
    };
    match (ctx, request.app_data::<web::Data<State>>()) {
        (Some(ctx), Some(state)) if !away => ctx.error_page(state).await,
        (Some(ctx), _) => ctx.bare_page(),
        (None, _) => Page::default(),
    }
}

/// Returns the error for a response that actix made, for example because a path is malformed.
fn error_of_actix(status: StatusCode, words: String) -> Error {
    match status {
        StatusCode::NOT_FOUND => Error::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge("The request is too large.".into()),
        status if status.is_client_error() => {
            Error::Malformed(format!("The request cannot be understood: {words}."))
        }
        _ => {
            tracing::error!(cause = words, "failed");
            Error::internal(words)
        }
    }
}

fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    std::iter::once(error.to_string())
        .chain(causes.map(ToString::to_string))
        .collect::<Vec<_>>()
        .join(": ")
}
