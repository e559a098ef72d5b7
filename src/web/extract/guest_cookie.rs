//! Cookies that identify a browser as a guest of a share link.

use actix_web::HttpRequest;
use actix_web::cookie::Cookie;

use crate::error::{Error, Result};
use crate::links;
use crate::people::Guest;
use crate::signing;
use crate::state::State;
use crate::web::extract::cookies::cookie;

/// Lifetime of a guest's cookie, in days.
const GUEST_COOKIE_DAYS: i64 = 90;

/// Maximum number of guest cookies to check. Browsers send newer cookies last, so only the last ones are checked.
const MAX_GUEST_LINKS: usize = 20;

const GUEST_COOKIE_PREFIX: &str = "hearback_guest_";

/// Creates a cookie that identifies the browser as a guest of a share link, and returns it with the
/// guest's id. The database stores nothing until the guest gives a name.
pub(crate) fn guest_cookie(state: &State, link_id: &str) -> (Cookie<'static>, String) {
    let guest_id = state.clock.id();
    let value = format!(
        "{link_id}.{guest_id}.{}",
        signing::sign(&state.key, &format!("guest {link_id} {guest_id}"))
    );
    (
        cookie(
            state,
            format!("{GUEST_COOKIE_PREFIX}{link_id}"),
            value,
            GUEST_COOKIE_DAYS,
        ),
        guest_id,
    )
}

/// Returns the guests that the request's cookies identify.
pub(crate) async fn guests_of(state: &State, req: &HttpRequest) -> Result<Vec<Guest>> {
    let values: Vec<String> = {
        let cookies = req
            .cookies()
            .map_err(|_| Error::Malformed("The cookies of this request cannot be read.".into()))?;
        cookies
            .iter()
            .rev()
            .filter(|cookie| cookie.name().starts_with(GUEST_COOKIE_PREFIX))
            .take(MAX_GUEST_LINKS)
            .map(|cookie| cookie.value().to_owned())
            .collect()
    };
    let mut guests = Vec::new();
    for value in values {
        guests.extend(guest_by_cookie(state, &value).await?);
    }
    Ok(guests)
}

async fn guest_by_cookie(state: &State, value: &str) -> Result<Option<Guest>> {
    let mut parts = value.split('.');
    let (Some(link), Some(guest), Some(sealed), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Ok(None);
    };
    if !signing::verify(&state.key, &format!("guest {link} {guest}"), sealed) {
        return Ok(None);
    }
    links::guest_by_cookie(&state.db, link, guest).await
}
