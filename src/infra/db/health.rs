//! Whether the database takes writes.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Db;
use crate::clock;
use crate::error::{DISK_FULL, Error, Result};

/// How long a successful trial write counts, unless a write fails meanwhile: whoever asks often does not make the database write often.
const SUCCESS_LIFETIME: Duration = Duration::from_secs(5);
/// Free space beside a SQLite file, in bytes, below which its disk counts as full. What is left in the log may still take small writes then, but no larger ones.
const MIN_FREE: u64 = 1024 * 1024;

/// What is known of this node's writes.
#[derive(Debug, Default)]
pub(super) struct WriteHealth {
    last_success: Mutex<Option<Instant>>,
    connection_suspect: AtomicBool,
    probe_lock: tokio::sync::Mutex<()>,
}

impl WriteHealth {
    /// Forgets the last successful trial.
    pub(super) fn invalidate(&self) {
        *self
            .last_success
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    /// Has SQLite's write connection replaced before the next transaction.
    pub(super) fn suspect_connection(&self) {
        self.connection_suspect.store(true, Ordering::Release);
        self.invalidate();
    }

    /// Whether the connection has to be replaced; asked again, it does not.
    pub(super) fn take_suspicion(&self) -> bool {
        self.connection_suspect.swap(false, Ordering::AcqRel)
    }

    fn record_success(&self) {
        *self
            .last_success
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Instant::now());
    }

    fn is_fresh(&self) -> bool {
        self.last_success
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .is_some_and(|at| at.elapsed() < SUCCESS_LIFETIME)
    }
}

impl Db {
    /// Commits a small write, unless one succeeded within the last five seconds and no transaction failed since. Unavailable, with the
    /// reason, when the database takes no writes or the disk of a SQLite file is full.
    pub async fn check_writes(&self) -> Result<()> {
        if let Some(file) = &self.file {
            check_free_space(file)?;
        }
        let _one_at_a_time = self.health.probe_lock.lock().await;
        if self.health.is_fresh() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO settings (name, value) VALUES ('write_check', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(clock::real_now().to_string())
        .execute(&mut *tx)
        .await?;
        tx.commit_silently().await?;
        self.health.record_success();
        Ok(())
    }
}

fn check_free_space(file: &Path) -> Result<()> {
    if free_space(file)? >= MIN_FREE {
        return Ok(());
    }
    Err(Error::Unavailable(
        DISK_FULL.into(),
        format!(
            "less than {MIN_FREE} bytes are free beside {}",
            file.display()
        )
        .into(),
    ))
}

/// Free bytes on the disk of a file, for processes without privileges.
pub(super) fn free_space(file: &Path) -> Result<u64> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let disk = rustix::fs::statvfs(folder).map_err(std::io::Error::from)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
