//! Handlers for the inbox, which is the home page.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use serde_json::json;

use crate::clock::Millis;
use crate::people::Person;
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::extract::flash::Flash;
use crate::web::pages::InboxPage;
use crate::web::presenters;
use crate::web::responses::{
    HandlerResult, html_page, json, no_content_or_redirect, return_path, see_other,
    see_other_with_flash,
};
use crate::{inbox, updates};

/// Redirects to the inbox, or to the sign-in page.
pub(crate) async fn home(ctx: RequestContext) -> HandlerResult {
    ctx.person()?;
    Ok(see_other("/inbox"))
}

pub(crate) async fn show(ctx: RequestContext, state: web::Data<State>) -> HandlerResult {
    let person = ctx.person()?;
    let mut connection = state.db.read().await?;
    let inbox = presenters::inbox_view(&mut connection, &state, &ctx, &person.id).await?;
    if !ctx.wants_html {
        return json(StatusCode::OK, &inbox);
    }
    let first_day = updates::nothing_published_yet(&mut connection).await?;
    drop(connection);
    html_page(
        StatusCode::OK,
        &InboxPage {
            page: ctx.page(&state, "Inbox", "inbox").await?,
            inbox,
            first_day,
        },
    )
}

/// Query of [`next`]: the update that the viewer just read, and the updates to skip.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NextQuery {
    #[serde(default)]
    after: String,
    #[serde(default)]
    skip: String,
}

/// Redirects to the update that follows the given one in the inbox, or to the inbox if there is none.
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
        None => see_other_with_flash(
            &state,
            "/inbox",
            &Flash::text("That was the last entry in your inbox."),
        ),
    }
}

/// Snoozes an entry. `until` is a timestamp, `tomorrow`, `monday` or `answered`. `tomorrow` and `monday` mean 08:00 on
/// that day, and `answered` means until someone answers.
pub(crate) async fn snooze(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let person = ctx.person()?;
    let mut fields = Fields::read(&req, payload).await?;
    let word = fields.optional("until", |text| Ok(text.to_owned()));
    let until = match word.as_deref() {
        Some("answered") => None,
        Some(text) => match morning_of(person, text, state.clock.now())
            .or_else(|| crate::clock::parse_rfc3339(text))
        {
            Some(until) => Some(until),
            None => {
                fields.add_error("until", "is not a valid time. Use `tomorrow`, `monday`, `answered` or a time such as 2026-11-23T08:00:00Z.");
                None
            }
        },
        None => {
            fields.add_error(
                "until",
                "is missing. Use `tomorrow`, `monday`, `answered` or a time such as 2026-11-23T08:00:00Z.",
            );
            None
        }
    };
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    inbox::snooze(&mut tx, &state.clock, &ctx.viewer, &id, until).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, &return_path(&req, "/inbox"))
}

/// Ends the snooze of an entry.
pub(crate) async fn unsnooze(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let person = ctx.person()?;
    let mut tx = state.db.begin().await?;
    inbox::unsnooze(&mut tx, &person.id, &id).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, &return_path(&req, "/inbox"))
}

/// Returns 08:00 tomorrow or next Monday in the person's time zone.
fn morning_of(person: &Person, word: &str, now: Millis) -> Option<Millis> {
    const BEGINS: i8 = 8;
    let zone = jiff::tz::TimeZone::get(&person.time_zone).ok()?;
    let today = Timestamp::from_millisecond(now)
        .ok()?
        .to_zoned(zone.clone())
        .date();
    let day = match word {
        "tomorrow" => today.checked_add(1.day()).ok()?,
        "monday" => today.nth_weekday(1, jiff::civil::Weekday::Monday).ok()?,
        _ => return None,
    };
    Some(
        day.at(BEGINS, 0, 0, 0)
            .to_zoned(zone)
            .ok()?
            .timestamp()
            .as_millisecond(),
    )
}
