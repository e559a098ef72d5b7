//! The maximum sizes of files: the setting `HEARBACK_MAX_UPLOAD`, and a fixed limit for pictures.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use super::UploadService;
use crate::error::{Error, Result};

/// Maximum size of a picture file, in bytes. [`crate::infra::images`] also limits the number of pixels.
const MAX_PICTURE_BYTES: u64 = 64 << 20;

/// The maximum size of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct SizeLimit {
    bytes: u64,
    /// Whether an admin can raise the limit.
    is_setting: bool,
}

impl SizeLimit {
    /// The limit for all files.
    pub(super) fn of_files(uploads: &UploadService) -> Self {
        Self {
            bytes: uploads.max_bytes,
            is_setting: true,
        }
    }

    /// The limit for pictures.
    pub(super) fn of_pictures(uploads: &UploadService) -> Self {
        if uploads.max_bytes < MAX_PICTURE_BYTES {
            return Self::of_files(uploads);
        }
        Self {
            bytes: MAX_PICTURE_BYTES,
            is_setting: false,
        }
    }

    /// Fails if a file of `length` bytes is too large.
    pub(super) fn check(self, length: i64) -> Result<()> {
        if u64::try_from(length).is_ok_and(|length| length <= self.bytes) {
            Ok(())
        } else {
            Err(self.too_large())
        }
    }

    fn too_large(self) -> Error {
        let (what, advice) = if self.is_setting {
            (
                "file",
                "Send a smaller one, or ask your admin to raise the limit.",
            )
        } else {
            ("picture", "Send a smaller one.")
        };
        Error::TooLarge(format!(
            "The {what} is larger than the maximum of {}. {advice}",
            format_size(self.bytes)
        ))
    }
}

/// Formats a size limit: `4 GiB`, `500 MiB`, `200 kB`.
pub fn format_size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_048_576 => format!("{} kB", bytes / 1_000),
        1_048_576..1_073_741_824 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", bytes >> 30),
    }
}

/// A stream that fails once it exceeds its limit.
pub(super) struct LimitedStream<S> {
    body: S,
    left: u64,
    limit: SizeLimit,
}

impl<S> LimitedStream<S> {
    pub(super) fn new(body: S, limit: SizeLimit) -> Self {
        Self {
            body,
            left: limit.bytes,
            limit,
        }
    }
}

impl<S: Stream<Item = Result<Bytes>> + Unpin> Stream for LimitedStream<S> {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.body.poll_next_unpin(context);
        if let Poll::Ready(Some(Ok(block))) = &polled {
            match self.left.checked_sub(block.len() as u64) {
                Some(left) => self.left = left,
                None => {
                    return Poll::Ready(Some(Err(self.limit.too_large())));
                }
            }
        }
        polled
    }
}
