//! Handler for the metrics.

use std::sync::atomic::Ordering;

use actix_web::{HttpRequest, HttpResponse, web};
use subtle::ConstantTimeEq;

use crate::error::Error;
use crate::infra::jobs;
use crate::state::State;
use crate::web::extract::viewer::bearer_token;
use crate::web::responses::HandlerResult;

pub(crate) async fn metrics(req: HttpRequest, state: web::Data<State>) -> HandlerResult {
    let Some(token) = &state.config.metrics_token else {
        return Err(Error::NotFound);
    };
    let given = bearer_token(req.headers());
    if !bool::from(given.unwrap_or_default().as_bytes().ct_eq(token.as_bytes())) {
        return Err(Error::Unauthenticated);
    }
    let counts = jobs::counts(&mut *state.db.read().await?, state.clock.now()).await?;
    let free = state.uploads.media.storage.free_bytes()?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(metrics_text(&state, counts, free)))
}

/// Formats the metrics as text for Prometheus. `free` is `None` if the storage is a bucket.
fn metrics_text(state: &State, counts: jobs::Counts, free: Option<u64>) -> String {
    let jobs::Counts { waiting, due, dead } = counts;
    let mut text = format!(
        "# HELP hearback_jobs Jobs in the database.\n\
         # TYPE hearback_jobs gauge\n\
         hearback_jobs{{state=\"waiting\"}} {waiting}\n\
         hearback_jobs{{state=\"dead\"}} {dead}\n\
         # HELP hearback_jobs_due Jobs that are due now or already running.\n\
         # TYPE hearback_jobs_due gauge\n\
         hearback_jobs_due {due}\n\
         # HELP hearback_overdue_check_timestamp_seconds When this node last looked for overdue answers.\n\
         # TYPE hearback_overdue_check_timestamp_seconds gauge\n\
         hearback_overdue_check_timestamp_seconds {}\n\
         # HELP hearback_live_pages Open event streams on this node.\n\
         # TYPE hearback_live_pages gauge\n\
         hearback_live_pages {}\n",
        state.overdue_checked_at.load(Ordering::Relaxed) / 1000,
        state.event_hub.listeners()
    );
    if let Some(free) = free {
        text.push_str(&format!(
            "# HELP hearback_storage_free_bytes Free space on the media disk, in bytes.\n\
             # TYPE hearback_storage_free_bytes gauge\n\
             hearback_storage_free_bytes {free}\n"
        ));
    }
    text
}
