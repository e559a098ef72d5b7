//! Migrates a database to the schema of this program, and refuses a newer schema.

mod backup;
mod free_space;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sqlx::AnyConnection;

use super::{Db, Dialect, MIGRATOR};
use crate::error::{Error, Result};

/// The version of this program, as `MAJOR.MINOR.PATCH`.
const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Db {
    /// Runs pending migrations. On SQLite, copies the database file first. Fails without changing anything if the
    /// schema is newer than this program supports.
    pub(super) async fn upgrade(&self) -> Result<()> {
        let ours = MIGRATOR
            .iter()
            .map(|migration| migration.version)
            .max()
            .unwrap_or(0);
        let found = self.schema().await?;
        if let Some(found) = found.filter(|found| *found > ours) {
            return Err(newer_schema_error(&mut *self.read().await?, found, ours).await?);
        }
        if found.is_none_or(|found| found < ours) {
            if let (Some(file), Some(found)) = (&self.file, found) {
                backup::create(self, file, found).await?;
                // Record the version before running the migrations. If the process dies during a
                // migration, an older program can then name this version in its error message.
                record_program_version(&mut *self.write.acquire().await?, ours).await?;
            }
            let mut connection = self.write.acquire().await?;
            MIGRATOR
                .run(&mut *connection)
                .await
                .map_err(Error::internal)?;
        }
        record_program_version(&mut *self.write.acquire().await?, ours).await
    }

    /// The number of the newest migration that was run on the database; `None` if the database is empty.
    pub(super) async fn schema(&self) -> Result<Option<i64>> {
        let table = match self.dialect {
            Dialect::Sqlite => "SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'",
            Dialect::Postgres => {
                "SELECT count(*) FROM information_schema.tables
                 WHERE table_name = '_sqlx_migrations' AND table_schema = current_schema()"
            }
        };
        let tables: i64 = sqlx::query_scalar(table).fetch_one(&self.read).await?;
        if tables == 0 {
            return Ok(None);
        }
        Ok(
            sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
                .fetch_one(&self.read)
                .await?,
        )
    }
}

/// The name of the setting that stores which program version was the first to use this schema.
fn version_setting(schema: i64) -> String {
    format!("program_of_schema_{schema}")
}

async fn read_setting(connection: &mut AnyConnection, name: &str) -> Result<Option<String>> {
    Ok(
        sqlx::query_scalar("SELECT value FROM settings WHERE name = $1")
            .bind(name)
            .fetch_optional(connection)
            .await?,
    )
}

/// Records which program version was the first to use the schema, and which is the newest to have
/// opened the database. The error message of an older program names one of them. Never replaces a
/// recorded version with an older one.
async fn record_program_version(connection: &mut AnyConnection, schema: i64) -> Result<()> {
    let setting = version_setting(schema);
    let newest = read_setting(connection, "program")
        .await?
        .filter(|known| !is_newer(VERSION, known));
    if newest.is_none() {
        sqlx::query(
            "INSERT INTO settings (name, value) VALUES ('program', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(VERSION)
        .execute(&mut *connection)
        .await?;
    }
    if read_setting(connection, &setting).await?.is_none() {
        sqlx::query(
            "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        )
        .bind(setting)
        .bind(VERSION)
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// Creates the error for a schema that is too new. The error names the program version that was the
/// first to use the schema. If that version is unknown, it names the newest version that opened the
/// database. It names no version if the recorded version is not newer than this program.
async fn newer_schema_error(
    connection: &mut AnyConnection,
    found: i64,
    ours: i64,
) -> Result<Error> {
    let mut needed = read_setting(connection, &version_setting(found)).await?;
    if needed.is_none() {
        needed = read_setting(connection, "program").await?;
    }
    let advice = match needed.filter(|needed| is_newer(needed, VERSION)) {
        Some(needed) => format!("Start hearback {needed} or newer."),
        None => format!("Start a newer version of hearback that supports schema version {found}."),
    };
    Ok(Error::Conflict(format!(
        "The database has schema {found}, which a newer version of hearback created. \
         This is hearback {VERSION}, which supports schema {ours}. {advice} Nothing was changed."
    )))
}

/// Whether the version `version` is newer than the version `than`. An invalid version is older than every valid one.
fn is_newer(version: &str, than: &str) -> bool {
    fn parse_version(version: &str) -> Option<Vec<u64>> {
        version.split('.').map(|part| part.parse().ok()).collect()
    }
    parse_version(version) > parse_version(than)
}

/// Appends `suffix` to the name of `file`.
fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::is_newer;

    #[test]
    fn versions_are_compared_numerically() {
        for (version, than, newer) in [
            ("0.10.0", "0.9.9", true),
            ("0.9.9", "0.10.0", false),
            ("1.0.0", "1.0.0", false),
            ("1.0.0", "rubbish", true),
            ("", "0.1.0", false),
        ] {
            assert_eq!(is_newer(version, than), newer, "{version} {than}");
        }
    }
}
