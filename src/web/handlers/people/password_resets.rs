//! Handlers for password reset links.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use crate::error::Result;
use crate::events;
use crate::people::{self, PasswordHash};
use crate::state::State;
use crate::web::extract::browser_name::browser_name;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::{Fields, NoFields};
use crate::web::extract::flash::Flash;
use crate::web::pages::{Form, ResetPage};
use crate::web::responses::new_session::start_session_or_refill;
use crate::web::responses::{HandlerResult, html_page, json, json_or_flash};

pub(crate) async fn create_reset_link(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    _: NoFields,
) -> HandlerResult {
    ctx.person()?.must_be_admin()?;
    let mut tx = state.db.begin().await?;
    let account = people::by_id(&mut tx, &id).await?;
    let secret = people::create_reset_link(&mut tx, &state.clock, &id).await?;
    tx.commit().await?;
    let url = format!("{}/resets/{secret}", ctx.base_url);
    let body = serde_json::json!({ "url": url });
    let flash = Flash {
        text: Some(format!(
            "Send this link to {}. They can use it once, within one hour, to set a new password.",
            account.name
        )),
        link: Some(url),
        ..Flash::default()
    };
    json_or_flash(&ctx, &state, StatusCode::CREATED, ("/people", flash), &body)
}

/// Shows the page of a password reset link.
pub(crate) async fn reset_page(
    ctx: RequestContext,
    state: web::Data<State>,
    secret: web::Path<String>,
) -> HandlerResult {
    reset_form_page(&state, &ctx, &secret, StatusCode::OK, Form::default()).await
}

async fn reset_form_page(
    state: &State,
    ctx: &RequestContext,
    secret: &str,
    status: StatusCode,
    form: Form,
) -> HandlerResult {
    let account =
        people::reset_by_secret(&mut *state.db.read().await?, &state.clock, secret).await?;
    if !ctx.wants_html {
        return json(
            StatusCode::OK,
            &serde_json::json!({ "email": account.email }),
        );
    }
    let action = format!("/resets/{secret}");
    html_page(
        status,
        &ResetPage {
            page: ctx.page(state, "New password", None).await?,
            form,
            email: account.email,
            action,
        },
    )
}

pub(crate) async fn reset(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    secret: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let fields = Fields::read(&req, payload).await?;
    let submit = async |fields| try_reset(&req, &state, &secret, fields).await;
    let form_page = async |status, form| reset_form_page(&state, &ctx, &secret, status, form).await;
    start_session_or_refill(&state, &ctx, fields, submit, form_page).await
}

async fn try_reset(
    req: &HttpRequest,
    state: &State,
    secret: &str,
    mut fields: Fields,
) -> Result<String> {
    let account =
        people::reset_by_secret(&mut *state.db.read().await?, &state.clock, secret).await?;
    let password = fields.secret("password");
    fields.finish()?;
    let password = PasswordHash::new(&password, &[&account.name, &account.email]).await?;
    let mut tx = state.db.begin().await?;
    people::reset_password(&mut tx, &state.clock, secret, &password).await?;
    let session =
        people::open_session(&mut tx, &state.clock, &account.id, &browser_name(req)).await?;
    events::record_deferred(&mut tx, &state.clock).await?;
    tx.commit().await?;
    Ok(session)
}
