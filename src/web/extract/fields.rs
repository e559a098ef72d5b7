//! The fields of a request, read from JSON, a form or a form with files. Each field is validated, and unknown
//! fields are rejected.

mod body;
mod booleans;
mod due_time;
mod multipart;
mod no_fields;
mod page_was_open;
mod refused_form;
mod timestamps;
mod values;

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};
use serde_json::Value;

use body::{MAX_BODY, content_type, not_text, read_body_up_to};
pub(crate) use body::{is_multipart, read_body};
pub(crate) use multipart::FileOptions;
use multipart::MultipartReader;
pub(crate) use no_fields::NoFields;
use page_was_open::OPENED;
pub(crate) use page_was_open::PageWasOpen;
pub(crate) use refused_form::{TypedFields, context_or_keep_typed};
pub(crate) use values::split_list;

use crate::error::{Error, FieldError, FieldErrors, Result};
use crate::media::StoredFile;
use crate::web::extract::json::parse;

/// The fields of a request. Each field is removed when it is read. [`Fields::finish`] then rejects the fields that are
/// left and reports all errors.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    values: BTreeMap<String, Vec<Value>>,
    errors: FieldErrors,
    typed: BTreeMap<String, String>,
    from_form: bool,
    /// The first error that occurred while a form with files was received.
    refused: Option<Error>,
}

impl Fields {
    /// Reads JSON or a URL-encoded form. An empty body has no fields.
    pub(crate) async fn read(req: &HttpRequest, payload: web::Payload) -> Result<Self> {
        Self::read_up_to(req, payload, MAX_BODY).await
    }

    /// Same as [`Fields::read`], with a limit of `max` bytes.
    pub(crate) async fn read_up_to(
        req: &HttpRequest,
        payload: web::Payload,
        max: usize,
    ) -> Result<Self> {
        let body = read_body_up_to(payload, max).await?;
        match content_type(req).as_str() {
            _ if body.is_empty() => Ok(Self {
                from_form: content_type(req) != "application/json",
                ..Self::default()
            }),
            "application/x-www-form-urlencoded" => {
                let pairs: Vec<(String, String)> = web::Query::<Vec<(String, String)>>::from_query(
                    std::str::from_utf8(&body).map_err(|_| not_text())?,
                )
                .map_err(|error| Error::Malformed(format!("The form cannot be read: {error}.")))?
                .into_inner();
                Ok(Self::from_pairs(pairs))
            }
            "application/json" => Self::from_json(&body),
            other => Err(Error::Unsupported(format!(
                "The content type {other:?} is not supported. Send application/json or a form."
            ))),
        }
    }

    /// Reads JSON, a URL-encoded form or a multipart form. Stores the files of a multipart form as they arrive. If a
    /// file is refused, the text fields can still be read, and [`Fields::finish`] returns the error. The caller must
    /// then discard the stored files.
    pub(crate) async fn read_with_files(
        req: &HttpRequest,
        payload: web::Payload,
        wanted: FileOptions<'_>,
    ) -> Result<(Self, Vec<StoredFile>)> {
        if !is_multipart(req) {
            return Ok((Self::read(req, payload).await?, Vec::new()));
        }
        let mut form = MultipartReader::new(req, payload);
        let refused = form.receive(Some(wanted)).await.err();
        TypedFields::keep(req, &form.pairs);
        PageWasOpen::keep(req, &form.pairs);
        Ok((
            Self {
                refused,
                ..Self::from_pairs(form.pairs)
            },
            form.files,
        ))
    }

    fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        let mut fields = Self {
            from_form: true,
            ..Self::default()
        };
        for (name, value) in pairs {
            let typed = fields.typed.entry(name.clone()).or_default();
            if !typed.is_empty() {
                typed.push_str(", ");
            }
            typed.push_str(&value);
            fields
                .values
                .entry(name)
                .or_default()
                .push(Value::String(value));
        }
        // Any form may contain these fields. They are not meant for the handler, so remove them.
        for name in ["_method", OPENED] {
            fields.values.remove(name);
            fields.typed.remove(name);
        }
        fields
    }

    fn from_json(body: &[u8]) -> Result<Self> {
        let value = parse(body)
            .map_err(|error| Error::Malformed(format!("The JSON cannot be read: {error}.")))?;
        let Value::Object(object) = value else {
            return Err(Error::Malformed(
                "The JSON must be an object, such as {\"field\": …}.".into(),
            ));
        };
        let mut fields = Self::default();
        for (name, value) in object {
            fields.typed.insert(
                name.clone(),
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            );
            fields.values.insert(name, vec![value]);
        }
        Ok(fields)
    }

    /// Returns whether the fields came from a form.
    pub(crate) fn is_form(&self) -> bool {
        self.from_form
    }

    /// Adds an error for a field, unless the field already has one.
    pub(crate) fn add_error(&mut self, name: &str, message: impl Into<FieldError>) {
        self.errors.entry(name.to_owned()).or_insert(message.into());
    }

    /// Returns the value in `read`. If `read` contains errors, adds them to the errors of the fields and returns the
    /// default value.
    pub(crate) fn accept<T: Default>(&mut self, read: Result<T, FieldErrors>) -> T {
        read.unwrap_or_else(|all| {
            for (name, message) in all {
                self.add_error(&name, message);
            }
            T::default()
        })
    }

    fn take_one(&mut self, name: &str) -> Option<Value> {
        let mut values = self.values.remove(name)?;
        if values.len() > 1 {
            self.add_error(name, "is given more than once. Send it once.");
        }
        values.pop()
    }

    /// Returns whether the field was sent and has not been read yet.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Rejects fields that were not read, and reports all errors at once.
    pub(crate) fn finish(mut self) -> Result<()> {
        if let Some(error) = self.refused {
            return Err(error);
        }
        for name in self.values.keys() {
            self.errors
                .entry(name.clone())
                .or_insert("is an unknown field. Leave it out.".into());
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.errors))
        }
    }
}
