//! Handlers for the viewer's own settings.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::people::{self, Grant, PasswordHash, Person, Profile};
use crate::state::State;
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::extract::flash::Flash;
use crate::web::presenters::me::{Typed, me_page, me_view};
use crate::web::responses::{
    HandlerResult, json, json_or_flash, no_content_or_redirect, see_other_with_flash,
};
use crate::web::schema::MeView;
use crate::working_hours::WorkingHours;
use crate::{events, text, updates};

pub(crate) async fn show(ctx: RequestContext, state: web::Data<State>) -> HandlerResult {
    let person = ctx.person()?;
    if ctx.wants_html {
        return me_page(&state, &ctx, None).await;
    }
    json(
        StatusCode::OK,
        &me_view(
            people::by_id(&mut *state.db.read().await?, &person.id).await?,
            state.clock.now(),
        ),
    )
}

pub(crate) async fn edit(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    payload: web::Payload,
) -> HandlerResult {
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_edit(&req, &state, &ctx, fields).await {
        Ok(account) => {
            let saved = ("/me", Flash::text("Saved."));
            json_or_flash(&ctx, &state, StatusCode::OK, saved, &account)
        }
        Err(error @ Error::Invalid(_)) if ctx.wants_html => {
            me_page(&state, &ctx, Some((typed, in_email_form(error)))).await
        }
        Err(error) => Err(error),
    }
}

/// Moves an error about the current password to the form with the email address. The password form
/// on the same page has a field with the same name.
fn in_email_form(error: Error) -> Error {
    let Error::Invalid(mut fields) = error else {
        return error;
    };
    if let Some(message) = fields.remove("current") {
        fields.insert("current-for-email".into(), message);
    }
    Error::Invalid(fields)
}

async fn try_edit(
    req: &HttpRequest,
    state: &State,
    ctx: &RequestContext,
    mut fields: Fields,
) -> Result<MeView> {
    let person = ctx.person()?;
    let time_zone = fields.replacement("time_zone", people::parse_time_zone);
    let profile = Profile {
        name: fields.replacement("name", |text| text::clean_line(text, text::MAX_NAME)),
        email: fields.replacement("email", text::parse_email),
        working_hours: working_hours(&mut fields),
        away_until: fields.moment(
            "away_until",
            time_zone.as_ref().unwrap_or(&person.time_zone),
        ),
        mail: mail_setting(&mut fields),
        time_zone,
    };
    let current = fields.text("current", 1000).flatten().unwrap_or_default();
    fields.finish()?;
    if people::needs_password(person, &profile) {
        check_current(req, state, person, &current).await?;
    }
    let mut tx = state.db.begin().await?;
    if people::edit(&mut tx, &state.clock, &person.id, &profile).await? {
        updates::recompute_due_times(&mut tx, &state.clock, &person.id).await?;
        state.reschedule_mail(&mut tx, &person.id).await?;
    }
    events::record_deferred(&mut tx, &state.clock).await?;
    let account = me_view(people::by_id(&mut tx, &person.id).await?, state.clock.now());
    tx.commit().await?;
    Ok(account)
}

/// Reads the working hours from the field `working_hours`, which is an object, or from the form
/// fields `days`, `from` and `to`.
fn working_hours(fields: &mut Fields) -> Option<Option<WorkingHours>> {
    if fields.is_form() && (fields.has("from") || fields.has("to") || fields.has("days")) {
        let days = fields.list("days").unwrap_or_default();
        let (from, to) = (
            fields.text("from", 10).flatten().unwrap_or_default(),
            fields.text("to", 10).flatten().unwrap_or_default(),
        );
        // Text that is not a number becomes day 0, which validation rejects.
        let days: Vec<i64> = days
            .iter()
            .map(|day| day.parse().unwrap_or_default())
            .collect();
        return WorkingHours::new(&days, &from, &to)
            .map_err(|message| fields.add_error("working_hours", message))
            .ok()
            .map(Some);
    }
    match fields.raw("working_hours")? {
        Value::Null => Some(None),
        value => WorkingHours::parse(&value)
            .map_err(|message| fields.add_error("working_hours", message))
            .ok()
            .map(Some),
    }
}

/// Reads the email setting: `{"mail":true}` in the JSON field `notify`, or the form field `mail`.
fn mail_setting(fields: &mut Fields) -> Option<bool> {
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
            fields.add_error("notify", "must be {\"mail\":true} or {\"mail\":false}.");
            None
        }
    }
}

pub(crate) async fn change_password(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    payload: web::Payload,
) -> HandlerResult {
    let fields = Fields::read(&req, payload).await?;
    match try_change_password(&req, &state, &ctx, fields).await {
        Ok(()) if ctx.wants_html => see_other_with_flash(
            &state,
            "/me",
            &Flash::text(
                "Your password has been changed. You have been signed out everywhere else.",
            ),
        ),
        Ok(()) => no_content_or_redirect(&ctx, "/me"),
        Err(error @ (Error::Invalid(_) | Error::TooManyRequests(_))) if ctx.wants_html => {
            me_page(&state, &ctx, Some((Typed::new(), error))).await
        }
        Err(error) => Err(error),
    }
}

async fn try_change_password(
    req: &HttpRequest,
    state: &State,
    ctx: &RequestContext,
    mut fields: Fields,
) -> Result<()> {
    let person = ctx.person()?;
    let (current, password) = (fields.secret("current"), fields.secret("password"));
    fields.finish()?;
    check_current(req, state, person, &current).await?;
    let password = PasswordHash::new(&password, &[&person.name, &person.email]).await?;
    let keep = match &person.grant {
        Grant::Session(id) => Some(id.as_str()),
        Grant::Token(_) => None,
    };
    let mut tx = state.db.begin().await?;
    people::change_password(&mut tx, &person.id, &password, keep).await?;
    events::record_deferred(&mut tx, &state.clock).await?;
    tx.commit().await
}

/// Checks the current password before the email address or the password is changed. These checks share a rate limit
/// with sign-in.
async fn check_current(
    req: &HttpRequest,
    state: &State,
    person: &Person,
    current: &str,
) -> Result<()> {
    state
        .rate_limits
        .check_sign_in(&text::email_key(&person.email), &client_address(state, req))?;
    match people::sign_in(&state.db, &person.email, current).await {
        Ok(_) => Ok(()),
        Err(Error::Invalid(_)) => Err(Error::invalid("current", "is not your current password.")),
        Err(error) => Err(error),
    }
}
