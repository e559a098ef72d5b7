//! One's own settings.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;

use crate::clock::Millis;
use crate::error::Error;
use crate::people::{self, Account};
use crate::state::State;
use crate::web::extract::context::Ask;
use crate::web::extract::fields::Fields;
use crate::web::pages::{Form, MePage};
use crate::web::presenters::people::account_shape;
use crate::web::presenters::sessions::{sessions, token_shapes};
use crate::web::responses::{Answer, failed_page, page};
use crate::web::schema::{MeShape, NotifyShape};

/// What was typed into a form, by the names of its fields.
pub(crate) type Typed = BTreeMap<String, String>;

/// The signed-in person's own account.
pub(crate) fn me_shape(account: Account, now: Millis) -> MeShape {
    MeShape {
        notify: NotifyShape {
            mail: account.mail_off_at.is_none(),
        },
        account: account_shape(account, now),
    }
}

/// The settings page, with what was typed into one of its forms if that was wrong.
pub(crate) async fn me_page(state: &State, ask: &Ask, failed: Option<(Typed, Error)>) -> Answer {
    let account = people::by_id(&mut *state.db.read().await?, &ask.person()?.id).await?;
    let form = filled(&account, failed.as_ref(), state.clock.now());
    let zones = people::zones();
    let shown = MePage {
        page: ask.page(state, "Settings", "me").await?,
        account: account_shape(account, state.clock.now()),
        form,
        zones,
        sessions: sessions(state, ask).await?,
        tokens: token_shapes(state, ask).await?,
    };
    match &failed {
        Some((_, error)) => failed_page(error, &shown),
        None => page(StatusCode::OK, &shown),
    }
}

/// What the forms of the page hold: what was typed, else what is.
fn filled(account: &Account, failed: Option<&(Typed, Error)>, now: Millis) -> Form {
    let mut form = failed.map_or_else(Form::default, |(typed, error)| Fields::filled(typed, error));
    let hours = people::stored(account.working_hours.as_deref()).to_json();
    let away = account
        .away_until
        .filter(|until| *until > now)
        .map(crate::clock::rfc3339);
    // A box that is not ticked is not sent: of the hours' form all that was sent counts.
    if form.values.contains_key("from") {
        form.values.entry("days".into()).or_default();
    }
    for (field, value) in [
        ("name", account.name.clone()),
        ("email", account.email.clone()),
        ("time_zone", account.time_zone.clone()),
        ("days", hours["days"].to_string()),
        (
            "from",
            hours["from"].as_str().unwrap_or_default().to_owned(),
        ),
        ("to", hours["to"].as_str().unwrap_or_default().to_owned()),
        ("away_until", away.unwrap_or_default()),
        ("mail", account.mail_off_at.is_none().to_string()),
    ] {
        form.values.entry(field.to_owned()).or_insert(value);
    }
    form
}
