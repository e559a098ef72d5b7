//! Streams a range of a file. Uses what the kernel has cached directly, because that takes half as long as on the
//! blocking pool. Otherwise uses the blocking pool, so that a slow disk does not delay other requests.

use std::fs::File;
use std::io::IoSliceMut;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, ReadWriteFlags};

use super::blocking;
use crate::error::Result;
use crate::infra::storage::{BLOCK_SIZE, ObjectStream, unavailable};

/// Opens a file without waiting for the disk, and returns it with its length. Returns `None` if the kernel has not
/// cached its path, if the kernel does not support such a request, or after an error.
pub(super) fn open_cached(path: &Path) -> Option<(File, u64)> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED).ok()?;
    let file = File::from(file);
    let length = file.metadata().ok()?.len();
    Some((file, length))
}

pub(super) fn stream_range(file: File, range: Range<u64>) -> ObjectStream {
    let reader = Reader {
        file: Arc::new(file),
        range,
        last: Bytes::new(),
        in_place: true,
    };
    stream::unfold(reader, |mut reader| async move {
        if reader.range.is_empty() {
            return None;
        }
        let block = reader.next_block().await;
        if block.is_err() {
            // End the stream after an error.
            reader.range.start = reader.range.end;
        }
        Some((block, reader))
    })
    .boxed()
}

struct Reader {
    file: Arc<File>,
    range: Range<u64>,
    /// The last block. Once the consumer has dropped it, its memory is used for the next block.
    last: Bytes,
    /// Whether to try non-blocking reads; `false` once the file system has rejected one.
    in_place: bool,
}

impl Reader {
    async fn next_block(&mut self) -> Result<Bytes> {
        let wanted = BLOCK_SIZE
            .min(usize::try_from(self.range.end - self.range.start).unwrap_or(BLOCK_SIZE));
        let last = std::mem::take(&mut self.last);
        let reused = last.try_into_mut();
        let mut buffer = reused.unwrap_or_else(|_| BytesMut::zeroed(wanted));
        buffer.resize(wanted, 0);
        let (read, mut buffer) = match self.read_cached(&mut buffer) {
            Some(read) => (read, buffer),
            None => self.read_blocking(buffer).await?,
        };
        if read == 0 {
            return Err(unavailable(
                "the file was truncated while it was being read",
            ));
        }
        self.range.start += read as u64;
        buffer.truncate(read);
        self.last = buffer.freeze();
        Ok(self.last.clone())
    }

    fn read_cached(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if !self.in_place {
            return None;
        }
        let mut slices = [IoSliceMut::new(buffer)];
        match rustix::io::preadv2(
            &*self.file,
            &mut slices,
            self.range.start,
            ReadWriteFlags::NOWAIT,
        ) {
            Ok(0) => None,
            Ok(read) => Some(read),
            Err(Errno::AGAIN | Errno::INTR) => None,
            Err(_) => {
                self.in_place = false;
                None
            }
        }
    }

    async fn read_blocking(&self, mut buffer: BytesMut) -> Result<(usize, BytesMut)> {
        let file = Arc::clone(&self.file);
        let start = self.range.start;
        blocking(move || {
            let read = file.read_at(&mut buffer, start)?;
            Ok((read, buffer))
        })
        .await
    }
}
