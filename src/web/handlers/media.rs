//! Handlers for media: adding, moving, trimming and removing files.

mod redirect_to_bucket;
mod serve_bytes;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::Deserialize;

pub(crate) use serve_bytes::bytes;

use crate::error::Error;
use crate::infra::db::Tx;
use crate::media;
use crate::state::State;
use crate::updates;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::{Fields, FileOptions};
use crate::web::presenters;
use crate::web::responses::{
    HandlerResult, json, json_or_redirect, no_content_or_redirect, return_path, see_other,
};
use crate::web::schema::{ListView, MediaView};

pub(crate) async fn show(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let (media, renditions, update) =
        media::find(&mut *state.db.read().await?, &ctx.viewer, &id).await?;
    let author = updates::must_be_author(&ctx.viewer, &update).is_ok();
    json(
        StatusCode::OK,
        &presenters::media_view(&state, &ctx, author, &(media, renditions)),
    )
}

/// Adds files to one of the viewer's own updates.
pub(crate) async fn add(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    // Check permission before storing the files.
    updates::find_own(&mut *state.db.read().await?, &ctx.viewer, &id).await?;
    let (fields, files) = Fields::read_with_files(
        &req,
        payload,
        FileOptions {
            uploads: &state.uploads,
            field: "media",
            max: media::MAX_FILES,
            pictures: false,
        },
    )
    .await?;
    let added = async {
        fields.finish()?;
        if files.is_empty() {
            return Err(Error::invalid(
                "media",
                "is missing. Send at least one file, as multipart/form-data.",
            ));
        }
        let mut tx = state.db.begin().await?;
        let ids = media::attach(&mut tx, &state.clock, &ctx.viewer, &id, &files).await?;
        tx.commit().await?;
        Ok(ids)
    };
    let ids = match added.await {
        Ok(ids) => ids,
        Err(error) => {
            state.uploads.discard(&files).await?;
            return Err(error);
        }
    };
    if ctx.wants_html {
        return Ok(see_other(&format!("/updates/{id}/edit")));
    }
    let album = media::of_updates(&mut *state.db.read().await?, std::slice::from_ref(&*id)).await?;
    let items: Vec<MediaView> = album
        .iter()
        .filter(|(media, _)| ids.contains(&media.id))
        .map(|entry| presenters::media_view(&state, &ctx, true, entry))
        .collect();
    json(StatusCode::CREATED, &ListView { items, next: None })
}

/// Options for removing a file.
#[derive(Debug, Deserialize)]
pub(crate) struct Removal {
    /// Whether to remove the file from earlier versions too.
    #[serde(default)]
    for_good: bool,
}

pub(crate) async fn remove(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    query: web::Query<Removal>,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    let update = media::remove(&mut tx, &state.clock, &ctx.viewer, &id, query.for_good).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, &return_path(&req, &format!("/updates/{update}/edit")))
}

/// Moves a file to another place among the media of its update. Only the author of the update may do this.
pub(crate) async fn move_to(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    ctx.person()?;
    let mut fields = Fields::read(&req, payload).await?;
    let position = fields.number("position");
    fields.finish()?;
    let position = position
        .ok_or_else(|| Error::invalid("position", "is missing. Send a number, counted from 1."))?;
    let mut tx = state.db.begin().await?;
    let update = media::move_to(&mut tx, &state.clock, &ctx.viewer, &id, position).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, &return_path(&req, &format!("/updates/{update}/edit")))
}

/// Trims a recording to a range. Only the author of the update may do this.
pub(crate) async fn trim(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    ctx.person()?;
    let mut fields = Fields::read(&req, payload).await?;
    let (from, to) = (fields.position("from"), fields.position("to"));
    let material = crate::web::handlers::updates::material(&mut fields);
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    media::trim(
        &mut tx,
        &state.clock,
        &ctx.viewer,
        &id,
        (from, to),
        material,
    )
    .await?;
    media_response(&req, &ctx, &state, tx, &id).await
}

/// Restores the full length of a recording.
pub(crate) async fn untrim(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    ctx.person()?;
    let mut fields = Fields::read(&req, payload).await?;
    let material = crate::web::handlers::updates::material(&mut fields);
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    media::untrim(&mut tx, &state.clock, &ctx.viewer, &id, material).await?;
    media_response(&req, &ctx, &state, tx, &id).await
}

async fn media_response(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    mut tx: Tx,
    id: &str,
) -> HandlerResult {
    let (media, renditions, update) = media::find(&mut tx, &ctx.viewer, id).await?;
    state.enqueue_mail(&mut tx, &update.id).await?;
    tx.commit().await?;
    let to = return_path(req, &format!("/updates/{}/edit", update.id));
    json_or_redirect(
        ctx,
        StatusCode::OK,
        &to,
        &presenters::media_view(state, ctx, true, &(media, renditions)),
    )
}
