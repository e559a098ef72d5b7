//! Handler that lists who can open an update now.

use actix_web::http::StatusCode;
use actix_web::web;

use crate::state::State;
use crate::updates;
use crate::web::extract::context::RequestContext;
use crate::web::presenters;
use crate::web::responses::{HandlerResult, json};
use crate::web::schema::ListView;

/// Lists who can open the update, as JSON. Only its author and admins may see this list.
pub(crate) async fn access(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut connection = state.db.read().await?;
    let update = updates::find_to_audit(&mut connection, &ctx.viewer, &id).await?;
    json(
        StatusCode::OK,
        &ListView {
            items: presenters::access_views(&mut connection, &update).await?,
            next: None,
        },
    )
}
