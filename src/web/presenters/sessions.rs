//! Sessions and tokens of a person.

use crate::clock::rfc3339;
use crate::error::Result;
use crate::people::{self, Grant};
use crate::state::State;
use crate::web::extract::context::Ask;
use crate::web::schema::{SessionShape, TokenShape};

/// Where I am signed in.
pub(crate) async fn sessions(state: &State, ask: &Ask) -> Result<Vec<SessionShape>> {
    let person = ask.person()?;
    let sessions = people::sessions(&mut *state.db.read().await?, &state.clock, &person.id).await?;
    Ok(sessions
        .into_iter()
        .map(|session| SessionShape {
            current: person.grant == Grant::Session(session.id.clone()),
            id: session.id,
            browser: session.browser,
            created_at: rfc3339(session.created_at),
            last_seen_at: rfc3339(session.last_seen_at),
        })
        .collect())
}

/// My tokens.
pub(crate) async fn token_shapes(state: &State, ask: &Ask) -> Result<Vec<TokenShape>> {
    let tokens = people::tokens(&mut *state.db.read().await?, &ask.person()?.id).await?;
    Ok(tokens
        .into_iter()
        .map(|token| TokenShape {
            id: token.id,
            name: token.name,
            created_at: rfc3339(token.created_at),
            last_used_at: token.last_used_at.map(rfc3339),
            token: None,
        })
        .collect())
}
