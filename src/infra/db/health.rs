//! Checks whether the database accepts writes.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Db;
use crate::clock;
use crate::error::{DISK_FULL, Error, Result};

/// How long a successful probe stays valid if no transaction fails. Reusing the result keeps
/// frequent health checks from causing frequent writes.
const SUCCESS_LIFETIME: Duration = Duration::from_secs(5);
/// The disk that holds a SQLite database counts as full if fewer bytes than this are free. The probe alone cannot
/// detect a full disk: its small write may fit into the existing write-ahead log when larger writes no longer fit on
/// the disk.
const MIN_FREE: u64 = 1024 * 1024;

/// When the last probe succeeded, and whether SQLite's write connection must be replaced.
#[derive(Debug, Default)]
pub(super) struct WriteHealth {
    last_success: Mutex<Option<Instant>>,
    connection_suspect: AtomicBool,
    probe_lock: tokio::sync::Mutex<()>,
}

impl WriteHealth {
    /// Discards the last successful probe.
    pub(super) fn invalidate(&self) {
        *self
            .last_success
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    /// Marks SQLite's write connection, so that it is replaced before the next transaction begins.
    pub(super) fn suspect_connection(&self) {
        self.connection_suspect.store(true, Ordering::Release);
        self.invalidate();
    }

    /// Returns whether the connection was marked as suspect and must be replaced, and clears that
    /// mark.
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
    /// Commits a small write. Skips the write if the last one succeeded less than five seconds ago and no transaction
    /// has failed since. Returns [`Error::Unavailable`] if the database rejects writes, or if the disk that holds a
    /// SQLite database is full.
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
            "INSERT INTO settings (name, value) VALUES ('write_check', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
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
            "fewer than {MIN_FREE} bytes are free on the disk that contains {}",
            file.display()
        )
        .into(),
    ))
}

/// The number of free bytes that an unprivileged process may use on the disk that contains `file`.
pub(super) fn free_space(file: &Path) -> Result<u64> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let disk = rustix::fs::statvfs(folder).map_err(std::io::Error::from)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
