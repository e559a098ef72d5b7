//! Comments and reactions.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use crate::comments::{self, Anchor, NewComment, On, PICTURES, Region, Written};
use crate::error::{Error, Result};
use crate::media::Taken;
use crate::people::{self, Viewer};
use crate::state::State;
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::{Ask, Said};
use crate::web::extract::fields::{Fields, Wanted, asked};
use crate::web::handlers::updates::update_page;
use crate::web::presenters;
use crate::web::responses::{Answer, back, data, nothing, see_other, see_other_saying};
use crate::web::schema::{CommentShape, ListShape};
use crate::{markup, sample, text, updates};

/// The threads of an update, in order.
pub(crate) async fn list(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ask.viewer, &id).await?;
    data(
        StatusCode::OK,
        &ListShape {
            items: presenters::threads(&mut connection, &state, &ask, &update).await?,
            next: None,
        },
    )
}

/// One comment with its replies; a page leads to where it stands.
pub(crate) async fn show(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let shape = one(&state, &ask, &id).await?;
    if ask.html {
        Ok(see_other(&shape.url))
    } else {
        data(StatusCode::OK, &shape)
    }
}

async fn one(state: &State, ask: &Ask, id: &str) -> Result<CommentShape> {
    let mut connection = state.db.read().await?;
    let (comment, update) = comments::visible(&mut connection, &ask.viewer, id).await?;
    let threads = presenters::threads(&mut connection, state, ask, &update).await?;
    let root = comment.parent_id.unwrap_or_else(|| id.to_owned());
    let thread = threads
        .into_iter()
        .find(|thread| thread.id == root)
        .ok_or(Error::NotFound)?;
    if thread.id == id {
        Ok(thread)
    } else {
        thread
            .replies
            .into_iter()
            .find(|reply| reply.id == id)
            .ok_or(Error::NotFound)
    }
}

pub(crate) async fn add(
    req: HttpRequest,
    ask: Result<Ask>,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> Answer {
    let (ask, payload) = asked(&req, ask, payload).await?;
    // Whoever may not comment, or not so often, learns it before a picture is taken in.
    let update = updates::find(&mut *state.db.read().await?, &ask.viewer, &id).await?;
    if let Viewer::Guest(_) = &ask.viewer {
        people::guest_who_may_speak(&ask.viewer, &id)?;
    }
    state
        .guard
        .speak(&ask.viewer, &client_address(&state, &req))?;
    let wanted = Wanted {
        intake: &state.intake,
        field: "pictures",
        most: PICTURES,
        pictures: true,
    };
    let (fields, pictures) = Fields::read_with_files(&req, payload, wanted).await?;
    let typed = fields.typed();
    match try_add(&state, &ask, &id, fields, &pictures).await {
        Ok(made) => written(&req, &ask, &state, StatusCode::CREATED, &made).await,
        Err(error) => {
            state.intake.discard(&pictures).await?;
            if !ask.html
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
            refused(&state, &ask, &update, &typed, &error).await
        }
    }
}

async fn refused(
    state: &State,
    ask: &Ask,
    update: &updates::Update,
    typed: &BTreeMap<String, String>,
    error: &Error,
) -> Answer {
    let status = StatusCode::from_u16(error.status()).map_err(Error::internal)?;
    update_page(
        state,
        ask,
        status,
        update,
        Fields::filled(typed, error),
        None,
    )
    .await
}

/// A form is led to the comment; whom it names though they cannot see it is said there, and to a program in `unseen`.
async fn written(
    req: &HttpRequest,
    ask: &Ask,
    state: &State,
    status: StatusCode,
    made: &Written,
) -> Answer {
    if ask.html {
        let to = format!(
            "{}#c-{}",
            back(req, &format!("/updates/{}", made.update_id)),
            made.id
        );
        // A cookie carries them: it holds only so much.
        let unseen = made.unseen.iter().take(10).cloned().collect::<Vec<_>>();
        return if unseen.is_empty() {
            Ok(see_other(&to))
        } else {
            see_other_saying(
                state,
                &to,
                &Said {
                    unseen,
                    ..Said::default()
                },
            )
        };
    }
    let mut body =
        serde_json::to_value(one(state, ask, &made.id).await?).map_err(Error::internal)?;
    body["unseen"] = made
        .unseen
        .iter()
        .map(|(id, name)| serde_json::json!({ "id": id, "name": name }))
        .collect();
    data(status, &body)
}

async fn try_add(
    state: &State,
    ask: &Ask,
    id: &str,
    mut fields: Fields,
    pictures: &[Taken],
) -> Result<Written> {
    let body = fields
        .text("body", text::COMMENT)
        .flatten()
        .unwrap_or_default();
    let region = fields.json("region").and_then(|value| {
        Region::parse(&value)
            .map_err(|wrong| fields.complain("region", wrong))
            .ok()
    });
    let drawing = match fields.json("drawing") {
        Some(value) => fields.read_as(markup::drawing(&value, &state.intake.shop.font)),
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
    let name = fields.text("name", text::NAME).flatten();
    let asks = fields.choice("kind", &["comment", "question"]) == Some("question");
    fields.finish()?;
    let new = NewComment {
        body,
        asks,
        parent_id,
        anchor,
        pictures: pictures.to_vec(),
        name,
    };
    let mut tx = state.db.begin().await?;
    let made = comments::add(&mut tx, &state.clock, &ask.viewer, id, &new).await?;
    if new.asks {
        sample::reply(&mut tx, &state.clock, &ask.viewer, id, &made.id).await?;
    }
    tx.commit().await?;
    Ok(made)
}

pub(crate) async fn edit(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> Answer {
    let mut fields = Fields::read(&req, payload).await?;
    let body = fields.text("body", text::COMMENT).flatten();
    fields.finish()?;
    state
        .guard
        .speak(&ask.viewer, &client_address(&state, &req))?;
    let mut tx = state.db.begin().await?;
    let edited = match body {
        Some(body) => comments::edit(&mut tx, &state.clock, &ask.viewer, &id, &body).await?,
        None => {
            return Err(Error::invalid(
                "body",
                "is empty. To take the comment away, remove it.",
            ));
        }
    };
    tx.commit().await?;
    written(&req, &ask, &state, StatusCode::OK, &edited).await
}

/// What a comment said before, oldest first.
pub(crate) async fn history(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let versions = comments::history(&mut *state.db.read().await?, &ask.viewer, &id).await?;
    data(
        StatusCode::OK,
        &ListShape {
            items: versions.iter().map(presenters::version_shape).collect(),
            next: None,
        },
    )
}

pub(crate) async fn remove(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Answer {
    state
        .guard
        .speak(&ask.viewer, &client_address(&state, &req))?;
    let mut tx = state.db.begin().await?;
    let update = comments::remove(&mut tx, &state.clock, &ask.viewer, &id).await?;
    tx.commit().await?;
    nothing(&ask, &back(&req, &format!("/updates/{update}")))
}

pub(crate) async fn resolve(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Answer {
    set_resolved(&req, &ask, &state, &id, true).await
}

pub(crate) async fn reopen(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Answer {
    set_resolved(&req, &ask, &state, &id, false).await
}

async fn set_resolved(
    req: &HttpRequest,
    ask: &Ask,
    state: &State,
    id: &str,
    resolved: bool,
) -> Answer {
    state
        .guard
        .speak(&ask.viewer, &client_address(state, req))?;
    let mut tx = state.db.begin().await?;
    let update = comments::resolve(&mut tx, &state.clock, &ask.viewer, id, resolved).await?;
    tx.commit().await?;
    if ask.html {
        return Ok(see_other(&format!(
            "{}#c-{id}",
            back(req, &format!("/updates/{update}"))
        )));
    }
    data(StatusCode::OK, &one(state, ask, id).await?)
}

pub(crate) async fn accept(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Answer {
    set_accepted(&req, &ask, &state, &id, true).await
}

pub(crate) async fn take_back(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Answer {
    set_accepted(&req, &ask, &state, &id, false).await
}

/// Answers the question, whose state it changes.
async fn set_accepted(
    req: &HttpRequest,
    ask: &Ask,
    state: &State,
    id: &str,
    accepted: bool,
) -> Answer {
    state
        .guard
        .speak(&ask.viewer, &client_address(state, req))?;
    let mut tx = state.db.begin().await?;
    let (update, question) =
        comments::accept(&mut tx, &state.clock, &ask.viewer, id, accepted).await?;
    tx.commit().await?;
    if ask.html {
        return Ok(see_other(&format!(
            "{}#c-{id}",
            back(req, &format!("/updates/{update}"))
        )));
    }
    data(StatusCode::OK, &one(state, ask, &question).await?)
}

pub(crate) async fn react_to_update(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    payload: web::Payload,
) -> Answer {
    react(&req, &ask, &state, On::Update(&at.0), &at.1, payload).await
}

pub(crate) async fn react_to_comment(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
    payload: web::Payload,
) -> Answer {
    react(&req, &ask, &state, On::Comment(&at.0), &at.1, payload).await
}

async fn react(
    req: &HttpRequest,
    ask: &Ask,
    state: &State,
    on: On<'_>,
    emoji: &str,
    payload: web::Payload,
) -> Answer {
    let mut fields = Fields::read(req, payload).await?;
    let name = fields.text("name", text::NAME).flatten();
    fields.finish()?;
    state
        .guard
        .speak(&ask.viewer, &client_address(state, req))?;
    let mut tx = state.db.begin().await?;
    let update = comments::react(
        &mut tx,
        &state.clock,
        &ask.viewer,
        on,
        emoji,
        name.as_deref(),
    )
    .await?;
    tx.commit().await?;
    nothing(ask, &back(req, &format!("/updates/{update}")))
}

pub(crate) async fn unreact_to_update(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> Answer {
    unreact(&req, &ask, &state, On::Update(&at.0), &at.1).await
}

pub(crate) async fn unreact_to_comment(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> Answer {
    unreact(&req, &ask, &state, On::Comment(&at.0), &at.1).await
}

async fn unreact(req: &HttpRequest, ask: &Ask, state: &State, on: On<'_>, emoji: &str) -> Answer {
    state
        .guard
        .speak(&ask.viewer, &client_address(state, req))?;
    let mut tx = state.db.begin().await?;
    let update = comments::unreact(&mut tx, &state.clock, &ask.viewer, on, emoji).await?;
    tx.commit().await?;
    nothing(ask, &back(req, &format!("/updates/{update}")))
}
