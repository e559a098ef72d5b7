//! People, invitations and new passwords.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::people::{self, Change, Hashed, Role};
use crate::state::State;
use crate::updates::INVITE;
use crate::web::extract::context::{Ask, Said};
use crate::web::extract::fields::Fields;
use crate::web::pages::{Form, InvitationPage, PeoplePage, ResetPage};
use crate::web::presenters::people::{account_shape, accounts};
use crate::web::presenters::workspace::workspace_shape;
use crate::web::responses::sign_in::{browser, signed_in};
use crate::web::responses::{Answer, data, done, nothing, page, see_other_saying};
use crate::web::schema::{InvitationShape, ListShape};
use crate::{events, links, text, updates, workspace};

type Typed = BTreeMap<String, String>;

pub(crate) async fn list(ask: Ask, state: web::Data<State>) -> Answer {
    ask.person()?;
    if !ask.html {
        return data(
            StatusCode::OK,
            &ListShape {
                items: accounts(&state).await?,
                next: None,
            },
        );
    }
    people_page(&state, &ask, StatusCode::OK, None).await
}

async fn people_page(
    state: &State,
    ask: &Ask,
    status: StatusCode,
    failed: Option<(Typed, Error)>,
) -> Answer {
    let invitations = if ask.person()?.is_admin() {
        pending(state).await?
    } else {
        Vec::new()
    };
    let made = ask
        .said
        .invited
        .iter()
        .filter_map(|(id, secret)| {
            let invitation = invitations.iter().find(|invitation| invitation.id == *id)?;
            Some(InvitationShape {
                url: Some(format!("{}/invitations/{secret}", ask.base)),
                ..invitation.clone()
            })
        })
        .collect();
    let form = failed.map_or_else(Form::default, |(typed, error)| {
        Fields::filled(&typed, &error)
    });
    let page_struct = PeoplePage {
        page: ask.page(state, "People", "people").await?,
        people: accounts(state).await?,
        invitations,
        form,
        made,
    };
    page(status, &page_struct)
}

pub(crate) async fn change(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> Answer {
    let person = ask.person()?;
    person.must_be_admin()?;
    let mut fields = Fields::read(&req, payload).await?;
    let role = fields
        .choice("role", &["admin", "member"])
        .and_then(Role::parse);
    let active = fields.flag("active");
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    people::change(&mut tx, &state.clock, &id, &Change { role, active }).await?;
    if active.is_some() {
        updates::settle_person(&mut tx, &state.clock, &id).await?;
    }
    if active == Some(false) {
        links::revoke_of_author(&mut tx, &state.clock, &id).await?;
        events::record_access(&mut tx, &state.clock, &id, &person.id).await?;
    }
    let account = account_shape(people::by_id(&mut tx, &id).await?, state.clock.now());
    tx.commit().await?;
    done(&ask, StatusCode::OK, "/people", &account)
}

pub(crate) async fn ask_to_reset(
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
) -> Answer {
    ask.person()?.must_be_admin()?;
    let mut tx = state.db.begin().await?;
    let account = people::by_id(&mut tx, &id).await?;
    let secret = people::ask_to_reset(&mut tx, &state.clock, &id).await?;
    tx.commit().await?;
    let url = format!("{}/resets/{secret}", ask.base);
    if ask.html {
        let said = Said {
            text: Some(format!(
                "Pass this link to {}. It sets a new password, once, within an hour.",
                account.name
            )),
            link: Some(url),
            ..Said::default()
        };
        return see_other_saying(&state, "/people", &said);
    }
    data(StatusCode::CREATED, &serde_json::json!({ "url": url }))
}

async fn pending(state: &State) -> Result<Vec<InvitationShape>> {
    let invitations = people::invitations(&mut *state.db.read().await?, &state.clock).await?;
    Ok(invitations
        .into_iter()
        .map(|invitation| InvitationShape {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role,
            created_at: rfc3339(invitation.created_at),
            expires_at: rfc3339(invitation.expires_at),
            url: None,
        })
        .collect())
}

pub(crate) async fn invitations(ask: Ask, state: web::Data<State>) -> Answer {
    ask.person()?.must_be_admin()?;
    if ask.html {
        return people_page(&state, &ask, StatusCode::OK, None).await;
    }
    data(
        StatusCode::OK,
        &ListShape {
            items: pending(&state).await?,
            next: None,
        },
    )
}

pub(crate) async fn invite(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    payload: web::Payload,
) -> Answer {
    ask.person()?.must_be_admin()?;
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_invite(&state, &ask, fields).await {
        Ok(made) if ask.html => {
            let text = if made.len() == 1 {
                "The invitation is made. Pass its link on."
            } else {
                "The invitations are made. Pass each its own link."
            };
            let invited = made
                .into_iter()
                .map(|(shape, secret)| (shape.id, secret))
                .collect();
            see_other_saying(
                &state,
                "/people",
                &Said {
                    text: Some(text.into()),
                    invited,
                    ..Said::default()
                },
            )
        }
        Ok(made) => data(
            StatusCode::CREATED,
            &ListShape {
                items: made.into_iter().map(|(shape, _)| shape).collect(),
                next: None,
            },
        ),
        Err(error @ Error::Invalid(_)) if ask.html => {
            people_page(
                &state,
                &ask,
                StatusCode::UNPROCESSABLE_ENTITY,
                Some((typed, error)),
            )
            .await
        }
        Err(error) => Err(error),
    }
}

async fn try_invite(
    state: &State,
    ask: &Ask,
    mut fields: Fields,
) -> Result<Vec<(InvitationShape, String)>> {
    let emails = fields.list("emails").unwrap_or_default();
    let role = fields
        .choice("role", &["member", "admin"])
        .and_then(Role::parse)
        .unwrap_or(Role::Member);
    if emails.is_empty() {
        fields.complain("emails", "is empty. Write one address a line.");
    }
    if emails.len() > INVITE {
        fields.complain(
            "emails",
            format!(
                "names {} addresses; at most {INVITE} are invited at once.",
                emails.len()
            ),
        );
    }
    let mut checked = Vec::new();
    for email in &emails {
        match text::email(email) {
            Ok(email) => checked.push(email),
            Err(wrong) => fields.complain("emails", wrong),
        }
    }
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    let mut made = Vec::new();
    for email in checked {
        let invited = people::invite(&mut tx, &state.clock, ask.person()?, &email, role).await?;
        let shape = InvitationShape {
            id: invited.id,
            email: invited.email,
            role: invited.role.as_str().into(),
            created_at: rfc3339(invited.created_at),
            expires_at: rfc3339(invited.expires_at),
            url: Some(format!("{}/invitations/{}", ask.base, invited.secret)),
        };
        made.push((shape, invited.secret));
    }
    tx.commit().await?;
    Ok(made)
}

pub(crate) async fn withdraw(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut tx = state.db.begin().await?;
    people::withdraw(&mut tx, ask.person()?, &id).await?;
    tx.commit().await?;
    nothing(&ask, "/people")
}

/// The page of an invitation's link; it does nothing by itself, since mail scanners follow links.
pub(crate) async fn invitation(
    ask: Ask,
    state: web::Data<State>,
    secret: web::Path<String>,
) -> Answer {
    invitation_page(&state, &ask, &secret, StatusCode::OK, Form::default()).await
}

async fn invitation_page(
    state: &State,
    ask: &Ask,
    secret: &str,
    status: StatusCode,
    form: Form,
) -> Answer {
    let invitation =
        people::invitation_by_secret(&mut *state.db.read().await?, &state.clock, secret).await?;
    let workspace = workspace_shape(workspace::read(&mut *state.db.read().await?).await?);
    let (email, invited_by) = (invitation.email, invitation.invited_by);
    if !ask.html {
        return data(
            StatusCode::OK,
            &serde_json::json!({ "email": email, "invited_by": invited_by, "workspace": workspace }),
        );
    }
    let action = format!("/invitations/{secret}");
    page(
        status,
        &InvitationPage {
            page: ask.page(state, "Invitation", "").await?,
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
    ask: Ask,
    state: web::Data<State>,
    secret: web::Path<String>,
    payload: web::Payload,
) -> Answer {
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_accept(&req, &state, &secret, fields).await {
        Ok(session) => Ok(signed_in(&state, &ask, &session, "/")),
        Err(error @ Error::Invalid(_)) if ask.html => {
            invitation_page(
                &state,
                &ask,
                &secret,
                StatusCode::UNPROCESSABLE_ENTITY,
                Fields::filled(&typed, &error),
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
    let name = fields.line("name", text::NAME);
    let password = fields.secret("password");
    let time_zone = fields
        .optional("time_zone", people::time_zone)
        .unwrap_or_else(|| "UTC".into());
    fields.finish()?;
    let password = Hashed::new(&password, &[&name, &invitation.email]).await?;
    let mut tx = state.db.begin().await?;
    let (id, asked) =
        people::accept(&mut tx, &state.clock, secret, name, password, time_zone).await?;
    let session = people::open_session(&mut tx, &state.clock, &id, &browser(req)).await?;
    updates::join(&mut tx, &state.clock, &id, &asked).await?;
    for update in &asked {
        state.mail(&mut tx, update).await?;
    }
    tx.commit().await?;
    Ok(session)
}

/// The page of a link for a new password.
pub(crate) async fn reset_page(
    ask: Ask,
    state: web::Data<State>,
    secret: web::Path<String>,
) -> Answer {
    shown_reset(&state, &ask, &secret, StatusCode::OK, Form::default()).await
}

async fn shown_reset(
    state: &State,
    ask: &Ask,
    secret: &str,
    status: StatusCode,
    form: Form,
) -> Answer {
    let account =
        people::reset_by_secret(&mut *state.db.read().await?, &state.clock, secret).await?;
    if !ask.html {
        return data(
            StatusCode::OK,
            &serde_json::json!({ "email": account.email }),
        );
    }
    let action = format!("/resets/{secret}");
    page(
        status,
        &ResetPage {
            page: ask.page(state, "New password", "").await?,
            form,
            email: account.email,
            action,
        },
    )
}

pub(crate) async fn reset(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    secret: web::Path<String>,
    payload: web::Payload,
) -> Answer {
    let fields = Fields::read(&req, payload).await?;
    let typed = fields.typed();
    match try_reset(&req, &state, &secret, fields).await {
        Ok(session) => Ok(signed_in(&state, &ask, &session, "/")),
        Err(error @ Error::Invalid(_)) if ask.html => {
            shown_reset(
                &state,
                &ask,
                &secret,
                StatusCode::UNPROCESSABLE_ENTITY,
                Fields::filled(&typed, &error),
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
    let password = Hashed::new(&password, &[&account.name, &account.email]).await?;
    let mut tx = state.db.begin().await?;
    people::reset_password(&mut tx, &state.clock, secret, &password).await?;
    let session = people::open_session(&mut tx, &state.clock, &account.id, &browser(req)).await?;
    tx.commit().await?;
    Ok(session)
}
