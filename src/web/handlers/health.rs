//! Handlers for health checks.

use actix_web::http::StatusCode;
use actix_web::web;
use serde_json::json;

use crate::error::Error;
use crate::infra::db;
use crate::state::State;
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
