//! How long an upload can be resumed.

use super::repository::Upload;
use super::{FILE_REMOVED, UploadService};
use crate::clock::Millis;
use crate::error::{Error, Result};

/// How long after its creation an upload can still be resumed, in milliseconds. The storage keeps
/// the parts of unfinished multipart uploads for longer than this.
pub(super) const UPLOAD_LIFETIME: Millis = 7 * 24 * 3_600_000;

impl Upload {
    /// Returns the time at which the upload expires and can no longer be resumed.
    pub fn expires_at(&self) -> Millis {
        self.created_at + UPLOAD_LIFETIME
    }
}

/// Fails if the upload's media was removed, or if the upload has expired. Recordings and complete
/// uploads do not expire.
pub fn check_resumable(uploads: &UploadService, upload: &Upload) -> Result<()> {
    if upload.wanted == 0 {
        return Err(Error::Gone(FILE_REMOVED.into()));
    }
    if upload.deferred_at.is_none()
        && upload.finished_at.is_none()
        && !upload.is_complete()
        && uploads.media.clock.now() >= upload.expires_at()
    {
        return Err(Error::Gone(
            "This upload started more than seven days ago and has expired. Send the file again."
                .into(),
        ));
    }
    Ok(())
}
