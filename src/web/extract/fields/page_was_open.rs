//! The hidden form field that tells the server that the person had the update page open.

use actix_web::{HttpMessage, HttpRequest};

/// Name of the hidden field. The forms on an update page contain it with the value `true`.
pub(super) const OPENED: &str = "opened";

/// Marks a request that was sent by a form on an update page. Only forms can set this mark. Programs send a separate
/// request to report that a person opened an update.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageWasOpen;

impl PageWasOpen {
    /// Marks the request if its form contains the field `opened` with the value `true`.
    pub(crate) fn keep(req: &HttpRequest, pairs: &[(String, String)]) {
        if pairs
            .iter()
            .any(|(name, value)| name == OPENED && value == "true")
        {
            req.extensions_mut().insert(Self);
        }
    }

    /// Returns whether the request is marked.
    pub(crate) fn is_kept(req: &HttpRequest) -> bool {
        req.extensions().get::<Self>().is_some()
    }
}
