//! The database: two engines behind one SQL text.
//!
//! Reads take a connection from [`Db::read`]; every write goes through [`Db::begin`], which takes the write lock at once
//! on SQLite. Inside a transaction nothing awaits storage, video, mail or another connection.

mod backup;
mod health;
mod transaction;
mod upgrade;

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor};
use tokio::sync::watch;

use self::health::WriteHealth;
pub use self::transaction::Tx;
use crate::error::{Error, Result};

/// So long a statement waits for who else writes.
const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 15000";

/// The migrations, embedded.
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// A connection that can be read from.
pub type ReadConnection = PoolConnection<Any>;

/// All that differs between the engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The embedded default.
    Sqlite,
    /// When a team grows.
    Postgres,
}

/// The pools and what kind of engine they lead to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    write: AnyPool,
    read: AnyPool,
    dialect: Dialect,
    /// The file of a SQLite database.
    file: Option<PathBuf>,
    committed: Arc<watch::Sender<()>>,
    health: Arc<WriteHealth>,
}

impl Db {
    /// Opens `url` (`sqlite://PATH` or `postgres://…`) and brings it to the present schema. A SQLite file is copied before an older schema
    /// changes; a newer schema is refused.
    pub async fn open(url: &str) -> Result<Self> {
        let db = Self::connect(url).await?;
        db.upgrade().await?;
        Ok(db)
    }

    async fn connect(url: &str) -> Result<Self> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let dialect = if url.starts_with("sqlite:") {
            Dialect::Sqlite
        } else {
            Dialect::Postgres
        };
        let options = AnyConnectOptions::from_str(url).map_err(Error::internal)?;
        // A database that is away must be said soon, not after half a minute of waiting.
        let pool = AnyPoolOptions::new()
            .acquire_timeout(Duration::from_secs(5))
            .max_lifetime(None);
        let health = Arc::new(WriteHealth::default());
        let (write, read, file) = match dialect {
            Dialect::Sqlite => {
                let file = SqliteConnectOptions::from_str(url)
                    .map_err(Error::internal)?
                    .get_filename()
                    .to_owned();
                let pool = pool.idle_timeout(None).after_connect(|connection, _| {
                    Box::pin(async move {
                        connection.execute(BUSY_TIMEOUT).await?;
                        connection
                            .execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;")
                            .await?;
                        Ok(())
                    })
                });
                let released = health.clone();
                let write = pool
                    .clone()
                    .max_connections(1)
                    .after_release(move |connection, _| {
                        let health = released.clone();
                        Box::pin(async move {
                            let reusable = transaction::is_reusable(connection).await?;
                            if !reusable {
                                health.invalidate();
                            }
                            Ok(reusable)
                        })
                    });
                let write = write.connect_with(options.clone()).await?;
                (
                    write,
                    pool.max_connections(4).connect_with(options).await?,
                    Some(file),
                )
            }
            Dialect::Postgres => {
                let pool = pool.max_connections(16).connect_with(options).await?;
                (pool.clone(), pool, None)
            }
        };
        Ok(Self {
            write,
            read,
            dialect,
            file,
            committed: Arc::new(watch::Sender::new(())),
            health,
        })
    }

    /// Which engine it is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<ReadConnection> {
        Ok(self.read.acquire().await?)
    }

    /// Takes what was deleted or replaced out of SQLite's log as well, where nobody is reading it just then; in the file itself it is overwritten
    /// already. PostgreSQL has its own time for that.
    pub async fn truncate_wal(&self) -> Result<()> {
        if self.dialect == Dialect::Sqlite {
            let mut connection = self.write.acquire().await?;
            // Whoever writes must not wait for long.
            connection.execute("PRAGMA busy_timeout = 100").await?;
            let scrubbed = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
            connection.execute(BUSY_TIMEOUT).await?;
            scrubbed?;
        }
        Ok(())
    }

    /// Changes each time this node commits.
    pub fn commits(&self) -> watch::Receiver<()> {
        self.committed.subscribe()
    }

    /// Ends all connections; what is under way is awaited.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

/// Whether the database answers.
pub async fn ping(connection: &mut AnyConnection) -> Result<()> {
    Ok(connection.ping().await?)
}

/// A value of the `settings` table, made by `make` at first asking.
pub async fn get_or_create_setting(
    connection: &mut AnyConnection,
    name: &str,
    make: impl FnOnce() -> String,
) -> Result<String> {
    sqlx::query("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(make())
        .execute(&mut *connection)
        .await?;
    Ok(
        sqlx::query_scalar("SELECT value FROM settings WHERE name = $1")
            .bind(name)
            .fetch_one(connection)
            .await?,
    )
}

/// Whether a failed statement hit a uniqueness rule.
pub fn is_unique_violation(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// `$3, $4, $5` for three values from the third placeholder on.
pub fn placeholders(first: usize, count: usize) -> String {
    (first..first + count)
        .map(|n| format!("${n}"))
        .collect::<Vec<_>>()
        .join(", ")
}
