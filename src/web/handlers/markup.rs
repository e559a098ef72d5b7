//! Handlers for the markup of a picture. Requests read and save the markup as a whole.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use crate::error::Error;
use crate::markup::{self, Markup, MarkupInput, PutOutcome};
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::responses::{HandlerResult, json, json_or_redirect, return_path};
use crate::web::schema::MarkupView;

/// Maximum size of the request body, in bytes: room for 100,000 points with pressure values.
const MAX_BODY: usize = 4 << 20;

impl From<Markup> for MarkupView {
    fn from(markup: Markup) -> Self {
        Self {
            revision: markup.revision,
            shapes: markup.shapes,
            crop: None,
        }
    }
}

pub(crate) async fn show(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let markup = markup::find(&mut *state.db.read().await?, &ctx.viewer, &id).await?;
    json(StatusCode::OK, &MarkupView::from(markup))
}

/// Saves the markup. Only the author of the update may do this.
pub(crate) async fn put(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    ctx.person()?;
    let mut fields = Fields::read_up_to(&req, payload, MAX_BODY).await?;
    let revision = fields.number("revision");
    if revision.is_none() {
        fields.add_error(
            "revision",
            "is missing. Send the revision that GET returned.",
        );
    }
    let input = read_input(&state, &mut fields);
    let material = crate::web::handlers::updates::material(&mut fields);
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    let saved = markup::put(
        &mut tx,
        &state.clock,
        &ctx.viewer,
        &id,
        (revision.unwrap_or_default(), &input),
        material,
    )
    .await?;
    let (_, _, update) = crate::media::find(&mut tx, &ctx.viewer, &id).await?;
    state.enqueue_mail(&mut tx, &update.id).await?;
    tx.commit().await?;
    if saved == PutOutcome::Hidden {
        // Finish the redaction in a separate task, so that it continues even if the client disconnects.
        let (ctx, id) = (state.uploads.media.clone(), id.clone());
        actix_web::rt::spawn(async move { markup::finish_redaction(&ctx, &id).await })
            .await
            .map_err(Error::internal)??;
    }
    let markup = markup::find(&mut *state.db.read().await?, &ctx.viewer, &id).await?;
    json_or_redirect(
        &ctx,
        StatusCode::OK,
        &return_path(&req, &format!("/updates/{}/edit", update.id)),
        &MarkupView::from(markup),
    )
}

/// Reads the shapes and the crop. Adds an error for each value that is missing or invalid.
fn read_input(state: &State, fields: &mut Fields) -> MarkupInput {
    let crop = fields.json("crop").unwrap_or_default();
    let Some(shapes) = fields.json("shapes") else {
        fields.add_error("shapes", "is missing. Send a list, which may be empty.");
        return MarkupInput::default();
    };
    fields.accept(MarkupInput::parse(
        &shapes,
        &crop,
        &state.uploads.media.font,
    ))
}
