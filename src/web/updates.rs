//! Updates: the library, writing one, its page, and answering it.

mod library;
mod write;

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

pub(crate) use library::{library, search, trash_page};
pub(crate) use write::{create, edit, edit_page, new_page, publish, unpublish};

use super::answer::{Answer, data, done, nothing, page, see_other, see_other_saying};
use super::fields::Fields;
use super::pages::{Form, SharePreview, UpdatePage};
use super::shapes::{ListShape, PersonShape, UpdateShape};
use super::shaping;
use super::viewer::{Ask, Said};
use crate::app::State;
use crate::error::{Error, Result};
use crate::people::Viewer;
use crate::updates::Update;
use crate::{drafts, events, links, receipts, updates, words};

/// One update: its page, or its JSON. The author of a draft is led to where it is edited.
pub(crate) async fn show(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ask.viewer, &id).await?;
    if !ask.html {
        return data(StatusCode::OK, &shaping::update(&mut connection, &state, &ask, &update).await?);
    }
    drop(connection);
    if update.state() == "draft" {
        return Ok(see_other(&format!("/updates/{id}/edit")));
    }
    update_page(&state, &ask, StatusCode::OK, &update, Form::default(), None).await
}

/// The page of an update for a member or a guest, with what was typed into its composer if that was refused.
pub(crate) async fn update_page(
    state: &State,
    ask: &Ask,
    status: StatusCode,
    update: &Update,
    form: Form,
    share: Option<SharePreview>,
) -> Answer {
    let mut connection = state.db.read().await?;
    // Read first: what happens while the page is made comes again as an event, and is never missed.
    let event = events::newest(&mut connection).await?;
    let mut shape = shaping::update(&mut connection, state, ask, update).await?;
    let comments = shaping::threads(&mut connection, state, ask, update).await?;
    let guest = ask.viewer.guest_of(&update.id);
    if guest.is_some() {
        // A guest's number is that of the threads a guest sees.
        let seen = comments.iter().map(|thread| thread.replies.len() + usize::from(!thread.removed)).sum::<usize>();
        shape.counts.comments = i64::try_from(seen).unwrap_or(i64::MAX);
        let open = comments.iter().filter(|thread| thread.state.as_deref() == Some("open")).count();
        shape.counts.open_questions = i64::try_from(open).unwrap_or(i64::MAX);
    }
    let author = updates::must_be_author(&ask.viewer, update).is_ok();
    let (mut receipts, mut guests, mut links) = (Vec::new(), Vec::new(), Vec::new());
    if guest.is_none() {
        receipts = receipts::of(&mut connection, &update.id)
            .await?
            .iter()
            .map(|receipt| shaping::receipt_shape(state, ask, update, receipt))
            .collect();
        guests = receipts::of_guests(&mut connection, &update.id).await?.iter().map(shaping::guest_shape).collect();
        links = links::of(&mut connection, &update.id).await?;
    }
    let acknowledged = match guest {
        Some(guest) => receipts::of_guest(&mut connection, &guest.id)
            .await?
            .filter(|(_, seen)| *seen >= update.revision)
            .map(|(at, _)| crate::clock::rfc3339(at)),
        None => {
            shape.my_receipt.as_ref().filter(|receipt| receipt.state == "acknowledged").and_then(|receipt| receipt.acknowledged_at.clone())
        }
    };
    let drafts = match &ask.viewer {
        Viewer::Person(person) => drafts::of(&mut connection, &update.id, &person.id).await?,
        Viewer::Guest(_) | Viewer::Nobody => BTreeMap::new(),
    };
    drop(connection);
    let may_answer = guest.is_none_or(|guest| guest.comments) && update.trashed_at.is_none();
    let live = if update.trashed_at.is_some() || !ask.live { String::new() } else { format!("/updates/{}/live", update.id) };
    let open_links = links.iter().filter(|link| link.revoked_at.is_none()).count();
    let shown = UpdatePage {
        page: ask.page(state, shape.heading(), if guest.is_some() { "" } else { "updates" }).await?,
        who: if guest.is_some() { String::new() } else { who(&shape, author, open_links) },
        asked: may_answer && update.asks() && acknowledged.is_none() && (guest.is_some() || shape.my_receipt.is_some()),
        acknowledged_at: acknowledged,
        needs_name: guest.is_some_and(|guest| guest.name.is_none()),
        links: if author { links.iter().map(|link| shaping::link_shape(ask, link, None)).collect() } else { Vec::new() },
        guest: guest.is_some(),
        update: shape,
        comments,
        form,
        drafts,
        unseen: ask.said.unseen.iter().map(|(id, name)| PersonShape { id: id.clone(), name: name.clone() }).collect(),
        receipts,
        guests,
        author,
        may_answer,
        live,
        event,
        share,
    };
    page(status, &shown)
}

/// Who can open it: "You, 6 people, 1 open link", or for one of them "Ada, you, 5 more people".
fn who(update: &UpdateShape, author: bool, links: usize) -> String {
    let some = |count: i64, one: &str, more: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {more}")),
    };
    let mut parts = vec![if author { "You".to_owned() } else { update.author.name.clone() }];
    if update.visibility == "workspace" || update.audience.everyone {
        parts.push("everyone with an account".into());
    } else if update.my_receipt.is_some() {
        parts.push("you".into());
        parts.extend(some(update.counts.recipients - 1, "more person", "more people"));
    } else {
        parts.extend(some(update.counts.recipients, "person", "people"));
    }
    parts.extend(some(i64::try_from(links).unwrap_or(i64::MAX), "open link", "open links"));
    if parts.len() == 1 && author { "Only you".into() } else { parts.join(", ") }
}

pub(crate) async fn open(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut tx = state.db.begin().await?;
    receipts::open(&mut tx, &state.clock, &ask.viewer, &id).await?;
    tx.commit().await?;
    nothing(&ask, &format!("/updates/{id}"))
}

/// Who was asked and who answered: for members. Guests see none.
pub(crate) async fn receipts(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ask.viewer, &id).await?;
    if matches!(ask.viewer, Viewer::Guest(_)) {
        return Err(Error::NotFound);
    }
    let items =
        receipts::of(&mut connection, &id).await?.iter().map(|receipt| shaping::receipt_shape(&state, &ask, &update, receipt)).collect();
    let guests: Vec<_> = receipts::of_guests(&mut connection, &id).await?.iter().map(shaping::guest_shape).collect();
    let list = ListShape { items, next: None };
    let mut body = serde_json::to_value(list).map_err(Error::internal)?;
    body["guests"] = serde_json::to_value(guests).map_err(Error::internal)?;
    data(StatusCode::OK, &body)
}

pub(crate) async fn acknowledge(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> Answer {
    let fields = Fields::read(&req, payload).await?;
    state.guard.speak(&ask.viewer, &state.address(&req))?;
    let typed = fields.typed();
    match try_acknowledge(&state, &ask, &id, fields).await {
        Ok(()) => answered(&req, &ask, &state, &id).await,
        Err(error @ (Error::Invalid(_) | Error::Conflict(_))) if ask.html => {
            let update = updates::find(&mut *state.db.read().await?, &ask.viewer, &id).await?;
            let status = StatusCode::from_u16(error.status()).map_err(Error::internal)?;
            update_page(&state, &ask, status, &update, Fields::filled(&typed, &error), None).await
        }
        Err(error) => Err(error),
    }
}

async fn try_acknowledge(state: &State, ask: &Ask, id: &str, mut fields: Fields) -> Result<()> {
    let revision = fields.number("revision");
    let name = fields.text("name", words::NAME).flatten();
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    receipts::acknowledge(&mut tx, &state.clock, &ask.viewer, id, revision, name.as_deref()).await?;
    tx.commit().await
}

pub(crate) async fn take_back(req: HttpRequest, ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    state.guard.speak(&ask.viewer, &state.address(&req))?;
    let mut tx = state.db.begin().await?;
    receipts::take_back(&mut tx, &state.clock, &ask.viewer, &id).await?;
    tx.commit().await?;
    answered(&req, &ask, &state, &id).await
}

/// After an answer: back to the page, or to a program its own standing.
async fn answered(req: &HttpRequest, ask: &Ask, state: &State, id: &str) -> Answer {
    if ask.html {
        return Ok(see_other(&super::answer::back(req, &format!("/updates/{id}"))));
    }
    let mut connection = state.db.read().await?;
    let update = updates::find(&mut connection, &ask.viewer, id).await?;
    let person = ask.viewer.person().ok().map(|person| person.id.clone());
    let receipt = receipts::of(&mut connection, id).await?.into_iter().find(|receipt| Some(&receipt.person_id) == person.as_ref());
    match receipt {
        Some(receipt) => data(StatusCode::OK, &shaping::receipt_shape(state, ask, &update, &receipt)),
        None => nothing(ask, ""),
    }
}

pub(crate) async fn trash(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut tx = state.db.begin().await?;
    updates::trash(&mut tx, &state.clock, &ask.viewer, &id).await?;
    tx.commit().await?;
    if ask.html {
        return see_other_saying(&state, "/trash", &Said::text("It is in the trash. It is deleted for good after 30 days."));
    }
    nothing(&ask, "/trash")
}

pub(crate) async fn restore(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut tx = state.db.begin().await?;
    let update = updates::restore(&mut tx, &state.clock, &ask.viewer, &id).await?;
    tx.commit().await?;
    let shape = shaping::update(&mut *state.db.read().await?, &state, &ask, &update).await?;
    done(&ask, StatusCode::OK, &format!("/updates/{id}"), &shape)
}

/// Deletes one update from my trash for good; one that is not there is left alone.
pub(crate) async fn delete(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    empty(&ask, &state, Some(&id)).await
}

/// Deletes all of my trash for good.
pub(crate) async fn empty_trash(ask: Ask, state: web::Data<State>) -> Answer {
    empty(&ask, &state, None).await
}

async fn empty(ask: &Ask, state: &State, one: Option<&str>) -> Answer {
    let mut tx = state.db.begin().await?;
    updates::empty_trash(&mut tx, &state.clock, ask.person()?, one).await?;
    tx.commit().await?;
    nothing(ask, "/trash")
}
