//! The error type of the whole crate. An error has a message for people and may have a cause for the log.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;

use serde::{Serialize, Serializer};

/// A result whose error type is [`Error`] by default.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Invalid fields, by name.
pub type FieldErrors = BTreeMap<String, FieldError>;

/// Says what is wrong with a field and how to correct it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldError {
    /// A text whose subject is the field, such as “is missing.” It begins with a lowercase word.
    Predicate(String),
    /// A text with its own subject, such as “zed@example.org has no account.” It does not begin with a lowercase
    /// word.
    Sentence(String),
}

impl FieldError {
    /// Creates an error from a complete sentence. Use `into` for text that follows the name of the field, such as "must
    /// not be empty".
    pub fn sentence(text: impl Into<String>) -> Self {
        let text = text.into();
        debug_assert!(!begins_with_lowercase_word(&text), "{text}");
        Self::Sentence(text)
    }

    /// The text that follows the name of the field, as in “title: is missing.”
    pub fn text(&self) -> &str {
        match self {
            Self::Predicate(text) | Self::Sentence(text) => text,
        }
    }

    /// The text to show beside the field: “This is missing.”
    pub fn to_sentence(&self) -> String {
        match self {
            Self::Predicate(text) => format!("This {text}"),
            Self::Sentence(text) => text.clone(),
        }
    }
}

/// The browser's scripts recognize predicates in JSON by their first word (`browser/src/lib/request.ts`).
fn begins_with_lowercase_word(text: &str) -> bool {
    text.split_once(' ')
        .is_some_and(|(word, _)| word.bytes().all(|letter| letter.is_ascii_lowercase()))
}

impl From<String> for FieldError {
    fn from(predicate: String) -> Self {
        debug_assert!(begins_with_lowercase_word(&predicate), "{predicate}");
        Self::Predicate(predicate)
    }
}

impl From<&str> for FieldError {
    fn from(predicate: &str) -> Self {
        predicate.to_owned().into()
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for FieldError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

/// An error, with one variant for each kind of failure. Messages are shown to people unchanged;
/// causes are only for the operator.
#[derive(Debug)]
pub enum Error {
    /// 400: the request cannot be read.
    Malformed(String),
    /// 401: the request requires signing in.
    Unauthenticated,
    /// 403: the person may see the resource, but may not perform this action.
    Forbidden(String),
    /// 404: the resource does not exist, or the person may not see it. The response is the same in
    /// both cases.
    NotFound,
    /// 405: the URL does not support the method.
    MethodNotAllowed,
    /// 409: the resource's current state does not allow the action.
    Conflict(String),
    /// 410: the resource existed but is gone.
    Gone(String),
    /// 412: the request uses an unsupported protocol version.
    PreconditionFailed(String),
    /// 413: the body or file exceeds the limit given in the message.
    TooLarge(String),
    /// 415: the media type is not supported.
    Unsupported(String),
    /// 460: the checksum does not match the body (tus 1.0, checksum extension).
    ChecksumMismatch(String),
    /// 422: the request is well-formed but invalid. Contains a message for each invalid field.
    Invalid(FieldErrors),
    /// 429: too many requests. Contains the number of seconds to wait.
    TooManyRequests(u64),
    /// 503: the database, the storage or an external tool is unavailable.
    Unavailable(String, Cause),
    /// 500: an error in Hearback itself.
    Internal(Cause),
    /// Another error together with the field or file that caused it.
    InField(String, Box<Error>),
}

/// The cause of an error. The middleware logs it once; responses never contain it.
pub type Cause = Box<dyn StdError + Send + Sync>;

impl Error {
    /// Creates an [`Error::Invalid`] with a single field.
    pub fn invalid(field: impl Into<String>, message: impl Into<FieldError>) -> Self {
        Self::Invalid(BTreeMap::from([(field.into(), message.into())]))
    }

    /// Creates an [`Error::Internal`] from any cause.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// The HTTP status code. Most codes are from RFC 9110, 429 is from RFC 6585, and 460 is from tus 1.0.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden(_) => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict(_) => 409,
            Self::Gone(_) => 410,
            Self::PreconditionFailed(_) => 412,
            Self::TooLarge(_) => 413,
            Self::Unsupported(_) => 415,
            Self::Invalid(_) => 422,
            Self::TooManyRequests(_) => 429,
            Self::ChecksumMismatch(_) => 460,
            Self::Unavailable(..) => 503,
            Self::Internal(_) => 500,
            Self::InField(_, error) => error.status(),
        }
    }

    /// The `title` of the problem document (RFC 9457).
    pub fn title(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "The request cannot be read",
            Self::Unauthenticated => "Sign in first",
            Self::Forbidden(_) => "Not allowed",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Conflict(_) => "Not possible right now",
            Self::Gone(_) => "No longer available",
            Self::PreconditionFailed(_) => "Unsupported protocol version",
            Self::ChecksumMismatch(_) => "Checksum mismatch",
            Self::TooLarge(_) => "Too large",
            Self::Unsupported(_) => "Unsupported type",
            Self::Invalid(_) => "Invalid input",
            Self::TooManyRequests(_) => "Too many requests",
            Self::Unavailable(..) => "Temporarily unavailable",
            Self::Internal(_) => "Something went wrong on the server",
            Self::InField(_, error) => error.title(),
        }
    }

    /// What happened and what to do next: the `detail` of the problem document.
    pub fn detail(&self) -> String {
        match self {
            Self::Malformed(text)
            | Self::Forbidden(text)
            | Self::Conflict(text)
            | Self::Gone(text)
            | Self::PreconditionFailed(text)
            | Self::ChecksumMismatch(text)
            | Self::TooLarge(text)
            | Self::Unsupported(text)
            | Self::Unavailable(text, _) => text.clone(),
            Self::Unauthenticated => {
                "Sign in, or send a token as `Authorization: Bearer hb_…`.".into()
            }
            Self::NotFound => {
                "Nothing exists at this address, or it is not shared with you.".into()
            }
            Self::MethodNotAllowed => "This address does not support that method. \
                                       /openapi.json lists the methods of every address."
                .into(),
            Self::Invalid(fields) => match fields.iter().next() {
                Some((field, message)) => format!("{field}: {message}"),
                None => "A field is invalid.".into(),
            },
            Self::TooManyRequests(seconds) => format!("Try again in {seconds} s."),
            Self::Internal(_) => "Your request was not carried out. Try again. \
                                  If the problem persists, give your admin the request id."
                .into(),
            Self::InField(field, error) => format!("{field}: {}", error.detail()),
        }
    }

    /// Returns the invalid fields, or an empty map if the error does not concern fields.
    pub fn fields(&self) -> FieldErrors {
        match self {
            Self::Invalid(fields) => fields.clone(),
            Self::InField(field, error) => {
                BTreeMap::from([(field.clone(), FieldError::sentence(error.detail()))])
            }
            _ => FieldErrors::new(),
        }
    }

    /// The number of seconds after which a retry can succeed; `None` if no such time is known.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyRequests(seconds) => Some(*seconds),
            Self::Unavailable(..) => Some(10),
            Self::InField(_, error) => error.retry_after(),
            _ => None,
        }
    }

    /// Adds the name of a file to the message of an `Unsupported` or `TooLarge` error.
    pub fn for_file(self, name: &str) -> Self {
        match self {
            Self::InField(field, error) => Self::InField(field, Box::new(error.for_file(name))),
            Self::Unsupported(text) => Self::Unsupported(format!("“{name}”: {text}")),
            Self::TooLarge(text) => Self::TooLarge(format!("“{name}”: {text}")),
            other => other,
        }
    }

    /// The cause to log, if there is one.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Unavailable(_, cause) | Self::Internal(cause) => Some(cause),
            Self::InField(_, error) => Error::cause(error),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title(), self.detail())?;
        match self.cause() {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {}

/// The message for people when the disk is full.
pub const DISK_FULL: &str = "The disk is full. What you just sent was not stored; everything saved \
                             earlier is safe. Ask your admin to free some space, then send it again.";

/// The message for people when the database's disk is broken or read-only.
const DISK_FAILED: &str = "The database cannot write to its disk. What you just sent was not \
                           stored; everything saved earlier is unchanged. Tell your admin, \
                           then send it again.";

impl From<sqlx::Error> for Error {
    /// Maps failures of the database, the connection and the disk to `Unavailable`, and all other
    /// errors to `Internal`.
    fn from(error: sqlx::Error) -> Self {
        let text = match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Tls(_)
            // If the connection breaks in the middle of a response, the driver reports a protocol
            // error.
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => "The database is not responding. \
                                             What you just sent was not stored; try again in a moment.",
            sqlx::Error::Database(refused) => match refused.code().as_deref().and_then(classify_code) {
                Some(DatabaseFailure::DiskFull) => DISK_FULL,
                Some(DatabaseFailure::Disk) => DISK_FAILED,
                Some(DatabaseFailure::Unavailable) => "The database is temporarily unavailable. \
                     What you just sent was not stored; try again in a moment.",
                None => return Self::Internal(error.into()),
            },
            _ => return Self::Internal(error.into()),
        };
        Self::Unavailable(text.into(), error.into())
    }
}

/// Why the database failed to process a valid request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DatabaseFailure {
    /// No space is left.
    DiskFull,
    /// The disk is broken or read-only.
    Disk,
    /// The database is busy, is shutting down, or lacks a resource other than disk space.
    Unavailable,
}

/// Classifies an error code of the database.
///
/// - SQLite: the low byte of the code. 5 means busy, 8 read-only, 10 I/O, 13 full and 14 cannot
///   open (see rescode.html in SQLite's documentation).
/// - PostgreSQL: a SQLSTATE. 53100 means disk full, 58030 I/O and 25006 read-only. The prefixes are
///   08 (connection), 53 (resources) and 57P (operator intervention).
fn classify_code(code: &str) -> Option<DatabaseFailure> {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => match number & 0xff {
            5 => Some(DatabaseFailure::Unavailable),
            8 | 10 | 14 => Some(DatabaseFailure::Disk),
            13 => Some(DatabaseFailure::DiskFull),
            _ => None,
        },
        _ => match code {
            "53100" => Some(DatabaseFailure::DiskFull),
            "58030" | "25006" => Some(DatabaseFailure::Disk),
            _ => ["08", "53", "57P"]
                .iter()
                .any(|class| code.starts_with(class))
                .then_some(DatabaseFailure::Unavailable),
        },
    }
}

/// Whether the error means that the database's disk is full, broken or read-only.
pub fn is_disk_failure(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.as_deref()
        .and_then(classify_code)
        .is_some_and(|failure| failure != DatabaseFailure::Unavailable)
}

impl From<std::io::Error> for Error {
    /// Maps a full disk to `Unavailable` and all other errors to `Internal`.
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::Unavailable(DISK_FULL.into(), error.into())
            }
            _ => Self::Internal(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_error_becomes_a_full_sentence_beside_its_field() {
        let missing = FieldError::from("is missing.");
        let stranger = FieldError::sentence("zed@example.org has no account.");
        assert_eq!(missing.to_sentence(), "This is missing.");
        assert_eq!(stranger.to_sentence(), "zed@example.org has no account.");
        let error = Error::invalid("title", missing);
        assert_eq!(error.detail(), "title: is missing.");
        assert_eq!(
            serde_json::json!(error.fields()),
            serde_json::json!({ "title": "is missing." })
        );
    }
}
