//! Determines the viewer of a request from its credentials, or from the credential in a media address.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap};
use sqlx::AnyConnection;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::infra::db::text_enum;
use crate::links;
use crate::media::AddressGrant;
use crate::people::{self, Grant, Viewer};
use crate::state::State;
use crate::web::extract::cookies::session_cookie;
use crate::web::extract::guest_cookie::guests_of;

pub(super) async fn viewer(state: &State, req: &HttpRequest) -> Result<Viewer> {
    if req.headers().contains_key(header::AUTHORIZATION) {
        return viewer_by_bearer(state, bearer_token(req.headers()).unwrap_or_default()).await;
    }
    if let Some(cookie) = req.cookie(session_cookie(state))
        && let Some(person) =
            people::viewer_by_session(&state.db, &state.clock, cookie.value()).await?
    {
        return Ok(Viewer::Person(person));
    }
    let guests = guests_of(state, req).await?;
    Ok(if guests.is_empty() {
        Viewer::Nobody
    } else {
        Viewer::Guest(guests)
    })
}

/// Returns the token of an `Authorization: Bearer` header.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = authorization.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

async fn viewer_by_bearer(state: &State, token: &str) -> Result<Viewer> {
    if token.starts_with("hb_") {
        return people::viewer_by_token(&state.db, &state.clock, token)
            .await?
            .map(Viewer::Person)
            .ok_or(Error::Unauthenticated);
    }
    links::guest_by_secret(&state.db, token)
        .await?
        .map(|guest| Viewer::Guest(vec![guest]))
        .ok_or(Error::Unauthenticated)
}

text_enum! {
    /// Kind of credential in a signed media address.
    enum GrantKind {
        /// A browser session.
        Session = "s",
        /// An API token.
        Token = "t",
        /// A share link.
        ShareLink = "l",
    }
}

/// Parses the credential of a media address. Does not check that it is still valid.
pub(crate) fn parse_grant(grant: &str) -> Result<AddressGrant> {
    let (kind, id) = grant.split_once('~').ok_or(Error::NotFound)?;
    Ok(match kind.parse().map_err(|_| Error::NotFound)? {
        GrantKind::Session => AddressGrant::Person(Grant::Session(id.into())),
        GrantKind::Token => AddressGrant::Person(Grant::Token(id.into())),
        GrantKind::ShareLink => AddressGrant::ShareLink(id.into()),
    })
}

/// Returns the viewer for whom a media address was signed. `grant` is the credential in the address, and it must still
/// be valid.
pub(crate) async fn viewer_by_grant(
    connection: &mut AnyConnection,
    clock: &Clock,
    grant: &str,
) -> Result<Viewer> {
    let viewer = match parse_grant(grant)? {
        AddressGrant::Person(grant) => people::viewer_by_grant(connection, clock, &grant)
            .await?
            .map(Viewer::Person),
        AddressGrant::ShareLink(id) => links::guest_by_grant(connection, &id)
            .await?
            .map(|guest| Viewer::Guest(vec![guest])),
    };
    viewer.ok_or(Error::NotFound)
}

/// Encodes the credential that gives the viewer access to this update. The signed addresses of the update's media
/// contain this credential.
pub(crate) fn grant(viewer: &Viewer, update_id: &str) -> String {
    let (kind, id) = match viewer {
        Viewer::Person(person) => match &person.grant {
            Grant::Session(id) => (GrantKind::Session, id),
            Grant::Token(id) => (GrantKind::Token, id),
        },
        Viewer::Guest(_) | Viewer::Nobody => match viewer.guest_of(update_id) {
            Some(guest) => (GrantKind::ShareLink, &guest.link_id),
            None => return String::new(),
        },
    };
    format!("{kind}~{id}")
}
