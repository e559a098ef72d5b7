//! Handlers for groups and their page.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::people::Person;
use crate::people::groups::{self, Change, Group, Member};
use crate::state::State;
use crate::updates;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::{Fields, split_list};
use crate::web::extract::flash::Flash;
use crate::web::pages::{Form, GroupsPage, NavEntry};
use crate::web::presenters::people::account_views_by_email;
use crate::web::responses::{
    HandlerResult, html_page, json, json_or_flash, no_content_or_redirect,
};
use crate::web::schema::{GroupView, ListView, PersonView};

type Typed = BTreeMap<String, String>;

fn group_view(group: Group, person: &Person) -> GroupView {
    let mine = group.may_be_changed_by(person);
    let member = group.members.iter().any(|member| member.id == person.id);
    let emails = group
        .members
        .iter()
        .map(|member| member.email.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let named = |member: Member| PersonView {
        id: member.id,
        name: member.name,
    };
    GroupView {
        id: group.id,
        name: group.name,
        members: group.members.into_iter().map(named).collect(),
        made_by: named(group.made_by),
        emails,
        mine,
        member,
    }
}

pub(crate) async fn list(
    ctx: RequestContext,
    state: web::Data<State>,
    query: web::Query<GroupsQuery>,
) -> HandlerResult {
    let person = ctx.person()?;
    if ctx.wants_html {
        return groups_page(&state, &ctx, &query.edit, None).await;
    }
    json(
        StatusCode::OK,
        &ListView {
            items: group_views(&state, person).await?,
            next: None,
        },
    )
}

async fn group_views(state: &State, person: &Person) -> Result<Vec<GroupView>> {
    Ok(groups::all(&mut *state.db.read().await?)
        .await?
        .into_iter()
        .map(|group| group_view(group, person))
        .collect())
}

/// Query parameters of the groups page. `edit` is the id of the group whose form is open.
#[derive(Deserialize)]
pub(crate) struct GroupsQuery {
    #[serde(default)]
    edit: String,
}

/// Renders the groups page. `edit` is the id of the group whose form is open. `failed` describes a refused form: the id
/// of its group, the values that the user entered, and the error. If the form is for a new group, the id is empty.
async fn groups_page(
    state: &State,
    ctx: &RequestContext,
    edit: &str,
    failed: Option<(&str, Typed, Error)>,
) -> HandlerResult {
    let (status, editing, form) = match failed {
        None => (StatusCode::OK, edit.to_owned(), Form::default()),
        Some((id, typed, error)) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            id.to_owned(),
            Fields::refilled_form(&typed, &error),
        ),
    };
    let mut shown = GroupsPage {
        page: ctx.page(state, "Groups", Some(NavEntry::Groups)).await?,
        groups: group_views(state, ctx.person()?).await?,
        people: Vec::new(),
        form,
        editing,
    };
    let named: Vec<String> = split_list(&shown.open_members()).collect();
    shown.people = account_views_by_email(state, &named).await?;
    html_page(status, &shown)
}

pub(crate) async fn create(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    payload: web::Payload,
) -> HandlerResult {
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_create(&state, &ctx, fields).await {
        Ok(group) => {
            let flash = Flash::text(format!("The group @{} has been created.", group.name));
            json_or_flash(
                &ctx,
                &state,
                StatusCode::CREATED,
                ("/groups", flash),
                &group,
            )
        }
        Err(error @ Error::Invalid(_)) if ctx.wants_html => {
            groups_page(&state, &ctx, "", Some(("", typed, error))).await
        }
        Err(error) => Err(error),
    }
}

async fn try_create(state: &State, ctx: &RequestContext, mut fields: Fields) -> Result<GroupView> {
    let person = ctx.person()?;
    let name = fields.required("name", groups::parse_name);
    let members = fields.list("members").unwrap_or_default();
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    let members = groups::resolve_members(&mut tx, &members).await?;
    let id = groups::create(&mut tx, &state.clock, person, &name, &members).await?;
    let group = groups::by_id(&mut tx, &id).await?;
    tx.commit().await?;
    Ok(group_view(group, person))
}

pub(crate) async fn change(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_change(&state, &ctx, &id, fields).await {
        Ok(group) => {
            let flash = Flash::text(format!("The group @{} has been saved.", group.name));
            json_or_flash(&ctx, &state, StatusCode::OK, ("/groups", flash), &group)
        }
        Err(error @ Error::Invalid(_)) if ctx.wants_html => {
            groups_page(&state, &ctx, "", Some((&id, typed, error))).await
        }
        Err(error) => Err(error),
    }
}

async fn try_change(
    state: &State,
    ctx: &RequestContext,
    id: &str,
    mut fields: Fields,
) -> Result<GroupView> {
    let person = ctx.person()?;
    let name = fields.replacement("name", groups::parse_name);
    let members = fields.list("members");
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    let members = match members {
        Some(members) => Some(groups::resolve_members(&mut tx, &members).await?),
        None => None,
    };
    updates::change_group(&mut tx, &state.clock, person, id, &Change { name, members }).await?;
    let group = groups::by_id(&mut tx, id).await?;
    tx.commit().await?;
    Ok(group_view(group, person))
}

pub(crate) async fn remove(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let person = ctx.person()?;
    let mut tx = state.db.begin().await?;
    updates::delete_group(&mut tx, &state.clock, person, &id).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, "/groups")
}

/// Removes a person from a group. The group's creator, admins and the person themselves may do this.
pub(crate) async fn remove_member(
    ctx: RequestContext,
    state: web::Data<State>,
    at: web::Path<(String, String)>,
) -> HandlerResult {
    let person = ctx.person()?;
    let (id, member) = at.into_inner();
    let mut tx = state.db.begin().await?;
    updates::leave_group(&mut tx, &state.clock, person, &id, &member).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, "/groups")
}
