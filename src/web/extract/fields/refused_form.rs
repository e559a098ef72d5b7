//! Keeps the text that a person typed into a refused form, so that the form or the error page can show it again.

use std::collections::BTreeMap;

use actix_web::{HttpMessage, HttpRequest, web};

use super::Fields;
use super::body::is_multipart;
use super::multipart::MultipartReader;
use crate::error::{Error, Result};
use crate::web::extract::context::RequestContext;
use crate::web::pages::Form;

impl Fields {
    /// Builds a form that contains the user's input, without passwords, and the errors.
    pub(crate) fn refilled_form(typed: &BTreeMap<String, String>, error: &Error) -> Form {
        let values = typed
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "password" | "current"))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        let errors: BTreeMap<String, String> = error
            .fields()
            .into_iter()
            .map(|(name, error)| (name, error.to_sentence()))
            .collect();
        // The error may concern one of several files. A form cannot show an error next to a single
        // file, so show it for the whole form.
        let problem =
            (errors.is_empty() || matches!(error, Error::InField(..))).then(|| error.detail());
        Form {
            values,
            errors,
            problem,
        }
    }

    /// Returns a copy of the submitted values, as text.
    pub(crate) fn typed(&self) -> BTreeMap<String, String> {
        self.typed.clone()
    }
}

/// Text that a person typed into a form. The error page shows it again.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypedFields(pub(crate) Vec<(String, String)>);

impl TypedFields {
    /// Copies the fields `body`, `title`, `notes` and `otherwise` of a form to the request, so that
    /// an error page can show their text again.
    pub(crate) fn keep(req: &HttpRequest, pairs: &[(String, String)]) {
        let worth = |(name, value): &&(String, String)| {
            matches!(name.as_str(), "body" | "title" | "notes" | "otherwise") && !value.is_empty()
        };
        req.extensions_mut()
            .insert(Self(pairs.iter().filter(worth).cloned().collect()));
    }
}

/// Returns the request context and the payload, or the error that occurred while loading the
/// context. If the database is down, first stores the texts of a multipart form in the request, so
/// that the error page can show them. For other forms, the middleware does this.
pub(crate) async fn context_or_keep_typed(
    req: &HttpRequest,
    ctx: Result<RequestContext>,
    payload: web::Payload,
) -> Result<(RequestContext, web::Payload)> {
    match ctx {
        Ok(ctx) => Ok((ctx, payload)),
        Err(error) => {
            if matches!(error, Error::Unavailable(..)) && is_multipart(req) {
                let mut form = MultipartReader::new(req, payload);
                // Ignore errors in the form, because this function returns `error`.
                let _ = form.receive(None).await;
                TypedFields::keep(req, &form.pairs);
            }
            Err(error)
        }
    }
}
