//! Handlers for comments and reactions.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use sqlx::AnyConnection;

use crate::comments::CommentKind;
use crate::comments::{
    self, Anchor, MAX_PICTURES, NewComment, ReactionTarget, Region, SavedComment,
};
use crate::error::{Error, Result};
use crate::infra::db::TextEnum;
use crate::media::StoredFile;
use crate::people::{self, Viewer};
use crate::state::State;
use crate::updates::{self, Update};
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::{Fields, FileOptions, context_or_keep_typed, is_multipart};
use crate::web::extract::flash::Flash;
use crate::web::handlers::check_input;
use crate::web::handlers::updates::update_page;
use crate::web::presenters;
use crate::web::responses::{
    HandlerResult, json, no_content_or_redirect, return_path, see_other, see_other_with_flash,
};
use crate::web::schema::{CommentView, ListView};
use crate::{markup, sample, text};

/// Lists the threads of an update, in the order in which the page shows them.
pub(crate) async fn list(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ctx.viewer, &id).await?;
    json(
        StatusCode::OK,
        &ListView {
            items: presenters::thread_views(&mut connection, &state, &ctx, &update).await?,
            next: None,
        },
    )
}

/// Shows one comment with its replies. Redirects a browser to the comment on the update's page.
pub(crate) async fn show(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let view = comment_view(&state, &ctx, &id).await?;
    if ctx.wants_html {
        Ok(see_other(&view.url))
    } else {
        json(StatusCode::OK, &view)
    }
}

async fn comment_view(state: &State, ctx: &RequestContext, id: &str) -> Result<CommentView> {
    let mut connection = state.db.read().await?;
    let (_, update) = comments::find_visible(&mut connection, &ctx.viewer, id).await?;
    view_on_update(&mut connection, state, ctx, &update, id).await
}

/// Returns the view of a comment or reply on an update that the viewer may see.
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

pub(crate) async fn add(
    req: HttpRequest,
    ctx: Result<RequestContext>,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let (ctx, payload) = context_or_keep_typed(&req, ctx, payload).await?;
    // Check the right to comment and the rate limit before storing pictures.
    if is_multipart(&req) {
        updates::find(&mut *state.db.read().await?, &ctx.viewer, &id).await?;
    }
    if let Viewer::Guest(_) = &ctx.viewer {
        people::guest_who_may_comment(&ctx.viewer, &id)?;
    }
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(&state, &req))?;
    let wanted = FileOptions {
        uploads: &state.uploads,
        field: "pictures",
        max: MAX_PICTURES,
        pictures: true,
    };
    let (fields, pictures) = Fields::read_with_files(&req, payload, wanted).await?;
    let typed = fields.typed();
    match try_add(&state, &ctx, &id, fields, &pictures).await {
        Ok(made) => saved_response(&req, &ctx, &state, StatusCode::CREATED, &made).await,
        Err(error) => {
            state.uploads.discard(&pictures).await?;
            if !ctx.wants_html
                || matches!(
                    error,
                    Error::NotFound
                        | Error::Unauthenticated
                        | Error::Unavailable(..)
                        | Error::Internal(_)
                )
            {
                return Err(error);
            }
            let update = updates::find(&mut *state.db.read().await?, &ctx.viewer, &id).await?;
            refused_page(&state, &ctx, &update, &typed, &error).await
        }
    }
}

async fn refused_page(
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    typed: &BTreeMap<String, String>,
    error: &Error,
) -> HandlerResult {
    let status = StatusCode::from_u16(error.status()).map_err(Error::internal)?;
    update_page(
        state,
        ctx,
        status,
        update,
        Fields::refilled_form(typed, error),
        None,
    )
    .await
}

/// Responds after a comment is saved: redirects a browser to the comment, and returns the comment to a program as JSON.
/// Both responses list the mentioned people who cannot see the comment; in the JSON, they are in `unseen`.
async fn saved_response(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    status: StatusCode,
    made: &SavedComment,
) -> HandlerResult {
    if ctx.wants_html {
        let to = format!(
            "{}#c-{}",
            return_path(req, &format!("/updates/{}", made.update.id)),
            made.id
        );
        // A cookie stores this list, so limit its length.
        let without_access = made
            .without_access
            .iter()
            .take(10)
            .cloned()
            .collect::<Vec<_>>();
        return if without_access.is_empty() {
            Ok(see_other(&to))
        } else {
            see_other_with_flash(
                state,
                &to,
                &Flash {
                    unseen: without_access,
                    ..Flash::default()
                },
            )
        };
    }
    let mut body = serde_json::to_value(
        view_on_update(
            &mut *state.db.read().await?,
            state,
            ctx,
            &made.update,
            &made.id,
        )
        .await?,
    )
    .map_err(Error::internal)?;
    body["unseen"] = made
        .without_access
        .iter()
        .map(|(id, name)| serde_json::json!({ "id": id, "name": name }))
        .collect();
    json(status, &body)
}

async fn try_add(
    state: &State,
    ctx: &RequestContext,
    id: &str,
    mut fields: Fields,
    pictures: &[StoredFile],
) -> Result<SavedComment> {
    let body = fields
        .text("body", text::MAX_COMMENT)
        .flatten()
        .unwrap_or_default();
    let region = fields.json("region").and_then(|value| {
        Region::parse(&value)
            .map_err(|message| fields.add_error("region", message))
            .ok()
    });
    let drawing = match fields.json("drawing") {
        Some(value) => fields.accept(markup::parse_drawing(&value, &state.uploads.media.font)),
        None => Vec::new(),
    };
    let anchor = Anchor {
        media_id: fields.text("media_id", 32).flatten(),
        at_ms: fields.number("at_ms"),
        until_ms: fields.number("until_ms"),
        region,
        drawing,
    };
    let parent_id = fields.text("parent_id", 32).flatten();
    let name = fields.text("name", text::MAX_NAME).flatten();
    let asks = fields.choice("kind", CommentKind::ALL) == Some(CommentKind::Question);
    check_input(fields.finish(), state, ctx, id).await?;
    let new = NewComment {
        body,
        is_question: asks,
        parent_id,
        anchor,
        pictures: pictures.to_vec(),
        guest_name: name,
    };
    let mut tx = state.db.begin().await?;
    let update = updates::find(&mut tx, &ctx.viewer, id).await?;
    let made = comments::add(&mut tx, &state.clock, &ctx.viewer, &update, &new).await?;
    if new.is_question {
        sample::after_question(&mut tx, &state.clock, &update, &made.id).await?;
    }
    tx.commit().await?;
    Ok(made)
}

pub(crate) async fn edit(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let mut fields = Fields::read(&req, payload).await?;
    let body = fields.text("body", text::MAX_COMMENT).flatten();
    fields.finish()?;
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(&state, &req))?;
    let mut tx = state.db.begin().await?;
    let edited = match body {
        Some(body) => comments::edit(&mut tx, &state.clock, &ctx.viewer, &id, &body).await?,
        None => {
            return Err(Error::invalid("body", comments::EMPTY_BODY));
        }
    };
    tx.commit().await?;
    saved_response(&req, &ctx, &state, StatusCode::OK, &edited).await
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

pub(crate) async fn resolve(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    set_resolved(&req, &ctx, &state, &id, true).await
}

pub(crate) async fn reopen(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    set_resolved(&req, &ctx, &state, &id, false).await
}

async fn set_resolved(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    id: &str,
    resolved: bool,
) -> HandlerResult {
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(state, req))?;
    let mut tx = state.db.begin().await?;
    let update = comments::resolve(&mut tx, &state.clock, &ctx.viewer, id, resolved).await?;
    tx.commit().await?;
    if ctx.wants_html {
        return Ok(see_other(&format!(
            "{}#c-{id}",
            return_path(req, &format!("/updates/{update}"))
        )));
    }
    json(StatusCode::OK, &comment_view(state, ctx, id).await?)
}

pub(crate) async fn accept(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    set_accepted(&req, &ctx, &state, &id, true).await
}

pub(crate) async fn take_back(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    set_accepted(&req, &ctx, &state, &id, false).await
}

/// Accepts an answer or withdraws the acceptance. Responds with the question, because its state changes too.
async fn set_accepted(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    id: &str,
    accepted: bool,
) -> HandlerResult {
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(state, req))?;
    let mut tx = state.db.begin().await?;
    let (update, question) =
        comments::accept(&mut tx, &state.clock, &ctx.viewer, id, accepted).await?;
    tx.commit().await?;
    if ctx.wants_html {
        return Ok(see_other(&format!(
            "{}#c-{id}",
            return_path(req, &format!("/updates/{update}"))
        )));
    }
    json(StatusCode::OK, &comment_view(state, ctx, &question).await?)
}

pub(crate) async fn react_to_update(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    payload: web::Payload,
) -> HandlerResult {
    react(
        &req,
        &ctx,
        &state,
        ReactionTarget::Update(&at.0),
        &at.1,
        payload,
    )
    .await
}

pub(crate) async fn react_to_comment(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    payload: web::Payload,
) -> HandlerResult {
    react(
        &req,
        &ctx,
        &state,
        ReactionTarget::Comment(&at.0),
        &at.1,
        payload,
    )
    .await
}

async fn react(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    on: ReactionTarget<'_>,
    emoji: &str,
    payload: web::Payload,
) -> HandlerResult {
    let mut fields = Fields::read(req, payload).await?;
    let name = fields.text("name", text::MAX_NAME).flatten();
    fields.finish()?;
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(state, req))?;
    let mut tx = state.db.begin().await?;
    let update = comments::react(
        &mut tx,
        &state.clock,
        &ctx.viewer,
        on,
        emoji,
        name.as_deref(),
    )
    .await?;
    tx.commit().await?;
    no_content_or_redirect(ctx, &return_path(req, &format!("/updates/{update}")))
}

pub(crate) async fn unreact_to_update(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> HandlerResult {
    unreact(&req, &ctx, &state, ReactionTarget::Update(&at.0), &at.1).await
}

pub(crate) async fn unreact_to_comment(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> HandlerResult {
    unreact(&req, &ctx, &state, ReactionTarget::Comment(&at.0), &at.1).await
}

async fn unreact(
    req: &HttpRequest,
    ctx: &RequestContext,
    state: &State,
    on: ReactionTarget<'_>,
    emoji: &str,
) -> HandlerResult {
    state
        .rate_limits
        .check_comment(&ctx.viewer, &client_address(state, req))?;
    let mut tx = state.db.begin().await?;
    let update = comments::unreact(&mut tx, &state.clock, &ctx.viewer, on, emoji).await?;
    tx.commit().await?;
    no_content_or_redirect(ctx, &return_path(req, &format!("/updates/{update}")))
}
