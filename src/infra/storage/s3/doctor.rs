//! Tests a bucket with real requests to its server, and explains how to fix any problem.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;

use super::failure::advice;
use super::{PART_SIZE, S3};
use crate::error::{Error, Result};
use crate::infra::storage::{ObjectMetadata, Storage, self_test_error, verify_read};

impl S3 {
    pub(in crate::infra::storage) async fn self_test(
        &self,
        storage: &Storage,
        key: &str,
    ) -> Result<Vec<String>> {
        let advise = |error: Error| match error {
            Error::Unavailable(text, cause) => {
                let error = Error::Unavailable(text, cause);
                let words = format!(
                    "Bucket {}: {} ({})",
                    self.settings.bucket,
                    advice(&error),
                    cause_of(&error)
                );
                Error::Unavailable(words.clone(), words.into())
            }
            other => other,
        };
        self.check().await.map_err(advise)?;
        let large = format!("{key}-parts");
        let proved = self.run_self_test(storage, key, &large).await;
        for key in [key, &large] {
            storage.delete(key).await.map_err(advise)?;
            if storage.len(key).await.map_err(advise)?.is_some() {
                return Err(self_test_error(
                    "A deleted object still exists: check the bucket's retention and object lock settings.",
                ));
            }
        }
        let mut lines = vec![format!("The bucket {} responds.", self.settings.bucket)];
        lines.extend(proved.map_err(advise)?);
        lines.push("Objects are deleted with all their versions.".into());
        Ok(lines)
    }

    async fn run_self_test(
        &self,
        storage: &Storage,
        key: &str,
        large: &str,
    ) -> Result<Vec<String>> {
        let metadata = ObjectMetadata {
            content_type: "video/webm".into(),
            disposition: "inline; filename=\"probe.webm\"".into(),
            cache_control: "private, max-age=60".into(),
        };
        self.test_small_object(storage, key, &metadata).await?;
        test_large_object(storage, large, &metadata).await?;
        let origin = self.test_presigned_url(key).await?;
        Ok(vec![
            "Objects can be written and read in ranges, and they keep their Content-Type, \
             Content-Disposition and Cache-Control headers."
                .into(),
            "Large objects can be written in parts.".into(),
            format!(
                "Presigned URLs begin with {origin}; with HEARBACK_DELIVERY=redirect, \
                 browsers must be able to reach it."
            ),
        ])
    }

    /// Writes an object and reads a range of it. Fails if the server does not keep the object's
    /// metadata.
    async fn test_small_object(
        &self,
        storage: &Storage,
        key: &str,
        metadata: &ObjectMetadata,
    ) -> Result<()> {
        storage
            .put(
                key,
                metadata,
                stream::iter([Ok(Bytes::from_static(b"Hearback"))]),
            )
            .await?;
        verify_read(storage, key, 2..6, b"arba").await?;
        let head = self
            .client
            .head_object()
            .bucket(&self.settings.bucket)
            .key(self.full_key(key))
            .send()
            .await;
        let head = head.map_err(super::into_error)?;
        let kept = [
            head.content_type(),
            head.content_disposition(),
            head.cache_control(),
        ];
        let kept = kept
            == [
                Some(&*metadata.content_type),
                Some(&*metadata.disposition),
                Some(&*metadata.cache_control),
            ];
        if !kept {
            return Err(self_test_error(
                "The server does not keep the Content-Type, Content-Disposition and Cache-Control \
                 headers of an object: set HEARBACK_DELIVERY to proxy.",
            ));
        }
        Ok(())
    }

    /// Checks that a presigned URL begins with the public endpoint. Returns the part of the URL
    /// before the key.
    async fn test_presigned_url(&self, key: &str) -> Result<String> {
        let address = self.presign(key, Duration::from_secs(60)).await?;
        let host = address.split('?').next().unwrap_or_default();
        let wanted = self
            .settings
            .public_endpoint
            .as_ref()
            .or(self.settings.endpoint.as_ref());
        let authority = wanted.map(|endpoint| {
            endpoint
                .split("://")
                .last()
                .unwrap_or(endpoint)
                .trim_end_matches('/')
        });
        if !address.contains("X-Amz-Signature=")
            || authority.is_some_and(|authority| !host.contains(authority))
        {
            return Err(self_test_error(format!(
                "Presigned URLs begin with {host}, which is not the public endpoint."
            )));
        }
        let origin = host.strip_suffix(&self.full_key(key)).unwrap_or(host);
        Ok(origin.to_owned())
    }
}

/// Writes an object that is larger than a part, and reads across the boundary of its parts.
async fn test_large_object(storage: &Storage, key: &str, metadata: &ObjectMetadata) -> Result<()> {
    let block = Bytes::from(vec![7; PART_SIZE / 8]);
    let body = (0..9).map(|_| Ok(block.clone())).collect::<Vec<_>>();
    storage.put(key, metadata, stream::iter(body)).await?;
    let boundary = PART_SIZE as u64;
    verify_read(storage, key, boundary - 2..boundary + 2, &[7; 4]).await
}

fn cause_of(error: &Error) -> String {
    error.cause().map(ToString::to_string).unwrap_or_default()
}
