//! Handlers for comments: the threads of an update, one comment, its history, and its removal.

mod posting;
mod reactions;
mod threads;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use sqlx::AnyConnection;

pub(crate) use posting::{add, edit};
pub(crate) use reactions::{
    react_to_comment, react_to_update, unreact_to_comment, unreact_to_update,
};
pub(crate) use threads::{accept, reopen, resolve, take_back};

use crate::comments;
use crate::error::{Error, Result};
use crate::state::State;
use crate::updates::{self, Update};
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
    let range = ThreadRange::After(query.after.clone(), query.page_size());
    let page = presenters::thread_page(&mut connection, &state, &ctx, &update, &range).await?;
    let (items, next) = (page.threads, page.later);
    json(StatusCode::OK, &ListView { items, next })
}

/// Shows one comment with its replies. Redirects a browser to the comment on the update's page.
pub(crate) async fn show(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut connection = state.db.read().await?;
    let (_, update) = comments::find_visible(&mut connection, &ctx.viewer, &id).await?;
    let view = view_on_update(&mut connection, &state, &ctx, &update, &id).await?;
    if !ctx.wants_html {
        return json(StatusCode::OK, &view);
    }
    let newest = ThreadRange::Newest;
    let page = presenters::thread_page(&mut connection, &state, &ctx, &update, &newest).await?;
    let root = view.parent_id.as_ref().unwrap_or(&view.id);
    if page.threads.iter().any(|thread| thread.id == *root) {
        return Ok(see_other(&view.url));
    }
    let around = format!("/updates/{0}?comment={1}#c-{1}", update.id, view.id);
    Ok(see_other(&around))
}

async fn comment_view(state: &State, ctx: &RequestContext, id: &str) -> Result<CommentView> {
    let mut connection = state.db.read().await?;
    let (_, update) = comments::find_visible(&mut connection, &ctx.viewer, id).await?;
    view_on_update(&mut connection, state, ctx, &update, id).await
}

/// Returns the view of a comment or reply. The caller has checked that the viewer may see the update.
async fn view_on_update(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    id: &str,
) -> Result<CommentView> {
    let threads = presenters::thread_views(connection, state, ctx, update).await?;
    threads
        .into_iter()
        .find_map(|mut thread| {
            if thread.id == id {
                return Some(thread);
            }
            let reply = thread.replies.iter().position(|reply| reply.id == id)?;
            Some(thread.replies.swap_remove(reply))
        })
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
