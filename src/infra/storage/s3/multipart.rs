//! Multipart uploads: the S3 calls, and a guard that aborts an unfinished upload.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use tokio::runtime::Handle;

use super::failure::{Failure, classify, into_error};
use super::{S3, ignore_missing, next_page, non_empty};
use crate::error::{Error, Result};
use crate::infra::storage::{ObjectMetadata, check_key, unavailable};

/// The result of completing a multipart upload.
#[derive(Debug)]
pub enum Completion {
    /// The object exists with the expected length.
    Done,
    /// The server refused to combine the parts.
    Refused(Error),
}

/// S3 calls for multipart uploads that continue over several requests to Hearback. The caller stores the upload id and
/// the ETags, because ListParts can be outdated or incomplete. All parts but the last must have [`super::PART_SIZE`]
/// bytes, because some servers require parts of equal size.
impl S3 {
    /// Starts a multipart upload to `key` and returns its id.
    pub async fn create_multipart(&self, key: &str, metadata: &ObjectMetadata) -> Result<String> {
        check_key(key)?;
        let create = self
            .client
            .create_multipart_upload()
            .bucket(&self.settings.bucket)
            .key(self.full_key(key))
            .content_type(&metadata.content_type)
            .set_content_disposition(non_empty(&metadata.disposition))
            .set_cache_control(non_empty(&metadata.cache_control));
        let created = create.send().await.map_err(into_error)?;
        created
            .upload_id
            .ok_or_else(|| unavailable("CreateMultipartUpload returned no id"))
    }

    /// Uploads the part with this number, counted from 1, and returns its ETag. A part that was
    /// uploaded earlier with the same number is replaced.
    pub async fn upload_part(
        &self,
        key: &str,
        id: &str,
        number: i32,
        bytes: Bytes,
    ) -> Result<String> {
        check_key(key)?;
        let upload = self
            .client
            .upload_part()
            .bucket(&self.settings.bucket)
            .key(self.full_key(key))
            .upload_id(id)
            .part_number(number)
            .content_length(i64::try_from(bytes.len()).map_err(Error::internal)?)
            .body(ByteStream::from(bytes));
        let part = upload.send().await.map_err(into_error)?;
        part.e_tag
            .ok_or_else(|| unavailable("UploadPart returned no ETag"))
    }

    /// Combines the parts, given by number and ETag in ascending order, and checks that the object
    /// has `length` bytes. Idempotent: completing an upload again succeeds.
    pub async fn complete_multipart(
        &self,
        key: &str,
        id: &str,
        numbered_etags: &[(i32, String)],
        length: u64,
    ) -> Result<Completion> {
        check_key(key)?;
        let mut parts = CompletedMultipartUpload::builder();
        for (number, etag) in numbered_etags {
            parts = parts.parts(
                CompletedPart::builder()
                    .part_number(*number)
                    .e_tag(etag)
                    .build(),
            );
        }
        let name = self.full_key(key);
        let complete = self
            .client
            .complete_multipart_upload()
            .bucket(&self.settings.bucket);
        let completed = complete
            .key(&name)
            .upload_id(id)
            .multipart_upload(parts.build())
            .send()
            .await;
        // Servers reject a repeated CompleteMultipartUpload even if the first one succeeded: most
        // return 404, and Ceph returns 500. Therefore, check the object itself.
        match (self.head_length(&name).await?, completed) {
            (Some(stored), _) if stored == length => Ok(Completion::Done),
            (_, Err(error)) if classify(&error) == Failure::Refused => {
                Ok(Completion::Refused(into_error(error)))
            }
            (_, Err(error)) => Err(into_error(error)),
            (stored, Ok(_)) => Err(unavailable(format!(
                "wrote {length} bytes, but the server stored {}",
                stored.map_or("none".into(), |stored| stored.to_string())
            ))),
        }
    }

    /// Lists all parts of an upload as number, ETag and length, in ascending order.
    pub async fn list_parts(&self, key: &str, id: &str) -> Result<Vec<(i32, String, u64)>> {
        check_key(key)?;
        let (mut parts, mut after) = (Vec::new(), None);
        loop {
            let list = self
                .client
                .list_parts()
                .bucket(&self.settings.bucket)
                .key(self.full_key(key))
                .upload_id(id);
            let page = list
                .set_part_number_marker(after.clone())
                .send()
                .await
                .map_err(into_error)?;
            for part in page.parts() {
                let (Some(number), Some(etag), Some(size)) =
                    (part.part_number(), part.e_tag(), part.size())
                else {
                    return Err(unavailable(
                        "ListParts returned a part without a number, ETag or size",
                    ));
                };
                parts.push((
                    number,
                    etag.to_owned(),
                    u64::try_from(size).map_err(Error::internal)?,
                ));
            }
            let next = page
                .next_part_number_marker
                .filter(|_| page.is_truncated.unwrap_or(false));
            if next.is_none() {
                parts.sort_unstable();
                return Ok(parts);
            }
            after = next_page(&after, next)?;
        }
    }

    /// Aborts an upload and deletes its parts. A missing upload is not an error.
    pub async fn abort_multipart(&self, key: &str, id: &str) -> Result<()> {
        check_key(key)?;
        let abort = self
            .client
            .abort_multipart_upload()
            .bucket(&self.settings.bucket);
        ignore_missing(abort.key(self.full_key(key)).upload_id(id).send().await)
    }
}

/// A multipart upload that begins and ends within one function call. If it is dropped before it is
/// finished, it is aborted on the server.
pub(super) struct Multipart {
    s3: S3,
    key: String,
    id: String,
    parts: Vec<(i32, String)>,
    finished: bool,
}

impl Multipart {
    pub(super) async fn begin(s3: &S3, key: &str, metadata: &ObjectMetadata) -> Result<Self> {
        let id = s3.create_multipart(key, metadata).await?;
        Ok(Self {
            s3: s3.clone(),
            key: key.into(),
            id,
            parts: Vec::new(),
            finished: false,
        })
    }

    pub(super) async fn add_part(&mut self, bytes: Bytes) -> Result<()> {
        let number = i32::try_from(self.parts.len() + 1).map_err(Error::internal)?;
        let etag = self
            .s3
            .upload_part(&self.key, &self.id, number, bytes)
            .await?;
        self.parts.push((number, etag));
        Ok(())
    }

    /// Uploads the last part, if any, and completes the upload.
    pub(super) async fn finish(mut self, last: Bytes, length: u64) -> Result<()> {
        if !last.is_empty() {
            self.add_part(last).await?;
        }
        let completed = match self
            .s3
            .complete_multipart(&self.key, &self.id, &self.parts, length)
            .await
        {
            Ok(Completion::Done) => Ok(()),
            Ok(Completion::Refused(error)) | Err(error) => Err(error),
        };
        self.finished = completed.is_ok();
        if !self.finished {
            self.s3.rollback_put(&self.s3.full_key(&self.key)).await;
        }
        completed.map_err(|error| match error {
            Error::NotFound => {
                unavailable("CompleteMultipartUpload failed: the server does not know the upload")
            }
            other => other,
        })
    }
}

impl Drop for Multipart {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        // If there is no runtime, the process is exiting. A later sweep then aborts the upload.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (s3, key, id) = (
            self.s3.clone(),
            std::mem::take(&mut self.key),
            std::mem::take(&mut self.id),
        );
        runtime.spawn(async move {
            if let Err(error) = s3.abort_multipart(&key, &id).await {
                tracing::warn!(%error, "a multipart upload could not be aborted");
            }
        });
    }
}
