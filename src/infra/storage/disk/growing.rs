//! A file that grows over many requests, written by one at a time.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::fs::FlockOperation;

use super::{blocking, create_dir};
use crate::error::{Error, Result};

/// How often it is looked whether another writer is done.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(5);

fn try_lock(root: &Path, path: &Path) -> io::Result<Option<File>> {
    let folder = path.parent().unwrap_or(root);
    create_dir(root, folder)?;
    let made = !path.exists();
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
    if made {
        File::open(folder)?.sync_all()?;
    }
    Ok(Some(file))
}

/// An open file of an upload. Nobody else has it for as long as this lives, in no process: a writer that was overtaken waits, and then sees
/// that it was.
#[derive(Debug)]
pub struct GrowingFile {
    file: Arc<File>,
}

impl GrowingFile {
    pub(super) async fn open(root: Arc<Path>, path: PathBuf) -> Result<Self> {
        // Waited for here and not in the call: threads that stand in a queue could be all that its holder needs one of.
        loop {
            let (root, path) = (Arc::clone(&root), path.clone());
            if let Some(file) = blocking(move || try_lock(&root, &path)).await? {
                return Ok(Self {
                    file: Arc::new(file),
                });
            }
            tokio::time::sleep(LOCK_POLL_INTERVAL).await;
        }
    }

    /// Makes `bytes` what follows the first `at` bytes, durably. What a writer that broke off left beyond them is thrown away.
    pub async fn write_at(&self, at: u64, bytes: Bytes) -> Result<()> {
        let file = Arc::clone(&self.file);
        let there = blocking(move || {
            let there = file.metadata()?.len();
            if there < at {
                return Ok(there);
            }
            file.set_len(at)?;
            file.write_all_at(&bytes, at)?;
            file.sync_data()?;
            Ok(at)
        });
        match there.await? {
            there if there == at => Ok(()),
            there => Err(Error::internal(format!(
                "an upload's file has {there} bytes where {at} were durable"
            ))),
        }
    }

    /// Its first bytes, at most so many.
    pub async fn read_head(&self, most: usize) -> Result<Bytes> {
        let file = Arc::clone(&self.file);
        blocking(move || {
            let length = usize::try_from(file.metadata()?.len())
                .unwrap_or(most)
                .min(most);
            let mut head = vec![0; length];
            file.read_exact_at(&mut head, 0)?;
            Ok(head.into())
        })
        .await
    }
}
