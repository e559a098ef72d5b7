//! Where bytes lie: a folder or an S3-compatible server behind one enum of streaming methods.

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

use crate::clock;
use crate::error::{Cause, Error, Result};

/// The bytes of an object, in blocks of at most [`BLOCK_SIZE`].
pub type ObjectStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// The largest block a [`ObjectStream`] yields: 256 KiB was as fast as larger ones and four of it fit a socket's buffer.
pub const BLOCK_SIZE: usize = 256 * 1024;

/// How long the storage may take to say that it is there.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// What an object says of itself when a browser fetches it past us, from a presigned address.
#[derive(Clone, Debug, Default)]
pub struct ObjectMetadata {
    /// `Content-Type`.
    pub content_type: String,
    /// `Content-Disposition`.
    pub disposition: String,
    /// `Cache-Control`.
    pub cache_control: String,
}

/// A place for objects that are written once under a random key, read by range, and deleted. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Storage {
    /// A folder.
    Disk(Disk),
    /// A bucket.
    S3(S3),
}

impl Storage {
    /// Storage in the folder `root`, which is made where it is missing.
    pub fn disk(root: &Path) -> Result<Self> {
        Disk::open(root).map(Self::Disk)
    }

    /// Storage in a bucket. Does not speak to the server yet; [`Storage::check`] does.
    pub async fn s3(settings: S3Settings) -> Result<Self> {
        S3::open(settings).await.map(Self::S3)
    }

    /// Streams `body` to `key` and answers its length in bytes once it is durable. On an error, or when the future is
    /// dropped, nothing stays. A key is written once; what writing it again does is up to the server.
    pub async fn put(
        &self,
        key: &str,
        about: &ObjectMetadata,
        body: impl Stream<Item = Result<Bytes>> + Unpin,
    ) -> Result<u64> {
        check_key(key)?;
        match self {
            Self::Disk(disk) => disk.put(key, body).await,
            Self::S3(s3) => s3.put(key, about, body).await,
        }
    }

    /// Stores a finished local file and answers its length. On the same disk it is linked, not copied, so nobody may
    /// write to that file afterwards; removing it is fine.
    pub async fn put_file(&self, key: &str, about: &ObjectMetadata, path: &Path) -> Result<u64> {
        check_key(key)?;
        match self {
            Self::Disk(disk) => disk.put_file(key, path).await,
            Self::S3(s3) => s3.put(key, about, disk::stream_file(path).await?).await,
        }
    }

    /// The length of the object in bytes, `None` where there is none.
    pub async fn len(&self, key: &str) -> Result<Option<u64>> {
        check_key(key)?;
        match self {
            Self::Disk(disk) => disk.len(key).await,
            Self::S3(s3) => s3.len(key).await,
        }
    }

    /// The bytes from `range.start` up to, not including, `range.end`. `NotFound` where there is no object; a range
    /// that leaves the object is the caller's mistake.
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

    /// A local file in `dir` with the object's bytes, to be read only: a link to the object on the same disk, a copy
    /// otherwise. Its name is the last part of the key, and must be free.
    pub async fn fetch(&self, key: &str, dir: &Path) -> Result<PathBuf> {
        check_key(key)?;
        let path = dir.join(base_name(key));
        match self {
            Self::Disk(disk) => disk.fetch(key, &path).await?,
            Self::S3(s3) => s3.fetch(key, &path).await?,
        }
        Ok(path)
    }

    /// Deletes the object, with every version and delete marker a versioned bucket keeps. What is missing is fine.
    pub async fn delete(&self, key: &str) -> Result<()> {
        check_key(key)?;
        match self {
            Self::Disk(disk) => disk.delete(key).await,
            Self::S3(s3) => s3.delete(key).await,
        }
    }

    /// Deletes several objects like [`Storage::delete`], in a bucket with one listing for all of an upload's.
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

    /// Deletes these objects like [`Storage::delete`], and what was half-written of them: on a disk all that lay half-written before `since`, when this
    /// process began.
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

    /// Deletes what an upload left under its key: on a disk the one file, in a bucket all that begins with it.
    pub async fn delete_upload_data(&self, key: &str) -> Result<()> {
        check_key(key)?;
        match self {
            Self::Disk(disk) => disk.delete(key).await,
            Self::S3(s3) => s3.delete_folder(key).await,
        }
    }

    /// An address from which anyone may fetch the object for `lifetime` (at most 7 days), on the public endpoint.
    /// `None` on a disk.
    pub async fn presign(&self, key: &str, lifetime: Duration) -> Result<Option<String>> {
        check_key(key)?;
        match self {
            Self::Disk(_) => Ok(None),
            Self::S3(s3) => s3.presign(key, lifetime).await.map(Some),
        }
    }

    /// Whether the storage answers, within some five seconds.
    pub async fn check(&self) -> Result<()> {
        let answer = async {
            match self {
                Self::Disk(disk) => disk.check().await,
                Self::S3(s3) => s3.check().await,
            }
        };
        match tokio::time::timeout(CHECK_TIMEOUT, answer).await {
            Ok(answer) => answer,
            Err(late) => Err(unavailable(late)),
        }
    }

    /// Writes, reads and deletes a probe, and says line by line what was proved. The error says how to mend it.
    pub async fn self_test(&self) -> Result<Vec<String>> {
        let key = format!("doctor/{}", clock::secret());
        match self {
            Self::Disk(disk) => disk.self_test(self, &key).await,
            Self::S3(s3) => s3.self_test(self, &key).await,
        }
    }

    /// Free bytes on the disk, `None` for a bucket.
    pub fn free_bytes(&self) -> Result<Option<u64>> {
        match self {
            Self::Disk(disk) => disk.free_bytes().map(Some),
            Self::S3(_) => Ok(None),
        }
    }

    /// Removes what a crash left half-written: on a disk after a day, in a bucket after [`ABANDONED_UPLOAD_AGE`], because uploads
    /// over many requests look the same there.
    /// Those that are `wanted`, by the server's own ids, stay.
    pub async fn sweep(&self, wanted: &[String]) -> Result<()> {
        match self {
            Self::Disk(disk) => disk.sweep().await,
            Self::S3(s3) => s3.sweep(wanted).await,
        }
    }
}

/// Half-written things older than this belong to nobody any more.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Keys are made by us, but a mistake here would be a path traversal, so they are looked at again.
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

/// The storage cannot be reached just now.
fn unavailable(cause: impl Into<Cause>) -> Error {
    Error::Unavailable("The storage does not answer. What you sent just now was not stored; try again in a moment.".into(), cause.into())
}

/// No room left.
fn storage_full(cause: impl Into<Cause>) -> Error {
    Error::Unavailable(
        "The disk is full. What you sent just now was not stored; your admin has to make room."
            .into(),
        cause.into(),
    )
}

/// Compares what came back with what was written, for `self_test`.
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
            "A range of an object came back with other bytes than were written.",
        ))
    }
}

/// A storage that answers wrongly, in the doctor's words.
fn self_test_error(words: impl Into<String>) -> Error {
    let words = words.into();
    Error::Unavailable(words.clone(), words.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_cannot_leave_the_storage() {
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
