//! Who can open an update now.

use actix_web::http::StatusCode;
use actix_web::web;

use crate::state::State;
use crate::updates;
use crate::web::extract::context::Ask;
use crate::web::presenters;
use crate::web::responses::{Answer, data};
use crate::web::schema::ListShape;

/// For the author of the update and for admins; always JSON.
pub(crate) async fn access(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let mut connection = state.db.read().await?;
    let update = updates::find_to_audit(&mut connection, &ask.viewer, &id).await?;
    data(
        StatusCode::OK,
        &ListShape {
            items: presenters::access(&mut connection, &update).await?,
            next: None,
        },
    )
}
