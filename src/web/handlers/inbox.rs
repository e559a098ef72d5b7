//! The inbox, which is the home page.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use jiff::{Timestamp, ToSpan};
use serde::Deserialize;
use serde_json::json;

use crate::clock::Millis;
use crate::people::Person;
use crate::state::State;
use crate::web::extract::context::{Ask, Said};
use crate::web::extract::fields::Fields;
use crate::web::pages::InboxPage;
use crate::web::presenters;
use crate::web::responses::{Answer, back, data, nothing, page, see_other, see_other_saying};
use crate::{inbox, updates};

/// Home: the inbox, or the way to sign in.
pub(crate) async fn home(ask: Ask) -> Answer {
    ask.person()?;
    Ok(see_other("/inbox"))
}

pub(crate) async fn show(ask: Ask, state: web::Data<State>) -> Answer {
    let person = ask.person()?;
    let mut connection = state.db.read().await?;
    let inbox = presenters::inbox(&mut connection, &state, &ask, &person.id).await?;
    if !ask.html {
        return data(StatusCode::OK, &inbox);
    }
    let first_day = updates::none_published(&mut connection).await?;
    drop(connection);
    page(
        StatusCode::OK,
        &InboxPage {
            page: ask.page(&state, "Inbox", "inbox").await?,
            inbox,
            first_day,
        },
    )
}

/// Where reading goes on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    #[serde(default)]
    after: String,
    #[serde(default)]
    skip: String,
}

/// Leads to the next update that waits, after the one that is read; to the inbox when there is none.
pub(crate) async fn next(ask: Ask, state: web::Data<State>, query: web::Query<After>) -> Answer {
    let person = ask.person()?;
    let skip: Vec<String> = query
        .skip
        .split(',')
        .filter(|id| !id.is_empty())
        .take(200)
        .map(str::to_owned)
        .collect();
    let next = inbox::next(
        &mut *state.db.read().await?,
        &state.clock,
        &person.id,
        &query.after,
        &skip,
    )
    .await?;
    if !ask.html {
        let url = next.as_ref().map(|id| format!("{}/updates/{id}", ask.base));
        return data(StatusCode::OK, &json!({ "id": next, "url": url }));
    }
    match next {
        Some(id) => Ok(see_other(&format!("/updates/{id}"))),
        None => see_other_saying(&state, "/inbox", &Said::text("That was all.")),
    }
}

/// Puts a row off: until a time, `tomorrow` morning, `monday`, or until somebody has `answered`.
pub(crate) async fn snooze(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> Answer {
    let person = ask.person()?;
    let mut fields = Fields::read(&req, payload).await?;
    let word = fields.optional("until", |text| Ok(text.to_owned()));
    let until = match word.as_deref() {
        Some("answered") => None,
        Some(text) => match morning(person, text, state.clock.now())
            .or_else(|| crate::clock::parse_rfc3339(text))
        {
            Some(until) => Some(until),
            None => {
                fields.complain("until", "is not a time. Right would be 2026-11-23T08:00:00Z, tomorrow, monday, or answered.");
                None
            }
        },
        None => {
            fields.complain(
                "until",
                "is missing. Right would be 2026-11-23T08:00:00Z, tomorrow, monday, or answered.",
            );
            None
        }
    };
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    inbox::snooze(&mut tx, &state.clock, &ask.viewer, &id, until).await?;
    tx.commit().await?;
    nothing(&ask, &back(&req, "/inbox"))
}

/// Brings a row back.
pub(crate) async fn wake(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Answer {
    let person = ask.person()?;
    let mut tx = state.db.begin().await?;
    inbox::wake(&mut tx, &person.id, &id).await?;
    tx.commit().await?;
    nothing(&ask, &back(&req, "/inbox"))
}

/// Eight in the morning where the person is, tomorrow or next Monday.
fn morning(person: &Person, word: &str, now: Millis) -> Option<Millis> {
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
