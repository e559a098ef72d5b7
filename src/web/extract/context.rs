//! The request context: the viewer and the data that every page needs.

use std::future::Future;
use std::pin::Pin;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::people::{self, Grant, Guest, Person, Viewer};
use crate::signing;
use crate::state::State;
use crate::web::extract::accept::wants_html;
use crate::web::pages::{Me, Page};
use crate::{inbox, links, workspace};

/// Lifetime of a guest's cookie, in days.
const GUEST_COOKIE_DAYS: i64 = 90;
/// Maximum number of guest cookies to check. Browsers send newer cookies last, so only the last ones are checked.
const MAX_GUEST_LINKS: usize = 20;

/// The viewer of a request and how to respond to it.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    /// The person or guest who makes the request.
    pub(crate) viewer: Viewer,
    /// Whether to respond with HTML.
    pub(crate) wants_html: bool,
    /// Scheme and host of generated links.
    pub(crate) base_url: String,
    /// Nonce for the Content-Security-Policy of this response.
    pub(crate) nonce: String,
    /// Whether the base address uses plain HTTP and is not local. Browsers do not allow recording or copying on
    /// such an address.
    pub(crate) insecure: bool,
    /// Message from the previous response, shown once on this page.
    pub(crate) flash: Flash,
    /// Whether the page may open a live stream. The stream identifies the viewer by cookie, so this is `false` if
    /// the page is rendered for a different viewer than the one in the cookies.
    pub(crate) live: bool,
}

/// A message for the page that a form redirects to. It says what was done and can contain secrets that are shown
/// once. A cookie stores it for one minute.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Flash {
    /// Sentence to show.
    pub(crate) text: Option<String>,
    /// Link or token to copy.
    pub(crate) link: Option<String>,
    /// Whether `link` contains a whole message to pass on. The page then tries to copy the message at once.
    #[serde(default)]
    pub(crate) copy: bool,
    /// New invitations, as pairs of id and secret.
    pub(crate) invited: Vec<(String, String)>,
    /// Mentioned people who cannot see the update, as pairs of id and name.
    #[serde(default)]
    pub(crate) unseen: Vec<(String, String)>,
}

impl Flash {
    /// Creates a flash that has only `text`.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }

    fn read(state: &State, req: &HttpRequest) -> Self {
        let carried = req.cookie(FLASH_COOKIE).and_then(|cookie| {
            let (value, sealed) = cookie.value().split_once('.')?;
            signing::verify(&state.key, &format!("said {value}"), sealed)
                .then(|| BASE64URL_NOPAD.decode(value.as_bytes()).ok())?
        });
        carried
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default()
    }

    /// Adds the flash cookie to the response.
    pub(crate) fn put(&self, state: &State, answer: &mut HttpResponse) -> Result<()> {
        let value = BASE64URL_NOPAD.encode(&serde_json::to_vec(self).map_err(Error::internal)?);
        let sealed = signing::sign(&state.key, &format!("said {value}"));
        let mut carrier = cookie(state, FLASH_COOKIE.into(), format!("{value}.{sealed}"), 0);
        carrier.set_max_age(Duration::minutes(1));
        answer.add_cookie(&carrier).map_err(Error::internal)
    }
}

/// Name of the cookie that carries a [`Flash`]. The page that shows the message removes the cookie.
pub(crate) const FLASH_COOKIE: &str = "hearback_said";

impl FromRequest for RequestContext {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move { Self::load(&req).await })
    }
}

impl RequestContext {
    pub(crate) async fn load(req: &HttpRequest) -> Result<Self> {
        let known = req.extensions().get::<Self>().cloned();
        if let Some(ctx) = known {
            return Ok(ctx);
        }
        let state = state(req)?;
        // Keep this in a separate statement: the borrow of the extensions must end before `viewer` reads the
        // cookies, which borrows the extensions again.
        let nonce = req
            .extensions()
            .get::<Nonce>()
            .map(|nonce| nonce.0.clone())
            .unwrap_or_default();
        let ctx = Self {
            viewer: viewer(&state, req).await?,
            wants_html: wants_html(req.headers()),
            base_url: base_url(&state, req),
            nonce,
            insecure: is_insecure(&state, req),
            flash: Flash::read(&state, req),
            live: true,
        };
        req.extensions_mut().insert(ctx.clone());
        Ok(ctx)
    }

    /// Returns the signed-in person, or fails with 401.
    pub(crate) fn person(&self) -> Result<&Person> {
        self.viewer.person()
    }

    /// Builds the layout data around a page's content.
    pub(crate) async fn page(
        &self,
        state: &State,
        title: impl Into<String>,
        at: &'static str,
    ) -> Result<Page> {
        let mut page = Page {
            title: title.into(),
            at,
            now: state.clock.now(),
            ..self.bare_page()
        };
        if let Viewer::Person(person) = &self.viewer {
            let mut connection = state.db.read().await?;
            page.owed_count = inbox::owed_count(&mut connection, &state.clock, &person.id).await?;
            page.set_workspace(workspace::load_summary(&mut connection).await?);
        }
        Ok(page)
    }

    /// Builds the layout data for an error page. Includes the contact person if the database is available.
    pub(crate) async fn error_page(&self, state: &State) -> Page {
        let mut page = self.bare_page();
        if self.wants_html
            && page.me.is_some()
            && let Ok(mut connection) = state.db.read().await
            && let Ok(workspace) = workspace::load_summary(&mut connection).await
        {
            page.set_workspace(workspace);
        }
        page
    }

    /// Builds the layout data without using the database.
    pub(crate) fn bare_page(&self) -> Page {
        let person = self.viewer.person().ok();
        Page {
            me: person.map(|person| Me {
                id: person.id.clone(),
                name: person.name.clone(),
                email: person.email.clone(),
                is_admin: person.is_admin(),
            }),
            zone: person.map_or_else(|| "UTC".into(), |person| person.time_zone.clone()),
            nonce: self.nonce.clone(),
            insecure: self.insecure,
            flash_text: self.flash.text.clone(),
            flash_link: self.flash.link.clone(),
            flash_copyable: self.flash.copy,
            ..Page::default()
        }
    }
}

/// Nonce in the security headers of this response.
#[derive(Clone, Debug)]
pub(crate) struct Nonce(pub(crate) String);

pub(crate) fn state(req: &HttpRequest) -> Result<web::Data<State>> {
    req.app_data::<web::Data<State>>()
        .cloned()
        .ok_or_else(|| Error::internal("the application state is missing"))
}

/// Returns the base address, such as `https://hearback.example.org`: the configured address, or else the one that
/// the request was sent to.
fn base_url(state: &State, req: &HttpRequest) -> String {
    state.config.url.clone().unwrap_or_else(|| {
        let host = req
            .headers()
            .get(header::HOST)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        // The Host header is untrusted and becomes part of links. Accept only characters that occur in a host name,
        // an IP address or a port.
        let fits = !host.is_empty()
            && host
                .bytes()
                .all(|letter| letter.is_ascii_alphanumeric() || b".:-_[]".contains(&letter));
        let host = if fits { host } else { "localhost" };
        format!("http://{host}")
    })
}

fn is_insecure(state: &State, req: &HttpRequest) -> bool {
    let base = base_url(state, req);
    let host = base.trim_start_matches("http://");
    let here = ["localhost", "127.", "[::1]"]
        .iter()
        .any(|local| host.starts_with(local));
    !base.starts_with("https://") && !here
}

async fn viewer(state: &State, req: &HttpRequest) -> Result<Viewer> {
    if let Some(authorization) = req.headers().get(header::AUTHORIZATION) {
        let bearer = authorization
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        return viewer_by_bearer(state, bearer.map_or("", |(_, token)| token.trim())).await;
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

/// Returns the viewer for whom a media address was signed, if the viewer's credential is still valid.
pub(crate) async fn viewer_by_grant(state: &State, grant: &str) -> Result<Viewer> {
    let (kind, id) = grant.split_once('~').ok_or(Error::NotFound)?;
    let viewer = match kind {
        "s" | "t" => people::viewer_by_grant(
            &state.db,
            &state.clock,
            &if kind == "s" {
                Grant::Session(id.into())
            } else {
                Grant::Token(id.into())
            },
        )
        .await?
        .map(Viewer::Person),
        "l" => links::guest_by_cookie(&state.db, id, "")
            .await?
            .map(|guest| Viewer::Guest(vec![guest])),
        _ => None,
    };
    viewer.ok_or(Error::NotFound)
}

/// Encodes the credential that gives the viewer access to this update. The signed addresses of the update's media
/// contain it.
pub(crate) fn grant(viewer: &Viewer, update_id: &str) -> String {
    match viewer {
        Viewer::Person(person) => match &person.grant {
            Grant::Session(id) => format!("s~{id}"),
            Grant::Token(id) => format!("t~{id}"),
        },
        Viewer::Guest(_) | Viewer::Nobody => viewer
            .guest_of(update_id)
            .map(|guest| format!("l~{}", guest.link_id))
            .unwrap_or_default(),
    }
}

const GUEST_COOKIE_PREFIX: &str = "hearback_guest_";

/// Name of the session cookie. The `__Host-` prefix makes browsers restrict the cookie to HTTPS and this host
/// (RFC 6265bis §4.1.3).
pub(crate) fn session_cookie(state: &State) -> &'static str {
    if state.config.is_https() {
        "__Host-hearback"
    } else {
        "hearback"
    }
}

/// Builds a cookie with our defaults: `HttpOnly`, for this host only, and sent when the user follows a link
/// (`SameSite=Lax`).
pub(crate) fn cookie(state: &State, name: String, value: String, days: i64) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .secure(state.config.is_https())
        .same_site(SameSite::Lax)
        .max_age(Duration::days(days))
        .finish()
}

/// Creates a cookie that identifies the browser as a guest of a share link. The database stores nothing until the
/// guest gives a name.
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
