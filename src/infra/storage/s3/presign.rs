//! Presigned URLs and their maximum lifetime.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;

use super::S3;
use super::failure::into_error;
use crate::error::{Error, Result};

/// The maximum lifetime of a presigned URL (SigV4).
const MAX_PRESIGN_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl S3 {
    pub(in crate::infra::storage) async fn presign(
        &self,
        key: &str,
        lifetime: Duration,
    ) -> Result<String> {
        let config = PresigningConfig::expires_in(lifetime.min(MAX_PRESIGN_LIFETIME))
            .map_err(Error::internal)?;
        let signed = self
            .public_client
            .get_object()
            .bucket(&self.settings.bucket)
            .key(self.full_key(key))
            .presigned(config)
            .await;
        Ok(signed.map_err(into_error)?.uri().to_owned())
    }
}
