//! Flushes a file to the disk while it is being written, so that little is left to flush at the end.

use std::fs::File;
use std::io;
use std::sync::Arc;

use tokio::task::{JoinHandle, spawn_blocking};

use super::blocking_io;

/// After how many bytes a flush begins, unless the previous one is still running.
const FLUSH_BYTES: usize = 4 << 20;

/// Flushes one file in the background.
#[derive(Debug)]
pub(super) struct Flusher {
    file: Arc<File>,
    /// How many bytes were written since the last flush began.
    written: usize,
    running: Option<JoinHandle<io::Result<()>>>,
}

impl Flusher {
    pub(super) fn new(file: Arc<File>) -> Self {
        Self {
            file,
            written: 0,
            running: None,
        }
    }

    /// Records that `bytes` bytes were written, and begins a flush if it is time for one. Returns the error of the
    /// previous flush, because the kernel reports an error only once.
    pub(super) async fn record(&mut self, bytes: usize) -> io::Result<()> {
        self.written += bytes;
        let is_running = self.running.as_ref().is_some_and(|run| !run.is_finished());
        if self.written < FLUSH_BYTES || is_running {
            return Ok(());
        }
        self.wait().await?;
        self.written = 0;
        let file = Arc::clone(&self.file);
        self.running = Some(spawn_blocking(move || file.sync_data()));
        Ok(())
    }

    /// Makes everything that was written durable.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        self.wait().await?;
        self.written = 0;
        let file = Arc::clone(&self.file);
        blocking_io(move || file.sync_data()).await
    }

    /// Waits for the flush that is running.
    pub(super) async fn wait(&mut self) -> io::Result<()> {
        match self.running.take() {
            Some(running) => running.await.map_err(io::Error::other)?,
            None => Ok(()),
        }
    }
}
