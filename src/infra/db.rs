//! The database. The same SQL text runs on SQLite and on PostgreSQL.
//!
//! Reads use [`Db::read`]. Every write uses [`Db::begin`], which takes SQLite's only write lock
//! immediately. Code inside a transaction must not wait for storage, video tools, email or a second
//! connection, because on SQLite all other writers wait until the transaction ends.

mod health;
mod text_enum;
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
pub(crate) use self::text_enum::text_enum;
pub use self::text_enum::{FetchKnown, TextEnum, UnknownValue, unknown_in_column};
pub use self::transaction::Tx;
use crate::error::{Error, Result};

/// Sets the lock timeout: an SQL statement waits up to 15 s while another writer has locked the
/// database.
const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 15000";

/// How many times to try to empty SQLite's write-ahead log while a reader is using it.
const TRUNCATE_ATTEMPTS: usize = 5;

/// The migrations, embedded in the program.
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// A connection from the read pool.
pub type ReadConnection = PoolConnection<Any>;

/// The database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite, the default.
    Sqlite,
    /// PostgreSQL, for larger teams.
    Postgres,
}

impl Dialect {
    /// Returns the engine that a database URL names.
    pub fn of_url(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            Self::Sqlite
        } else {
            Self::Postgres
        }
    }
}

/// The connection pools. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    write: AnyPool,
    read: AnyPool,
    dialect: Dialect,
    /// The path of the SQLite file.
    file: Option<PathBuf>,
    committed: Arc<watch::Sender<()>>,
    health: Arc<WriteHealth>,
}

/// Sets the options of a connection to SQLite. A search reads about a thousand pages of 4 KiB, which the default cache of
/// 2 MiB cannot hold.
async fn prepare_sqlite(connection: &mut AnyConnection) -> sqlx::Result<()> {
    connection.execute(BUSY_TIMEOUT).await?;
    connection
        .execute(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON; PRAGMA cache_size = -8192;",
        )
        .await?;
    Ok(())
}

/// Sets the options of a connection to PostgreSQL. Search relies on `UNION ALL` reading its parts in order, which
/// parallel plans do not. All statements read by indexes, whatever the values of their parameters are, so each is planned
/// only once per connection; to plan the statements of an inbox takes longer than to execute them.
async fn prepare_postgres(connection: &mut AnyConnection) -> sqlx::Result<()> {
    connection
        .execute(
            "SET max_parallel_workers_per_gather = 0; SET plan_cache_mode = force_generic_plan",
        )
        .await?;
    Ok(())
}

impl Db {
    /// Opens `url` (`sqlite://PATH` or `postgres://…`) and runs pending migrations. Copies a SQLite
    /// file before changing its schema. Fails if the schema is newer than this program supports.
    pub async fn open(url: &str) -> Result<Self> {
        let db = Self::connect(url).await?;
        db.upgrade().await?;
        Ok(db)
    }

    async fn connect(url: &str) -> Result<Self> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let dialect = Dialect::of_url(url);
        let options = AnyConnectOptions::from_str(url).map_err(Error::internal)?;
        // Report an unreachable database after 5 s; sqlx's default is 30 s.
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
                // A pool repeats a failed preparation until its timeout and hides the error, so first prepare a
                // connection outside the pool.
                let mut connection = AnyConnection::connect_with(&options).await?;
                prepare_sqlite(&mut connection).await?;
                connection.close().await?;
                // A connection to a file does not break while it is idle, so do not test it before each use. A test
                // takes as long as a statement, because both wait for the thread of the connection.
                let pool = pool
                    .idle_timeout(None)
                    .test_before_acquire(false)
                    .after_connect(|connection, _| Box::pin(prepare_sqlite(connection)));
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
                let pool = pool
                    .max_connections(16)
                    .after_connect(|connection, _| Box::pin(prepare_postgres(connection)))
                    .connect_with(options)
                    .await?;
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

    /// The database engine.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Acquires a connection for reading.
    pub async fn read(&self) -> Result<ReadConnection> {
        Ok(self.read.acquire().await?)
    }

    /// Empties SQLite's write-ahead log, which may still contain deleted content. In the database file, `secure_delete`
    /// has already overwritten that content. Logs a warning if a reader is still using the log after several attempts.
    /// Does nothing on PostgreSQL.
    pub async fn truncate_wal(&self) -> Result<()> {
        if self.dialect != Dialect::Sqlite {
            return Ok(());
        }
        for _ in 0..TRUNCATE_ATTEMPTS {
            if self.try_truncate_wal().await? {
                return Ok(());
            }
        }
        tracing::warn!(
            "the write-ahead log could not be emptied, because a reader is using it; deleted text may remain in \
             the file whose name ends with -wal until the next cleanup"
        );
        Ok(())
    }

    /// Tries once to empty the write-ahead log, and returns whether it succeeded.
    async fn try_truncate_wal(&self) -> Result<bool> {
        let mut connection = self.write.acquire().await?;
        // Wait only briefly for readers, because this connection holds up all other writers.
        connection.execute("PRAGMA busy_timeout = 100").await?;
        let truncated = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut *connection)
            .await;
        connection.execute(BUSY_TIMEOUT).await?;
        let (busy, _, _): (i64, i64, i64) = truncated?;
        Ok(busy == 0)
    }

    /// Returns a receiver that is notified of every commit by this process.
    pub fn commits(&self) -> watch::Receiver<()> {
        self.committed.subscribe()
    }

    /// Waits until the connections in use are returned, empties SQLite's write-ahead log and closes
    /// all connections. Closes the read connections first, because the log cannot be emptied while
    /// a reader is using it.
    pub async fn close(&self) {
        self.read.close().await;
        if let Err(error) = self.truncate_wal().await {
            tracing::warn!(%error, "the write-ahead log could not be emptied");
        }
        self.write.close().await;
    }
}

/// Fails if the database is not responding.
pub async fn ping(connection: &mut AnyConnection) -> Result<()> {
    Ok(connection.ping().await?)
}

/// Returns a value from the `settings` table. If the value is missing, first stores the one that
/// `make` returns.
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

/// Whether the error means that an SQL statement violated a unique constraint.
pub fn is_unique_violation(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// The number of values that one statement may compare with. Both engines allow more: SQLite 32,766 and PostgreSQL
/// 65,535.
pub const MAX_VARIABLES: usize = 10_000;

/// Returns the text as an SQL string literal. It must not contain a backslash, to which PostgreSQL can give a meaning.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns `count` SQL placeholders that are numbered from `first`, for example `$3, $4, $5`.
pub fn placeholders(first: usize, count: usize) -> String {
    (first..first + count)
        .map(|n| format!("${n}"))
        .collect::<Vec<_>>()
        .join(", ")
}
