//! Handlers for the page "How we work here", which every signed-in person can read and admins can
//! edit.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::extract::flash::Flash;
use crate::web::pages::{Form, NavEntry, WorkspacePage};
use crate::web::presenters::workspace::workspace_view;
use crate::web::responses::{HandlerResult, html_page, json, json_or_flash};
use crate::web::schema::WorkspaceView;
use crate::workspace::{self, Change};

type Typed = BTreeMap<String, String>;

async fn load_view(state: &State) -> Result<WorkspaceView> {
    Ok(workspace_view(
        workspace::load(&mut *state.db.read().await?).await?,
    ))
}

pub(crate) async fn show(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
) -> HandlerResult {
    let person = ctx.person()?;
    if !ctx.wants_html {
        return json(StatusCode::OK, &load_view(&state).await?);
    }
    let edit = person.is_admin()
        && req
            .query_string()
            .split('&')
            .any(|part| part == "edit" || part.starts_with("edit="));
    workspace_page(&state, &ctx, edit, None).await
}

async fn workspace_page(
    state: &State,
    ctx: &RequestContext,
    edit: bool,
    failed: Option<(Typed, Error)>,
) -> HandlerResult {
    let workspace = load_view(state).await?;
    let status = if failed.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let mut form = failed.map_or_else(Form::default, |(typed, error)| {
        Fields::refilled_form(&typed, &error)
    });
    for (field, value) in [
        ("rules", workspace.rules.clone()),
        (
            "contact",
            workspace
                .contact
                .as_ref()
                .map_or_else(String::new, |contact| contact.email.clone()),
        ),
        (
            "due",
            workspace
                .due
                .as_ref()
                .map_or_else(String::new, |due| due.working_days.to_string()),
        ),
    ] {
        form.values.entry(field.to_owned()).or_insert(value);
    }
    html_page(
        status,
        &WorkspacePage {
            page: ctx
                .page(state, "How we work here", Some(NavEntry::Workspace))
                .await?,
            workspace,
            edit,
            form,
        },
    )
}

pub(crate) async fn change(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    payload: web::Payload,
) -> HandlerResult {
    ctx.person()?.must_be_admin()?;
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_change(&state, &ctx, fields).await {
        Ok(workspace) => {
            let saved = ("/workspace", Flash::text("Saved."));
            json_or_flash(&ctx, &state, StatusCode::OK, saved, &workspace)
        }
        Err(error @ Error::Invalid(_)) if ctx.wants_html => {
            workspace_page(&state, &ctx, true, Some((typed, error))).await
        }
        Err(error) => Err(error),
    }
}

async fn try_change(
    state: &State,
    ctx: &RequestContext,
    mut fields: Fields,
) -> Result<WorkspaceView> {
    let change = Change {
        rules: fields.markdown("rules", workspace::MAX_RULES),
        contact: fields.text("contact", 254),
        due_days: due_days(&mut fields),
    };
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    workspace::change(&mut tx, ctx.person()?, &change).await?;
    let workspace = workspace::load(&mut tx).await?;
    tx.commit().await?;
    Ok(workspace_view(workspace))
}

/// Reads the default due time. A program sends `{"working_days":1}` or null. A form sends only the number of days.
fn due_days(fields: &mut Fields) -> Option<Option<i64>> {
    let message = |text: String| format!("{text} For example: {{\"working_days\":1}}.");
    let days = match fields.raw("due")? {
        Value::Null => return Some(None),
        Value::String(text) if fields.is_form() => text
            .trim()
            .parse()
            .map_err(|_| "must be a number of working days.".to_owned()),
        Value::Object(rule) if rule.len() == 1 => rule
            .get("working_days")
            .and_then(Value::as_i64)
            .ok_or_else(|| {
                message("must have `working_days`, a whole number, as its only field.".into())
            }),
        _ => Err(message("must be a number of working days.".into())),
    };
    days.and_then(workspace::check_due_days)
        .map_err(|message| fields.add_error("due", message))
        .ok()
        .map(Some)
}
