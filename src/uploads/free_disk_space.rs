//! Checks the free disk space before an upload: on the disk of the temporary files and, if the storage is not a bucket,
//! on the disk of the storage.

use super::UploadService;
use crate::error::{Error, Result};

impl UploadService {
    /// Fails if the disk of temporary files or the disk of the storage is nearly full, so that space
    /// remains for comments and acknowledgements.
    pub fn check_free_space(&self) -> Result<()> {
        let temp = rustix::fs::statvfs(&self.media.temp_dir)
            .map_err(|error| Error::internal(std::io::Error::from(error)))?;
        let mut free = temp.f_bavail.saturating_mul(temp.f_frsize);
        if let Some(storage_free) = self.media.storage.free_bytes()? {
            free = free.min(storage_free);
        }
        if free >= self.min_free_bytes {
            return Ok(());
        }
        let text = format!(
            "The disk is nearly full ({} MiB left), so no files can be uploaded. Ask your admin to free some space.",
            free >> 20
        );
        Err(Error::Unavailable(
            text,
            "the free disk space is below the minimum for uploads".into(),
        ))
    }
}
