//! Handler for the metrics.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use subtle::ConstantTimeEq;

use crate::error::Error;
use crate::infra::jobs;
use crate::state::State;
use crate::web::responses::HandlerResult;

pub(crate) async fn metrics(req: HttpRequest, state: web::Data<State>) -> HandlerResult {
    let Some(token) = &state.config.metrics_token else {
        return Err(Error::NotFound);
    };
    let given = req
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if !bool::from(given.unwrap_or_default().as_bytes().ct_eq(token.as_bytes())) {
        return Err(Error::Unauthenticated);
    }
    let (waiting, dead) = jobs::counts(&mut *state.db.read().await?).await?;
    let free = state.uploads.media.storage.free_bytes()?;
    let mut text = format!(
        "# HELP hearback_jobs Jobs in the database.\n# TYPE hearback_jobs gauge\nhearback_jobs{{state=\"waiting\"}} {waiting}\nhearback_jobs{{state=\"dead\"}} {dead}\n# HELP hearback_live_pages Open event streams on this node.\n# TYPE hearback_live_pages gauge\nhearback_live_pages {}\n",
        state.event_hub.listeners()
    );
    if let Some(free) = free {
        text.push_str(&format!("# HELP hearback_storage_free_bytes Free space on the media disk, in bytes.\n# TYPE hearback_storage_free_bytes gauge\nhearback_storage_free_bytes {free}\n"));
    }
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(text))
}
