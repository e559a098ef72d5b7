//! The page that shows the update form: empty, filled in, or with errors.

use actix_web::http::StatusCode;
use actix_web::web;
use sqlx::AnyConnection;

use crate::error::{Error, Result};
use crate::state::State;
use crate::updates::{self, Update};
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::{Fields, split_list};
use crate::web::pages::{EditPage, Form, NavEntry};
use crate::web::presenters;
use crate::web::presenters::people::account_views_by_email;
use crate::web::responses::{HandlerResult, html_page};
use crate::web::schema::{DueView, UpdateView};
use crate::{uploads, workspace};

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

/// Responds to a failed request. Shows a browser the form again, with the error and all values that the user entered.
pub(super) async fn failed_form(
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
        // If the form cannot be rendered either, for example because the database is down, the plain error page shows
        // the text that the user entered.
        Err(_) => Err(error),
    }
}

async fn edit_form_page(
    state: &State,
    ctx: &RequestContext,
    status: StatusCode,
    update: Option<&Update>,
    mut form: Form,
) -> HandlerResult {
    ctx.person()?;
    let mut connection = state.db.read().await?;
    let unknown = unknown_addresses(&mut connection, state, &form).await?;
    let admins = updates::admin_names(&mut connection).await?;
    let stored = match update {
        Some(update) => load_stored(&mut connection, state, ctx, update, &mut form).await?,
        None => {
            fill_default_due(&mut connection, &mut form).await?;
            StoredParts::default()
        }
    };
    drop(connection);
    let (title, entry) = match &stored.view {
        Some(view) if view.state.is_published() => ("Edit", NavEntry::Library),
        Some(_) => ("Draft", NavEntry::New),
        None => ("New update", NavEntry::New),
    };
    let addressed: Vec<String> = split_list(form.value("audience")).collect();
    let people = account_views_by_email(state, &addressed).await?;
    let shown = EditPage {
        page: ctx.page(state, title, Some(entry)).await?,
        update: stored.view,
        form,
        people,
        unknown,
        admins,
        refusal: state
            .uploads
            .check_free_space()
            .err()
            .map(|error| error.detail()),
        answered: stored.answered,
        media_changed: stored.media_changed,
        max_upload: state.uploads.max_bytes,
        max_recording: state.config.max_recording * 60,
        limit: format!(
            "{} At most {} per file.",
            uploads::ACCEPTED_TYPES,
            uploads::format_size(state.uploads.max_bytes)
        ),
    };
    html_page(status, &shown)
}

/// Data about the stored update; empty for a new update.
#[derive(Default)]
struct StoredParts {
    view: Option<UpdateView>,
    answered: i64,
    media_changed: bool,
}

/// Loads the stored update and adds its values to the form.
async fn load_stored(
    connection: &mut AnyConnection,
    state: &State,
    ctx: &RequestContext,
    update: &Update,
    form: &mut Form,
) -> Result<StoredParts> {
    let answered = updates::count_answered(connection, &update.id).await?;
    let media_changed = updates::media_changed(connection, update).await?;
    let mut view = presenters::update_view(connection, state, ctx, update).await?;
    presenters::attach_markup(connection, &mut view.media).await?;
    let addresses = audience_addresses(connection, state, &view).await?;
    fill_form(form, &view, &addresses.join(", "));
    Ok(StoredParts {
        view: Some(view),
        answered,
        media_changed,
    })
}

/// Lists the typed addresses that have neither an account nor a pending invitation, if the audience
/// was rejected.
async fn unknown_addresses(
    connection: &mut AnyConnection,
    state: &State,
    form: &Form,
) -> Result<Vec<String>> {
    if form.error("audience").is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = split_list(form.value("audience")).collect();
    updates::unknown_addresses(connection, &state.clock, &names).await
}

/// Fills in the workspace's due time for new updates, if it has one.
async fn fill_default_due(connection: &mut AnyConnection, form: &mut Form) -> Result<()> {
    if let Some(days) = workspace::load_summary(connection).await?.due_days {
        form.values
            .entry("when".to_owned())
            .or_insert_with(|| "days".to_owned());
        form.values
            .entry("due_days".to_owned())
            .or_insert_with(|| days.to_string());
    }
    Ok(())
}

/// Lists the audience as a person would type it: `everyone`, groups, and email addresses. This includes the addresses
/// of people who have been invited but have no account yet.
async fn audience_addresses(
    connection: &mut AnyConnection,
    state: &State,
    update: &UpdateView,
) -> Result<Vec<String>> {
    let mut addresses = Vec::new();
    if update.audience.everyone {
        addresses.push("everyone".to_owned());
    }
    let groups = updates::audience_groups(connection, &update.id).await?;
    addresses.extend(groups.into_iter().map(|(_, name)| format!("@{name}")));
    let people = updates::audience(connection, &update.id).await?;
    addresses.extend(people.into_iter().map(|named| named.email));
    addresses.extend(updates::pending_invitees(connection, &state.clock, &update.id).await?);
    Ok(addresses)
}

/// Adds the stored value of each field that the form does not contain yet.
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
