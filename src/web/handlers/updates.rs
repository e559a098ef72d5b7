//! Handlers that list, show, write, delete and mute updates.

mod access;
mod access_summary;
mod answer_card;
mod library;
mod mute;
mod thread_query;
mod threads_part;
mod trash;
mod update_page;
mod versions;
mod write;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

pub(crate) use access::access;
pub(crate) use library::{library, search, trash_page};
pub(crate) use mute::{mute, unmute};
pub(crate) use thread_query::ThreadQuery;
pub(crate) use threads_part::threads_part;
pub(crate) use trash::{delete, empty_trash, restore, trash};
pub(crate) use update_page::{PageContent, show, update_page};
pub(crate) use versions::versions;
pub(crate) use write::{create, edit, edit_page, material, new_page, publish, unpublish};

use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::NoFields;
use crate::web::presenters;
use crate::web::responses::{HandlerResult, json, no_content_or_redirect, return_path, see_other};
use crate::{links, receipts, updates};

pub(crate) async fn open(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    _: NoFields,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    receipts::record_opening(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    links::record_opening(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, &format!("/updates/{id}"))
}

/// Adds one recipient, for example a person who was mentioned in a comment but cannot see the update. Only the author
/// may do this.
pub(crate) async fn add_recipient(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    _: NoFields,
) -> HandlerResult {
    let (id, person) = at.into_inner();
    let mut tx = state.db.begin().await?;
    let update = updates::add_recipient(&mut tx, &state.clock, &ctx.viewer, &id, &person).await?;
    state.enqueue_mail(&mut tx, &id).await?;
    tx.commit().await?;
    if ctx.wants_html {
        return Ok(see_other(&return_path(&req, &format!("/updates/{id}"))));
    }
    json(
        StatusCode::OK,
        &presenters::update_view(&mut *state.db.read().await?, &state, &ctx, &update).await?,
    )
}
