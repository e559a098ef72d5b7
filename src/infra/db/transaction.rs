//! Write transactions, and the replacement of a SQLite connection after a disk error.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::{Any, AnyConnection, Connection as _};
use tokio::sync::watch;

use super::health::WriteHealth;
use super::{Db, Dialect};
use crate::error::{self, Result};

/// A write transaction. Dropping it without [`Tx::commit`] rolls it back.
#[derive(Debug)]
pub struct Tx {
    inner: sqlx::Transaction<'static, Any>,
    dialect: Dialect,
    committed: Arc<watch::Sender<()>>,
    unfinished: UnfinishedGuard,
    deferred: BTreeSet<(&'static str, String)>,
}

/// Discards the last successful health probe when a transaction ends without a commit, because the database may have
/// rejected an SQL statement of the transaction.
#[derive(Debug)]
struct UnfinishedGuard {
    health: Arc<WriteHealth>,
    armed: bool,
}

impl Drop for UnfinishedGuard {
    fn drop(&mut self) {
        if self.armed {
            self.health.invalidate();
        }
    }
}

impl Tx {
    /// The database engine.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Remembers that something has to be written at the end of the transaction, because writing it locks a row that
    /// other transactions wait for. `kind` says what, and `subject` about whom. The caller of
    /// [`Tx::take_deferred`] writes it.
    pub fn defer(&mut self, kind: &'static str, subject: &str) {
        self.deferred.insert((kind, subject.to_owned()));
    }

    /// Returns what was passed to [`Tx::defer`] since the last call, without duplicates.
    pub fn take_deferred(&mut self) -> BTreeSet<(&'static str, String)> {
        std::mem::take(&mut self.deferred)
    }

    /// Commits durably and wakes the tasks that are waiting for commits. If the commit fails,
    /// nothing was stored, unless the connection to PostgreSQL broke during the commit: the outcome
    /// is then unknown.
    pub async fn commit(self) -> Result<()> {
        let committed = self.committed.clone();
        self.commit_silently().await?;
        committed.send_replace(());
        Ok(())
    }

    /// Commits without waking any task. Meant for writes that no task is waiting for.
    pub(super) async fn commit_silently(self) -> Result<()> {
        let Self {
            inner,
            mut unfinished,
            deferred,
            ..
        } = self;
        debug_assert!(
            deferred.is_empty(),
            "the transaction does not write what it deferred: {deferred:?}"
        );
        if let Err(error) = inner.commit().await {
            unfinished.health.suspect_connection();
            return Err(error.into());
        }
        unfinished.armed = false;
        Ok(())
    }
}

impl Deref for Tx {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }
}

impl Db {
    /// Begins a write transaction. On SQLite, this takes the only write lock, so no SQL statement in the transaction
    /// can fail with "database is locked".
    pub async fn begin(&self) -> Result<Tx> {
        match self.try_begin().await {
            // The disk may be fine and only the connection broken, so retry once on a new
            // connection.
            Err(error) if self.dialect == Dialect::Sqlite && error::is_disk_failure(&error) => {
                Ok(self.try_begin().await?)
            }
            begun => Ok(begun?),
        }
    }

    async fn try_begin(&self) -> sqlx::Result<Tx> {
        self.replace_suspect_connection().await?;
        let begin = match self.dialect {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        };
        let inner = self
            .write
            .begin_with(begin)
            .await
            .inspect_err(|_| self.health.suspect_connection())?;
        let unfinished = UnfinishedGuard {
            health: self.health.clone(),
            armed: true,
        };
        Ok(Tx {
            inner,
            dialect: self.dialect,
            committed: self.committed.clone(),
            unfinished,
            deferred: BTreeSet::new(),
        })
    }

    /// Closes SQLite's only write connection after a failed begin or commit; the pool then opens
    /// another. A failed rollback is detected when the connection returns to the pool (see
    /// [`is_reusable`]). PostgreSQL's pool tests its connections itself.
    async fn replace_suspect_connection(&self) -> sqlx::Result<()> {
        if self.dialect == Dialect::Sqlite && self.health.take_suspicion() {
            let connection = self
                .write
                .acquire()
                .await
                .inspect_err(|_| self.health.suspect_connection())?;
            // A close error is only logged. The connection is discarded anyway, and the disk
            // failure that led here has already been reported.
            if let Err(error) = connection.close().await {
                tracing::debug!(%error, "a write connection did not close cleanly");
            }
        }
        Ok(())
    }
}

/// Whether the connection may return to the pool. After SQLITE_FULL and some I/O errors, SQLite rolls back by itself.
/// sqlx's ROLLBACK then fails, and sqlx treats the transaction as open from then on, so the connection must be
/// discarded.
pub(super) async fn is_reusable(connection: &mut AnyConnection) -> sqlx::Result<bool> {
    // When a transaction is dropped, sqlx only queues the rollback. The ping makes sure that the rollback has run.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}
