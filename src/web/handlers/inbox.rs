//! Handlers for the inbox, which is the home page.

mod snooze;

use actix_web::http::StatusCode;
use actix_web::web;
use serde::Deserialize;
use serde_json::json;

pub(crate) use snooze::{snooze, unsnooze};

use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::flash::Flash;
use crate::web::pages::{InboxPage, NavEntry};
use crate::web::presenters;
use crate::web::responses::{HandlerResult, html_page, json, see_other, see_other_with_flash};
use crate::{inbox, updates};

pub(crate) async fn show(ctx: RequestContext, state: web::Data<State>) -> HandlerResult {
    let person = ctx.person()?;
    let mut connection = state.db.read().await?;
    let inbox = presenters::inbox_view(&mut connection, &state, &ctx, &person.id).await?;
    if !ctx.wants_html {
        return json(StatusCode::OK, &inbox);
    }
    let first_day = updates::nothing_published_by(&mut connection, &person.id).await?;
    let snooze_choices = snooze::choices(&mut connection, person, state.clock.now()).await?;
    drop(connection);
    html_page(
        StatusCode::OK,
        &InboxPage {
            page: ctx.page(&state, "Inbox", Some(NavEntry::Inbox)).await?,
            inbox,
            first_day,
            snooze_choices,
        },
    )
}

/// Query parameters of [`next`]. `after` is the id of the update that the viewer just read. `skip`
/// contains the comma-separated ids of updates to leave out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NextQuery {
    #[serde(default)]
    after: String,
    #[serde(default)]
    skip: String,
}

/// Redirects to the update that follows `after` in the inbox. After the last update, starts again with the first. If
/// there is no other update, redirects to the inbox.
pub(crate) async fn next(
    ctx: RequestContext,
    state: web::Data<State>,
    query: web::Query<NextQuery>,
) -> HandlerResult {
    let person = ctx.person()?;
    let skip: Vec<String> = query
        .skip
        .split(',')
        .filter(|id| !id.is_empty())
        .take(200)
        .map(str::to_owned)
        .collect();
    let next = inbox::next_update(
        &mut *state.db.read().await?,
        &state.clock,
        &person.id,
        &query.after,
        &skip,
    )
    .await?;
    if !ctx.wants_html {
        let url = next
            .as_ref()
            .map(|id| format!("{}/updates/{id}", ctx.base_url));
        return json(StatusCode::OK, &json!({ "id": next, "url": url }));
    }
    match next {
        Some(id) => Ok(see_other(&format!("/updates/{id}"))),
        None => see_other_with_flash(&state, "/inbox", &Flash::text("That’s everything.")),
    }
}
