//! Who can open an update now.

use actix_web::http::StatusCode;
use actix_web::web;

use super::super::answer::{Answer, data};
use super::super::shapes::ListShape;
use super::super::shaping;
use super::super::viewer::Ask;
use crate::app::State;
use crate::updates;

/// For the author of the update and for admins; always JSON.
pub(crate) async fn access(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut connection = state.db.read().await?;
    let update = updates::find_to_audit(&mut connection, &ask.viewer, &id).await?;
    data(
        StatusCode::OK,
        &ListShape {
            items: shaping::access(&mut connection, &update).await?,
            next: None,
        },
    )
}
