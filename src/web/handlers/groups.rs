//! Groups: their list, which is their page, and what changes them.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use crate::error::{Error, Result};
use crate::people::Person;
use crate::people::groups::{self, Change, Group, Member};
use crate::state::State;
use crate::updates;
use crate::web::extract::context::{Ask, Said};
use crate::web::extract::fields::Fields;
use crate::web::pages::{Form, GroupsPage};
use crate::web::presenters::people::accounts;
use crate::web::responses::{Answer, data, nothing, page, see_other_saying};
use crate::web::schema::{GroupShape, ListShape, PersonShape};

type Typed = BTreeMap<String, String>;

fn shape(group: Group, person: &Person) -> GroupShape {
    let mine = group.changed_by(person);
    let member = group.members.iter().any(|member| member.id == person.id);
    let emails = group
        .members
        .iter()
        .map(|member| member.email.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let named = |member: Member| PersonShape {
        id: member.id,
        name: member.name,
    };
    GroupShape {
        id: group.id,
        name: group.name,
        members: group.members.into_iter().map(named).collect(),
        made_by: named(group.made_by),
        emails,
        mine,
        member,
    }
}

pub(crate) async fn list(ask: Ask, state: web::Data<State>) -> Answer {
    let person = ask.person()?;
    if ask.html {
        return groups_page(&state, &ask, None).await;
    }
    data(
        StatusCode::OK,
        &ListShape {
            items: all(&state, person).await?,
            next: None,
        },
    )
}

async fn all(state: &State, person: &Person) -> Result<Vec<GroupShape>> {
    Ok(groups::all(&mut *state.db.read().await?)
        .await?
        .into_iter()
        .map(|group| shape(group, person))
        .collect())
}

/// The page, with what was typed into the form of one of the groups, or of a new one, if that was wrong.
async fn groups_page(state: &State, ask: &Ask, failed: Option<(&str, Typed, Error)>) -> Answer {
    let (status, editing, form) = match failed {
        None => (StatusCode::OK, String::new(), Form::default()),
        Some((id, typed, error)) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            id.to_owned(),
            Fields::filled(&typed, &error),
        ),
    };
    let shown = GroupsPage {
        page: ask.page(state, "Groups", "people").await?,
        groups: all(state, ask.person()?).await?,
        people: accounts(state).await?,
        form,
        editing,
    };
    page(status, &shown)
}

pub(crate) async fn make(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    payload: web::Payload,
) -> Answer {
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_make(&state, &ask, fields).await {
        Ok(group) if ask.html => see_other_saying(
            &state,
            "/groups",
            &Said::text(format!("The group @{} is made.", group.name)),
        ),
        Ok(group) => data(StatusCode::CREATED, &group),
        Err(error @ Error::Invalid(_)) if ask.html => {
            groups_page(&state, &ask, Some(("", typed, error))).await
        }
        Err(error) => Err(error),
    }
}

async fn try_make(state: &State, ask: &Ask, mut fields: Fields) -> Result<GroupShape> {
    let person = ask.person()?;
    let name = fields.required("name", groups::handle);
    let members = fields.list("members").unwrap_or_default();
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    let members = groups::understand(&mut tx, &members).await?;
    let id = groups::make(&mut tx, &state.clock, person, &name, &members).await?;
    let group = groups::by_id(&mut tx, &id).await?;
    tx.commit().await?;
    Ok(shape(group, person))
}

pub(crate) async fn change(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> Answer {
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_change(&state, &ask, &id, fields).await {
        Ok(group) if ask.html => see_other_saying(
            &state,
            "/groups",
            &Said::text(format!("The group @{} is saved.", group.name)),
        ),
        Ok(group) => data(StatusCode::OK, &group),
        Err(error @ Error::Invalid(_)) if ask.html => {
            groups_page(&state, &ask, Some((&id, typed, error))).await
        }
        Err(error) => Err(error),
    }
}

async fn try_change(state: &State, ask: &Ask, id: &str, mut fields: Fields) -> Result<GroupShape> {
    let person = ask.person()?;
    let name = fields
        .has("name")
        .then(|| fields.required("name", groups::handle));
    let members = fields.list("members");
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    let members = match members {
        Some(members) => Some(groups::understand(&mut tx, &members).await?),
        None => None,
    };
    updates::change_group(&mut tx, &state.clock, person, id, &Change { name, members }).await?;
    let group = groups::by_id(&mut tx, id).await?;
    tx.commit().await?;
    Ok(shape(group, person))
}

pub(crate) async fn remove(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let person = ask.person()?;
    let mut tx = state.db.begin().await?;
    updates::delete_group(&mut tx, &state.clock, person, &id).await?;
    tx.commit().await?;
    nothing(&ask, "/groups")
}

/// Takes one person out of a group: by its maker, an admin, or that person.
pub(crate) async fn remove_member(
    ask: Ask,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> Answer {
    let person = ask.person()?;
    let (id, member) = at.into_inner();
    let mut tx = state.db.begin().await?;
    updates::leave_group(&mut tx, &state.clock, person, &id, &member).await?;
    tx.commit().await?;
    nothing(&ask, "/groups")
}
