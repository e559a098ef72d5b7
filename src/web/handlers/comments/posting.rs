//! Handlers that post and edit comments.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use crate::comments::CommentKind;
use crate::comments::{self, Anchor, MAX_PICTURES, NewComment, Region, SavedComment};
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
use crate::web::handlers::updates::{PageContent, update_page};
use crate::web::presenters::{self, ThreadRange};
use crate::web::responses::{HandlerResult, json, return_path, see_other, see_other_with_flash};
use crate::{markup, sample, text};

pub(crate) async fn add(
    req: HttpRequest,
    ctx: Result<RequestContext>,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let (ctx, payload) = context_or_keep_typed(&req, ctx, payload).await?;
    // Before any picture is stored, check that the viewer may see the update and comment on it, and
    // check the rate limit.
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

async fn try_add(
    state: &State,
    ctx: &RequestContext,
    id: &str,
    mut fields: Fields,
    pictures: &[StoredFile],
) -> Result<SavedComment> {
    let body = fields
        .markdown("body", text::MAX_COMMENT)
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
    state.enqueue_mail(&mut tx, id).await?;
    tx.commit().await?;
    Ok(made)
}

async fn refused_page(
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    typed: &BTreeMap<String, String>,
    error: &Error,
) -> HandlerResult {
    let status = StatusCode::from_u16(error.status()).map_err(Error::internal)?;
    // A refused reply is shown again in its thread.
    let threads = match typed.get("parent_id") {
        Some(parent) => ThreadRange::Around(parent.clone()),
        None => ThreadRange::default(),
    };
    let content = PageContent {
        form: Fields::refilled_form(typed, error),
        threads,
        ..PageContent::default()
    };
    update_page(state, ctx, status, update, content).await
}

pub(crate) async fn edit(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let mut fields = Fields::read(&req, payload).await?;
    let body = fields.markdown("body", text::MAX_COMMENT).flatten();
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
    state.enqueue_mail(&mut tx, &edited.update.id).await?;
    tx.commit().await?;
    saved_response(&req, &ctx, &state, StatusCode::OK, &edited).await
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
    let mut connection = state.db.read().await?;
    let view = presenters::one_comment(&mut connection, state, ctx, &made.update, &made.id).await?;
    let view = view.ok_or(Error::NotFound)?;
    let mut body = serde_json::to_value(view).map_err(Error::internal)?;
    body["unseen"] = made
        .without_access
        .iter()
        .map(|(id, name)| serde_json::json!({ "id": id, "name": name }))
        .collect();
    json(status, &body)
}
