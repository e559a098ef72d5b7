//! The inbox, which is the home page.

use actix_web::http::StatusCode;
use actix_web::web;

use super::answer::{Answer, data, page, see_other};
use super::pages::InboxPage;
use super::shaping;
use super::viewer::Ask;
use crate::app::State;
use crate::updates;

/// Home: the inbox, or the way to sign in.
pub(crate) async fn home(ask: Ask) -> Answer {
    ask.person()?;
    Ok(see_other("/inbox"))
}

pub(crate) async fn show(ask: Ask, state: web::Data<State>) -> Answer {
    let person = ask.person()?;
    let mut connection = state.db.read().await?;
    let inbox = shaping::inbox(&mut connection, &state, &ask, &person.id).await?;
    if !ask.html {
        return data(StatusCode::OK, &inbox);
    }
    let first_day = updates::none_published(&mut connection).await?;
    drop(connection);
    page(StatusCode::OK, &InboxPage { page: ask.page(&state, "Inbox", "inbox").await?, inbox, first_day })
}
