//! Requests that have no fields.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use super::Fields;
use crate::error::{Error, Result};

/// Extracts nothing, and rejects a request whose body contains a field.
#[derive(Debug)]
pub(crate) struct NoFields;

impl FromRequest for NoFields {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        let payload = web::Payload::from_request(&req, payload);
        Box::pin(async move {
            let payload = payload
                .await
                .map_err(|error| Error::Malformed(error.to_string()))?;
            Fields::read(&req, payload).await?.finish()?;
            Ok(Self)
        })
    }
}
