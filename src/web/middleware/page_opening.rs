//! Records an opening when a form on an update's page is sent. In a browser without JavaScript, a
//! sent form is the only sign that the page was open.

use actix_web::dev::ServiceResponse;
use actix_web::{HttpRequest, web};

use crate::error::{Error, Result};
use crate::people::Viewer;
use crate::state::State;
use crate::web::extract::context::{RequestContext, state};
use crate::web::extract::fields::PageWasOpen;
use crate::{comments, receipts};

/// Records that the viewer opened the update if the request came from a form on the update page and succeeded. A
/// refused form does not count, because the page may have shown an earlier revision.
pub(super) async fn record_opening(response: &ServiceResponse) {
    let (request, status) = (response.request(), response.status());
    let is_refused = status.is_client_error() || status.is_server_error();
    if is_refused || !PageWasOpen::is_kept(request) {
        return;
    }
    match try_record(request).await {
        // The request may have ended the viewer's access or deleted the update.
        Ok(()) | Err(Error::NotFound) => {}
        Err(error) => tracing::warn!(%error, "could not record that an update was opened"),
    }
}

async fn try_record(request: &HttpRequest) -> Result<()> {
    let state = state(request)?;
    let ctx = RequestContext::load(request).await?;
    let Some(update_id) = update_in_path(&state, &ctx.viewer, request.path()).await? else {
        return Ok(());
    };
    let mut tx = state.db.begin().await?;
    receipts::record_opening(&mut tx, &state.clock, &ctx.viewer, &update_id).await?;
    tx.commit().await
}

/// Returns the id of the update that the path refers to. Returns `None` unless the path starts with
/// `/updates/` or `/comments/`.
async fn update_in_path(
    state: &web::Data<State>,
    viewer: &Viewer,
    path: &str,
) -> Result<Option<String>> {
    let mut segments = path.split('/').skip(1);
    match (segments.next(), segments.next()) {
        (Some("updates"), Some(id)) => Ok(Some(id.to_owned())),
        (Some("comments"), Some(id)) => {
            let mut connection = state.db.read().await?;
            let (_, update) = comments::find_visible(&mut connection, viewer, id).await?;
            Ok(Some(update.id))
        }
        _ => Ok(None),
    }
}
