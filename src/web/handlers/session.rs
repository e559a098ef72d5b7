//! Handlers for setup, sign-in, sign-out, sessions and tokens.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::media::StoredFile;
use crate::people::{self, NewAccount, PasswordHash, Role};
use crate::state::State;
use crate::web::extract::client_address::client_address;
use crate::web::extract::context::RequestContext;
use crate::web::extract::cookies::{cookie, session_cookie};
use crate::web::extract::fields::Fields;
use crate::web::extract::flash::Flash;
use crate::web::pages::{Form, SetupPage, SignInPage};
use crate::web::presenters::me::me_page;
use crate::web::presenters::sessions::{session_views, token_views};
use crate::web::responses::redirect::local_path;
use crate::web::responses::sign_in::{browser_name, session_response};
use crate::web::responses::{
    HandlerResult, html_error_page, html_page, json, no_content_or_redirect, see_other,
    see_other_with_flash,
};
use crate::web::schema::{ListView, TokenView};
use crate::{sample, text};

#[derive(Deserialize)]
pub(crate) struct SetupQuery {
    code: Option<String>,
}

pub(crate) async fn setup_page(
    ctx: RequestContext,
    state: web::Data<State>,
    query: web::Query<SetupQuery>,
) -> HandlerResult {
    let code = query.into_inner().code.unwrap_or_default();
    check_code(&state, &code).await?;
    let form = Form {
        values: [("code".to_owned(), code)].into(),
        ..Form::default()
    };
    html_page(
        StatusCode::OK,
        &SetupPage {
            page: ctx.page(&state, "Set up", "").await?,
            form,
        },
    )
}

/// Creates the first account if the request contains the setup code that the server printed. Works only once.
pub(crate) async fn setup(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    payload: web::Payload,
) -> HandlerResult {
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_setup(&req, &state, fields).await {
        Ok(secret) => Ok(session_response(&state, &ctx, &secret, "/")),
        Err(error @ Error::Invalid(_)) if ctx.wants_html => {
            let form = Fields::refilled_form(&typed, &error);
            html_page(
                StatusCode::UNPROCESSABLE_ENTITY,
                &SetupPage {
                    page: ctx.page(&state, "Set up", "").await?,
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
    let email = fields.required("email", text::parse_email);
    let name = fields.line("name", text::MAX_NAME);
    let password = fields.secret("password");
    let time_zone = fields
        .optional("time_zone", people::parse_time_zone)
        .unwrap_or_else(|| "UTC".into());
    fields.finish()?;
    let password = Some(PasswordHash::new(&password, &[&name, &email]).await?);
    // Setup must not fail if the sample cannot be created, so continue without it.
    let video = sample::store_video(&state.uploads)
        .await
        .inspect_err(|error| tracing::warn!(%error, "could not create the sample update"))
        .ok();
    let account = NewAccount {
        email,
        name,
        role: Role::Admin,
        password,
        time_zone,
    };
    let made = create_first_account(req, state, &account, video.as_ref()).await;
    if let (Err(_), Some(video)) = (&made, video) {
        state.uploads.discard(&[video]).await?;
    }
    made
}

/// Creates the first account, its session and the sample update in one transaction.
async fn create_first_account(
    req: &HttpRequest,
    state: &State,
    account: &NewAccount,
    video: Option<&StoredFile>,
) -> Result<String> {
    let mut tx = state.db.begin().await?;
    // Check again under the write lock, so that two requests cannot both create the first account.
    people::lock_setup(&mut tx).await?;
    if !people::no_accounts_yet(&mut tx).await? {
        return Err(Error::NotFound);
    }
    let id = people::add(&mut tx, &state.clock, account).await?;
    let secret = people::open_session(&mut tx, &state.clock, &id, &browser_name(req)).await?;
    if let Some(video) = video {
        sample::create(&mut tx, &state.clock, &id, video).await?;
    }
    tx.commit().await?;
    Ok(secret)
}

/// Fails with [`Error::NotFound`] if an account already exists or the code is wrong.
async fn check_code(state: &State, code: &str) -> Result<()> {
    let open = people::no_accounts_yet(&mut *state.db.read().await?).await?;
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

/// Returns the signed-in person, or shows the sign-in page.
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
            &json!({ "person": { "id": person.id, "name": person.name, "email": person.email, "role": person.role.as_str(), "time_zone": person.time_zone } }),
        ),
        (Err(_), true) => {
            let first = people::no_accounts_yet(&mut *state.db.read().await?).await?;
            let problem =
                first.then(|| "Nobody has an account yet. Open the set-up link that Hearback printed when it started.".to_owned());
            let form = Form {
                values: [("next".to_owned(), next)].into(),
                problem,
                ..Form::default()
            };
            html_page(
                StatusCode::OK,
                &SignInPage {
                    page: ctx.page(&state, "Sign in", "").await?,
                    form,
                },
            )
        }
        (Err(error), false) => Err(error),
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
            html_error_page(
                &error,
                &SignInPage {
                    page: ctx.page(&state, "Sign in", "").await?,
                    form,
                },
            )
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
    tx.commit().await?;
    no_content_or_redirect(&ctx, "/me")
}

pub(crate) async fn tokens(ctx: RequestContext, state: web::Data<State>) -> HandlerResult {
    json(
        StatusCode::OK,
        &ListView {
            items: token_views(&state, &ctx).await?,
            next: None,
        },
    )
}

pub(crate) async fn add_token(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    payload: web::Payload,
) -> HandlerResult {
    let person = ctx.person()?.clone();
    let mut fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    let name = fields.line("name", text::MAX_NAME);
    if let Err(error) = fields.finish() {
        let page_field = |field: &str| {
            if field == "name" {
                "token_name".to_owned()
            } else {
                field.to_owned()
            }
        };
        // Rename the field to `token_name`, because the settings page has another field called `name`.
        let typed = typed
            .into_iter()
            .map(|(field, value)| (page_field(&field), value))
            .collect();
        let shown = Error::Invalid(
            error
                .fields()
                .into_iter()
                .map(|(field, message)| (page_field(&field), message))
                .collect(),
        );
        return if ctx.wants_html {
            me_page(&state, &ctx, Some((typed, shown))).await
        } else {
            Err(error)
        };
    }
    let mut tx = state.db.begin().await?;
    let (id, token) = people::create_token(&mut tx, &state.clock, &person.id, &name).await?;
    tx.commit().await?;
    if ctx.wants_html {
        let said = Flash {
            text: Some(format!(
                "The token “{name}” has been created. Copy it now: it will not be shown again."
            )),
            link: Some(token),
            ..Flash::default()
        };
        return see_other_with_flash(&state, "/me", &said);
    }
    let view = TokenView {
        id,
        name,
        created_at: rfc3339(state.clock.now()),
        last_used_at: None,
        token: Some(token),
    };
    json(StatusCode::CREATED, &view)
}

pub(crate) async fn end_token(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let person = ctx.person()?;
    let mut tx = state.db.begin().await?;
    people::end_token(&mut tx, &person.id, &id).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, "/me")
}
