//! Aborts multipart uploads that nobody finishes.

use std::time::Duration;

use aws_sdk_s3::types::MultipartUpload;

use super::failure::{Failure, classify, into_error};
use super::{S3, ignore_missing, next_page};
use crate::clock;
use crate::error::Result;

/// The sweep aborts multipart uploads older than this. A resumable upload expires earlier, so the
/// sweep never aborts one that is in use.
pub const ABANDONED_UPLOAD_AGE: Duration = Duration::from_secs(8 * 24 * 60 * 60);

impl S3 {
    /// Aborts multipart uploads that a crash left behind. They use space and do not appear in the
    /// list of objects.
    pub(in crate::infra::storage) async fn sweep(&self, wanted: &[String]) -> Result<()> {
        let oldest = clock::real_now() / 1000 - ABANDONED_UPLOAD_AGE.as_secs().cast_signed();
        self.abort_listed(&self.settings.prefix, |upload| {
            let is_old = upload
                .initiated()
                .is_some_and(|begun| begun.secs() < oldest);
            is_old
                && !wanted
                    .iter()
                    .any(|known| Some(known.as_str()) == upload.upload_id())
        })
        .await
    }

    /// Aborts every unfinished multipart upload to `key`. Does nothing if the server cannot list
    /// them.
    pub async fn abort_all(&self, key: &str) -> Result<()> {
        let name = self.full_key(key);
        self.abort_listed(&name, |upload| upload.key() == Some(name.as_str()))
            .await
    }

    /// Aborts the unfinished multipart uploads under `prefix` for which `unwanted` is true, page by
    /// page. Does nothing if the server cannot list them.
    async fn abort_listed(
        &self,
        prefix: &str,
        unwanted: impl Fn(&MultipartUpload) -> bool,
    ) -> Result<()> {
        let mut markers = (None, None);
        loop {
            let (after_key, after_id) = markers.clone();
            let list = self
                .client
                .list_multipart_uploads()
                .bucket(&self.settings.bucket)
                .prefix(prefix);
            let page = match list
                .set_key_marker(after_key)
                .set_upload_id_marker(after_id)
                .send()
                .await
            {
                Ok(page) => page,
                Err(error) if classify(&error) == Failure::NotImplemented => return Ok(()),
                Err(error) => return Err(into_error(error)),
            };
            for upload in page.uploads().iter().filter(|upload| unwanted(upload)) {
                let (Some(key), Some(id)) = (upload.key(), upload.upload_id()) else {
                    continue;
                };
                let abort = self
                    .client
                    .abort_multipart_upload()
                    .bucket(&self.settings.bucket);
                ignore_missing(abort.key(key).upload_id(id).send().await)?;
            }
            if !page.is_truncated().unwrap_or(false) || page.next_key_marker().is_none() {
                return Ok(());
            }
            let next = (page.next_key_marker, page.next_upload_id_marker);
            markers = next_page(&markers, next)?;
        }
    }
}
