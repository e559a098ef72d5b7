//! The setting `HEARBACK_STORAGE`.

/// Where objects are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageLocation {
    /// In a folder under the data folder.
    Disk,
    /// In an S3-compatible bucket, under a prefix that may be empty.
    S3 {
        /// The name of the bucket.
        bucket: String,
        /// The prefix of all keys, without leading or trailing slashes.
        prefix: String,
    },
}

impl StorageLocation {
    /// Parses `disk`, `s3://BUCKET` or `s3://BUCKET/PREFIX`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text == "disk" {
            return Ok(Self::Disk);
        }
        let message = "must be `disk`, `s3://BUCKET` or `s3://BUCKET/PREFIX`.";
        let rest = text.strip_prefix("s3://").ok_or(message)?;
        if rest.contains('?') {
            return Err(
                "must not have a query string. Use `s3://BUCKET` or `s3://BUCKET/PREFIX`, and set other options \
                 in HEARBACK_S3_… and AWS_… variables."
                    .into(),
            );
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(message.into());
        }
        Ok(Self::S3 {
            bucket: bucket.into(),
            prefix: prefix.trim_matches('/').into(),
        })
    }
}
