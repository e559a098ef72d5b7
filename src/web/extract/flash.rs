//! Flash messages: after a form is sent, the next page shows the message once.

use actix_web::cookie::time::Duration;
use actix_web::{HttpRequest, HttpResponse};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::signing;
use crate::state::State;
use crate::web::extract::cookies::cookie;

/// Name of the cookie that carries a [`Flash`]. The page that shows the message removes the cookie.
pub(crate) const FLASH_COOKIE: &str = "hearback_said";

/// A message for the page that the browser opens after it sends a form. The message says what was done, and can
/// contain secrets that are shown only once. A cookie stores the message for one minute.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Flash {
    /// Sentence to show.
    pub(crate) text: Option<String>,
    /// Link, token or message to copy.
    pub(crate) link: Option<String>,
    /// Whether `link` contains a message that the user can send to other people. If so, the page tries to copy the
    /// message immediately.
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

    pub(super) fn read(state: &State, req: &HttpRequest) -> Self {
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
