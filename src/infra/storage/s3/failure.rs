//! What an S3 server's refusal means for people, and for the doctor.

use std::error::Error as StdError;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::error::Error;
use crate::infra::storage::{storage_full, unavailable};

/// What went wrong, as far as the difference matters to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// There is no such object, version or upload.
    Missing,
    /// The server does not have this call (501, some say 405).
    NotImplemented,
    /// Not reached, too slow, or in trouble itself.
    Unavailable,
    /// No room or over a quota.
    Full,
    /// It answered, and refused: a setting is wrong.
    Refused,
}

pub(super) fn classify<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Failure {
    let Some(status) = error
        .raw_response()
        .map(|response| response.status().as_u16())
    else {
        return match error {
            SdkError::ConstructionFailure(_) => Failure::Refused,
            _ => Failure::Unavailable,
        };
    };
    // A HEAD has no body and so no code.
    match (status, error.code().unwrap_or_default()) {
        (_, "NoSuchBucket") => Failure::Refused,
        (404, _) => Failure::Missing,
        (501 | 405, _) | (_, "NotImplemented" | "MethodNotAllowed") => Failure::NotImplemented,
        (507, _)
        | (_, "QuotaExceeded" | "XMinioStorageFull" | "StorageFull" | "EntityTooLarge") => {
            Failure::Full
        }
        // Completing an upload may answer 200 and say only in the body that it failed.
        (408 | 429 | 500..=599, _)
        | (_, "RequestTimeout" | "SlowDown" | "InternalError" | "ServiceUnavailable") => {
            Failure::Unavailable
        }
        _ => Failure::Refused,
    }
}

/// Whether not even a connection was made. hyper says so only in its words.
pub(super) fn never_connected<E: ProvideErrorMetadata + StdError + 'static>(
    error: &SdkError<E>,
) -> bool {
    matches!(error, SdkError::ConstructionFailure(_)) || error_chain(error).contains("(Connect)")
}

/// The error of the house for an error of the SDK.
pub(super) fn into_error<E>(error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let cause = error_chain(&error);
    match classify(&error) {
        Failure::Missing => Error::NotFound,
        Failure::Unavailable => unavailable(cause),
        Failure::Full => storage_full(cause),
        Failure::NotImplemented | Failure::Refused => Error::Unavailable(
            "The storage refuses what Hearback asks of it. What you sent just now was not stored; your admin can run `hearback doctor`."
                .into(),
            cause.into(),
        ),
    }
}

/// How to mend it.
pub(super) fn advice(error: &Error) -> &'static str {
    let cause = error.cause().map(ToString::to_string).unwrap_or_default();
    let known = [
        (
            "NoSuchBucket",
            "The bucket does not exist: create it, or correct its name in HEARBACK_STORAGE.",
        ),
        (
            "InvalidAccessKeyId",
            "The server does not know AWS_ACCESS_KEY_ID.",
        ),
        (
            "SignatureDoesNotMatch",
            "AWS_SECRET_ACCESS_KEY is wrong, or a proxy changes the Host of requests.",
        ),
        (
            "RequestTimeTooSkewed",
            "The clocks of this machine and of the server differ by more than 15 minutes.",
        ),
        (
            "AuthorizationHeaderMalformed",
            "The region is wrong: set AWS_REGION.",
        ),
        (
            "PermanentRedirect",
            "The region or the endpoint is wrong: set AWS_REGION.",
        ),
        (
            "AccessDenied",
            "The key may not do this: allow s3:GetObject, PutObject, DeleteObject, DeleteObjectVersion, AbortMultipartUpload, ListBucket, ListBucketVersions and ListBucketMultipartUploads.",
        ),
        (
            "403",
            "The key may not do this: look at its id, secret and rights on the bucket.",
        ),
        (
            "credential",
            "No credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        ),
        (
            "dns error",
            "The name of the endpoint cannot be resolved; a server without bucket names in its domain needs path style.",
        ),
        (
            "ertificate",
            "The endpoint's certificate is not trusted by this machine.",
        ),
        (
            "onnect",
            "Nothing answers at the endpoint: look at its address and port.",
        ),
    ];
    known.iter().find(|(word, _)| cause.contains(word)).map_or(
        "Look at the endpoint, the bucket and the keys.",
        |(_, words)| words,
    )
}

/// An error with what lies behind it: the SDK's own text is only "service error" or "dispatch failure".
fn error_chain<E: ProvideErrorMetadata + StdError + 'static>(error: &SdkError<E>) -> String {
    let mut text = error.to_string();
    if let Some(response) = error.raw_response() {
        text.push_str(&format!(" {}", response.status().as_u16()));
    }
    if let Some(code) = error.code() {
        text.push_str(&format!(" {code}"));
    }
    let mut source = error.source();
    while let Some(below) = source {
        text.push_str(&format!(": {below}"));
        source = below.source();
    }
    text
}
