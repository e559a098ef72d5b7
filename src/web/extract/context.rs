//! The request context: the viewer and the data that every page needs.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use crate::config::is_secure_context;
use crate::error::{Error, Result};
use crate::people::{Person, Viewer};
use crate::state::State;
use crate::web::extract::accept::wants_html;
use crate::web::extract::base_url::base_url;
use crate::web::extract::flash::Flash;
use crate::web::extract::viewer::viewer;
use crate::web::pages::{Me, NavEntry, Page};
use crate::{inbox, workspace};

/// The viewer of a request, and how to respond to the request.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    /// The person, guest or visitor who sent the request.
    pub(crate) viewer: Viewer,
    /// Whether to respond with HTML.
    pub(crate) wants_html: bool,
    /// Scheme and host of generated links.
    pub(crate) base_url: String,
    /// Nonce for the Content-Security-Policy of this response.
    pub(crate) nonce: String,
    /// Whether browsers block recording and copying to the clipboard, because the base address is not secure; see
    /// `secure_context.rs`.
    pub(crate) insecure: bool,
    /// Message from the previous response, shown once on this page.
    pub(crate) flash: Flash,
    /// Whether the page may open a live stream. `false` if the page is rendered for a viewer other
    /// than the one whom the cookies identify, because the stream identifies its viewer by the
    /// cookies.
    pub(crate) live: bool,
}

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
        // Read the nonce in its own statement, so that the borrow of the extensions ends here. `viewer` borrows the
        // extensions again to read the cookies.
        let nonce = req
            .extensions()
            .get::<Nonce>()
            .map(|nonce| nonce.0.clone())
            .unwrap_or_default();
        let base_url = base_url(&state, req);
        let ctx = Self {
            viewer: viewer(&state, req).await?,
            wants_html: wants_html(req.headers()),
            insecure: !is_secure_context(&base_url),
            base_url,
            nonce,
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

    /// Returns the viewer's time zone. For guests, it is UTC.
    pub(crate) fn zone(&self) -> &str {
        let person = self.viewer.person().ok();
        person.map_or("UTC", |person| person.time_zone.as_str())
    }

    /// Builds the layout data of a page.
    pub(crate) async fn page(
        &self,
        state: &State,
        title: impl Into<String>,
        at: Option<NavEntry>,
    ) -> Result<Page> {
        let owed = match &self.viewer {
            Viewer::Person(person) => {
                let mut connection = state.db.read().await?;
                inbox::owed_count(&mut connection, &state.clock, &person.id).await?
            }
            Viewer::Guest(_) | Viewer::Nobody => 0,
        };
        self.page_with_count(state, title, at, owed).await
    }

    /// Same as [`Self::page`], for handlers that know the number of updates that wait for the viewer's answer.
    pub(crate) async fn page_with_count(
        &self,
        state: &State,
        title: impl Into<String>,
        at: Option<NavEntry>,
        owed_count: i64,
    ) -> Result<Page> {
        let mut page = Page {
            title: title.into(),
            at,
            now: state.clock.now(),
            owed_count,
            ..self.bare_page()
        };
        if matches!(self.viewer, Viewer::Person(_)) {
            let mut connection = state.db.read().await?;
            page.set_workspace(workspace::load_summary(&mut connection).await?);
        }
        Ok(page)
    }

    /// Builds the layout data for an error page. Includes the workspace's contact person if the database is available.
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
            zone: self.zone().to_owned(),
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
