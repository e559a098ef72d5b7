//! Setting up, signing in and out, sessions and tokens.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::media::Taken;
use crate::people::{self, Hashed, NewAccount, Role};
use crate::state::State;
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::{Ask, Said, cookie, session_cookie};
use crate::web::extract::fields::Fields;
use crate::web::pages::{Form, SetupPage, SignInPage};
use crate::web::presenters::me::me_page;
use crate::web::presenters::sessions::{sessions, token_shapes};
use crate::web::responses::redirect::local;
use crate::web::responses::sign_in::{browser, signed_in};
use crate::web::responses::{
    Answer, data, failed_page, nothing, page, see_other, see_other_saying,
};
use crate::web::schema::{ListShape, TokenShape};
use crate::{sample, text};

#[derive(Deserialize)]
pub(crate) struct SetupQuery {
    code: Option<String>,
}

pub(crate) async fn setup_page(
    ask: Ask,
    state: web::Data<State>,
    query: web::Query<SetupQuery>,
) -> Answer {
    let code = query.into_inner().code.unwrap_or_default();
    check_code(&state, &code).await?;
    let form = Form {
        values: [("code".to_owned(), code)].into(),
        ..Form::default()
    };
    page(
        StatusCode::OK,
        &SetupPage {
            page: ask.page(&state, "Set up", "").await?,
            form,
        },
    )
}

/// The first account, once, for who has the printed code.
pub(crate) async fn setup(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    payload: web::Payload,
) -> Answer {
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_setup(&req, &state, fields).await {
        Ok(secret) => Ok(signed_in(&state, &ask, &secret, "/")),
        Err(error @ Error::Invalid(_)) if ask.html => {
            let form = Fields::filled(&typed, &error);
            page(
                StatusCode::UNPROCESSABLE_ENTITY,
                &SetupPage {
                    page: ask.page(&state, "Set up", "").await?,
                    form,
                },
            )
        }
        Err(error) => Err(error),
    }
}

async fn try_setup(req: &HttpRequest, state: &State, mut fields: Fields) -> Result<String> {
    let code = fields.secret("code");
    check_code(state, &code).await?;
    let email = fields.required("email", text::email);
    let name = fields.line("name", text::NAME);
    let password = fields.secret("password");
    let time_zone = fields
        .optional("time_zone", people::time_zone)
        .unwrap_or_else(|| "UTC".into());
    fields.finish()?;
    let password = Some(Hashed::new(&password, &[&name, &email]).await?);
    // The first account must not fail for the sample's sake.
    let video = sample::take(&state.intake)
        .await
        .inspect_err(|error| tracing::warn!(%error, "the sample update is left out"))
        .ok();
    let account = NewAccount {
        email,
        name,
        role: Role::Admin,
        password,
        time_zone,
    };
    let made = begin(req, state, &account, video.as_ref()).await;
    if let (Err(_), Some(video)) = (&made, video) {
        state.intake.discard(&[video]).await?;
    }
    made
}

/// The first account, its session and the sample, or none of them.
async fn begin(
    req: &HttpRequest,
    state: &State,
    account: &NewAccount,
    video: Option<&Taken>,
) -> Result<String> {
    let mut tx = state.db.begin().await?;
    // Asked again under the write lock: two at once cannot both be first.
    people::lock_first(&mut tx).await?;
    if !people::none_yet(&mut tx).await? {
        return Err(Error::NotFound);
    }
    let id = people::add(&mut tx, &state.clock, account).await?;
    let secret = people::open_session(&mut tx, &state.clock, &id, &browser(req)).await?;
    if let Some(video) = video {
        sample::make(&mut tx, &state.clock, &id, video).await?;
    }
    tx.commit().await?;
    Ok(secret)
}

/// Set-up is gone once there is an account, and to who has not the code.
async fn check_code(state: &State, code: &str) -> Result<()> {
    let open = people::none_yet(&mut *state.db.read().await?).await?;
    if open && bool::from(code.as_bytes().ct_eq(state.setup_code.as_bytes())) {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

#[derive(Deserialize)]
pub(crate) struct NextQuery {
    next: Option<String>,
}

/// Who I am, or the sign-in page.
pub(crate) async fn show(
    ask: Ask,
    state: web::Data<State>,
    query: web::Query<NextQuery>,
) -> Answer {
    let next = local(query.into_inner().next.as_deref());
    match (ask.viewer.person(), ask.html) {
        (Ok(_), true) => Ok(see_other(&next)),
        (Ok(person), false) => data(
            StatusCode::OK,
            &json!({ "person": { "id": person.id, "name": person.name, "email": person.email, "role": person.role.as_str(), "time_zone": person.time_zone } }),
        ),
        (Err(_), true) => {
            let first = people::none_yet(&mut *state.db.read().await?).await?;
            let problem =
                first.then(|| "Nobody has an account yet. Open the set-up link that Hearback printed when it started.".to_owned());
            let form = Form {
                values: [("next".to_owned(), next)].into(),
                problem,
                ..Form::default()
            };
            page(
                StatusCode::OK,
                &SignInPage {
                    page: ask.page(&state, "Sign in", "").await?,
                    form,
                },
            )
        }
        (Err(error), false) => Err(error),
    }
}

pub(crate) async fn sign_in(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    payload: web::Payload,
) -> Answer {
    let mut fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    let next = local(fields.text("next", 2000).flatten().as_deref());
    match try_sign_in(&req, &state, fields).await {
        Ok(secret) => Ok(signed_in(&state, &ask, &secret, &next)),
        Err(error @ (Error::Invalid(_) | Error::TooMany(_))) if ask.html => {
            let form = Fields::filled(&typed, &error);
            failed_page(
                &error,
                &SignInPage {
                    page: ask.page(&state, "Sign in", "").await?,
                    form,
                },
            )
        }
        Err(error) => Err(error),
    }
}

async fn try_sign_in(req: &HttpRequest, state: &State, mut fields: Fields) -> Result<String> {
    let email = fields.required("email", |text| text::text(text, 254));
    let password = fields.secret("password");
    fields.finish()?;
    state
        .guard
        .sign_in(&text::email_key(&email), &client_address(state, req))?;
    let account = people::sign_in(&state.db, &email, &password).await?;
    let mut tx = state.db.begin().await?;
    // A session that the browser already has ends: signing in makes a new one (ASVS 5.0, 7.2.4).
    if let Some(old) = req.cookie(session_cookie(state)) {
        people::end_by_secret(&mut tx, old.value()).await?;
    }
    let secret = people::open_session(&mut tx, &state.clock, &account.id, &browser(req)).await?;
    tx.commit().await?;
    Ok(secret)
}

pub(crate) async fn sign_out(req: HttpRequest, ask: Ask, state: web::Data<State>) -> Answer {
    if let Some(old) = req.cookie(session_cookie(&state)) {
        let mut tx = state.db.begin().await?;
        people::end_by_secret(&mut tx, old.value()).await?;
        tx.commit().await?;
    }
    let mut answer = nothing(&ask, "/session")?;
    let mut gone = cookie(&state, session_cookie(&state).into(), String::new(), 0);
    gone.make_removal();
    let _ = answer.add_cookie(&gone);
    Ok(answer)
}

pub(crate) async fn list(ask: Ask, state: web::Data<State>) -> Answer {
    data(
        StatusCode::OK,
        &ListShape {
            items: sessions(&state, &ask).await?,
            next: None,
        },
    )
}

pub(crate) async fn end(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let person = ask.person()?;
    let mut tx = state.db.begin().await?;
    people::end_session(&mut tx, &person.id, &id).await?;
    tx.commit().await?;
    nothing(&ask, "/me")
}

pub(crate) async fn tokens(ask: Ask, state: web::Data<State>) -> Answer {
    data(
        StatusCode::OK,
        &ListShape {
            items: token_shapes(&state, &ask).await?,
            next: None,
        },
    )
}

pub(crate) async fn add_token(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    payload: web::Payload,
) -> Answer {
    let person = ask.person()?.clone();
    let mut fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    let name = fields.line("name", text::NAME);
    if let Err(error) = fields.finish() {
        let told = |field: &str| {
            if field == "name" {
                "token_name".to_owned()
            } else {
                field.to_owned()
            }
        };
        // The page has another field of that name.
        let typed = typed
            .into_iter()
            .map(|(field, value)| (told(&field), value))
            .collect();
        let shown = Error::Invalid(
            error
                .fields()
                .into_iter()
                .map(|(field, wrong)| (told(&field), wrong))
                .collect(),
        );
        return if ask.html {
            me_page(&state, &ask, Some((typed, shown))).await
        } else {
            Err(error)
        };
    }
    let mut tx = state.db.begin().await?;
    let (id, token) = people::add_token(&mut tx, &state.clock, &person.id, &name).await?;
    tx.commit().await?;
    if ask.html {
        let said = Said {
            text: Some(format!(
                "The token “{name}” is made. Copy it now: it is not shown again."
            )),
            link: Some(token),
            ..Said::default()
        };
        return see_other_saying(&state, "/me", &said);
    }
    let shape = TokenShape {
        id,
        name,
        created_at: rfc3339(state.clock.now()),
        last_used_at: None,
        token: Some(token),
    };
    data(StatusCode::CREATED, &shape)
}

pub(crate) async fn end_token(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let person = ask.person()?;
    let mut tx = state.db.begin().await?;
    people::end_token(&mut tx, &person.id, &id).await?;
    tx.commit().await?;
    nothing(&ask, "/me")
}
