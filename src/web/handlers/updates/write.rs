//! Writing: new updates, drafts, edits, publication. One form, one set of fields.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::infra::db::Tx;
use crate::media::{self, Taken};
use crate::people::{Invited, Person};
use crate::state::State;
use crate::updates::{self, Content, Update};
use crate::web::extract::context::{Ask, Said};
use crate::web::extract::fields::{Fields, Wanted, asked};
use crate::web::pages::{EditPage, Form};
use crate::web::presenters;
use crate::web::presenters::people::accounts;
use crate::web::responses::{Answer, data, done, page, see_other, see_other_saying};
use crate::web::schema::UpdateShape;
use crate::working_hours::Due;
use crate::{text, uploads, workspace};

/// What was read of a request that writes an update, before addresses are looked up.
struct Written {
    content: Content,
    audience: Option<Vec<String>>,
    invite: bool,
    publish: Option<bool>,
}

/// Whether those who answered are asked again, and with what changed.
pub(crate) fn material(fields: &mut Fields) -> Option<Option<String>> {
    let material = fields.choice("change", &["cosmetic", "material"]) == Some("material");
    let what_changed = fields.text("what_changed", text::OTHERWISE).flatten();
    material.then_some(what_changed)
}

/// Reads the fields of an update. In a form `publish` may also be a button's name.
fn read(fields: &mut Fields, person: &Person, editing: bool) -> Written {
    let title = fields.text("title", text::TITLE).map(|title| {
        text::line(title.as_deref().unwrap_or_default(), text::TITLE).unwrap_or_default()
    });
    // A new update has no version and nobody who answered: there these fields are not known.
    let material = if editing { material(fields) } else { None };
    Written {
        content: Content {
            title,
            notes: fields
                .text("notes", text::NOTES)
                .map(Option::unwrap_or_default),
            visibility: fields.choice("visibility", &["audience", "workspace"]),
            expectation: fields.choice("expectation", &["fyi", "acknowledge", "readback"]),
            due: fields.due("due", &person.time_zone),
            otherwise: fields.text("otherwise", text::OTHERWISE),
            prompt: fields.text("prompt", text::PROMPT),
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

/// Looks the addresses up; with `invite` an admin invites those without an account. Answers whom.
async fn address(
    tx: &mut Tx,
    state: &State,
    person: &Person,
    written: &mut Written,
) -> Result<Vec<Invited>> {
    let Some(names) = &written.audience else {
        return Ok(Vec::new());
    };
    let invited = if written.invite {
        updates::invite_and_ask(tx, &state.clock, person, names).await?
    } else {
        Vec::new()
    };
    written.content.audience = Some(updates::address(tx, &state.clock, person, names).await?);
    Ok(invited)
}

pub(crate) async fn create(
    req: HttpRequest,
    ask: Result<Ask>,
    state: web::Data<State>,
    payload: web::Payload,
) -> Answer {
    let (ask, payload) = asked(&req, ask, payload).await?;
    let person = ask.person()?.clone();
    let (mut fields, files) = Fields::read_with_files(
        &req,
        payload,
        Wanted {
            intake: &state.intake,
            field: "media",
            most: media::MOST,
            pictures: false,
        },
    )
    .await?;
    let (typed, form) = (fields.typed(), fields.is_form());
    let mut written = read(&mut fields, &person, false);
    let publish = written.publish.unwrap_or(form);
    let made = async {
        fields.finish()?;
        if written.content.due.is_none()
            && written
                .content
                .expectation
                .is_some_and(|expectation| expectation != "fyi")
        {
            // The workspace's own rule, where nothing else is said.
            written.content.due = Some(
                workspace::glance(&mut *state.db.read().await?)
                    .await?
                    .due_days
                    .map(Due::Days),
            );
        }
        try_create(&state, &ask, &person, &mut written, publish, &files).await
    };
    match made.await {
        Ok((update, invited)) if !ask.html => {
            let answer = with_links(&state, &ask, &update, &invited).await?;
            Ok(HttpResponse::Created()
                .insert_header((
                    header::LOCATION,
                    format!("{}/updates/{}", ask.base, update.id),
                ))
                .json(answer))
        }
        Ok((update, invited)) => after_writing(&state, &update, invited, publish),
        Err(error) => {
            state.intake.discard(&files).await?;
            // Browsers do not choose files again by themselves.
            let chosen = (!files.is_empty())
                .then(|| "Choose your files again: they were not kept.".to_owned());
            failed(&state, &ask, None, &typed, error, chosen).await
        }
    }
}

async fn try_create(
    state: &State,
    ask: &Ask,
    person: &Person,
    written: &mut Written,
    publish: bool,
    files: &[Taken],
) -> Result<(Update, Vec<Invited>)> {
    let mut tx = state.db.begin().await?;
    let invited = address(&mut tx, state, person, written).await?;
    let mut update = updates::create(&mut tx, &state.clock, person, &written.content).await?;
    for taken in files {
        media::add(&mut tx, &state.clock, &update.id, None, taken).await?;
    }
    if publish {
        update = updates::publish(&mut tx, &state.clock, &ask.viewer, &update.id).await?;
        state.mail(&mut tx, &update.id).await?;
    }
    tx.commit().await?;
    Ok((update, invited))
}

/// The update as JSON, with the links of those who were invited for it: they are shown only now.
async fn with_links(
    state: &State,
    ask: &Ask,
    update: &Update,
    invited: &[Invited],
) -> Result<Value> {
    let shape = presenters::update(&mut *state.db.read().await?, state, ask, update).await?;
    let mut answer = serde_json::to_value(shape).map_err(Error::internal)?;
    if !invited.is_empty() {
        let links = invited.iter().map(|one| json!({ "email": one.email, "url": format!("{}/invitations/{}", ask.base, one.secret) }));
        answer["invited"] = links.collect();
    }
    Ok(answer)
}

/// Where a form leads: to the update; to who invited, with the links to pass on.
fn after_writing(state: &State, update: &Update, invited: Vec<Invited>, published: bool) -> Answer {
    if !invited.is_empty() {
        let text = "Invited. Pass each link on: whoever accepts is asked at once.".to_owned();
        let invited = invited
            .into_iter()
            .map(|one| (one.id, one.secret))
            .collect();
        return see_other_saying(
            state,
            "/people",
            &Said {
                text: Some(text),
                invited,
                ..Said::default()
            },
        );
    }
    if published {
        let text = match update.recipients {
            0 => "Sent.".to_owned(),
            1 => "Sent to 1 person.".to_owned(),
            people => format!("Sent to {people} people."),
        };
        return see_other_saying(state, &format!("/updates/{}", update.id), &Said::text(text));
    }
    let to = if update.published_at.is_some() {
        format!("/updates/{}", update.id)
    } else {
        format!("/updates/{}/edit", update.id)
    };
    Ok(see_other(&to))
}

/// What went wrong, for a form on the form itself with all that was typed.
async fn failed(
    state: &State,
    ask: &Ask,
    update: Option<&Update>,
    typed: &std::collections::BTreeMap<String, String>,
    error: Error,
    also: Option<String>,
) -> Answer {
    if !ask.html || matches!(error, Error::NotFound | Error::Unauthenticated) {
        return Err(error);
    }
    let status = StatusCode::from_u16(error.status()).map_err(Error::internal)?;
    if let Some(cause) = error.cause() {
        tracing::error!(%cause, "failed");
    }
    let mut form = Fields::filled(typed, &error);
    form.problem = [form.problem, also]
        .into_iter()
        .flatten()
        .reduce(|one, other| format!("{one} {other}"));
    match shown(state, ask, status, update, form).await {
        Ok(answer) => Ok(answer),
        // The form cannot be shown either (the database is away): the plain error page shows what was typed.
        Err(_) => Err(error),
    }
}

pub(crate) async fn new_page(ask: Ask, state: web::Data<State>) -> Answer {
    ask.person()?;
    shown(&state, &ask, StatusCode::OK, None, Form::default()).await
}

pub(crate) async fn edit_page(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let update = updates::find_mine(&mut *state.db.read().await?, &ask.viewer, &id).await?;
    shown(&state, &ask, StatusCode::OK, Some(&update), Form::default()).await
}

async fn shown(
    state: &State,
    ask: &Ask,
    status: StatusCode,
    update: Option<&Update>,
    mut form: Form,
) -> Answer {
    let person = ask.person()?;
    let mut connection = state.db.read().await?;
    let names: Vec<String> = form
        .value("audience")
        .split([',', '\n'])
        .map(|name| name.trim().to_owned())
        .collect();
    let unknown = if form.error("audience").is_empty() {
        Vec::new()
    } else {
        updates::unknown(&mut connection, &state.clock, &names).await?
    };
    let admins = updates::admins(&mut connection).await?;
    let (mut answered, mut media_changed) = (0, false);
    let shape = match update {
        Some(update) => {
            answered = updates::answered(&mut connection, &update.id).await?;
            media_changed = updates::media_changed(&mut connection, update).await?;
            let mut shape = presenters::update(&mut connection, state, ask, update).await?;
            presenters::lay(&mut connection, &mut shape.media).await?;
            let mut names: Vec<String> = shape
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
            names.extend(updates::awaited(&mut connection, &state.clock, &update.id).await?);
            fill(&mut form, &shape, &names.join(", "));
            Some(shape)
        }
        None => {
            if let Some(days) = workspace::glance(&mut connection).await?.due_days {
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
    let title = match &shape {
        Some(shape) if shape.state == "published" => "Edit",
        Some(_) => "Draft",
        None => "New update",
    };
    let mut people = accounts(state).await?;
    people.retain(|account| account.id != person.id && account.deactivated_at.is_none());
    let shown = EditPage {
        page: ask
            .page(
                state,
                title,
                if title == "Edit" { "updates" } else { "new" },
            )
            .await?,
        update: shape,
        form,
        people,
        unknown,
        admins,
        refusal: state.intake.room().err().map(|error| error.detail()),
        answered,
        media_changed,
        max_upload: state.intake.max,
        max_recording: state.config.max_recording * 60,
        limit: format!(
            "{} {}",
            uploads::TAKEN,
            format_args!("At most {} each.", uploads::size(state.intake.max))
        ),
    };
    page(status, &shown)
}

/// Fills what was not typed with what is stored.
fn fill(form: &mut Form, update: &UpdateShape, audience: &str) {
    let mut put = |field: &str, value: &str| {
        form.values
            .entry(field.to_owned())
            .or_insert_with(|| value.to_owned());
    };
    put("title", &update.title);
    put("notes", &update.notes);
    put("audience", audience);
    put("visibility", &update.visibility);
    put("expectation", &update.expectation);
    put("due", update.due_at());
    put(
        "due_days",
        &Some(update.due_days())
            .filter(|days| *days > 0)
            .map(|days| days.to_string())
            .unwrap_or_default(),
    );
    put(
        "when",
        if update.due_days() > 0 {
            "days"
        } else if update.due.is_null() {
            "none"
        } else {
            "time"
        },
    );
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
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> Answer {
    let person = ask.person()?.clone();
    let mut fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    let mut written = read(&mut fields, &person, true);
    let made = async {
        fields.finish()?;
        let mut tx = state.db.begin().await?;
        let invited = address(&mut tx, &state, &person, &mut written).await?;
        let mut update =
            updates::edit(&mut tx, &state.clock, &ask.viewer, &id, &written.content).await?;
        if written.publish == Some(true) {
            update = updates::publish(&mut tx, &state.clock, &ask.viewer, &id).await?;
        }
        state.mail(&mut tx, &id).await?;
        tx.commit().await?;
        Ok((update, invited))
    };
    match made.await {
        Ok((update, invited)) if !ask.html => data(
            StatusCode::OK,
            &with_links(&state, &ask, &update, &invited).await?,
        ),
        Ok((update, invited)) => {
            after_writing(&state, &update, invited, written.publish == Some(true))
        }
        Err(error)
            if ask.html
                && matches!(
                    error,
                    Error::Invalid(_) | Error::Conflict(_) | Error::Unavailable(..)
                ) =>
        {
            let update =
                match updates::find_mine(&mut *state.db.read().await?, &ask.viewer, &id).await {
                    Ok(update) => update,
                    Err(_) => return Err(error),
                };
            let mut typed = typed;
            // Saving again over the other version is the reader's own decision, made on this page.
            typed.remove("version");
            failed(&state, &ask, Some(&update), &typed, error, None).await
        }
        Err(error) => Err(error),
    }
}

pub(crate) async fn publish(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut tx = state.db.begin().await?;
    let update = updates::publish(&mut tx, &state.clock, &ask.viewer, &id).await?;
    state.mail(&mut tx, &id).await?;
    tx.commit().await?;
    let shape = presenters::update(&mut *state.db.read().await?, &state, &ask, &update).await?;
    done(&ask, StatusCode::OK, &format!("/updates/{id}"), &shape)
}

pub(crate) async fn unpublish(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut tx = state.db.begin().await?;
    let update = updates::unpublish(&mut tx, &state.clock, &ask.viewer, &id).await?;
    tx.commit().await?;
    let shape = presenters::update(&mut *state.db.read().await?, &state, &ask, &update).await?;
    done(&ask, StatusCode::OK, &format!("/updates/{id}/edit"), &shape)
}
