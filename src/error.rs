//! The one error of the house: what went wrong in words a person can use, and the cause for the log.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;

/// What every fallible function of the house answers with.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Wrong fields: the field's name → what is wrong and what would be right.
pub type Fields = BTreeMap<String, String>;

/// One variant for each way an answer can fail. The texts are shown to people as they are; a cause never is.
#[derive(Debug)]
pub enum Error {
    /// 400: the request cannot be read.
    Malformed(String),
    /// 401: nobody is signed in, and somebody must be.
    Unauthenticated,
    /// 403: one may see it, but not do this to it.
    Forbidden(String),
    /// 404: not there, or not visible to who asks; the two look alike.
    NotFound,
    /// 405: the address is there, but does not do that.
    WrongMethod,
    /// 409: the present state does not allow it.
    Conflict(String),
    /// 410: it was there, and has ended.
    Gone(String),
    /// 412: the request is made for another version of the protocol.
    Precondition(String),
    /// 413: larger than the limit that the text names.
    TooLarge(String),
    /// 415: content of a type we do not take.
    Unsupported(String),
    /// 460: what arrived is not what was sent (tus 1.0, checksum).
    Mismatch(String),
    /// 422: readable but invalid, field by field.
    Invalid(Fields),
    /// 429: too often; after so many seconds it may be tried again.
    TooMany(u64),
    /// 503: a part that is needed is down.
    Unavailable(String, Cause),
    /// 500: our own fault.
    Internal(Cause),
    /// Any of them, about one named field or file of several.
    At(String, Box<Error>),
}

/// What lies behind an error; logged once at the boundary, never shown.
pub type Cause = Box<dyn StdError + Send + Sync>;

impl Error {
    /// Invalid with a single wrong field.
    pub fn invalid(field: impl Into<String>, wrong: impl Into<String>) -> Self {
        Self::Invalid(BTreeMap::from([(field.into(), wrong.into())]))
    }

    /// An internal error from any cause.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// The HTTP status (RFC 9110; 422 and 429 as in RFC 9457's examples and RFC 6585).
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden(_) => 403,
            Self::NotFound => 404,
            Self::WrongMethod => 405,
            Self::Conflict(_) => 409,
            Self::Gone(_) => 410,
            Self::Precondition(_) => 412,
            Self::TooLarge(_) => 413,
            Self::Unsupported(_) => 415,
            Self::Invalid(_) => 422,
            Self::TooMany(_) => 429,
            Self::Mismatch(_) => 460,
            Self::Unavailable(..) => 503,
            Self::Internal(_) => 500,
            Self::At(_, error) => error.status(),
        }
    }

    /// A short name for the kind of error, the `title` of its problem document.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "The request cannot be read",
            Self::Unauthenticated => "Sign in first",
            Self::Forbidden(_) => "Not allowed",
            Self::NotFound => "Nothing here",
            Self::WrongMethod => "Not done here",
            Self::Conflict(_) => "That has changed meanwhile",
            Self::Gone(_) => "That has ended",
            Self::Precondition(_) => "Not the version that is spoken here",
            Self::Mismatch(_) => "Something was changed on its way",
            Self::TooLarge(_) => "Too large",
            Self::Unsupported(_) => "Not a type Hearback takes",
            Self::Invalid(_) => "Something needs changing",
            Self::TooMany(_) => "Too many tries",
            Self::Unavailable(..) => "A part is not available",
            Self::Internal(_) => "Something failed on our side",
            Self::At(_, error) => error.title(),
        }
    }

    /// What happened and what to do next, in words for the person who asked.
    pub fn detail(&self) -> String {
        match self {
            Self::Malformed(text)
            | Self::Forbidden(text)
            | Self::Conflict(text)
            | Self::Gone(text)
            | Self::Precondition(text)
            | Self::Mismatch(text)
            | Self::TooLarge(text)
            | Self::Unsupported(text)
            | Self::Unavailable(text, _) => text.clone(),
            Self::Unauthenticated => "Sign in, or send a token as `Authorization: Bearer hb_…`.".into(),
            Self::NotFound => "It does not exist, or it is not shared with you.".into(),
            Self::WrongMethod => "This address does not take that method. /openapi.json lists what each takes.".into(),
            Self::Invalid(fields) => match fields.iter().next() {
                Some((field, wrong)) => format!("{field}: {wrong}"),
                None => "A field is wrong.".into(),
            },
            Self::TooMany(seconds) => format!("Try again in {seconds} s."),
            Self::Internal(_) => "Nothing of what you sent was changed. Try again; if it stays, tell your admin the request id.".into(),
            Self::At(field, error) => format!("{field}: {}", error.detail()),
        }
    }

    /// The wrong fields, where it is about fields.
    pub fn fields(&self) -> Fields {
        match self {
            Self::Invalid(fields) => fields.clone(),
            Self::At(field, error) => BTreeMap::from([(field.clone(), error.detail())]),
            _ => Fields::new(),
        }
    }

    /// After how many seconds it may be tried again, where it may.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany(seconds) => Some(*seconds),
            Self::Unavailable(..) => Some(10),
            Self::At(_, error) => error.retry_after(),
            _ => None,
        }
    }

    /// Says in the detail which file it is about.
    pub fn of_file(self, name: &str) -> Self {
        match self {
            Self::At(field, error) => Self::At(field, Box::new(error.of_file(name))),
            Self::Unsupported(text) => Self::Unsupported(format!("“{name}”: {text}")),
            Self::TooLarge(text) => Self::TooLarge(format!("“{name}”: {text}")),
            other => other,
        }
    }

    /// The cause, if there is one to log.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Unavailable(_, cause) | Self::Internal(cause) => Some(cause),
            Self::At(_, error) => Error::cause(error),
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

impl From<sqlx::Error> for Error {
    /// A database that cannot be reached is a part that is down; all else is ours.
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Tls(_)
            // An answer that is cut off in its midst reads as a wrong one.
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => {
                Self::Unavailable("The database does not answer. What you sent just now was not stored; try again in a moment.".into(), error.into())
            }
            sqlx::Error::Database(refused) if refused.code().is_some_and(|code| is_away(&code)) => Self::Unavailable(
                "The database cannot take this just now. What you sent just now was not stored; try again in a moment.".into(),
                refused.into(),
            ),
            other => Self::Internal(other.into()),
        }
    }
}

/// Codes of a database that is there but cannot serve: PostgreSQL's classes 08 connection, 53 resources and 57P operator (errcodes),
/// SQLite's 5 busy, 10 input or output, 13 full and 14 cannot open (rescode.html; the low byte is the kind).
fn is_away(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 10 | 13 | 14),
        _ => ["08", "53", "57P"].iter().any(|class| code.starts_with(class)),
    }
}

impl From<std::io::Error> for Error {
    /// A disk without room is a part that is down; all else is ours.
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Unavailable(
                "The disk is full. What you sent just now was not stored; your admin has to make room.".into(),
                error.into(),
            ),
            _ => Self::Internal(error.into()),
        }
    }
}
