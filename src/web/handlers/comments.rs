//! Handlers that list, show and remove comments, and that list the earlier versions of a comment.

mod posting;
mod reactions;
mod threads;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

pub(crate) use posting::{add, edit};
pub(crate) use reactions::{
    react_to_comment, react_to_update, unreact_to_comment, unreact_to_update,
};
pub(crate) use threads::{accept, reopen, resolve, take_back};

use crate::comments;
use crate::error::{Error, Result};
use crate::state::State;
use crate::updates;
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::RequestContext;
use crate::web::extract::list_query::ListQuery;
use crate::web::presenters::{self, ThreadRange};
use crate::web::responses::{HandlerResult, json, no_content_or_redirect, return_path, see_other};
use crate::web::schema::{CommentView, ListView};

/// Lists the threads of an update, in the order in which the page shows them.
pub(crate) async fn list(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ctx.viewer, &id).await?;
    let query = ListQuery::read(&req, &[])?;
    let range = ThreadRange::List(query.after.clone(), query.page_size());
    let page = presenters::thread_page(&mut connection, &state, &ctx, &update, &range).await?;
    let (items, next) = (page.threads, page.later);
    json(StatusCode::OK, &ListView { items, next })
}

/// Sends one comment and its replies to a program as JSON. Redirects a browser to the comment on the update's page.
pub(crate) async fn show(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    if !ctx.wants_html {
        return json(StatusCode::OK, &comment_view(&state, &ctx, &id).await?);
    }
    let mut connection = state.db.read().await?;
    let (_, update) = comments::find_visible(&mut connection, &ctx.viewer, &id).await?;
    Ok(see_other(&presenters::comment_url(&ctx, &update.id, &id)))
}

/// Returns the view of a comment or reply. Fails if the viewer may not see it.
async fn comment_view(state: &State, ctx: &RequestContext, id: &str) -> Result<CommentView> {
    let mut connection = state.db.read().await?;
    let (_, update) = comments::find_visible(&mut connection, &ctx.viewer, id).await?;
    presenters::one_comment(&mut connection, state, ctx, &update, id)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists the earlier versions of a comment, oldest first.
pub(crate) async fn history(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let versions = comments::history(&mut *state.db.read().await?, &ctx.viewer, &id).await?;
    json(
        StatusCode::OK,
        &ListView {
            items: versions.iter().map(presenters::version_view).collect(),
            next: None,
        },
    )
}

pub(crate) async fn remove(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(&state, &req))?;
    let mut tx = state.db.begin().await?;
    let update = comments::remove(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, &return_path(&req, &format!("/updates/{update}")))
}
