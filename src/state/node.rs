//! Identifies the process that claims jobs and finishes uploads. After a restart, the new process can therefore expire
//! the leases of the previous process that used the same data folder.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::error::Result;
use crate::ids;
use crate::infra::db::Db;
use crate::infra::jobs;
use crate::uploads;

/// A process that claims jobs and finishes uploads. Its leases contain the process's id.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: String,
    /// The file `node`, locked by this process; `None` if another process has locked it. The
    /// operating system releases the lock when the process ends, even after `kill -9`.
    _file: Option<File>,
}

impl Node {
    /// Expires the leases of the previous process and registers this process. The file `node` in
    /// the data folder contains the id of the process that last registered. A running process holds
    /// a lock on this file. If another process holds the lock, changes neither the leases of that
    /// process nor the file.
    pub(super) async fn start(db: &Db, folder: &Path) -> Result<Self> {
        let id = ids::secret();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join("node"))?;
        if let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            tracing::info!(
                %error,
                "another process is using this data folder; leaving the leases of that process unchanged"
            );
            return Ok(Self { id, _file: None });
        }
        let mut before = String::new();
        file.read_to_string(&mut before)?;
        // Ignore the content of the file if it does not look like an id. The id is used in a LIKE pattern and must not
        // contain special characters.
        if before.len() == id.len() && before.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let mut tx = db.begin().await?;
            let ended = jobs::expire_leases_of(&mut tx, &before).await?;
            uploads::expire_finish_leases_of(&mut tx, &before).await?;
            tx.commit().await?;
            if ended > 0 {
                tracing::info!(
                    jobs = ended,
                    "released the jobs that an earlier process of this node had not finished"
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
