//! Classifies errors of an S3 server, for requests and for the doctor.

use std::error::Error as StdError;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::error::Error;
use crate::infra::storage::{storage_full, unavailable};

const NO_SUCH_BUCKET: &str = "NoSuchBucket";

/// The kinds of failure that Hearback handles differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The object, version or upload does not exist.
    Missing,
    /// The server does not implement the call (501, or 405 on some servers).
    NotImplemented,
    /// The server is unreachable, too slow or failing.
    Unavailable,
    /// The storage is full or over a quota.
    Full,
    /// The server rejected the request, usually because a setting is wrong.
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
    // Match the status as well as the code: a response to HEAD has no body and therefore no code.
    match (status, error.code().unwrap_or_default()) {
        (_, NO_SUCH_BUCKET) => Failure::Refused,
        (404, _) => Failure::Missing,
        (501 | 405, _) | (_, "NotImplemented" | "MethodNotAllowed") => Failure::NotImplemented,
        (507, _)
        | (_, "QuotaExceeded" | "XMinioStorageFull" | "StorageFull" | "EntityTooLarge") => {
            Failure::Full
        }
        // Match these codes as well as the status: CompleteMultipartUpload may return status 200
        // with an error in the body.
        (408 | 429 | 500..=599, _)
        | (_, "RequestTimeout" | "SlowDown" | "InternalError" | "ServiceUnavailable") => {
            Failure::Unavailable
        }
        _ => Failure::Refused,
    }
}

/// Whether no connection was established. Searches the error message, because hyper does not report
/// this in any other way.
pub(super) fn never_connected<E: ProvideErrorMetadata + StdError + 'static>(
    error: &SdkError<E>,
) -> bool {
    matches!(error, SdkError::ConstructionFailure(_)) || error_chain(error).contains("(Connect)")
}

/// Converts an SDK error into an [`Error`].
pub(super) fn into_error<E>(error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let cause = error_chain(&error);
    match classify(&error) {
        Failure::Missing => Error::NotFound,
        Failure::Unavailable => unavailable(cause),
        Failure::Full => storage_full(cause),
        Failure::NotImplemented | Failure::Refused => refused(cause),
    }
}

/// Converts the error of a request for the bucket itself. Here, "not found" means that the bucket is missing.
pub(super) fn into_bucket_error<E>(error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    match into_error(error) {
        Error::NotFound => refused(NO_SUCH_BUCKET.into()),
        other => other,
    }
}

fn refused(cause: String) -> Error {
    Error::Unavailable(
        "The storage rejected Hearback's request. What you just sent was not stored; \
         your admin can run `hearback doctor` to find the cause."
            .into(),
        cause.into(),
    )
}

/// Returns advice for the operator on how to fix the error.
pub(super) fn advice(error: &Error) -> &'static str {
    let cause = error.cause().map(ToString::to_string).unwrap_or_default();
    let known = [
        (
            NO_SUCH_BUCKET,
            "The bucket does not exist: create it, or correct its name in HEARBACK_STORAGE.",
        ),
        (
            "InvalidAccessKeyId",
            "The server does not know the access key in AWS_ACCESS_KEY_ID.",
        ),
        (
            "SignatureDoesNotMatch",
            "AWS_SECRET_ACCESS_KEY is wrong, or a proxy is changing the Host header of requests.",
        ),
        (
            "RequestTimeTooSkewed",
            "The clocks of this machine and of the server differ by more than 15 minutes.",
        ),
        (
            "AuthorizationHeaderMalformed",
            "The region is wrong: set AWS_REGION to the region of the bucket.",
        ),
        (
            "PermanentRedirect",
            "The region or the endpoint is wrong: check AWS_REGION and HEARBACK_S3_ENDPOINT.",
        ),
        (
            "AccessDenied",
            "The access key lacks permissions: allow s3:GetObject, PutObject, DeleteObject, \
             DeleteObjectVersion, AbortMultipartUpload, ListBucket, ListBucketVersions and \
             ListBucketMultipartUploads.",
        ),
        (
            "403",
            "The server denied access: check the access key's id, its secret and its permissions on the bucket.",
        ),
        (
            "credential",
            "No credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        ),
        (
            "dns error",
            "The host name of the endpoint cannot be resolved. If buckets do not have their own \
             host names on this server, set HEARBACK_S3_PATH_STYLE=true.",
        ),
        (
            "ertificate",
            "This machine does not trust the certificate of the endpoint.",
        ),
        (
            "onnect",
            "Nothing responds at the endpoint: check its address and port.",
        ),
    ];
    known.iter().find(|(word, _)| cause.contains(word)).map_or(
        "Check the endpoint, the bucket and the access key.",
        |(_, words)| words,
    )
}

/// Returns the error's message, followed by the HTTP status, the error code and the messages of the
/// error's sources. The SDK's own message is only "service error" or "dispatch failure".
fn error_chain<E: ProvideErrorMetadata + StdError + 'static>(error: &SdkError<E>) -> String {
    let mut text = error.to_string();
    if let Some(response) = error.raw_response() {
        text.push_str(&format!(" {}", response.status().as_u16()));
    }
    if let Some(code) = error.code() {
        text.push_str(&format!(" {code}"));
    }
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&format!(": {inner}"));
        source = inner.source();
    }
    text
}
