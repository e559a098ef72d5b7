//! The fields of a request, read from JSON, a form or a form with files. Each field is validated, and unknown
//! fields are rejected.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, web};
use futures_util::StreamExt;
use futures_util::stream::Fuse;
use serde_json::Value;

use crate::clock::{Millis, parse_rfc3339};
use crate::error::{Error, FieldErrors, Result};
use crate::infra::db::{TextEnum, text_enum};
use crate::media::StoredFile;
use crate::text;
use crate::uploads::UploadService;
use crate::web::extract::context::RequestContext;
use crate::web::extract::json::parse;
use crate::web::pages::Form;
use crate::working_hours::{Due, MAX_DUE_DAYS};

/// Maximum size of a body without files: 1 MiB.
pub(crate) const MAX_BODY: usize = 1 << 20;
/// Number of bytes that each part of a form counts toward the limit, in addition to its name and text. This limits
/// the number of parts.
const PART_OVERHEAD: usize = 512;
/// Timeout for reading a body without files.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum pause while a client sends files.
const FILE_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum number of bytes of a refused upload to read and discard. If the server closed the connection earlier,
/// the client would get a connection error instead of the response.
const MAX_DRAIN: usize = 256 << 20;

text_enum! {
    /// Which field of a form holds the due time.
    enum When {
        /// No field, because there is no due time.
        None = "none",
        /// `due_days`.
        Days = "days",
        /// `due`.
        Time = "time",
    }
}

/// The fields of a request. A method that reads a field also removes it. [`Fields::finish`] then rejects the
/// remaining fields and reports all errors.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    values: BTreeMap<String, Vec<Value>>,
    errors: FieldErrors,
    typed: BTreeMap<String, String>,
    from_form: bool,
    /// The first error while a form with files was received.
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

    /// Reads JSON or either kind of form. Stores the files of the named field as they arrive. If a file is refused,
    /// the text fields can still be read, and [`Fields::finish`] returns the error. The caller must then discard
    /// the stored files.
    pub(crate) async fn read_with_files(
        req: &HttpRequest,
        payload: web::Payload,
        wanted: FileOptions<'_>,
    ) -> Result<(Self, Vec<StoredFile>)> {
        if !is_multipart(req) {
            return Ok((Self::read(req, payload).await?, Vec::new()));
        }
        let mut form = MultipartReader {
            parts: actix_multipart::Multipart::new(req.headers(), payload),
            pairs: Vec::new(),
            files: Vec::new(),
            left: MAX_DRAIN,
        };
        let refused = form.receive(Some(wanted)).await.err();
        TypedFields::keep(req, &form.pairs);
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
        fields.values.remove("_method");
        fields.typed.remove("_method");
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

    /// Builds a form with the typed values and their errors. Passwords are left out.
    pub(crate) fn refilled_form(typed: &BTreeMap<String, String>, error: &Error) -> Form {
        let values = typed
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "password" | "current"))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        let errors = error.fields();
        // A form can show an error for a field, but not for one of several files. Show such an error for the whole
        // form.
        let problem =
            (errors.is_empty() || matches!(error, Error::InField(..))).then(|| error.detail());
        Form {
            values,
            errors,
            problem,
        }
    }

    /// Returns a copy of the typed values.
    pub(crate) fn typed(&self) -> BTreeMap<String, String> {
        self.typed.clone()
    }

    /// Returns whether the fields came from a form.
    pub(crate) fn is_form(&self) -> bool {
        self.from_form
    }

    /// Adds an error for a field, unless the field already has one.
    pub(crate) fn add_error(&mut self, name: &str, message: impl Into<String>) {
        self.errors.entry(name.to_owned()).or_insert(message.into());
    }

    /// Returns a value that was parsed elsewhere. If parsing failed, adds the errors and returns the default.
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

    /// Reads a string. Returns `None` if the field is absent, and `Some(None)` if it is null or empty.
    pub(crate) fn text(&mut self, name: &str, max: usize) -> Option<Option<String>> {
        match self.take_one(name)? {
            Value::Null => Some(None),
            Value::String(text) => match text::clean_text(&text, max) {
                Ok(text) => Some(Some(text).filter(|text| !text.is_empty())),
                Err(message) => {
                    self.add_error(name, message);
                    None
                }
            },
            _ => {
                self.add_error(name, "must be a string.");
                None
            }
        }
    }

    /// Reads a required single-line string.
    pub(crate) fn line(&mut self, name: &str, max: usize) -> String {
        self.required(name, |text| text::clean_line(text, max))
    }

    /// Reads a required string and converts it with `parse`.
    pub(crate) fn required(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<String, String>,
    ) -> String {
        match self.take_one(name) {
            Some(Value::String(text)) => parse(&text).unwrap_or_else(|message| {
                self.add_error(name, message);
                String::new()
            }),
            Some(Value::Null) | None => {
                self.add_error(name, "is missing.");
                String::new()
            }
            Some(_) => {
                self.add_error(name, "must be a string.");
                String::new()
            }
        }
    }

    /// Reads an optional string and converts it with `parse`.
    pub(crate) fn optional<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(name, MAX_BODY)??;
        parse(&text)
            .map_err(|message| self.add_error(name, message))
            .ok()
    }

    /// Reads a secret without trimming it.
    pub(crate) fn secret(&mut self, name: &str) -> String {
        match self.take_one(name) {
            Some(Value::String(text)) => text,
            _ => {
                self.add_error(name, "is missing.");
                String::new()
            }
        }
    }

    /// Reads an enum value. Accepts only the values in `known`.
    pub(crate) fn choice<T: TextEnum>(&mut self, name: &str, known: &[T]) -> Option<T> {
        let text = self.text(name, 1000)??;
        let found = known.iter().find(|word| word.as_str() == text).copied();
        if found.is_none() {
            let known: Vec<&str> = known.iter().map(|word| word.as_str()).collect();
            self.add_error(
                name,
                format!("is {text:?}. Must be one of: {}.", known.join(", ")),
            );
        }
        found
    }

    /// Reads an integer. Returns `None` if the field is absent, null or empty.
    pub(crate) fn number(&mut self, name: &str) -> Option<i64> {
        let value = self.take_one(name)?;
        let number = match &value {
            Value::Null => return None,
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_i64(),
        };
        if number.is_none() {
            self.add_error(name, "must be a whole number.");
        }
        number
    }

    /// Reads a required position in a recording: whole milliseconds in `NAME_ms`, or a time such as `1:02.5` in
    /// `NAME`. Adds an error and returns 0 if it is invalid.
    pub(crate) fn position(&mut self, name: &str) -> Millis {
        let exact = format!("{name}_ms");
        if self.has(&exact) || !self.has(name) {
            let message = self.errors.len();
            let ms = self.number(&exact);
            if ms.is_none() && self.errors.len() == message {
                self.add_error(&exact, "is missing. Use a number of milliseconds.");
            }
            return ms.unwrap_or(0);
        }
        let said = self.optional(name, |text| {
            position(text.trim())
                .ok_or_else(|| "is not a valid position. Use, for example, 1:02.5.".into())
        });
        if said.is_none() {
            self.add_error(name, "is missing. Use, for example, 1:02.5.");
        }
        said.unwrap_or(0)
    }

    /// Reads a boolean. `true`, `on` and `1` mean true; `false`, `0` and an empty string mean false.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.take_one(name)? {
            Value::Bool(flag) => Some(flag),
            Value::Null => None,
            Value::String(text) if matches!(text.as_str(), "true" | "on" | "1") => Some(true),
            Value::String(text) if matches!(text.as_str(), "false" | "0" | "") => Some(false),
            _ => {
                self.add_error(name, "must be true or false.");
                None
            }
        }
    }

    /// Reads a check box. Browsers send nothing for an unchecked box, so the form also sends a hidden `false`.
    pub(crate) fn checkbox(&mut self, name: &str) -> Option<bool> {
        if let Some(values) = self
            .values
            .get_mut(name)
            .filter(|values| self.from_form && values.len() == 2)
            && let Some(unticked) = values.iter().position(|value| *value == "false")
        {
            values.remove(unticked);
        }
        self.flag(name)
    }

    /// Reads a due time: a timestamp, `{"working_days":n}`, or null. A form sends `when` to select no due time
    /// (`none`), `due_days` (`days`) or the timestamp (`time`).
    pub(crate) fn due(&mut self, name: &str, zone: &str) -> Option<Option<Due>> {
        let when = if self.from_form {
            self.choice("when", When::ALL)
        } else {
            None
        };
        let days = if self.from_form {
            self.number("due_days")
        } else {
            None
        };
        if self
            .values
            .get(name)
            .is_some_and(|values| values.iter().any(Value::is_object))
        {
            let rule = self.take_one(name)?;
            let days = rule
                .as_object()
                .filter(|rule| rule.len() == 1)
                .and_then(|rule| rule.get("working_days"))
                .and_then(Value::as_i64);
            return Some(Some(self.working_days(name, days)?));
        }
        let moment = self.moment(name, zone);
        match when {
            Some(When::None) => Some(None),
            Some(When::Days) => Some(Some(self.working_days("due_days", days)?)),
            Some(When::Time) | None => moment.map(|moment| moment.map(Due::At)),
        }
    }

    fn working_days(&mut self, name: &str, days: Option<i64>) -> Option<Due> {
        match days {
            Some(days @ 1..=MAX_DUE_DAYS) => Some(Due::Days(days)),
            _ => {
                self.add_error(
                    name,
                    format!("must be a number of working days from 1 to {MAX_DUE_DAYS}. Use, for example, {{\"working_days\":1}}."),
                );
                None
            }
        }
    }

    /// Reads an RFC 3339 timestamp. Returns `None` if the field is absent, and `Some(None)` if it is null or
    /// empty. A value without an offset, which browsers send (`2026-11-21T17:00`), is interpreted in `zone`.
    pub(crate) fn moment(&mut self, name: &str, zone: &str) -> Option<Option<Millis>> {
        let Some(text) = self.text(name, 100)? else {
            return Some(None);
        };
        let local = || {
            let civil: jiff::civil::DateTime = text.parse().ok()?;
            let zoned = civil.to_zoned(jiff::tz::TimeZone::get(zone).ok()?).ok()?;
            Some(zoned.timestamp().as_millisecond())
        };
        let moment = parse_rfc3339(&text).or_else(local);
        if moment.is_none() {
            self.add_error(
                name,
                "is not a valid time. Use, for example, 2026-11-21T17:00:00Z.",
            );
        }
        Some(Some(moment?))
    }

    /// Reads a list of strings: a JSON list, a repeated field, or one string separated by commas, semicolons or
    /// line breaks. Returns `None` if the field is absent.
    pub(crate) fn list(&mut self, name: &str) -> Option<Vec<String>> {
        let mut list = Vec::new();
        for value in self.values.remove(name)? {
            let values = if let Value::Array(values) = value {
                values
            } else {
                vec![value]
            };
            for value in values {
                match value {
                    Value::String(text) => list.extend(
                        text.split([',', '\n', ';'])
                            .map(str::trim)
                            .filter(|part| !part.is_empty())
                            .map(str::to_owned),
                    ),
                    Value::Null => {}
                    _ => self.add_error(name, "must be a list of strings."),
                }
            }
        }
        if list.iter().any(|text| text.contains('\0')) {
            self.add_error(name, text::NUL_ERROR);
        }
        Some(list)
    }

    /// Reads a JSON value; in a form, parses the text as JSON.
    pub(crate) fn json(&mut self, name: &str) -> Option<Value> {
        match self.take_one(name)? {
            Value::Null => None,
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => parse(text.as_bytes())
                .map_err(|_| self.add_error(name, "must be valid JSON."))
                .ok(),
            other => Some(other),
        }
    }

    /// Returns whether the field was sent.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Returns the value as sent, except that an empty string in a form becomes null.
    pub(crate) fn raw(&mut self, name: &str) -> Option<Value> {
        let value = self.take_one(name)?;
        Some(
            if self.from_form && value.as_str().is_some_and(|text| text.trim().is_empty()) {
                Value::Null
            } else {
                value
            },
        )
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

/// Parses `1:02.5`, `62.5` or `1:00:02` and returns milliseconds.
fn position(text: &str) -> Option<Millis> {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(fraction) || fraction.len() > 9 || clock.split(':').count() > 3 {
        return None;
    }
    let mut seconds: Millis = 0;
    for part in clock.split(':') {
        if part.is_empty() || part.len() > 6 || !digits(part) {
            return None;
        }
        seconds = seconds * 60 + part.parse::<Millis>().ok()?;
    }
    Some(seconds * 1000 + format!("{fraction:0<3}").get(..3)?.parse::<Millis>().ok()?)
}

type Part = Fuse<actix_multipart::Field>;

/// Reads a whole body without files, within the size limit and the timeout.
pub(crate) async fn read_body(payload: web::Payload) -> Result<bytes::Bytes> {
    read_body_up_to(payload, MAX_BODY).await
}

async fn read_body_up_to(payload: web::Payload, max: usize) -> Result<bytes::Bytes> {
    let read = tokio::time::timeout(BODY_TIMEOUT, payload.to_bytes_limited(max)).await;
    let read = read.map_err(|_| {
        Error::Malformed(format!(
            "The request did not arrive within {} s.",
            BODY_TIMEOUT.as_secs()
        ))
    })?;
    let body = read
        .map_err(|_| Error::TooLarge(format!("The request is larger than {} MiB.", max >> 20)))?;
    body.map_err(|error| Error::Malformed(format!("The request was interrupted: {error}.")))
}

/// Reads the next block of a part. A pause longer than the idle timeout is an error.
async fn next_block(part: &mut Part) -> Option<Result<bytes::Bytes>> {
    match tokio::time::timeout(FILE_IDLE_TIMEOUT, part.next()).await {
        Ok(block) => block.map(|block| block.map_err(multipart_error)),
        Err(_) => Some(Err(Error::Malformed(format!(
            "No data arrived for more than {} s, so the upload was discarded. Send it again.",
            FILE_IDLE_TIMEOUT.as_secs()
        )))),
    }
}

/// Which files a form may contain.
#[derive(Clone, Copy)]
pub(crate) struct FileOptions<'a> {
    /// Service that stores the files.
    pub(crate) uploads: &'a UploadService,
    /// Name of the file field.
    pub(crate) field: &'a str,
    /// Maximum number of files.
    pub(crate) max: usize,
    /// Whether only pictures are accepted.
    pub(crate) pictures: bool,
}

/// Reads a form with files while it arrives.
struct MultipartReader {
    parts: actix_multipart::Multipart,
    pairs: Vec<(String, String)>,
    files: Vec<StoredFile>,
    /// Number of bytes of refused files that may still be read and discarded.
    left: usize,
}

impl MultipartReader {
    /// Reads the form to its end, even after a refused file, so that later fields are kept and the sender receives the
    /// response. Without `uploads`, skips all files. Returns the first error.
    async fn receive(&mut self, mut uploads: Option<FileOptions<'_>>) -> Result<()> {
        let (mut room, mut refused) = (MAX_BODY, Ok(()));
        while let Some(part) = self.parts.next().await {
            // The rest of a malformed form cannot be read, so stop here.
            let Ok(part) = part.map_err(|error| {
                refused = std::mem::replace(&mut refused, Ok(())).and(Err(multipart_error(error)))
            }) else {
                return refused;
            };
            let name = part.name().unwrap_or_default().to_owned();
            let file_name = part
                .content_disposition()
                .and_then(|disposition| disposition.get_filename().map(str::to_owned));
            // Count the name and an overhead for each part, because even an empty part uses memory.
            let Some(rest) = room.checked_sub(name.len() + PART_OVERHEAD) else {
                return refused.and(Err(Error::TooLarge(
                    "The form has too many parts, or the names of its parts are too long.".into(),
                )));
            };
            room = rest;
            // Fuse the part, because `skip` reads it again after its end. Without `fuse`, this would be an error.
            let mut part = part.fuse();
            let read = match (&file_name, uploads) {
                (Some(_), None) => Ok(()),
                (Some(file_name), Some(wanted)) => {
                    self.file(&mut part, &name, file_name, wanted).await
                }
                (None, _) => text(&mut part, &mut room)
                    .await
                    .map(|text| self.pairs.push((name, text))),
            };
            if let Err(error) = read {
                uploads = None;
                refused = refused.and(Err(error));
            }
            if !self.skip(part).await {
                return refused;
            }
        }
        refused
    }

    async fn file(
        &mut self,
        part: &mut Part,
        name: &str,
        file_name: &str,
        wanted: FileOptions<'_>,
    ) -> Result<()> {
        let FileOptions {
            uploads,
            field: files,
            max,
            pictures,
        } = wanted;
        if name != files {
            return Err(Error::invalid(
                name,
                format!("must not contain a file. Send files in the field {files:?}."),
            ));
        }
        let at = format!("{files}[{}]", self.files.len());
        let body = futures_util::stream::unfold(part, |part| async move {
            next_block(part).await.map(|block| (block, part))
        });
        let mut body = Box::pin(body).peekable();
        // Browsers send an unused file field as a part with an empty file name and no bytes. Ignore it.
        if file_name.is_empty() && std::pin::Pin::new(&mut body).peek().await.is_none() {
            return Ok(());
        }
        if self.files.len() >= max {
            return Err(Error::invalid(
                at,
                format!(
                    "is over the limit of {max} files. Leave some files out, or send them separately."
                ),
            ));
        }
        let stored = uploads.store_file(file_name, pictures, body).await;
        // The error identifies the file by its index, which means nothing to a user. Add the file's name.
        self.files.push(stored.map_err(|error| {
            Error::InField(at, Box::new(error)).for_file(&text::clean_file_name(file_name))
        })?);
        Ok(())
    }

    /// Reads the rest of a part and discards it. Returns `false` if nothing more can be read after it.
    async fn skip(&mut self, mut part: Part) -> bool {
        while let Some(block) = next_block(&mut part).await {
            let Ok(block) = block else { return false };
            let Some(left) = self.left.checked_sub(block.len()) else {
                return false;
            };
            self.left = left;
        }
        true
    }
}

async fn text(part: &mut Part, room: &mut usize) -> Result<String> {
    let mut text = Vec::new();
    while let Some(block) = next_block(part).await {
        let block = block?;
        *room = room.checked_sub(block.len()).ok_or_else(|| {
            Error::TooLarge("The form fields are larger than 1 MiB in total.".into())
        })?;
        text.extend_from_slice(&block);
    }
    String::from_utf8(text).map_err(|_| not_text())
}

/// Text that was typed into a form, for the error page.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypedFields(pub(crate) Vec<(String, String)>);

impl TypedFields {
    /// Keeps what the user wrote in a form, so that an error page can show it again.
    pub(crate) fn keep(req: &HttpRequest, pairs: &[(String, String)]) {
        let worth = |(name, value): &&(String, String)| {
            matches!(name.as_str(), "body" | "title" | "notes" | "otherwise") && !value.is_empty()
        };
        req.extensions_mut()
            .insert(Self(pairs.iter().filter(worth).cloned().collect()));
    }
}

/// Returns the request context. If it could not be loaded because the database is down, keeps the text of a form
/// with files and returns the error.
pub(crate) async fn context_or_keep_typed(
    req: &HttpRequest,
    ctx: Result<RequestContext>,
    payload: web::Payload,
) -> Result<(RequestContext, web::Payload)> {
    match ctx {
        Ok(ctx) => Ok((ctx, payload)),
        Err(error) => {
            if matches!(error, Error::Unavailable(..)) && is_multipart(req) {
                let mut form = MultipartReader {
                    parts: actix_multipart::Multipart::new(req.headers(), payload),
                    pairs: Vec::new(),
                    files: Vec::new(),
                    left: MAX_DRAIN,
                };
                // Ignore this error, because the original error is returned.
                let _ = form.receive(None).await;
                TypedFields::keep(req, &form.pairs);
            }
            Err(error)
        }
    }
}

fn multipart_error(error: actix_multipart::MultipartError) -> Error {
    Error::Malformed(format!(
        "The upload was interrupted or cannot be read: {error}. It was discarded. Send it again."
    ))
}

fn not_text() -> Error {
    Error::Malformed("A form field is not valid UTF-8 text.".into())
}

/// Returns whether the body is a form that may contain files.
pub(crate) fn is_multipart(req: &HttpRequest) -> bool {
    content_type(req) == "multipart/form-data"
}

fn content_type(req: &HttpRequest) -> String {
    let kind = req
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    kind.split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}
