//! Handlers for health checks, metrics, assets, `robots.txt` and unknown addresses.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use subtle::ConstantTimeEq;

use crate::error::Error;
use crate::infra::{db, jobs};
use crate::state::State;
use crate::web::assets;
use crate::web::responses::{HandlerResult, json};

pub(crate) async fn alive() -> HandlerResult {
    json(StatusCode::OK, &json!({ "status": "alive" }))
}

/// Responds with 200 if the database is readable and writable and the storage is reachable. Otherwise responds with
/// 503 and says what failed and why.
pub(crate) async fn ready(state: web::Data<State>) -> HandlerResult {
    let database = async {
        db::ping(&mut *state.db.read().await?).await?;
        state.db.check_writes().await
    };
    let (database, storage) = (database.await, state.uploads.media.storage.check().await);
    let mut down = Vec::new();
    for (part, checked) in [("database", database), ("storage", storage)] {
        if let Err(error) = checked {
            tracing::warn!(%error, part, "a health check failed");
            // Keep only the first sentence of the error. The rest tells a user what to do next, which does not
            // apply to a health check.
            let detail = error.detail();
            let happened = detail
                .split_once(". ")
                .map_or(detail.trim_end_matches('.'), |(first, _)| first);
            down.push(format!("{part}: {happened}."));
        }
    }
    if down.is_empty() {
        return json(StatusCode::OK, &json!({ "status": "ready" }));
    }
    Err(Error::Unavailable(
        format!("Not ready. {}", down.join(" ")),
        "a health check failed".into(),
    ))
}

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

pub(crate) async fn openapi() -> HandlerResult {
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .body(include_str!("../../../docs/openapi.json")))
}

/// Asks search engines not to crawl any page.
pub(crate) async fn robots() -> HandlerResult {
    Ok(HttpResponse::Ok()
        .content_type("text/plain")
        .body("User-agent: *\nDisallow: /\n"))
}

/// Serves an asset by its content-hashed name.
pub(crate) async fn asset(name: web::Path<String>) -> HandlerResult {
    let file = assets::by_hashed_name(&name).ok_or(Error::NotFound)?;
    let kind = match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    };
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(file.into_owned()))
}

pub(crate) async fn favicon() -> HandlerResult {
    Ok(HttpResponse::Found()
        .insert_header((header::LOCATION, assets::url("favicon.svg")))
        .finish())
}

pub(crate) async fn not_found() -> HandlerResult {
    Err(Error::NotFound)
}
