//! Handlers for people, invitations and password resets.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::people::{self, Change, PasswordHash, Role};
use crate::state::State;
use crate::updates::MAX_INVITED;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::extract::flash::Flash;
use crate::web::extract::list_query::ListQuery;
use crate::web::pages::{Form, InvitationPage, PeoplePage, ResetPage};
use crate::web::presenters::people::{account_page, account_view};
use crate::web::presenters::workspace::workspace_view;
use crate::web::responses::sign_in::{browser_name, session_response};
use crate::web::responses::{
    HandlerResult, html_page, json, json_or_redirect, no_content_or_redirect, see_other_with_flash,
};
use crate::web::schema::{InvitationView, ListView};
use crate::{events, links, text, updates, workspace};

type Typed = BTreeMap<String, String>;

pub(crate) async fn list(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
) -> HandlerResult {
    ctx.person()?;
    let query = ListQuery::read(&req, &[])?;
    if !ctx.wants_html {
        let (items, next) = account_page(&state, &query).await?;
        return json(StatusCode::OK, &ListView { items, next });
    }
    people_page(&state, &ctx, StatusCode::OK, &query, None).await
}

async fn people_page(
    state: &State,
    ctx: &RequestContext,
    status: StatusCode,
    query: &ListQuery,
    failed: Option<(Typed, Error)>,
) -> HandlerResult {
    let (people, next) = account_page(state, query).await?;
    let invitations = if ctx.person()?.is_admin() {
        pending_invitations(state).await?
    } else {
        Vec::new()
    };
    let made = ctx
        .flash
        .invited
        .iter()
        .filter_map(|(id, secret)| {
            let invitation = invitations.iter().find(|invitation| invitation.id == *id)?;
            Some(InvitationView {
                url: Some(format!("{}/invitations/{secret}", ctx.base_url)),
                ..invitation.clone()
            })
        })
        .collect();
    let form = failed.map_or_else(Form::default, |(typed, error)| {
        Fields::refilled_form(&typed, &error)
    });
    let page_struct = PeoplePage {
        page: ctx.page(state, "People", "people").await?,
        people,
        next: next.map_or_else(String::new, |next| format!("/people?after={next}")),
        invitations,
        form,
        made,
    };
    html_page(status, &page_struct)
}

pub(crate) async fn change(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> HandlerResult {
    let person = ctx.person()?;
    person.must_be_admin()?;
    let mut fields = Fields::read(&req, payload).await?;
    let role = fields.choice("role", &[Role::Admin, Role::Member]);
    let active = fields.flag("active");
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    people::change(&mut tx, &state.clock, &id, &Change { role, active }).await?;
    if active.is_some() {
        updates::refresh_person(&mut tx, &state.clock, &id).await?;
    }
    if active == Some(false) {
        links::revoke_of_author(&mut tx, &state.clock, &id).await?;
        events::record_access(&mut tx, &state.clock, &id, &person.id).await?;
    }
    let account = account_view(people::by_id(&mut tx, &id).await?, state.clock.now());
    tx.commit().await?;
    json_or_redirect(&ctx, StatusCode::OK, "/people", &account)
}

pub(crate) async fn create_reset_link(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    ctx.person()?.must_be_admin()?;
    let mut tx = state.db.begin().await?;
    let account = people::by_id(&mut tx, &id).await?;
    let secret = people::create_reset_link(&mut tx, &state.clock, &id).await?;
    tx.commit().await?;
    let url = format!("{}/resets/{secret}", ctx.base_url);
    if ctx.wants_html {
        let said = Flash {
            text: Some(format!(
                "Send this link to {}. They can use it once, within one hour, to set a new password.",
                account.name
            )),
            link: Some(url),
            ..Flash::default()
        };
        return see_other_with_flash(&state, "/people", &said);
    }
    json(StatusCode::CREATED, &serde_json::json!({ "url": url }))
}

async fn pending_invitations(state: &State) -> Result<Vec<InvitationView>> {
    let invitations = people::invitations(&mut *state.db.read().await?, &state.clock).await?;
    Ok(invitations
        .into_iter()
        .map(|invitation| InvitationView {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role,
            created_at: rfc3339(invitation.created_at),
            expires_at: rfc3339(invitation.expires_at),
            url: None,
        })
        .collect())
}

pub(crate) async fn invitations(ctx: RequestContext, state: web::Data<State>) -> HandlerResult {
    ctx.person()?.must_be_admin()?;
    if ctx.wants_html {
        let query = ListQuery::default();
        return people_page(&state, &ctx, StatusCode::OK, &query, None).await;
    }
    json(
        StatusCode::OK,
        &ListView {
            items: pending_invitations(&state).await?,
            next: None,
        },
    )
}

pub(crate) async fn invite(
    req: HttpRequest,
    ctx: RequestContext,
    state: web::Data<State>,
    payload: web::Payload,
) -> HandlerResult {
    ctx.person()?.must_be_admin()?;
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_invite(&state, &ctx, fields).await {
        Ok(made) if ctx.wants_html => {
            let text = if made.len() == 1 {
                "The invitation has been created. Send its link to the person you invited."
            } else {
                "The invitations have been created. Send each person their own link."
            };
            let invited = made
                .into_iter()
                .map(|(view, secret)| (view.id, secret))
                .collect();
            see_other_with_flash(
                &state,
                "/people",
                &Flash {
                    text: Some(text.into()),
                    invited,
                    ..Flash::default()
                },
            )
        }
        Ok(made) => json(
            StatusCode::CREATED,
            &ListView {
                items: made.into_iter().map(|(view, _)| view).collect(),
                next: None,
            },
        ),
        Err(error @ Error::Invalid(_)) if ctx.wants_html => {
            people_page(
                &state,
                &ctx,
                StatusCode::UNPROCESSABLE_ENTITY,
                &ListQuery::default(),
                Some((typed, error)),
            )
            .await
        }
        Err(error) => Err(error),
    }
}

async fn try_invite(
    state: &State,
    ctx: &RequestContext,
    mut fields: Fields,
) -> Result<Vec<(InvitationView, String)>> {
    let emails = fields.list("emails").unwrap_or_default();
    let role = fields
        .choice("role", &[Role::Member, Role::Admin])
        .unwrap_or(Role::Member);
    if emails.is_empty() {
        fields.add_error("emails", "is empty. Write one email address per line.");
    }
    if emails.len() > MAX_INVITED {
        fields.add_error(
            "emails",
            format!(
                "has {} addresses; at most {MAX_INVITED} people can be invited at once.",
                emails.len()
            ),
        );
    }
    let mut checked = Vec::new();
    for email in &emails {
        match text::parse_email(email) {
            Ok(email) => checked.push(email),
            Err(message) => fields.add_error("emails", message),
        }
    }
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    let mut made = Vec::new();
    for email in checked {
        let invited = people::invite(&mut tx, &state.clock, ctx.person()?, &email, role).await?;
        let view = InvitationView {
            id: invited.id,
            email: invited.email,
            role: invited.role,
            created_at: rfc3339(invited.created_at),
            expires_at: rfc3339(invited.expires_at),
            url: Some(format!("{}/invitations/{}", ctx.base_url, invited.secret)),
        };
        made.push((view, invited.secret));
    }
    tx.commit().await?;
    Ok(made)
}

pub(crate) async fn withdraw(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let mut tx = state.db.begin().await?;
    people::withdraw(&mut tx, ctx.person()?, &id).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, "/people")
}

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
            page: ctx.page(state, "Invitation", "").await?,
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
    let typed = fields.typed();
    match try_accept(&req, &state, &secret, fields).await {
        Ok(session) => Ok(session_response(&state, &ctx, &session, "/")),
        Err(error @ Error::Invalid(_)) if ctx.wants_html => {
            invitation_page(
                &state,
                &ctx,
                &secret,
                StatusCode::UNPROCESSABLE_ENTITY,
                Fields::refilled_form(&typed, &error),
            )
            .await
        }
        Err(error) => Err(error),
    }
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
    let mut tx = state.db.begin().await?;
    let (id, asked) =
        people::accept(&mut tx, &state.clock, secret, name, password, time_zone).await?;
    let session = people::open_session(&mut tx, &state.clock, &id, &browser_name(req)).await?;
    updates::add_invited_recipient(&mut tx, &state.clock, &id, &asked).await?;
    for update in &asked {
        state.enqueue_mail(&mut tx, update).await?;
    }
    tx.commit().await?;
    Ok(session)
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
            page: ctx.page(state, "New password", "").await?,
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
    let typed = fields.typed();
    match try_reset(&req, &state, &secret, fields).await {
        Ok(session) => Ok(session_response(&state, &ctx, &session, "/")),
        Err(error @ Error::Invalid(_)) if ctx.wants_html => {
            reset_form_page(
                &state,
                &ctx,
                &secret,
                StatusCode::UNPROCESSABLE_ENTITY,
                Fields::refilled_form(&typed, &error),
            )
            .await
        }
        Err(error) => Err(error),
    }
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
    tx.commit().await?;
    Ok(session)
}
