//! Handlers that create, edit, publish and unpublish updates. Creating and editing share one form.

mod form_page;
mod update_form;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use form_page::failed_form;
pub(crate) use form_page::{edit_page, new_page};
pub(crate) use update_form::material;
use update_form::{UpdateForm, read_update_form, resolve_audience};

use crate::error::{Error, Result};
use crate::media::{self, StoredFile};
use crate::people::{CreatedInvitation, Person};
use crate::state::State;
use crate::text;
use crate::updates::{self, Expectation, Update};
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::{Fields, FileOptions, NoFields, context_or_keep_typed};
use crate::web::extract::flash::Flash;
use crate::web::presenters;
use crate::web::responses::{
    HandlerResult, json, json_or_redirect, see_other, see_other_with_flash,
};
use crate::workspace;

pub(crate) async fn create(
    req: HttpRequest,
    ctx: Result<RequestContext>,
    state: web::Data<State>,
    payload: web::Payload,
) -> HandlerResult {
    let (ctx, payload) = context_or_keep_typed(&req, ctx, payload).await?;
    let person = ctx.person()?.clone();
    let (mut fields, files) = Fields::read_with_files(
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
    let (typed, form) = (fields.typed(), fields.is_form());
    let mut written = read_update_form(&mut fields, &person, false);
    let publish = written.publish.unwrap_or(form);
    let made = async {
        fields.finish()?;
        if written.content.due.is_none()
            && written
                .content
                .expectation
                .is_some_and(Expectation::asks_for_answer)
        {
            let default = workspace::default_due(&mut *state.db.read().await?).await?;
            written.content.due = Some(default);
        }
        try_create(&state, &ctx, &person, &mut written, publish, &files).await
    };
    match made.await {
        Ok((update, invited)) if !ctx.wants_html => {
            let answer = with_invitation_links(&state, &ctx, &update, &invited).await?;
            Ok(HttpResponse::Created()
                .insert_header((
                    header::LOCATION,
                    format!("{}/updates/{}", ctx.base_url, update.id),
                ))
                .json(answer))
        }
        Ok((update, invited)) => form_redirect(&state, &update, invited, publish),
        Err(error) => {
            state.uploads.discard(&files).await?;
            // Browsers clear the chosen files when a form is shown again, so ask the user to choose them again.
            let chosen = (!files.is_empty())
                .then(|| "Your files were not saved. Choose them again.".to_owned());
            failed_form(&state, &ctx, None, &typed, error, chosen).await
        }
    }
}

async fn try_create(
    state: &State,
    ctx: &RequestContext,
    person: &Person,
    written: &mut UpdateForm,
    publish: bool,
    files: &[StoredFile],
) -> Result<(Update, Vec<CreatedInvitation>)> {
    let mut tx = state.db.begin().await?;
    let invited = resolve_audience(&mut tx, state, person, written).await?;
    let mut update = updates::create(&mut tx, &state.clock, person, &written.content).await?;
    for file in files {
        media::add(&mut tx, &state.clock, &update.id, None, file).await?;
    }
    if publish {
        update = updates::publish(&mut tx, &state.clock, &ctx.viewer, &update.id).await?;
        state.enqueue_mail(&mut tx, &update.id).await?;
    } else {
        updates::enqueue_index(&mut tx, &state.clock, &update.id, &update.id).await?;
    }
    tx.commit().await?;
    Ok((update, invited))
}

/// Returns the update as JSON with the links of new invitations. The links cannot be read again later.
async fn with_invitation_links(
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    invited: &[CreatedInvitation],
) -> Result<Value> {
    let view = presenters::update_view(&mut *state.db.read().await?, state, ctx, update).await?;
    let mut answer = serde_json::to_value(view).map_err(Error::internal)?;
    if !invited.is_empty() {
        let links = invited.iter().map(|one| {
            let url = format!("{}/invitations/{}", ctx.base_url, one.secret);
            json!({ "email": one.email, "url": url })
        });
        answer["invited"] = links.collect();
    }
    Ok(answer)
}

/// Redirects a browser to the update. If people were invited, redirects to the people page instead, which shows the
/// links to pass on.
fn form_redirect(
    state: &State,
    update: &Update,
    invited: Vec<CreatedInvitation>,
    published: bool,
) -> HandlerResult {
    if !invited.is_empty() {
        let when = if update.published_at.is_some() {
            "immediately"
        } else {
            "once you send it"
        };
        let text = format!(
            "The invitations have been created. Send each person their own link. \
             Anyone who accepts receives the update {when}."
        );
        let invited = invited
            .into_iter()
            .map(|one| (one.id, one.secret))
            .collect();
        return see_other_with_flash(
            state,
            "/people",
            &Flash {
                text: Some(text),
                invited,
                ..Flash::default()
            },
        );
    }
    if published {
        let text = match update.recipients {
            0 => "Sent.".to_owned(),
            count => format!("Sent to {}.", text::plural(count, "person", "people")),
        };
        return see_other_with_flash(
            state,
            &format!("/updates/{}", update.id),
            &Flash::text(text),
        );
    }
    let to = if update.published_at.is_some() {
        format!("/updates/{}", update.id)
    } else {
        format!("/updates/{}/edit", update.id)
    };
    Ok(see_other(&to))
}

pub(crate) async fn edit(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let person = ctx.person()?.clone();
    let mut fields = Fields::read(&req, payload).await?;
    let (typed, form) = (fields.typed(), fields.is_form());
    let mut written = read_update_form(&mut fields, &person, true);
    let made = async {
        fields.finish()?;
        let mut tx = state.db.begin().await?;
        let invited = resolve_audience(&mut tx, &state, &person, &mut written).await?;
        let mut update =
            updates::edit(&mut tx, &state.clock, &ctx.viewer, &id, &written.content).await?;
        // In a form, the button "Invite and ask" also publishes the draft.
        let asks = form && written.invite && update.published_at.is_none();
        let publish = written.publish.unwrap_or(asks);
        if publish {
            update = updates::publish(&mut tx, &state.clock, &ctx.viewer, &id).await?;
        }
        state.enqueue_mail(&mut tx, &id).await?;
        tx.commit().await?;
        Ok((update, invited, publish))
    };
    match made.await {
        Ok((update, invited, _)) if !ctx.wants_html => json(
            StatusCode::OK,
            &with_invitation_links(&state, &ctx, &update, &invited).await?,
        ),
        Ok((update, invited, publish)) => form_redirect(&state, &update, invited, publish),
        Err(error)
            if ctx.wants_html
                && matches!(
                    error,
                    Error::Invalid(_) | Error::Conflict(_) | Error::Unavailable(..)
                ) =>
        {
            let update =
                match updates::find_own(&mut *state.db.read().await?, &ctx.viewer, &id).await {
                    Ok(update) => update,
                    Err(_) => return Err(error),
                };
            let mut typed = typed;
            // Remove the submitted version number, so that the form contains the current one. The page reports the
            // conflict, so an author who submits the form again overwrites the other edit on purpose.
            typed.remove("version");
            failed_form(&state, &ctx, Some(&update), &typed, error, None).await
        }
        Err(error) => Err(error),
    }
}

pub(crate) async fn publish(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    _: NoFields,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    let update = updates::publish(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    state.enqueue_mail(&mut tx, &id).await?;
    tx.commit().await?;
    let view = presenters::update_view(&mut *state.db.read().await?, &state, &ctx, &update).await?;
    json_or_redirect(&ctx, StatusCode::OK, &format!("/updates/{id}"), &view)
}

pub(crate) async fn unpublish(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    let update = updates::unpublish(&mut tx, &state.clock, &ctx.viewer, &id).await?;
    tx.commit().await?;
    let view = presenters::update_view(&mut *state.db.read().await?, &state, &ctx, &update).await?;
    json_or_redirect(&ctx, StatusCode::OK, &format!("/updates/{id}/edit"), &view)
}
