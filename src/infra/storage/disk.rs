//! Storage in a folder. An object is written to a temporary file, flushed and renamed to its final
//! name. Then the folder is flushed.

mod file_writer;
mod flusher;
mod growing;
mod reader;

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tempfile::{NamedTempFile, TempPath};
use tokio::task::spawn_blocking;

use self::file_writer::FileWriter;
pub use self::growing::GrowingFile;
use self::reader::{open_cached, stream_range};
use super::{
    LEFTOVER_AGE, ObjectMetadata, ObjectStream, Storage, base_name, check_key, storage_full,
    unavailable, verify_read,
};
use crate::clock;
use crate::error::{Error, Result};
use crate::ids;

/// The folder for temporary files. It is below the root, so that a rename never crosses file
/// systems.
const TEMP_DIR: &str = "tmp";

/// A folder of objects.
#[derive(Clone, Debug)]
pub struct Disk {
    root: Arc<Path>,
}

impl Disk {
    pub(super) fn open(root: &Path) -> Result<Self> {
        fs::create_dir_all(root.join(TEMP_DIR)).map_err(io_error)?;
        let root = fs::canonicalize(root).map_err(io_error)?;
        Ok(Self { root: root.into() })
    }

    pub(super) async fn put(
        &self,
        key: &str,
        mut body: impl Stream<Item = Result<Bytes>> + Unpin,
    ) -> Result<u64> {
        // `TempPath` deletes the file if this future fails or is dropped.
        let (file, temporary) = self.temp_file().await?.into_parts();
        let mut file = FileWriter::new(file);
        let mut length = 0_u64;
        while let Some(block) = body.next().await {
            let block = block?;
            length += block.len() as u64;
            file.write(block).await?;
        }
        self.persist(key, file.finish().await?, temporary).await?;
        Ok(length)
    }

    pub(super) async fn put_file(&self, key: &str, path: &Path) -> Result<u64> {
        let temporary = self.root.join(TEMP_DIR).join(ids::secret());
        let source = path.to_owned();
        let linked = blocking(move || {
            fs::hard_link(&source, &temporary)?;
            let temporary = TempPath::try_from_path(temporary)?;
            let (file, length) = open_file(&temporary)?;
            Ok((file, temporary, length))
        });
        match linked.await {
            Ok((file, temporary, length)) => {
                self.persist(key, Arc::new(file), temporary).await?;
                Ok(length)
            }
            // Copy the file instead. A hard link is impossible if the file is on another file system, or if the file
            // system has no hard links.
            Err(_) => self.put(key, stream_file(path).await?).await,
        }
    }

    async fn temp_file(&self) -> Result<NamedTempFile> {
        let folder = self.root.join(TEMP_DIR);
        blocking(move || NamedTempFile::new_in(folder)).await
    }

    /// Flushes a complete temporary file, renames it to its final name and flushes the folder.
    async fn persist(&self, key: &str, file: Arc<File>, temporary: TempPath) -> Result<()> {
        let path = self.path(key);
        let root = Arc::clone(&self.root);
        blocking(move || {
            file.sync_all()?;
            let folder = path.parent().unwrap_or(&root);
            create_dir(&root, folder)?;
            temporary.persist(&path).map_err(|error| error.error)?;
            File::open(folder)?.sync_all()
        })
        .await
    }

    pub(super) async fn len(&self, key: &str) -> Result<Option<u64>> {
        match self.with_object(key, |path| fs::metadata(path)).await {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn get(&self, key: &str, range: Range<u64>) -> Result<ObjectStream> {
        let (file, length) = match open_cached(&self.path(key)) {
            Some(opened) => opened,
            None => self.with_object(key, open_file).await?,
        };
        if range.end > length {
            return Err(Error::internal(format!(
                "range {range:?} exceeds {key}, which has {length} bytes"
            )));
        }
        Ok(stream_range(file, range))
    }

    pub(super) async fn fetch(&self, key: &str, to: &Path) -> Result<()> {
        let to = to.to_owned();
        let link = move |path: &Path| match fs::hard_link(path, &to) {
            Err(error)
                if !matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists
                ) =>
            {
                fs::copy(path, &to).map(drop)
            }
            linked => linked,
        };
        self.with_object(key, link).await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        let remove = |path: &Path| {
            fs::remove_file(path)?;
            // Flush the folder, because a confirmed purge must survive a power loss.
            File::open(path.parent().unwrap_or(path))?.sync_all()
        };
        match self.with_object(key, remove).await {
            Err(Error::NotFound) => Ok(()),
            removed => removed,
        }
    }

    /// Runs `act` on the file of an object. If the file is missing because the folder is not mounted, the error says
    /// that the storage is unavailable, not that the object is missing. Otherwise, deletions would seem to succeed, but
    /// the objects would reappear once the folder is mounted again.
    async fn with_object<T: Send + 'static>(
        &self,
        key: &str,
        act: impl Fn(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (path, root) = (self.path(key), Arc::clone(&self.root));
        let done = blocking_io(move || match act(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                check_mounted(&root)?;
                // Try again, because the folder may have been mounted since the first attempt.
                act(&path)
            }
            done => done,
        });
        or_not_found(done.await)
    }

    pub(super) async fn check(&self) -> Result<()> {
        self.temp_file().await.map(drop)
    }

    pub(super) async fn self_test(&self, storage: &Storage, key: &str) -> Result<Vec<String>> {
        let advise = |error: Error| match error {
            Error::Unavailable(text, cause) => Error::Unavailable(
                format!(
                    "{text} The folder {} must exist, have free space and be writable by the user \
                     that runs Hearback: {cause}",
                    self.root.display()
                ),
                cause,
            ),
            other => other,
        };
        let body = stream::iter([
            Ok(Bytes::from_static(b"Hear")),
            Ok(Bytes::from_static(b"back")),
        ]);
        storage
            .put(key, &ObjectMetadata::default(), body)
            .await
            .map_err(advise)?;
        let read = verify_read(storage, key, 2..6, b"arba").await;
        storage.delete(key).await.map_err(advise)?;
        read.map_err(advise)?;
        let free = self.free_bytes()? / (1024 * 1024);
        Ok(vec![
            format!(
                "Objects in {} can be written, read in ranges and deleted.",
                self.root.display()
            ),
            format!("{free} MiB are free."),
        ])
    }

    pub(super) fn free_bytes(&self) -> Result<u64> {
        let stats = rustix::fs::statvfs(&*self.root).map_err(|error| io_error(error.into()))?;
        Ok(stats.f_bavail.saturating_mul(stats.f_frsize))
    }

    pub(super) async fn sweep(&self) -> Result<()> {
        self.sweep_before(clock::real_time() - LEFTOVER_AGE).await
    }

    pub(super) async fn sweep_before(&self, since: SystemTime) -> Result<()> {
        let folder = self.root.join(TEMP_DIR);
        blocking(move || {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if entry
                    .metadata()
                    .and_then(|metadata| metadata.modified())
                    .is_ok_and(|at| at < since)
                {
                    // Another process may already have deleted the file.
                    let _ = fs::remove_file(entry.path());
                }
            }
            Ok(())
        })
        .await
    }

    /// Opens a growing file, and creates it if it is missing. Waits until no other writer has it
    /// open.
    pub async fn open_growing(&self, key: &str) -> Result<GrowingFile> {
        check_key(key)?;
        GrowingFile::open(self.root.clone(), self.path(key)).await
    }

    /// Makes a complete growing file available under the key `to`. The key `from` may remain valid until it is deleted.
    /// Idempotent.
    pub async fn persist_growing(&self, from: &str, to: &str) -> Result<()> {
        check_key(from)?;
        check_key(to)?;
        let (root, from, to) = (Arc::clone(&self.root), self.path(from), self.path(to));
        blocking(move || {
            let folder = to.parent().unwrap_or(&root);
            create_dir(&root, folder)?;
            match fs::hard_link(&from, &to) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound && to.exists() => {}
                // Rename the file if the file system has no hard links.
                Err(error) if error.kind() != io::ErrorKind::NotFound => fs::rename(&from, &to)?,
                linked => linked?,
            }
            File::open(folder)?.sync_all()
        })
        .await
    }

    /// The path of an object: `media/abc…` is stored in `media/ab/abc…`, because some file systems
    /// are slow with a million files in one folder.
    fn path(&self, key: &str) -> PathBuf {
        debug_assert!(check_key(key).is_ok());
        let last = base_name(key);
        let folder = key.strip_suffix(last).unwrap_or_default();
        self.root
            .join(folder)
            .join(last.get(..2).unwrap_or(last))
            .join(last)
    }
}

/// Streams a local file from beginning to end.
pub(super) async fn stream_file(
    path: &Path,
) -> Result<Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>> {
    let path = path.to_owned();
    let (file, length) = or_not_found(blocking_io(move || open_file(&path)).await)?;
    Ok(stream_range(file, 0..length))
}

/// Creates `folder` and its missing parents up to `root`, and flushes each parent.
fn create_dir(root: &Path, folder: &Path) -> io::Result<()> {
    if folder == root {
        return check_mounted(root);
    }
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(root);
    create_dir(root, parent)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(parent)?.sync_all()
}

/// Fails if the folder is not mounted. The error is never `NotFound`, because callers would take
/// that for a missing object.
fn check_mounted(root: &Path) -> io::Result<()> {
    fs::metadata(root.join(TEMP_DIR))
        .map(drop)
        .map_err(io::Error::other)
}

fn open_file(path: &Path) -> io::Result<(File, u64)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    blocking_io(work).await.map_err(io_error)
}

async fn blocking_io<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|panicked| Err(io::Error::other(panicked)))
}

fn io_error(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => storage_full(error),
        _ => unavailable(error),
    }
}

/// Maps errors of operations on a single object. A missing file means a missing object.
fn or_not_found<T>(result: io::Result<T>) -> Result<T> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::NotFound,
        // This happens only in `fetch`: the caller's folder already contains a file with that name.
        io::ErrorKind::AlreadyExists => Error::internal(error),
        _ => io_error(error),
    })
}

#[cfg(test)]
mod tests;
