//! One's own settings.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::people::{self, Grant, Hashed, Person, Profile};
use crate::state::State;
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::{Ask, Said};
use crate::web::extract::fields::Fields;
use crate::web::presenters::me::{Typed, me_page, me_shape};
use crate::web::responses::{Answer, data, nothing, see_other_saying};
use crate::web::schema::MeShape;
use crate::working_hours::Hours;
use crate::{text, updates};

pub(crate) async fn show(ask: Ask, state: web::Data<State>) -> Answer {
    let person = ask.person()?;
    if ask.html {
        return me_page(&state, &ask, None).await;
    }
    data(
        StatusCode::OK,
        &me_shape(
            people::by_id(&mut *state.db.read().await?, &person.id).await?,
            state.clock.now(),
        ),
    )
}

pub(crate) async fn edit(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    payload: web::Payload,
) -> Answer {
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_edit(&req, &state, &ask, fields).await {
        Ok(_) if ask.html => see_other_saying(&state, "/me", &Said::text("Saved.")),
        Ok(account) => data(StatusCode::OK, &account),
        Err(error @ Error::Invalid(_)) if ask.html => {
            me_page(&state, &ask, Some((typed, error))).await
        }
        Err(error) => Err(error),
    }
}

async fn try_edit(
    req: &HttpRequest,
    state: &State,
    ask: &Ask,
    mut fields: Fields,
) -> Result<MeShape> {
    let person = ask.person()?;
    let time_zone = fields.optional("time_zone", people::time_zone);
    let profile = Profile {
        name: fields.optional("name", |text| text::line(text, text::NAME)),
        email: fields.optional("email", text::email),
        working_hours: hours(&mut fields),
        away_until: fields.moment(
            "away_until",
            time_zone.as_ref().unwrap_or(&person.time_zone),
        ),
        mail: mail(&mut fields),
        time_zone,
    };
    let current = fields.text("current", 1000).flatten().unwrap_or_default();
    fields.finish()?;
    // The address is half of what signs one in: a browser left open must not be enough to take an account over (ASVS 5.0, 7.5.1).
    // A token is a right that was given on purpose, to a program that knows no password.
    let moves = profile
        .email
        .as_ref()
        .is_some_and(|email| text::email_key(email) != text::email_key(&person.email));
    if moves && matches!(person.grant, Grant::Session(_)) {
        check_current(req, state, person, &current).await?;
    }
    let mut tx = state.db.begin().await?;
    if people::edit(&mut tx, &state.clock, &person.id, &profile).await? {
        updates::move_dues(&mut tx, &person.id).await?;
    }
    let account = me_shape(people::by_id(&mut tx, &person.id).await?, state.clock.now());
    tx.commit().await?;
    Ok(account)
}

/// Working hours: an object, or `days`, `from` and `to` of a form.
fn hours(fields: &mut Fields) -> Option<Option<Hours>> {
    if fields.is_form() && (fields.has("from") || fields.has("to") || fields.has("days")) {
        let days = fields.list("days").unwrap_or_default();
        let (from, to) = (
            fields.text("from", 10).flatten().unwrap_or_default(),
            fields.text("to", 10).flatten().unwrap_or_default(),
        );
        // What is no number is no day either, and is said as day 0.
        let days: Vec<i64> = days
            .iter()
            .map(|day| day.parse().unwrap_or_default())
            .collect();
        return Hours::new(&days, &from, &to)
            .map_err(|wrong| fields.complain("working_hours", wrong))
            .ok()
            .map(Some);
    }
    match fields.raw("working_hours")? {
        Value::Null => Some(None),
        value => Hours::parse(&value)
            .map_err(|wrong| fields.complain("working_hours", wrong))
            .ok()
            .map(Some),
    }
}

/// `notify` is `{"mail":true}`; a form sends `mail`.
fn mail(fields: &mut Fields) -> Option<bool> {
    if fields.is_form() && fields.has("mail") {
        return fields.flag("mail");
    }
    let notify = fields.raw("notify")?;
    match (
        notify.get("mail").and_then(Value::as_bool),
        notify.as_object().map_or(0, serde_json::Map::len),
    ) {
        (Some(mail), 1) => Some(mail),
        _ => {
            fields.complain(
                "notify",
                "is not understood. Right would be {\"mail\":true} or {\"mail\":false}.",
            );
            None
        }
    }
}

pub(crate) async fn change_password(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    payload: web::Payload,
) -> Answer {
    let fields = Fields::read(&req, payload).await?;
    match try_change_password(&req, &state, &ask, fields).await {
        Ok(()) if ask.html => see_other_saying(
            &state,
            "/me",
            &Said::text("Your password is changed. Everywhere else you are signed out."),
        ),
        Ok(()) => nothing(&ask, "/me"),
        Err(error @ (Error::Invalid(_) | Error::TooMany(_))) if ask.html => {
            me_page(&state, &ask, Some((Typed::new(), error))).await
        }
        Err(error) => Err(error),
    }
}

async fn try_change_password(
    req: &HttpRequest,
    state: &State,
    ask: &Ask,
    mut fields: Fields,
) -> Result<()> {
    let person = ask.person()?;
    let (current, password) = (fields.secret("current"), fields.secret("password"));
    fields.finish()?;
    check_current(req, state, person, &current).await?;
    let password = Hashed::new(&password, &[&person.name, &person.email]).await?;
    let keep = match &person.grant {
        Grant::Session(id) => Some(id.as_str()),
        Grant::Token(_) => None,
    };
    let mut tx = state.db.begin().await?;
    people::change_password(&mut tx, &person.id, &password, keep).await?;
    tx.commit().await
}

/// That who changes what signs one in knows the present password; as slow to guess as signing in.
async fn check_current(
    req: &HttpRequest,
    state: &State,
    person: &Person,
    current: &str,
) -> Result<()> {
    state
        .guard
        .sign_in(&text::email_key(&person.email), &client_address(state, req))?;
    match people::sign_in(&state.db, &person.email, current).await {
        Ok(_) => Ok(()),
        Err(Error::Invalid(_)) => Err(Error::invalid("current", "is not your present password.")),
        Err(error) => Err(error),
    }
}
