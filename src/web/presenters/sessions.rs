//! Presenters for the sessions and tokens of a person.

use crate::clock::rfc3339;
use crate::error::Result;
use crate::people::{self, Grant};
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::schema::{SessionView, TokenView};

/// Presents the viewer's sessions.
pub(crate) async fn session_views(state: &State, ctx: &RequestContext) -> Result<Vec<SessionView>> {
    let person = ctx.person()?;
    let sessions = people::sessions(&mut *state.db.read().await?, &state.clock, &person.id).await?;
    Ok(sessions
        .into_iter()
        .map(|session| SessionView {
            current: person.grant == Grant::Session(session.id.clone()),
            id: session.id,
            browser: session.browser,
            created_at: rfc3339(session.created_at),
            last_seen_at: rfc3339(session.last_seen_at),
        })
        .collect())
}

/// Presents the viewer's tokens.
pub(crate) async fn token_views(state: &State, ctx: &RequestContext) -> Result<Vec<TokenView>> {
    let tokens = people::tokens(&mut *state.db.read().await?, &ctx.person()?.id).await?;
    Ok(tokens
        .into_iter()
        .map(|token| TokenView {
            id: token.id,
            name: token.name,
            created_at: rfc3339(token.created_at),
            last_used_at: token.last_used_at.map(rfc3339),
            token: None,
        })
        .collect())
}
