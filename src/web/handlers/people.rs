//! Handlers for people, invitations and password resets.

mod accept_invitation;
mod invitations;
mod password_resets;

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

pub(crate) use accept_invitation::{accept, invitation};
use invitations::pending_invitations;
pub(crate) use invitations::{invitations, invite, withdraw};
pub(crate) use password_resets::{create_reset_link, reset, reset_page};

use crate::error::{Error, Result};
use crate::people::{self, AccountFilter, Change, Role};
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::extract::list_query::ListQuery;
use crate::web::pages::{Form, NavEntry, PeoplePage};
use crate::web::presenters::people::{account_page, account_view};
use crate::web::responses::{HandlerResult, encode_query_value, html_page, json, json_or_redirect};
use crate::web::schema::{InvitationView, ListView};
use crate::{events, links, updates};

type Typed = BTreeMap<String, String>;

pub(crate) async fn list(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
) -> HandlerResult {
    ctx.person()?;
    let query = PeopleQuery::read(&req)?;
    if !ctx.wants_html {
        let (items, next) = account_page(&state, &query.filter, &query.list).await?;
        return json(StatusCode::OK, &ListView { items, next });
    }
    people_page(&state, &ctx, StatusCode::OK, &query, None).await
}

/// The accounts that the query string requests.
#[derive(Default)]
struct PeopleQuery {
    filter: AccountFilter,
    list: ListQuery,
}

impl PeopleQuery {
    fn read(req: &HttpRequest) -> Result<Self> {
        let mut list = ListQuery::read(req, &["q", "active"])?;
        let filter = AccountFilter {
            words: list.take_filter("q"),
            active: parse_active(&list.take_filter("active"))?,
        };
        Ok(Self { filter, list })
    }

    /// Returns the address of the page that begins after this cursor.
    fn url(&self, next: &str) -> String {
        let words = match self.filter.words.as_str() {
            "" => String::new(),
            words => format!("q={}&", encode_query_value(words)),
        };
        let active = self
            .filter
            .active
            .map_or_else(String::new, |active| format!("active={active}&"));
        format!("/people?{words}{active}after={next}")
    }
}

fn parse_active(text: &str) -> Result<Option<bool>> {
    match text {
        "" => Ok(None),
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => Err(Error::invalid("active", "must be true or false.")),
    }
}

async fn people_page(
    state: &State,
    ctx: &RequestContext,
    status: StatusCode,
    query: &PeopleQuery,
    failed: Option<(Typed, Error)>,
) -> HandlerResult {
    let (people, next) = account_page(state, &query.filter, &query.list).await?;
    let invitations = if ctx.person()?.is_admin() {
        pending_invitations(state).await?
    } else {
        Vec::new()
    };
    let made = ctx
        .flash
        .invited
        .iter()
        .filter_map(|(id, secret)| {
            let invitation = invitations.iter().find(|invitation| invitation.id == *id)?;
            Some(InvitationView {
                url: Some(format!("{}/invitations/{secret}", ctx.base_url)),
                ..invitation.clone()
            })
        })
        .collect();
    let form = failed.map_or_else(Form::default, |(typed, error)| {
        Fields::refilled_form(&typed, &error)
    });
    let page_struct = PeoplePage {
        page: ctx.page(state, "People", Some(NavEntry::People)).await?,
        people,
        next: next.map_or_else(String::new, |next| query.url(&next)),
        q: query.filter.words.clone(),
        invitations,
        form,
        made,
    };
    html_page(status, &page_struct)
}

pub(crate) async fn change(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let person = ctx.person()?;
    person.must_be_admin()?;
    let mut fields = Fields::read(&req, payload).await?;
    let role = fields.choice("role", &[Role::Admin, Role::Member]);
    let active = fields.flag("active");
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    people::change(&mut tx, &state.clock, &id, &Change { role, active }).await?;
    if active.is_some() {
        updates::refresh_person(&mut tx, &state.clock, &id).await?;
    }
    if active == Some(false) {
        links::revoke_of_author(&mut tx, &state.clock, &id, &person.id).await?;
    }
    events::record_deferred(&mut tx, &state.clock).await?;
    if active == Some(true) {
        state.reschedule_mail(&mut tx, &id).await?;
    }
    let account = account_view(people::by_id(&mut tx, &id).await?, state.clock.now());
    tx.commit().await?;
    json_or_redirect(&ctx, StatusCode::OK, "/people", &account)
}
