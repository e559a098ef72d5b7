//! "How we work here": read by all, written by admins.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::state::State;
use crate::web::extract::context::{Ask, Said};
use crate::web::extract::fields::Fields;
use crate::web::pages::{Form, WorkspacePage};
use crate::web::presenters::people::accounts;
use crate::web::presenters::workspace::workspace_shape;
use crate::web::responses::{Answer, data, page, see_other_saying};
use crate::web::schema::WorkspaceShape;
use crate::workspace::{self, Change};

type Typed = BTreeMap<String, String>;

async fn read(state: &State) -> Result<WorkspaceShape> {
    Ok(workspace_shape(
        workspace::read(&mut *state.db.read().await?).await?,
    ))
}

pub(crate) async fn show(req: HttpRequest, ask: Ask, state: web::Data<State>) -> Answer {
    let person = ask.person()?;
    if !ask.html {
        return data(StatusCode::OK, &read(&state).await?);
    }
    let edit = person.is_admin()
        && req
            .query_string()
            .split('&')
            .any(|part| part == "edit" || part.starts_with("edit="));
    workspace_page(&state, &ask, edit, None).await
}

async fn workspace_page(
    state: &State,
    ask: &Ask,
    edit: bool,
    failed: Option<(Typed, Error)>,
) -> Answer {
    let workspace = read(state).await?;
    let status = if failed.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let mut form = failed.map_or_else(Form::default, |(typed, error)| {
        Fields::filled(&typed, &error)
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
    let people = if edit {
        accounts(state).await?
    } else {
        Vec::new()
    };
    page(
        status,
        &WorkspacePage {
            page: ask.page(state, "How we work here", "people").await?,
            workspace,
            edit,
            form,
            people,
        },
    )
}

pub(crate) async fn change(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    payload: web::Payload,
) -> Answer {
    ask.person()?.must_be_admin()?;
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_change(&state, &ask, fields).await {
        Ok(_) if ask.html => see_other_saying(&state, "/workspace", &Said::text("Saved.")),
        Ok(workspace) => data(StatusCode::OK, &workspace),
        Err(error @ Error::Invalid(_)) if ask.html => {
            workspace_page(&state, &ask, true, Some((typed, error))).await
        }
        Err(error) => Err(error),
    }
}

async fn try_change(state: &State, ask: &Ask, mut fields: Fields) -> Result<WorkspaceShape> {
    let change = Change {
        rules: fields.text("rules", workspace::RULES),
        contact: fields.text("contact", 254),
        due_days: due(&mut fields),
    };
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    workspace::change(&mut tx, ask.person()?, &change).await?;
    let workspace = workspace::read(&mut tx).await?;
    tx.commit().await?;
    Ok(workspace_shape(workspace))
}

/// `{"working_days":1}`, null, or in a form the number.
fn due(fields: &mut Fields) -> Option<Option<i64>> {
    let wrong = |text: String| format!("{text} Right would be {{\"working_days\":1}}.");
    let days = match fields.raw("due")? {
        Value::Null => return Some(None),
        Value::String(text) if fields.is_form() => text
            .trim()
            .parse()
            .map_err(|_| "is not a number of working days.".to_owned()),
        Value::Object(rule) if rule.len() == 1 => rule
            .get("working_days")
            .and_then(Value::as_i64)
            .ok_or_else(|| wrong("is a rule that is not known.".into())),
        _ => Err(wrong("is not a number of working days.".into())),
    };
    days.and_then(workspace::days)
        .map_err(|wrong| fields.complain("due", wrong))
        .ok()
        .map(Some)
}
