//! Handlers for the invitations that admins create and withdraw.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use super::{PeopleQuery, people_page};
use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::people::{self, MAX_INVITED, Role};
use crate::state::State;
use crate::text;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::extract::flash::Flash;
use crate::web::responses::{HandlerResult, json, no_content_or_redirect, see_other_with_flash};
use crate::web::schema::{InvitationView, ListView};

pub(crate) async fn invitations(ctx: RequestContext, state: web::Data<State>) -> HandlerResult {
    ctx.person()?.must_be_admin()?;
    if ctx.wants_html {
        return people_page(&state, &ctx, StatusCode::OK, &PeopleQuery::default(), None).await;
    }
    json(
        StatusCode::OK,
        &ListView {
            items: pending_invitations(&state).await?,
            next: None,
        },
    )
}

pub(super) async fn pending_invitations(state: &State) -> Result<Vec<InvitationView>> {
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
                &PeopleQuery::default(),
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
        fields.add_error("emails", "is empty. Write one e-mail address per line.");
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
