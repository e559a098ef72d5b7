//! Handlers for sign-in, sign-out and sessions.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::Deserialize;
use serde_json::json;

use crate::config::DemoSignIn;
use crate::error::{Error, Result};
use crate::state::State;
use crate::web::extract::browser_name::browser_name;
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::RequestContext;
use crate::web::extract::cookies::{cookie, session_cookie};
use crate::web::extract::fields::Fields;
use crate::web::pages::{DemoFaces, Form, SignInPage};
use crate::web::presenters::sessions::session_views;
use crate::web::responses::new_session::session_response;
use crate::web::responses::redirect::local_path;
use crate::web::responses::{
    HandlerResult, html_error_page, html_page, json, no_content_or_redirect, see_other,
};
use crate::web::schema::ListView;
use crate::{events, people, text};

#[derive(Deserialize)]
pub(crate) struct NextQuery {
    next: Option<String>,
}

/// Shows a browser the sign-in page, or redirects it to `next` if the user is already signed in.
/// Returns the signed-in person to a program.
pub(crate) async fn show(
    ctx: RequestContext,
    state: web::Data<State>,
    query: web::Query<NextQuery>,
) -> HandlerResult {
    let next = local_path(query.into_inner().next.as_deref());
    match (ctx.viewer.person(), ctx.wants_html) {
        (Ok(_), true) => Ok(see_other(&next)),
        (Ok(person), false) => json(
            StatusCode::OK,
            &json!({ "person": {
                "id": person.id, "name": person.name, "email": person.email,
                "role": person.role.as_str(), "time_zone": person.time_zone,
            } }),
        ),
        (Err(_), true) => {
            let first = people::no_accounts_yet(&mut *state.db.read().await?).await?;
            let problem = first.then(|| {
                "Nobody has an account yet. \
                 Open the set-up link that Hearback printed when it started."
                    .to_owned()
            });
            let form = Form {
                values: [("next".to_owned(), next)].into(),
                problem,
                ..Form::default()
            };
            html_page(StatusCode::OK, &sign_in_page(&state, &ctx, form).await?)
        }
        (Err(error), false) => Err(error),
    }
}

async fn sign_in_page(state: &State, ctx: &RequestContext, form: Form) -> Result<SignInPage> {
    let page = ctx.page(state, "Sign in", None).await?;
    let demo = state.config.demo.as_ref().map(demo_faces);
    Ok(SignInPage { page, form, demo })
}

/// Groups the people of a demo by the city of their time zone.
fn demo_faces(demo: &DemoSignIn) -> DemoFaces {
    let cities = demo
        .people
        .chunk_by(|one, other| one.time_zone == other.time_zone)
        .map(|people| {
            let zone = people[0].time_zone;
            let city = zone.rsplit('/').next().unwrap_or(zone).replace('_', " ");
            (city, people.to_vec())
        })
        .collect();
    DemoFaces {
        password: demo.password,
        cities,
    }
}

pub(crate) async fn sign_in(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    payload: web::Payload,
) -> HandlerResult {
    let mut fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    let next = local_path(fields.text("next", 2000).flatten().as_deref());
    match try_sign_in(&req, &state, fields).await {
        Ok(secret) => Ok(session_response(&state, &ctx, &secret, &next)),
        Err(error @ (Error::Invalid(_) | Error::TooManyRequests(_))) if ctx.wants_html => {
            let form = Fields::refilled_form(&typed, &error);
            html_error_page(&error, &sign_in_page(&state, &ctx, form).await?)
        }
        Err(error) => Err(error),
    }
}

async fn try_sign_in(req: &HttpRequest, state: &State, mut fields: Fields) -> Result<String> {
    let email = fields.required("email", |text| text::clean_text(text, 254));
    let password = fields.secret("password");
    fields.finish()?;
    state
        .rate_limits
        .check_sign_in(&text::email_key(&email), &client_address(state, req))?;
    let account = people::sign_in(&state.db, &email, &password).await?;
    let mut tx = state.db.begin().await?;
    // End the browser's existing session: signing in creates a new one (ASVS 5.0, 7.2.4).
    if let Some(old) = req.cookie(session_cookie(state)) {
        people::end_session_by_secret(&mut tx, old.value()).await?;
    }
    let secret =
        people::open_session(&mut tx, &state.clock, &account.id, &browser_name(req)).await?;
    events::record_deferred(&mut tx, &state.clock).await?;
    tx.commit().await?;
    Ok(secret)
}

pub(crate) async fn sign_out(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
) -> HandlerResult {
    if let Some(old) = req.cookie(session_cookie(&state)) {
        let mut tx = state.db.begin().await?;
        people::end_session_by_secret(&mut tx, old.value()).await?;
        events::record_deferred(&mut tx, &state.clock).await?;
        tx.commit().await?;
    }
    let mut answer = no_content_or_redirect(&ctx, "/session")?;
    let mut gone = cookie(&state, session_cookie(&state).into(), String::new(), 0);
    gone.make_removal();
    let _ = answer.add_cookie(&gone);
    Ok(answer)
}

pub(crate) async fn list(ctx: RequestContext, state: web::Data<State>) -> HandlerResult {
    json(
        StatusCode::OK,
        &ListView {
            items: session_views(&state, &ctx).await?,
            next: None,
        },
    )
}

pub(crate) async fn end_session(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let person = ctx.person()?;
    let mut tx = state.db.begin().await?;
    people::end_session(&mut tx, &person.id, &id).await?;
    events::record_deferred(&mut tx, &state.clock).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, "/me")
}
