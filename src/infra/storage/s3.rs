//! Storage in a bucket of any S3-compatible server. Also works with servers that do not support every call.

mod abandoned_uploads;
mod delete;
mod doctor;
mod failure;
mod multipart;
mod presign;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Region, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::Builder as HttpBuilder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use tokio::io::AsyncWriteExt;

pub use self::abandoned_uploads::ABANDONED_UPLOAD_AGE;
use self::failure::{Failure, classify, into_bucket_error, into_error, never_connected};
pub use self::multipart::Completion;
use self::multipart::Multipart;
use super::{BLOCK_SIZE, ObjectMetadata, ObjectStream, storage_full, unavailable};
use crate::error::{Error, Result};

/// The size of every part of a multipart upload except the last, in bytes. It is fixed because some servers require
/// parts of equal size. An upload has at most 10,000 parts, so an object can have up to 78 GiB.
pub const PART_SIZE: usize = 8 * 1024 * 1024;

/// Settings of a bucket. Credentials come from the `AWS_` variables, the shared profile, web
/// identity or the role of the machine.
#[derive(Clone, Debug, Default)]
pub struct S3Settings {
    /// The name of an existing bucket.
    pub bucket: String,
    /// The prefix of all keys; empty or ending in `/`.
    pub prefix: String,
    /// The endpoint that Hearback uses. `None` uses `AWS_ENDPOINT_URL` or, if that is not set, AWS
    /// itself.
    pub endpoint: Option<String>,
    /// The endpoint that browsers use, for presigned URLs; `None` if it is the same as `endpoint`.
    pub public_endpoint: Option<String>,
    /// Whether to use `https://server/bucket/key` instead of `https://bucket.server/key`.
    pub path_style: bool,
    /// The region. `None` uses `AWS_REGION` or the profile and falls back to `us-east-1`, which
    /// servers without regions accept.
    pub region: Option<String>,
}

/// A bucket. Cheap to clone.
#[derive(Clone, Debug)]
pub struct S3 {
    client: Client,
    /// Signs URLs for the public endpoint.
    public_client: Client,
    settings: Arc<S3Settings>,
}

impl S3 {
    pub(super) async fn open(settings: S3Settings) -> Result<Self> {
        let region = RegionProviderChain::first_try(settings.region.clone().map(Region::new))
            .or_else(EnvironmentVariableRegionProvider::new())
            .or_else(ProfileFileRegionProvider::new())
            .or_else(Region::from_static("us-east-1"));
        let http = HttpBuilder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let shared = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http)
            .region(region)
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(3)
                    .with_initial_backoff(Duration::from_millis(200)),
            )
            .timeout_config(timeouts())
            // Fail if a transfer stalls for 20 s. A slow transfer does not fail, nor does one that
            // waits for our own reader.
            .stalled_stream_protection(
                StalledStreamProtectionConfig::enabled()
                    .grace_period(Duration::from_secs(20))
                    .build(),
            )
            .load()
            .await;
        Ok(Self::from_config(&shared, settings))
    }

    fn from_config(shared: &aws_config::SdkConfig, settings: S3Settings) -> Self {
        let client = |endpoint: Option<&String>| {
            let mut config = aws_sdk_s3::config::Builder::from(shared)
                .force_path_style(settings.path_style)
                // Disable the SDK's default CRC32 trailers, because servers of other vendors reject
                // them or store them as content.
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
            if let Some(endpoint) = endpoint {
                config = config.endpoint_url(endpoint);
            }
            Client::from_conf(config.build())
        };
        Self {
            client: client(settings.endpoint.as_ref()),
            public_client: client(
                settings
                    .public_endpoint
                    .as_ref()
                    .or(settings.endpoint.as_ref()),
            ),
            settings: Arc::new(settings),
        }
    }

    /// Stores an object. Sends a body smaller than a part with one PutObject. Sends a larger body part by part, so that
    /// at most one part is in memory.
    pub(super) async fn put(
        &self,
        key: &str,
        metadata: &ObjectMetadata,
        mut body: impl Stream<Item = Result<Bytes>> + Unpin,
    ) -> Result<u64> {
        let mut multipart: Option<Multipart> = None;
        let mut part = BytesMut::new();
        let mut length = 0_u64;
        while let Some(block) = body.next().await {
            let mut block = block?;
            length += block.len() as u64;
            while part.len() + block.len() >= PART_SIZE {
                part.extend_from_slice(&block.split_to(PART_SIZE - part.len()));
                if multipart.is_none() {
                    multipart = Some(Multipart::begin(self, key, metadata).await?);
                }
                if let Some(multipart) = &mut multipart {
                    multipart.add_part(part.split().freeze()).await?;
                }
            }
            part.extend_from_slice(&block);
        }
        match multipart {
            None => {
                self.put_small(&self.full_key(key), metadata, part.freeze())
                    .await?
            }
            Some(multipart) => multipart.finish(part.freeze(), length).await?,
        }
        Ok(length)
    }

    async fn put_small(&self, key: &str, metadata: &ObjectMetadata, bytes: Bytes) -> Result<()> {
        let put = self
            .client
            .put_object()
            .bucket(&self.settings.bucket)
            .key(key)
            .content_type(&metadata.content_type)
            .set_content_disposition(non_empty(&metadata.disposition))
            .set_cache_control(non_empty(&metadata.cache_control))
            .content_length(i64::try_from(bytes.len()).map_err(Error::internal)?)
            .body(ByteStream::from(bytes));
        if let Err(error) = put.send().await {
            // Delete the object: the server may have stored it even though the response was lost.
            if !never_connected(&error) {
                self.rollback_put(key).await;
            }
            return Err(into_error(error));
        }
        Ok(())
    }

    /// Deletes data that a failed write may have left. Waits for at most
    /// [`CHECK_TIMEOUT`](super::CHECK_TIMEOUT).
    async fn rollback_put(&self, key: &str) {
        if let Err(error) =
            tokio::time::timeout(super::CHECK_TIMEOUT, self.delete_all_versions(key))
                .await
                .unwrap_or_else(|late| Err(unavailable(late)))
        {
            tracing::warn!(key, %error, "could not clean up after a failed write");
        }
    }

    pub(super) async fn len(&self, key: &str) -> Result<Option<u64>> {
        self.head_length(&self.full_key(key)).await
    }

    async fn head_length(&self, key: &str) -> Result<Option<u64>> {
        match self
            .client
            .head_object()
            .bucket(&self.settings.bucket)
            .key(key)
            .send()
            .await
        {
            Ok(head) => {
                let length = head
                    .content_length()
                    .and_then(|length| u64::try_from(length).ok());
                length
                    .map(Some)
                    .ok_or_else(|| unavailable("HeadObject returned no length"))
            }
            Err(error) if classify(&error) == Failure::Missing => Ok(None),
            Err(error) => Err(into_error(error)),
        }
    }

    pub(super) async fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<ObjectStream> {
        let wanted = range.as_ref().map(|range| range.end - range.start);
        let response = self
            .client
            .get_object()
            .bucket(&self.settings.bucket)
            .key(self.full_key(key))
            .set_range(range.map(|range| format!("bytes={}-{}", range.start, range.end - 1)))
            .send()
            .await
            .map_err(into_error)?;
        let length = response
            .content_length()
            .and_then(|length| u64::try_from(length).ok());
        if let Some(wanted) = wanted
            && length != Some(wanted)
        {
            let offered = length.map_or("an unknown number".into(), |length| length.to_string());
            return Err(unavailable(format!(
                "requested {wanted} bytes of {key}, but the server offered {offered}"
            )));
        }
        Ok(into_blocks(response.body))
    }

    pub(super) async fn fetch(&self, key: &str, path: &Path) -> Result<()> {
        let mut body = self.get(key, None).await?;
        let file = tokio::fs::File::create_new(path).await?;
        let mut file = tokio::io::BufWriter::with_capacity(BLOCK_SIZE, file);
        let written = async {
            while let Some(block) = body.next().await {
                file.write_all(&block?).await.map_err(local_io_error)?;
            }
            file.flush().await.map_err(local_io_error)
        };
        let written = written.await;
        if written.is_err() {
            // Remove the incomplete file, so that nobody mistakes it for the object.
            let _ = tokio::fs::remove_file(path).await;
        }
        written
    }

    pub(super) async fn check(&self) -> Result<()> {
        self.client
            .head_bucket()
            .bucket(&self.settings.bucket)
            .send()
            .await
            .map(drop)
            .map_err(into_bucket_error)
    }

    fn full_key(&self, key: &str) -> String {
        format!("{}{key}", self.settings.prefix)
    }
}

/// Timeouts for connecting, for the first byte of a response, and for a single attempt. There is no timeout for a whole
/// operation, because the duration of a transfer depends on its size.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .read_timeout(Duration::from_secs(60))
        .operation_attempt_timeout(Duration::from_secs(90))
        .build()
}

/// Splits an SDK body into blocks of at most [`BLOCK_SIZE`] bytes.
fn into_blocks(body: ByteStream) -> ObjectStream {
    stream::unfold(
        (Some(body), Bytes::new()),
        |(mut body, mut rest)| async move {
            while rest.is_empty() {
                match body.as_mut()?.next().await? {
                    Ok(more) => rest = more,
                    Err(error) => {
                        body = None;
                        return Some((Err(unavailable(error)), (body, rest)));
                    }
                }
            }
            let block = rest.split_to(BLOCK_SIZE.min(rest.len()));
            Some((Ok(block), (body, rest)))
        },
    )
    .boxed()
}

fn ignore_missing<T, E>(response: Result<T, aws_sdk_s3::error::SdkError<E>>) -> Result<()>
where
    E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match response {
        Err(error) if classify(&error) != Failure::Missing => Err(into_error(error)),
        _ => Ok(()),
    }
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Returns the position of the next page of a listing. Fails if the position has not changed,
/// because the listing would then never end.
fn next_page<Position: PartialEq>(current: &Position, next: Position) -> Result<Position> {
    if next == *current {
        return Err(unavailable(
            "the server returned the same page of a listing twice",
        ));
    }
    Ok(next)
}

/// Converts an error of the local disk that occurred while an object was downloaded to it.
fn local_io_error(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => storage_full(error),
        _ => Error::from(error),
    }
}

#[cfg(test)]
mod tests;
