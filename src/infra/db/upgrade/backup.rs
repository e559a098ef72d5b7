//! Copies a SQLite file before its schema changes, so that the upgrade can be undone.

use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::free_space::check_free_space;
use super::with_suffix;
use crate::error::{Error, Result, is_disk_failure};
use crate::infra::db::Db;

/// Copies the database to `FILE.before-schema-N`, where N is the next schema version. The copy is
/// written under another name. Once it is complete, verified and durable, it is renamed and
/// replaces an earlier copy. Does not change the database. Returns [`Error::Conflict`] if there is
/// not enough space.
pub(super) async fn create(db: &Db, file: &Path, schema: i64) -> Result<()> {
    let copy = with_suffix(file, &format!(".before-schema-{}", schema + 1));
    let unfinished = with_suffix(&copy, ".unfinished");
    let rows = MigrationSummary::read(file).await?;
    remove_file(&unfinished)?;
    if copy.exists() && check_copy(&copy, rows).await.is_err() {
        tracing::warn!(
            copy = %copy.display(),
            "the existing copy of the database is damaged or outdated; creating a new one"
        );
        remove_file(&copy)?;
    }
    check_free_space(file)?;
    let made = write_copy(db, &unfinished, rows).await;
    if made.is_err() {
        remove_file(&unfinished)?;
    }
    made?;
    rename_durably(unfinished, copy.clone()).await?;
    tracing::info!(copy = %copy.display(), "copied the database before changing its schema");
    Ok(())
}

/// How many migrations are recorded in a database, and the number of the newest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MigrationSummary {
    migrations: i64,
    newest: i64,
}

impl MigrationSummary {
    async fn read(file: &Path) -> Result<Self> {
        let mut connection = SqliteConnectOptions::new()
            .filename(file)
            .read_only(true)
            .connect()
            .await?;
        let (migrations, newest) =
            sqlx::query_as("SELECT count(*), max(version) FROM _sqlx_migrations")
                .fetch_one(&mut connection)
                .await?;
        connection.close().await?;
        Ok(Self { migrations, newest })
    }
}

async fn write_copy(db: &Db, unfinished: &Path, rows: MigrationSummary) -> Result<()> {
    let copied = sqlx::query("VACUUM INTO $1")
        .bind(unfinished.display().to_string())
        .execute(&db.write)
        .await;
    copied.map_err(|error| {
        if is_disk_failure(&error) {
            let folder = unfinished.parent().unwrap_or(Path::new(".")).display();
            return Error::Conflict(format!(
                "Cannot copy the database to {folder} before the upgrade: {error}. Free up \
                 some space there, then restart Hearback. Nothing was changed."
            ));
        }
        error.into()
    })?;
    check_copy(unfinished, rows).await
}

/// Fails if the copy is corrupt or its recorded migrations differ from those of the database.
async fn check_copy(copy: &Path, rows: MigrationSummary) -> Result<()> {
    let mut connection = SqliteConnectOptions::new()
        .filename(copy)
        .read_only(true)
        .connect()
        .await?;
    let report: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    if report != "ok" {
        return Err(damaged_copy(copy, &report));
    }
    let copied = MigrationSummary::read(copy).await?;
    if copied == rows {
        Ok(())
    } else {
        Err(damaged_copy(
            copy,
            &format!(
                "it records {} migrations, up to number {}, but the database records {}, up to number {}",
                copied.migrations, copied.newest, rows.migrations, rows.newest
            ),
        ))
    }
}

fn damaged_copy(copy: &Path, reason: &str) -> Error {
    Error::Conflict(format!(
        "Hearback copied the database to {} before upgrading it, but the copy is damaged: {reason}. The upgrade did not \
         start. Check the disk and the database. If the database itself is damaged, restore it from an earlier backup.",
        copy.display()
    ))
}

/// Flushes the copy to disk, renames it and flushes its folder.
async fn rename_durably(unfinished: PathBuf, copy: PathBuf) -> Result<()> {
    let publish = move || {
        std::fs::File::open(&unfinished)?.sync_all()?;
        std::fs::rename(&unfinished, &copy)?;
        let folder = copy
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        std::fs::File::open(folder)?.sync_all()
    };
    Ok(tokio::task::spawn_blocking(publish)
        .await
        .map_err(Error::internal)??)
}

fn remove_file(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
