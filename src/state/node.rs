//! Which process claims jobs, so that the next one on the same data folder knows whose leases are over.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::clock;
use crate::error::Result;
use crate::infra::db::Db;
use crate::infra::jobs;

/// A process that claims jobs. Its id begins every lease it holds.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: String,
    /// Locked for as long as the process lives; `kill -9` unlocks it too.
    _file: Option<File>,
}

impl Node {
    /// Writes the id of this process to `node` in the data folder, after it ended the leases of the process that wrote there before. While that one
    /// lives, which the lock of the file shows, its leases stay.
    pub(super) async fn start(db: &Db, folder: &Path) -> Result<Self> {
        let id = clock::secret();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join("node"))?;
        if let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            tracing::info!(%error, "another process uses this data folder; its jobs stay its own");
            return Ok(Self { id, _file: None });
        }
        let mut before = String::new();
        file.read_to_string(&mut before)?;
        // Nothing else is an id, and an id has no character that means something to LIKE.
        if before.len() == id.len() && before.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let mut tx = db.begin().await?;
            let ended = jobs::expire_leases_of(&mut tx, &before).await?;
            tx.commit().await?;
            if ended > 0 {
                tracing::info!(
                    jobs = ended,
                    "jobs that an earlier process of this node had begun are begun again"
                );
            }
        }
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(id.as_bytes())?;
        Ok(Self {
            id,
            _file: Some(file),
        })
    }
}
