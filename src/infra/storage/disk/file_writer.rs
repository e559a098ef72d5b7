//! Writes a stream to a file on the blocking pool, while the next blocks arrive.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::task::{JoinHandle, spawn_blocking};

use super::flusher::Flusher;
use super::io_error;
use crate::error::{Error, Result};

/// How many bytes are written at once. A writer has two buffers of this size. Each write costs two thread switches.
const WRITE_SIZE: usize = 512 * 1024;

/// Writes to a file from its beginning to its end.
pub(super) struct FileWriter {
    file: Arc<File>,
    buffer: BytesMut,
    /// The write that is in progress. It returns its buffer, which is then used again.
    writing: Option<JoinHandle<std::io::Result<BytesMut>>>,
    flusher: Flusher,
}

impl FileWriter {
    pub(super) fn new(file: File) -> Self {
        let file = Arc::new(file);
        Self {
            flusher: Flusher::new(Arc::clone(&file)),
            file,
            buffer: BytesMut::new(),
            writing: None,
        }
    }

    pub(super) async fn write(&mut self, mut block: Bytes) -> Result<()> {
        while self.buffer.len() + block.len() >= WRITE_SIZE {
            let first = block.split_to(WRITE_SIZE - self.buffer.len());
            self.buffer.extend_from_slice(&first);
            self.write_buffer().await?;
        }
        self.buffer.extend_from_slice(&block);
        Ok(())
    }

    /// Writes what is left, and returns the file. The caller must flush it.
    pub(super) async fn finish(mut self) -> Result<Arc<File>> {
        self.write_buffer().await?;
        self.wait().await?;
        self.flusher.wait().await.map_err(io_error)?;
        Ok(self.file)
    }

    /// Begins to write the buffer, after the write in progress has ended.
    async fn write_buffer(&mut self) -> Result<()> {
        let next = self.wait().await?;
        let mut buffer = std::mem::replace(&mut self.buffer, next);
        self.flusher.record(buffer.len()).await.map_err(io_error)?;
        let file = Arc::clone(&self.file);
        self.writing = Some(spawn_blocking(move || {
            (&*file).write_all(&buffer)?;
            buffer.clear();
            Ok(buffer)
        }));
        Ok(())
    }

    /// Waits for the write in progress. Returns an empty buffer.
    async fn wait(&mut self) -> Result<BytesMut> {
        match self.writing.take() {
            Some(writing) => writing.await.map_err(Error::internal)?.map_err(io_error),
            None => Ok(BytesMut::new()),
        }
    }
}
