//! A file that grows over many requests, with one writer at a time.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::fs::FlockOperation;

use super::flusher::Flusher;
use super::{blocking, create_dir, io_error};
use crate::error::{Error, Result};

/// Poll interval for the file lock.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(5);

fn try_lock(root: &Path, path: &Path) -> io::Result<Option<File>> {
    let folder = path.parent().unwrap_or(root);
    create_dir(root, folder)?;
    let is_new = !path.exists();
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
        locked => locked?,
    }
    if is_new {
        File::open(folder)?.sync_all()?;
    }
    Ok(Some(file))
}

/// The open file of an upload. The file stays locked against all other processes and tasks until
/// this value is dropped. A writer that was replaced by a newer one waits for the lock and only
/// then notices that it was replaced.
#[derive(Debug)]
pub struct GrowingFile {
    file: Arc<File>,
    flusher: Flusher,
}

impl GrowingFile {
    pub(super) async fn open(root: Arc<Path>, path: PathBuf) -> Result<Self> {
        // Poll instead of blocking: waiting threads could exhaust the blocking pool that the lock
        // holder needs.
        loop {
            let (root, path) = (Arc::clone(&root), path.clone());
            if let Some(file) = blocking(move || try_lock(&root, &path)).await? {
                let file = Arc::new(file);
                let flusher = Flusher::new(Arc::clone(&file));
                return Ok(Self { file, flusher });
            }
            tokio::time::sleep(LOCK_POLL_INTERVAL).await;
        }
    }

    /// Writes `bytes` at the offset `at`. They are durable after [`Self::sync`]. Discards anything
    /// that an interrupted writer left after `at`.
    pub async fn write_at(&mut self, at: u64, bytes: Bytes) -> Result<()> {
        let (file, written) = (Arc::clone(&self.file), bytes.len());
        let length = blocking(move || {
            let length = file.metadata()?.len();
            if length < at {
                return Ok(length);
            }
            if length > at {
                file.set_len(at)?;
            }
            file.write_all_at(&bytes, at)?;
            Ok(at)
        });
        match length.await? {
            length if length == at => self.flusher.record(written).await.map_err(io_error),
            length => Err(Error::internal(format!(
                "the file of an upload has {length} bytes, although {at} bytes were confirmed as stored"
            ))),
        }
    }

    /// Makes all written bytes durable.
    pub async fn sync(&mut self) -> Result<()> {
        self.flusher.finish().await.map_err(io_error)
    }

    /// Reads at most the first `max` bytes.
    pub async fn read_head(&self, max: usize) -> Result<Bytes> {
        let file = Arc::clone(&self.file);
        blocking(move || {
            let length = usize::try_from(file.metadata()?.len())
                .unwrap_or(max)
                .min(max);
            let mut head = vec![0; length];
            file.read_exact_at(&mut head, 0)?;
            Ok(head.into())
        })
        .await
    }
}
