//! Handlers for API tokens.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use crate::clock::rfc3339;
use crate::error::Error;
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::extract::flash::Flash;
use crate::web::presenters::me::me_page;
use crate::web::presenters::sessions::token_views;
use crate::web::responses::{HandlerResult, json, no_content_or_redirect, see_other_with_flash};
use crate::web::schema::{ListView, TokenView};
use crate::{events, people, text};

pub(crate) async fn list(ctx: RequestContext, state: web::Data<State>) -> HandlerResult {
    json(
        StatusCode::OK,
        &ListView {
            items: token_views(&state, &ctx).await?,
            next: None,
        },
    )
}

pub(crate) async fn create(
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

pub(crate) async fn end(
    ctx: RequestContext,
    state: web::Data<State>,
    id: web::Path<String>,
) -> HandlerResult {
    let person = ctx.person()?;
    let mut tx = state.db.begin().await?;
    people::end_token(&mut tx, &person.id, &id).await?;
    events::record_deferred(&mut tx, &state.clock).await?;
    tx.commit().await?;
    no_content_or_redirect(&ctx, "/me")
}
