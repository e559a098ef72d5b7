//! The context of operations on media.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::OnceCell;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::infra::db::Db;
use crate::infra::images::Font;
use crate::infra::storage::Storage;
use crate::infra::video::Tools;

/// Database, clock, storage and tools, bundled for the code that works on media.
#[derive(Clone, Debug)]
pub struct MediaContext {
    /// The database.
    pub db: Db,
    /// The clock. Tests can change its time.
    pub clock: Clock,
    /// The object storage.
    pub storage: Storage,
    /// The path of ffmpeg, if it is configured.
    pub ffmpeg: Option<PathBuf>,
    /// The detected media tools. Use [`MediaContext::tools`], which detects them on first use.
    pub tools: Arc<OnceCell<Tools>>,
    /// The folder for temporary files.
    pub temp_dir: PathBuf,
    /// When this process started. Unfinished files from before this time were left behind by killed processes.
    pub started_at: SystemTime,
    /// The font for markup text.
    pub font: Font,
}

impl MediaContext {
    /// Returns the media tools. They are detected on first use, because detection takes most of a
    /// second and must not delay startup.
    pub async fn tools(&self) -> &Tools {
        self.tools
            .get_or_init(|| Tools::detect(self.ffmpeg.as_deref()))
            .await
    }

    /// Detects the media tools in the background, so that they are known when an upload is complete.
    pub fn detect_tools_early(&self) {
        let ctx = self.clone();
        tokio::spawn(async move {
            ctx.tools().await;
        });
    }

    /// Deletes the objects with these keys. Also deletes all unfinished files that killed processes
    /// left behind before this process started.
    pub async fn purge(&self, keys: &[String]) -> Result<()> {
        self.storage.purge(keys, self.started_at).await?;
        sweep_dir(self.temp_dir.clone(), self.started_at).await
    }
}

/// Deletes the files and folders in `folder` that were last changed before `since`.
pub async fn sweep_dir(folder: PathBuf, since: SystemTime) -> Result<()> {
    let sweep = move || {
        for entry in std::fs::read_dir(folder)? {
            match remove_if_older(&entry?, since) {
                // Another sweep has already deleted this entry.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                removed => removed?,
            }
        }
        Ok::<(), std::io::Error>(())
    };
    Ok(tokio::task::spawn_blocking(sweep)
        .await
        .map_err(Error::internal)??)
}

fn remove_if_older(entry: &std::fs::DirEntry, than: SystemTime) -> std::io::Result<()> {
    if entry.metadata()?.modified()? >= than {
        return Ok(());
    }
    if entry.path().is_dir() {
        std::fs::remove_dir_all(entry.path())
    } else {
        std::fs::remove_file(entry.path())
    }
}
