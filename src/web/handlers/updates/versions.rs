//! Handler that lists the versions of an update.

use actix_web::http::StatusCode;
use actix_web::web;

use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::pages::{NavEntry, VersionsPage};
use crate::web::presenters;
use crate::web::responses::{HandlerResult, html_page, json};
use crate::web::schema::ListView;
use crate::{media, updates};

/// Lists the versions of an update, for its author.
pub(crate) async fn versions(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ctx.viewer, &id).await?;
    let revisions = updates::revisions_for_author(&mut connection, &ctx.viewer, &update).await?;
    let there: Vec<_> = media::of_versions(&mut connection, &id)
        .await?
        .iter()
        .map(|entry| presenters::media_view(&state, &ctx, true, entry))
        .collect();
    let items: Vec<_> = revisions
        .iter()
        .map(|one| presenters::revision_view(one, &there))
        .collect();
    if !ctx.wants_html {
        return json(StatusCode::OK, &ListView { items, next: None });
    }
    let view = presenters::update_view(&mut connection, &state, &ctx, &update).await?;
    drop(connection);
    let title = format!("Versions of “{}”", view.heading());
    html_page(
        StatusCode::OK,
        &VersionsPage {
            page: ctx.page(&state, title, Some(NavEntry::Library)).await?,
            update: view,
            items,
        },
    )
}
