//! The layer of a picture: read and saved whole.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};

use crate::error::Error;
use crate::markup::{self, Markup, Saved, Sent};
use crate::state::State;
use crate::web::extract::context::Ask;
use crate::web::extract::fields::Fields;
use crate::web::responses::{Answer, back, data, done};
use crate::web::schema::MarkupShape;

/// The largest body: 100,000 points with their pressures.
const BODY: usize = 4 << 20;

impl From<Markup> for MarkupShape {
    fn from(markup: Markup) -> Self {
        Self {
            revision: markup.revision,
            shapes: markup.shapes,
            crop: None,
        }
    }
}

pub(crate) async fn show(ask: Ask, state: web::Data<State>, id: web::Path<String>) -> Answer {
    let markup = markup::find(&mut *state.db.read().await?, &ask.viewer, &id).await?;
    data(StatusCode::OK, &MarkupShape::from(markup))
}

/// Saves a layer: the author of the update.
pub(crate) async fn put(
    req: HttpRequest,
    ask: Ask,
    state: web::Data<State>,
    id: web::Path<String>,
    payload: web::Payload,
) -> Answer {
    ask.person()?;
    let mut fields = Fields::read_up_to(&req, payload, BODY).await?;
    let revision = fields.number("revision");
    if revision.is_none() {
        fields.complain(
            "revision",
            "is missing. Right would be the number that GET answers.",
        );
    }
    let sent = sent(&state, &mut fields);
    let material = crate::web::handlers::updates::material(&mut fields);
    fields.finish()?;
    let mut tx = state.db.begin().await?;
    let saved = markup::put(
        &mut tx,
        &state.clock,
        &ask.viewer,
        &id,
        (revision.unwrap_or_default(), &sent),
        material,
    )
    .await?;
    let (_, _, update) = crate::media::find(&mut tx, &ask.viewer, &id).await?;
    state.mail(&mut tx, &update.id).await?;
    tx.commit().await?;
    if saved == Saved::Hidden {
        // In a task of its own: it goes on also when nobody waits for the answer.
        let (shop, id) = (state.intake.shop.clone(), id.clone());
        actix_web::rt::spawn(async move { markup::burn(&shop, &id).await })
            .await
            .map_err(Error::internal)??;
    }
    let markup = markup::find(&mut *state.db.read().await?, &ask.viewer, &id).await?;
    done(
        &ask,
        StatusCode::OK,
        &back(&req, &format!("/updates/{}/edit", update.id)),
        &MarkupShape::from(markup),
    )
}

/// What is to be drawn; what is wrong with it is noted.
fn sent(state: &State, fields: &mut Fields) -> Sent {
    let crop = fields.json("crop").unwrap_or_default();
    let Some(shapes) = fields.json("shapes") else {
        fields.complain(
            "shapes",
            "is missing. Right would be a list, which may be empty.",
        );
        return Sent::default();
    };
    fields.read_as(Sent::read(&shapes, &crop, &state.intake.shop.font))
}
