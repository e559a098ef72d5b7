//! Presenters for the viewer's own settings.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;

use crate::clock::Millis;
use crate::error::Error;
use crate::people::{self, Account};
use crate::state::State;
use crate::web::extract::context::RequestContext;
use crate::web::extract::fields::Fields;
use crate::web::pages::{Form, MePage, NavEntry};
use crate::web::presenters::people::account_view;
use crate::web::presenters::sessions::{session_views, token_views};
use crate::web::responses::{HandlerResult, html_error_page, html_page};
use crate::web::schema::{MeView, NotifyView};

/// Values that the user entered in a form, keyed by field.
pub(crate) type Typed = BTreeMap<String, String>;

/// Presents the viewer's own account.
pub(crate) fn me_view(account: Account, now: Millis) -> MeView {
    MeView {
        notify: NotifyView {
            mail: account.mail_off_at.is_none(),
        },
        account: account_view(account, now),
    }
}

/// Renders the settings page. `failed` holds the values and the error of a form that was refused.
pub(crate) async fn me_page(
    state: &State,
    ctx: &RequestContext,
    failed: Option<(Typed, Error)>,
) -> HandlerResult {
    let account = people::by_id(&mut *state.db.read().await?, &ctx.person()?.id).await?;
    let form = settings_form(&account, failed.as_ref(), state.clock.now());
    let zones = people::all_time_zones();
    let shown = MePage {
        page: ctx
            .page(state, "Settings", Some(NavEntry::Settings))
            .await?,
        account: account_view(account, state.clock.now()),
        form,
        zones,
        sessions: session_views(state, ctx).await?,
        tokens: token_views(state, ctx).await?,
    };
    match &failed {
        Some((_, error)) => html_error_page(error, &shown),
        None => html_page(StatusCode::OK, &shown),
    }
}

/// Fills in the forms of the page. A field contains the value that the user entered or, if there is none, the stored
/// value.
fn settings_form(account: &Account, failed: Option<&(Typed, Error)>, now: Millis) -> Form {
    let mut form = failed.map_or_else(Form::default, |(typed, error)| {
        Fields::refilled_form(typed, error)
    });
    let hours = people::hours_or_default(account.working_hours.as_deref()).to_json();
    let away = account
        .away_until
        .filter(|until| *until > now)
        .map(crate::clock::rfc3339);
    // Browsers do not send unchecked boxes. If the form contains `from` but not `days`, the user unchecked every day.
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
