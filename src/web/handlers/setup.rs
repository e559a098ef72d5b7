//! Handlers for the setup, which creates the first account and requires the code that the server printed.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::error::{Error, Result};
use crate::media::StoredFile;
use crate::people::{self, NewAccount, PasswordHash, Role};
use crate::state::State;
use crate::web::extract::browser_name::browser_name;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::pages::{Form, SetupPage};
use crate::web::responses::new_session::start_session_or_refill;
use crate::web::responses::{HandlerResult, html_page};
use crate::{sample, text};

#[derive(Deserialize)]
pub(crate) struct SetupQuery {
    code: Option<String>,
}

pub(crate) async fn show(
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
    setup_page(&state, &ctx, StatusCode::OK, form).await
}

async fn setup_page(
    state: &State,
    ctx: &RequestContext,
    status: StatusCode,
    form: Form,
) -> HandlerResult {
    let page = ctx.page(state, "Set up", None).await?;
    html_page(status, &SetupPage { page, form })
}

/// Creates the first account if the request contains the setup code that the server printed. Works only once.
pub(crate) async fn create(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    payload: web::Payload,
) -> HandlerResult {
    let fields = Fields::read(&req, payload).await?;
    let submit = async |fields| try_setup(&req, &state, fields).await;
    let form_page = async |status, form| setup_page(&state, &ctx, status, form).await;
    start_session_or_refill(&state, &ctx, fields, submit, form_page).await
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
    let account = NewAccount {
        email,
        name,
        role: Role::Admin,
        password,
        time_zone,
    };
    sample::with_video(&state.uploads, async |video| {
        create_first_account(req, state, &account, video).await
    })
    .await
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
