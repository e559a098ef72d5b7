//! The database: two engines behind one SQL text.
//!
//! Reads take a connection from [`Db::read`]; every write goes through [`Db::begin`], which takes the write lock at once
//! on SQLite. Inside a transaction nothing awaits storage, video, mail or another connection.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor};
use tokio::sync::watch;

use crate::error::{Error, Result};

/// So long a statement waits for who else writes.
const PATIENT: &str = "PRAGMA busy_timeout = 15000";

/// The migrations, embedded.
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// A connection that can be read from.
pub type Read = PoolConnection<Any>;

/// A transaction; it is rolled back when dropped without `commit`.
#[derive(Debug)]
pub struct Tx {
    inner: sqlx::Transaction<'static, Any>,
    committed: Arc<watch::Sender<()>>,
}

impl Tx {
    /// Makes it durable and wakes who waits for changes.
    pub async fn commit(self) -> Result<()> {
        self.inner.commit().await?;
        self.committed.send_replace(());
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
    committed: Arc<watch::Sender<()>>,
}

impl Db {
    /// Opens `url` (`sqlite://PATH` or `postgres://…`) and brings it to the present schema. A SQLite file is copied aside before
    /// an older schema is changed; a schema newer than this program is refused.
    pub async fn open(url: &str) -> Result<Self> {
        let db = Self::connect(url).await?;
        db.refuse_newer().await?;
        if db.outdated().await? {
            db.copy_aside(url).await?;
            let mut connection = db.write.acquire().await?;
            MIGRATOR.run(&mut *connection).await.map_err(Error::internal)?;
        }
        sqlx::query("INSERT INTO settings (name, value) VALUES ('program', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE settings.value <> excluded.value")
            .bind(env!("CARGO_PKG_VERSION"))
            .execute(&db.write)
            .await?;
        Ok(db)
    }

    async fn connect(url: &str) -> Result<Self> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let dialect = if url.starts_with("sqlite:") { Dialect::Sqlite } else { Dialect::Postgres };
        let options = AnyConnectOptions::from_str(url).map_err(Error::internal)?;
        // A database that is away must be said soon, not after half a minute of waiting.
        let pool = AnyPoolOptions::new().acquire_timeout(Duration::from_secs(5)).max_lifetime(None);
        let (write, read) = match dialect {
            Dialect::Sqlite => {
                let pool = pool.idle_timeout(None).after_connect(|connection, _| {
                    Box::pin(async move {
                        connection.execute(PATIENT).await?;
                        connection
                            .execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;")
                            .await?;
                        Ok(())
                    })
                });
                let write = pool.clone().max_connections(1).connect_with(options.clone()).await?;
                (write, pool.max_connections(4).connect_with(options).await?)
            }
            Dialect::Postgres => {
                let pool = pool.max_connections(16).connect_with(options).await?;
                (pool.clone(), pool)
            }
        };
        Ok(Self { write, read, dialect, committed: Arc::new(watch::Sender::new(())) })
    }

    /// Which engine it is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<Read> {
        Ok(self.read.acquire().await?)
    }

    /// A transaction for writing. On SQLite it holds the one write lock from the start, so that it can never fail half-way
    /// with "database is locked".
    pub async fn begin(&self) -> Result<Tx> {
        let begin = match self.dialect {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        };
        Ok(Tx { inner: self.write.begin_with(begin).await?, committed: self.committed.clone() })
    }

    /// Takes what was deleted or replaced out of SQLite's log as well, where nobody is reading it just then; in the file itself it is overwritten
    /// already. PostgreSQL has its own time for that.
    pub async fn scrub(&self) -> Result<()> {
        if self.dialect == Dialect::Sqlite {
            let mut connection = self.write.acquire().await?;
            // Whoever writes must not wait for long.
            connection.execute("PRAGMA busy_timeout = 100").await?;
            let scrubbed = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
            connection.execute(PATIENT).await?;
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

    async fn refuse_newer(&self) -> Result<()> {
        let Some(newest) = self.schema().await? else { return Ok(()) };
        let ours = MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0);
        if newest <= ours {
            return Ok(());
        }
        let needed: Option<String> =
            sqlx::query_scalar("SELECT value FROM settings WHERE name = 'program'").fetch_optional(&self.read).await?;
        Err(Error::Conflict(format!(
            "The database was last opened by hearback {} (schema {newest}); this is hearback {} (schema {ours}). Start hearback {} or newer. Nothing was changed.",
            needed.as_deref().unwrap_or("of a later version"),
            env!("CARGO_PKG_VERSION"),
            needed.as_deref().unwrap_or("of that version"),
        )))
    }

    async fn outdated(&self) -> Result<bool> {
        let ours = MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0);
        Ok(self.schema().await?.is_none_or(|newest| newest < ours))
    }

    /// The newest migration the database has; none for an empty database.
    async fn schema(&self) -> Result<Option<i64>> {
        let table = match self.dialect {
            Dialect::Sqlite => "SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'",
            Dialect::Postgres => {
                "SELECT count(*) FROM information_schema.tables WHERE table_name = '_sqlx_migrations' AND table_schema = current_schema()"
            }
        };
        let tables: i64 = sqlx::query_scalar(table).fetch_one(&self.read).await?;
        if tables == 0 {
            return Ok(None);
        }
        Ok(sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(&self.read).await?)
    }

    /// Copies a SQLite file beside itself before its schema changes. PostgreSQL is backed up by its own tools.
    async fn copy_aside(&self, url: &str) -> Result<()> {
        let (Dialect::Sqlite, Some(schema)) = (self.dialect, self.schema().await?) else { return Ok(()) };
        let path = sqlite_path(url);
        let copy = PathBuf::from(format!("{}.before-schema-{}", path.display(), schema + 1));
        if !copy.exists() {
            sqlx::query("VACUUM INTO $1").bind(copy.display().to_string()).execute(&self.write).await?;
            tracing::info!(copy = %copy.display(), "copied the database aside before changing its schema");
        }
        Ok(())
    }
}

/// The file of a `sqlite:` address.
fn sqlite_path(url: &str) -> &Path {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    Path::new(path.split('?').next().unwrap_or(path))
}

/// Whether the database answers.
pub async fn ping(connection: &mut AnyConnection) -> Result<()> {
    Ok(connection.ping().await?)
}

/// A value of the `settings` table, made by `make` at first asking.
pub async fn setting(connection: &mut AnyConnection, name: &str, make: impl FnOnce() -> String) -> Result<String> {
    sqlx::query("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(make())
        .execute(&mut *connection)
        .await?;
    Ok(sqlx::query_scalar("SELECT value FROM settings WHERE name = $1").bind(name).fetch_one(connection).await?)
}

/// Whether a failed statement hit a uniqueness rule.
pub fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// `$3, $4, $5` for three values from the third placeholder on.
pub fn in_list(first: usize, count: usize) -> String {
    (first..first + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}
