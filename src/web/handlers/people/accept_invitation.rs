//! Handlers for the page on which an invited person creates their account.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use crate::error::Result;
use crate::media::StoredFile;
use crate::people::{self, PasswordHash};
use crate::state::State;
use crate::web::extract::browser_name::browser_name;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::pages::{Form, InvitationPage};
use crate::web::presenters::workspace::workspace_view;
use crate::web::responses::new_session::start_session_or_refill;
use crate::web::responses::{HandlerResult, html_page, json};
use crate::{sample, text, updates, workspace};

/// Shows the page of an invitation. GET changes nothing, because email scanners follow links.
pub(crate) async fn invitation(
    ctx: RequestContext,
    state: web::Data<State>,
    secret: web::Path<String>,
) -> HandlerResult {
    invitation_page(&state, &ctx, &secret, StatusCode::OK, Form::default()).await
}

async fn invitation_page(
    state: &State,
    ctx: &RequestContext,
    secret: &str,
    status: StatusCode,
    form: Form,
) -> HandlerResult {
    let invitation =
        people::invitation_by_secret(&mut *state.db.read().await?, &state.clock, secret).await?;
    let workspace = workspace_view(workspace::load(&mut *state.db.read().await?).await?);
    let (email, invited_by) = (invitation.email, invitation.invited_by);
    if !ctx.wants_html {
        return json(
            StatusCode::OK,
            &serde_json::json!({ "email": email, "invited_by": invited_by, "workspace": workspace }),
        );
    }
    let action = format!("/invitations/{secret}");
    html_page(
        status,
        &InvitationPage {
            page: ctx.page(state, "Invitation", None).await?,
            form,
            email,
            invited_by,
            workspace,
            action,
        },
    )
}

pub(crate) async fn accept(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    secret: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let fields = Fields::read(&req, payload).await?;
    let submit = async |fields| try_accept(&req, &state, &secret, fields).await;
    let form_page = async |status, form| invitation_page(&state, &ctx, &secret, status, form).await;
    start_session_or_refill(&state, &ctx, fields, submit, form_page).await
}

async fn try_accept(
    req: &HttpRequest,
    state: &State,
    secret: &str,
    mut fields: Fields,
) -> Result<String> {
    let invitation =
        people::invitation_by_secret(&mut *state.db.read().await?, &state.clock, secret).await?;
    let name = fields.line("name", text::MAX_NAME);
    let password = fields.secret("password");
    let time_zone = fields
        .optional("time_zone", people::parse_time_zone)
        .unwrap_or_else(|| "UTC".into());
    fields.finish()?;
    let password = PasswordHash::new(&password, &[&name, &invitation.email]).await?;
    let account = AcceptedAccount {
        name,
        password,
        time_zone,
    };
    sample::with_video(&state.uploads, async |video| {
        create_account(req, state, secret, account, video).await
    })
    .await
}

/// The fields of the form that accepts an invitation.
struct AcceptedAccount {
    name: String,
    password: PasswordHash,
    time_zone: String,
}

/// Creates the account, its session and its sample update, and asks the person for the answers that were expected of
/// the invitation, in one transaction.
async fn create_account(
    req: &HttpRequest,
    state: &State,
    secret: &str,
    account: AcceptedAccount,
    video: Option<&StoredFile>,
) -> Result<String> {
    let AcceptedAccount {
        name,
        password,
        time_zone,
    } = account;
    let mut tx = state.db.begin().await?;
    let (id, asked) =
        people::accept(&mut tx, &state.clock, secret, name, password, time_zone).await?;
    let session = people::open_session(&mut tx, &state.clock, &id, &browser_name(req)).await?;
    updates::add_invited_recipient(&mut tx, &state.clock, &id, &asked).await?;
    for update in &asked {
        state.enqueue_mail(&mut tx, update).await?;
    }
    if let Some(video) = video {
        sample::create(&mut tx, &state.clock, &id, video).await?;
    }
    tx.commit().await?;
    Ok(session)
}
