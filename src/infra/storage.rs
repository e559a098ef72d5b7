//! Object storage in a folder or in an S3-compatible bucket. [`Storage`] covers both.

mod disk;
mod s3;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

pub use disk::{Disk, GrowingFile};
pub use s3::{ABANDONED_UPLOAD_AGE, Completion, PART_SIZE, S3, S3Settings};

use crate::error::{Cause, Error, Result};
use crate::ids;

/// The bytes of an object, in blocks of at most [`BLOCK_SIZE`] bytes.
pub type ObjectStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// The maximum size of a block of an [`ObjectStream`], in bytes. Larger blocks were not faster in
/// measurements.
pub const BLOCK_SIZE: usize = 256 * 1024;

/// The timeout of [`Storage::check`], and of the cleanup after a failed write to a bucket.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Headers stored with an object, for browsers that fetch it through a presigned URL.
#[derive(Clone, Debug, Default)]
pub struct ObjectMetadata {
    /// `Content-Type`.
    pub content_type: String,
    /// `Content-Disposition`.
    pub disposition: String,
    /// `Cache-Control`.
    pub cache_control: String,
}

/// Stores objects under random keys. An object is written once, read by range and eventually
/// deleted. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Storage {
    /// A folder.
    Disk(Disk),
    /// A bucket.
    S3(S3),
}

impl Storage {
    /// Opens storage in the folder `root`, and creates the folder if it is missing.
    pub fn disk(root: &Path) -> Result<Self> {
        Disk::open(root).map(Self::Disk)
    }

    /// Configures storage in a bucket without contacting the server; [`Storage::check`] contacts
    /// it.
    pub async fn s3(settings: S3Settings) -> Result<Self> {
        S3::open(settings).await.map(Self::S3)
    }

    /// Streams `body` to `key`. Returns the length in bytes once the object is durable. On an
    /// error, or if the future is dropped, discards the data; in a bucket, this can fail. Write
    /// each key only once, because S3 servers differ in what a second write does.
    pub async fn put(
        &self,
        key: &str,
        metadata: &ObjectMetadata,
        body: impl Stream<Item = Result<Bytes>> + Unpin,
    ) -> Result<u64> {
        check_key(key)?;
        match self {
            Self::Disk(disk) => disk.put(key, body).await,
            Self::S3(s3) => s3.put(key, metadata, body).await,
        }
    }

    /// Stores a complete local file and returns its length. If the storage is on the same disk as
    /// the file, the object is a hard link to the file. The caller may therefore delete the file,
    /// but must no longer write to it.
    pub async fn put_file(&self, key: &str, metadata: &ObjectMetadata, path: &Path) -> Result<u64> {
        check_key(key)?;
        match self {
            Self::Disk(disk) => disk.put_file(key, path).await,
            Self::S3(s3) => s3.put(key, metadata, disk::stream_file(path).await?).await,
        }
    }

    /// The length of the object in bytes, or `None` if it does not exist.
    pub async fn len(&self, key: &str) -> Result<Option<u64>> {
        check_key(key)?;
        match self {
            Self::Disk(disk) => disk.len(key).await,
            Self::S3(s3) => s3.len(key).await,
        }
    }

    /// Streams the bytes in `range`, which must lie within the object. Returns `NotFound` if the
    /// object does not exist.
    pub async fn get(&self, key: &str, range: Range<u64>) -> Result<ObjectStream> {
        check_key(key)?;
        if range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        match self {
            Self::Disk(disk) => disk.get(key, range).await,
            Self::S3(s3) => s3.get(key, Some(range)).await,
        }
    }

    /// Makes the object available as a local file in `dir`. The file must not be changed: it is a
    /// hard link if `dir` is on the same disk as the object, and otherwise a copy. It is named
    /// after the last part of the key. `dir` must not contain a file with that name.
    pub async fn fetch(&self, key: &str, dir: &Path) -> Result<PathBuf> {
        check_key(key)?;
        let path = dir.join(base_name(key));
        match self {
            Self::Disk(disk) => disk.fetch(key, &path).await?,
            Self::S3(s3) => s3.fetch(key, &path).await?,
        }
        Ok(path)
    }

    /// Deletes the object with all its versions and delete markers. A missing object is not an
    /// error.
    pub async fn delete(&self, key: &str) -> Result<()> {
        check_key(key)?;
        match self {
            Self::Disk(disk) => disk.delete(key).await,
            Self::S3(s3) => s3.delete(key).await,
        }
    }

    /// Deletes several objects in the same way as [`Storage::delete`]. In a bucket, lists the
    /// folder of each upload only once, even if several of its objects are deleted.
    pub async fn delete_all(&self, keys: &[String]) -> Result<()> {
        let Self::S3(s3) = self else {
            for key in keys {
                self.delete(key).await?;
            }
            return Ok(());
        };
        let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for key in keys {
            check_key(key)?;
            match key.rsplit_once('/') {
                Some((folder, _)) if folder.starts_with("uploads/") => {
                    folders.entry(folder).or_default().push(key)
                }
                _ => s3.delete(key).await?,
            }
        }
        for (folder, keys) in folders {
            s3.delete_in_folder(folder, &keys).await?;
        }
        Ok(())
    }

    /// Deletes these objects in the same way as [`Storage::delete`]. Also deletes unfinished writes
    /// that may contain the same data: on a disk, all temporary files last changed before `since`;
    /// in a bucket, the unfinished multipart uploads to these keys.
    pub async fn purge(&self, keys: &[String], since: SystemTime) -> Result<()> {
        self.delete_all(keys).await?;
        match self {
            Self::Disk(disk) => disk.sweep_before(since).await,
            Self::S3(s3) => {
                for key in keys {
                    s3.abort_all(key).await?;
                }
                Ok(())
            }
        }
    }

    /// Deletes the data of an upload: on a disk, the file at `key`; in a bucket, every object in
    /// the folder `key`.
    pub async fn delete_upload_data(&self, key: &str) -> Result<()> {
        check_key(key)?;
        match self {
            Self::Disk(disk) => disk.delete(key).await,
            Self::S3(s3) => s3.delete_folder(key).await,
        }
    }

    /// Returns a URL with which anyone can fetch the object from the public endpoint. The URL is valid for `lifetime`,
    /// at most 7 days. Returns `None` for a disk.
    pub async fn presign(&self, key: &str, lifetime: Duration) -> Result<Option<String>> {
        check_key(key)?;
        match self {
            Self::Disk(_) => Ok(None),
            Self::S3(s3) => s3.presign(key, lifetime).await.map(Some),
        }
    }

    /// Checks that the storage responds. Fails after about five seconds without a response.
    pub async fn check(&self) -> Result<()> {
        let check = async {
            match self {
                Self::Disk(disk) => disk.check().await,
                Self::S3(s3) => s3.check().await,
            }
        };
        match tokio::time::timeout(CHECK_TIMEOUT, check).await {
            Ok(result) => result,
            Err(late) => Err(unavailable(late)),
        }
    }

    /// Writes, reads and deletes a probe object. Returns one line for each successful check. The
    /// error says how to fix the problem.
    pub async fn self_test(&self) -> Result<Vec<String>> {
        let key = format!("doctor/{}", ids::secret());
        match self {
            Self::Disk(disk) => disk.self_test(self, &key).await,
            Self::S3(s3) => s3.self_test(self, &key).await,
        }
    }

    /// Free bytes on the disk, or `None` for a bucket.
    pub fn free_bytes(&self) -> Result<Option<u64>> {
        match self {
            Self::Disk(disk) => disk.free_bytes().map(Some),
            Self::S3(_) => Ok(None),
        }
    }

    /// Deletes unfinished writes. On a disk, deletes temporary files that are more than a day old. In a bucket, deletes
    /// multipart uploads older than [`ABANDONED_UPLOAD_AGE`], but keeps those whose ids are in `wanted`. This age is
    /// greater than a day, because people may still resume a multipart upload for several days.
    pub async fn sweep(&self, wanted: &[String]) -> Result<()> {
        match self {
            Self::Disk(disk) => disk.sweep().await,
            Self::S3(s3) => s3.sweep(wanted).await,
        }
    }
}

/// Temporary files older than this are assumed to be left over from a crashed process.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Rejects unsafe keys. All keys come from our own code; this check keeps a mistake there from allowing path traversal.
fn check_key(key: &str) -> Result<()> {
    let clean = key.len() <= 200
        && key
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'/' | b'_' | b'.' | b'-'))
        && key
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.'));
    if clean {
        Ok(())
    } else {
        Err(Error::internal(format!("not a storage key: {key:?}")))
    }
}

fn base_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// The error for storage that cannot be reached.
fn unavailable(cause: impl Into<Cause>) -> Error {
    Error::Unavailable(
        "The storage is not responding. What you just sent was not stored; try again in a moment."
            .into(),
        cause.into(),
    )
}

/// The error for a full disk or an exceeded quota.
fn storage_full(cause: impl Into<Cause>) -> Error {
    Error::Unavailable(
        "The disk is full. What you just sent was not stored; your admin has to free some space."
            .into(),
        cause.into(),
    )
}

/// Reads a range of an object for `self_test`, and checks that it contains the bytes `wanted`.
async fn verify_read(storage: &Storage, key: &str, range: Range<u64>, wanted: &[u8]) -> Result<()> {
    let mut body = storage.get(key, range).await?;
    let mut got = Vec::with_capacity(wanted.len());
    while let Some(block) = body.next().await {
        got.extend_from_slice(&block?);
    }
    if got == wanted {
        Ok(())
    } else {
        Err(self_test_error(
            "Reading a range of an object returned different bytes from those that were written.",
        ))
    }
}

/// The error for storage that fails the self-test.
fn self_test_error(words: impl Into<String>) -> Error {
    let words = words.into();
    Error::Unavailable(words.clone(), words.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_key_rejects_paths_outside_the_storage() {
        for good in [
            "media/0123abcdefghijklmnopqrstuv",
            "uploads/x/3/8388608",
            "a.webm",
        ] {
            check_key(good).unwrap();
        }
        for bad in [
            "",
            "/etc/passwd",
            "a/../b",
            "a//b",
            "a/",
            "A",
            "a b",
            "a/.hidden",
            "ä",
            "a\0b",
            &"a".repeat(201),
        ] {
            assert!(check_key(bad).is_err(), "{bad:?}");
        }
    }
}
