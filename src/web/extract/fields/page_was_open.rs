//! The hidden field with which a form says that the person had the update page open.

use actix_web::{HttpMessage, HttpRequest};

/// Name of the hidden field. Its value is `true`.
pub(super) const OPENED: &str = "opened";

/// Marks a request whose form was on an update page. Only forms count, because programs report an
/// opening with a separate request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageWasOpen;

impl PageWasOpen {
    /// Marks the request if the form has the hidden field.
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
