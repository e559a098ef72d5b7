//! Streams a range of a file. Reads cached data directly, and other data on the blocking pool.

use std::fs::File;
use std::io::IoSliceMut;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use rustix::io::{Errno, ReadWriteFlags};

use super::blocking;
use crate::error::Result;
use crate::infra::storage::{BLOCK_SIZE, ObjectStream, unavailable};

pub(super) fn stream_range(file: File, range: Range<u64>) -> ObjectStream {
    let reader = Reader {
        file: Arc::new(file),
        range,
        buffer: BytesMut::new(),
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
    /// The buffer for the next block. Its memory is reused once the consumer has dropped the previous block.
    buffer: BytesMut,
    /// Whether to try non-blocking reads; `false` once the file system has rejected one.
    in_place: bool,
}

impl Reader {
    /// Reads the next block. If the data is in the page cache, reads it directly, because that
    /// takes half as long as on the blocking pool. Otherwise reads it on the blocking pool, so that
    /// a slow disk does not delay other requests.
    async fn next_block(&mut self) -> Result<Bytes> {
        let wanted = BLOCK_SIZE
            .min(usize::try_from(self.range.end - self.range.start).unwrap_or(BLOCK_SIZE));
        self.buffer.reserve(wanted);
        self.buffer.resize(wanted, 0);
        let read = match self.read_cached() {
            Some(read) => read,
            None => self.read_blocking().await?,
        };
        if read == 0 {
            return Err(unavailable(
                "the file was truncated while it was being read",
            ));
        }
        self.range.start += read as u64;
        self.buffer.truncate(read);
        Ok(self.buffer.split().freeze())
    }

    fn read_cached(&mut self) -> Option<usize> {
        if !self.in_place {
            return None;
        }
        let mut slices = [IoSliceMut::new(&mut self.buffer)];
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

    async fn read_blocking(&mut self) -> Result<usize> {
        let file = Arc::clone(&self.file);
        let mut buffer = std::mem::take(&mut self.buffer);
        let start = self.range.start;
        let (read, buffer) = blocking(move || {
            let read = file.read_at(&mut buffer, start)?;
            Ok((read, buffer))
        })
        .await?;
        self.buffer = buffer;
        Ok(read)
    }
}
