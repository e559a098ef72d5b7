//! Handlers for writing updates: creation, drafts, edits and publication. All share one form and one set of
//! fields.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::infra::db::{TextEnum, Tx, text_enum};
use crate::media::{self, StoredFile};
use crate::people::{CreatedInvitation, Person};
use crate::state::State;
use crate::updates::{self, Content, Expectation, Update, Visibility};
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::{Fields, FileOptions, context_or_keep_typed};
use crate::web::extract::flash::Flash;
use crate::web::pages::{EditPage, Form};
use crate::web::presenters;
use crate::web::presenters::people::account_views;
use crate::web::responses::{
    HandlerResult, html_page, json, json_or_redirect, see_other, see_other_with_flash,
};
use crate::web::schema::{DueView, UpdateView};
use crate::working_hours::Due;
use crate::{text, uploads, workspace};

/// Fields of a request that writes an update, before email addresses are resolved.
struct UpdateForm {
    content: Content,
    audience: Option<Vec<String>>,
    invite: bool,
    publish: Option<bool>,
}

text_enum! {
    /// Whether an edit changes the meaning of a published update.
    enum EditKind {
        /// The edit changes only the wording.
        Cosmetic = "cosmetic",
        /// The edit changes the meaning, so recipients who have answered are asked again.
        Material = "material",
    }
}

/// Reads whether an edit is material. For a material edit, returns `Some` with the author's note about what
/// changed.
pub(crate) fn material(fields: &mut Fields) -> Option<Option<String>> {
    let material = fields.choice("change", EditKind::ALL) == Some(EditKind::Material);
    let what_changed = fields.text("what_changed", text::MAX_OTHERWISE).flatten();
    material.then_some(what_changed)
}

/// Reads the fields of an update. In a form, a submit button can send `publish`.
fn read_update_form(fields: &mut Fields, person: &Person, editing: bool) -> UpdateForm {
    let title = fields.text("title", text::MAX_TITLE).map(|title| {
        text::clean_line(title.as_deref().unwrap_or_default(), text::MAX_TITLE).unwrap_or_default()
    });
    // A new update has no earlier version and no answers, so read these fields only for an edit.
    let material = if editing { material(fields) } else { None };
    UpdateForm {
        content: Content {
            title,
            notes: fields
                .text("notes", text::MAX_NOTES)
                .map(Option::unwrap_or_default),
            visibility: fields.choice("visibility", Visibility::ALL),
            expectation: fields.choice("expectation", Expectation::ALL),
            due: fields.due("due", &person.time_zone),
            otherwise: fields.text("otherwise", text::MAX_OTHERWISE),
            prompt: fields.text("prompt", text::MAX_PROMPT),
            audience: None,
            later_members: fields.checkbox("later_members"),
            material,
            version: if editing {
                fields.number("version")
            } else {
                None
            },
        },
        audience: fields.list("audience"),
        invite: fields.flag("invite").unwrap_or(false),
        publish: fields.flag("publish"),
    }
}

/// Resolves the audience to people and groups. With `invite`, an admin also invites addresses without an
/// account. Returns the new invitations.
async fn resolve_audience(
    tx: &mut Tx,
    state: &State,
    person: &Person,
    written: &mut UpdateForm,
) -> Result<Vec<CreatedInvitation>> {
    let Some(names) = &written.audience else {
        return Ok(Vec::new());
    };
    let invited = if written.invite {
        updates::invite_and_ask(tx, &state.clock, person, names).await?
    } else {
        Vec::new()
    };
    written.content.audience =
        Some(updates::resolve_addresses(tx, &state.clock, person, names).await?);
    Ok(invited)
}

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
            // Use the workspace's default due time if the request has none.
            written.content.due = Some(
                workspace::load_summary(&mut *state.db.read().await?)
                    .await?
                    .due_days
                    .map(Due::Days),
            );
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
                .then(|| "Choose your files again, because they were not saved.".to_owned());
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
        let links = invited.iter().map(|one| json!({ "email": one.email, "url": format!("{}/invitations/{}", ctx.base_url, one.secret) }));
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
        let text = "Invited. Pass each person their link. Anyone who accepts is asked immediately."
            .to_owned();
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
            1 => "Sent to 1 person.".to_owned(),
            people => format!("Sent to {people} people."),
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

/// Responds to a failed request. A form is rendered again with the error and all typed values.
async fn failed_form(
    state: &State,
    ctx: &RequestContext,
    update: Option<&Update>,
    typed: &std::collections::BTreeMap<String, String>,
    error: Error,
    also: Option<String>,
) -> HandlerResult {
    if !ctx.wants_html || matches!(error, Error::NotFound | Error::Unauthenticated) {
        return Err(error);
    }
    let status = StatusCode::from_u16(error.status()).map_err(Error::internal)?;
    if let Some(cause) = error.cause() {
        tracing::error!(%cause, "failed");
    }
    let mut form = Fields::refilled_form(typed, &error);
    form.problem = [form.problem, also]
        .into_iter()
        .flatten()
        .reduce(|one, other| format!("{one} {other}"));
    match edit_form_page(state, ctx, status, update, form).await {
        Ok(answer) => Ok(answer),
        // If the form cannot be rendered either, for example because the database is down, the plain error page
        // shows the typed values.
        Err(_) => Err(error),
    }
}

pub(crate) async fn new_page(ctx: RequestContext, state: web::Data<State>) -> HandlerResult {
    ctx.person()?;
    edit_form_page(&state, &ctx, StatusCode::OK, None, Form::default()).await
}

pub(crate) async fn edit_page(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let update = updates::find_own(&mut *state.db.read().await?, &ctx.viewer, &id).await?;
    edit_form_page(&state, &ctx, StatusCode::OK, Some(&update), Form::default()).await
}

async fn edit_form_page(
    state: &State,
    ctx: &RequestContext,
    status: StatusCode,
    update: Option<&Update>,
    mut form: Form,
) -> HandlerResult {
    let person = ctx.person()?;
    let mut connection = state.db.read().await?;
    let names: Vec<String> = form
        .value("audience")
        .split([',', '\n'])
        .map(|name| name.trim().to_owned())
        .collect();
    let unknown = if form.error("audience").is_empty() {
        Vec::new()
    } else {
        updates::unknown_addresses(&mut connection, &state.clock, &names).await?
    };
    let admins = updates::admin_names(&mut connection).await?;
    let (mut answered, mut media_changed) = (0, false);
    let view = match update {
        Some(update) => {
            answered = updates::count_answered(&mut connection, &update.id).await?;
            media_changed = updates::media_changed(&mut connection, update).await?;
            let mut view = presenters::update_view(&mut connection, state, ctx, update).await?;
            presenters::attach_markup(&mut connection, &mut view.media).await?;
            let mut names: Vec<String> = view
                .audience
                .everyone
                .then(|| "everyone".to_owned())
                .into_iter()
                .collect();
            names.extend(
                updates::audience_groups(&mut connection, &update.id)
                    .await?
                    .into_iter()
                    .map(|(_, name)| format!("@{name}")),
            );
            names.extend(
                updates::audience(&mut connection, &update.id)
                    .await?
                    .into_iter()
                    .map(|named| named.email),
            );
            names.extend(
                updates::pending_invitees(&mut connection, &state.clock, &update.id).await?,
            );
            fill_form(&mut form, &view, &names.join(", "));
            Some(view)
        }
        None => {
            if let Some(days) = workspace::load_summary(&mut connection).await?.due_days {
                form.values
                    .entry("when".to_owned())
                    .or_insert_with(|| "days".to_owned());
                form.values
                    .entry("due_days".to_owned())
                    .or_insert_with(|| days.to_string());
            }
            None
        }
    };
    drop(connection);
    let title = match &view {
        Some(view) if view.state.is_published() => "Edit",
        Some(_) => "Draft",
        None => "New update",
    };
    let mut people = account_views(state).await?;
    people.retain(|account| account.id != person.id && account.deactivated_at.is_none());
    let shown = EditPage {
        page: ctx
            .page(
                state,
                title,
                if title == "Edit" { "updates" } else { "new" },
            )
            .await?,
        update: view,
        form,
        people,
        unknown,
        admins,
        refusal: state
            .uploads
            .check_free_space()
            .err()
            .map(|error| error.detail()),
        answered,
        media_changed,
        max_upload: state.uploads.max_bytes,
        max_recording: state.config.max_recording * 60,
        limit: format!(
            "{} {}",
            uploads::ACCEPTED_TYPES,
            format_args!(
                "At most {} per file.",
                uploads::format_size(state.uploads.max_bytes)
            )
        ),
    };
    html_page(status, &shown)
}

/// Fills each field that the user did not type with its stored value.
fn fill_form(form: &mut Form, update: &UpdateView, audience: &str) {
    let mut put = |field: &str, value: &str| {
        form.values
            .entry(field.to_owned())
            .or_insert_with(|| value.to_owned());
    };
    put("title", &update.title);
    put("notes", &update.notes);
    put("audience", audience);
    put("visibility", update.visibility.as_str());
    put("expectation", update.expectation.as_str());
    let (when, due, due_days) = match &update.due {
        None => ("none", "", String::new()),
        Some(DueView::At(at)) => ("time", at.as_str(), String::new()),
        Some(DueView::Within { working_days }) => ("days", "", working_days.to_string()),
    };
    put("due", due);
    put("due_days", &due_days);
    put("when", when);
    put("prompt", update.prompt.as_deref().unwrap_or_default());
    put("otherwise", update.otherwise.as_deref().unwrap_or_default());
    put(
        "later_members",
        if update.later_members {
            "true"
        } else {
            "false"
        },
    );
    put("version", &update.version.to_string());
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
    let typed = fields.typed();
    let mut written = read_update_form(&mut fields, &person, true);
    let made = async {
        fields.finish()?;
        let mut tx = state.db.begin().await?;
        let invited = resolve_audience(&mut tx, &state, &person, &mut written).await?;
        let mut update =
            updates::edit(&mut tx, &state.clock, &ctx.viewer, &id, &written.content).await?;
        if written.publish == Some(true) {
            update = updates::publish(&mut tx, &state.clock, &ctx.viewer, &id).await?;
        }
        state.enqueue_mail(&mut tx, &id).await?;
        tx.commit().await?;
        Ok((update, invited))
    };
    match made.await {
        Ok((update, invited)) if !ctx.wants_html => json(
            StatusCode::OK,
            &with_invitation_links(&state, &ctx, &update, &invited).await?,
        ),
        Ok((update, invited)) => {
            form_redirect(&state, &update, invited, written.publish == Some(true))
        }
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
            // Drop the submitted version number, so that the form contains the current one. The page reports the
            // conflict. If the author submits again, they deliberately overwrite the other edit.
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
