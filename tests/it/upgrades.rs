//! Upgrades: the database file is copied before a migration, a database with a newer schema is rejected, and released
//! migrations never change.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hearback::infra::db::{Db, MIGRATOR};
use sqlx::migrate::Migrator;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::app::{TestApp, postgres};

/// The SHA-384 of every migration, as `sha384sum` prints it. Never edit a released migration. Add a new migration and
/// its checksum instead.
const CHECKSUMS: &[(i64, &str)] = &[
    (
        1,
        "4efdfb90d38886eb46c89068e6e355e1ed2326747316c57a6fb8481e6f3ccafe7f4e58fb8565213f538a17c6e38e791b",
    ),
    (
        2,
        "9eb2761a1bd6684888ac2257444f203697b8787489361151925ac57bf9dc6e4bcade78b6b0c3e0b65063024deb40da7d",
    ),
    (
        3,
        "1b56012320d226c2142748798bd54d17f8f3eb4da648a520eda8a3133cf4405ef86def3c398032a0efa125acec187815",
    ),
    (
        4,
        "6eb89470905ea3cbbeb5bcafcd655cfbb21fafd0e325c6283f18e383d973233d00cb0c62ac0d92dea3fd0dd1d311a801",
    ),
    (
        5,
        "84f487b363cca2b5267658bb9b26a4262854585bd65a3aefe22d8a998f35be62e4f014a8f9eb124114541c5379e2ee90",
    ),
    (
        6,
        "47381add3939bac76312cd98e7fcf0a2e6dae9b937ea666b66fb90bf53af8e61362a40db4024cc3fa9c10122b84b3c32",
    ),
    (
        7,
        "825e11954b53f8344c17dcaa497056cf4b048fd1ef3d982b05174a5b3fc06cac15ec2a30942384f6eae37437c5d0b955",
    ),
    (
        8,
        "6c97d92ef965223f21a4be718aaa7ff83f9fa8d54a7078b9298b10a0dcdf1ed182ec260a1be3b0adef770124cbfb66f7",
    ),
    (
        9,
        "c51d6b3b2ad8c26a31d1b8c0f39f855954c22e5aeac6e75bd54c205066ce4e43531688805b42e794c7af18bb2c5c716b",
    ),
    (
        10,
        "1d706ed31c7b623a6f076b0457e774e3137d82310f71359deb66a528ae07207da710f8a4e04dfac3ec65e1c4285352ba",
    ),
    (
        11,
        "b49e03973b85b2862907568f41b4ba03e82a7c5a2a1be41a6defda6b60b3189d93154c0ff9a532459133925dcb6e672b",
    ),
    (
        12,
        "a0843c70d20ddc8fc9387de209e77942df9b030fb9845fbebe47b0bab303e6d0cf38c9af656a8121181acba737d11e71",
    ),
    (
        13,
        "91699355e1925e25957b993250ae3f9f82341a8aefcd167dc36e73d6f058f0e7d877045cd9ae48f4fe2c8aeee7af1a2a",
    ),
];

#[test]
fn released_migrations_are_never_edited() {
    let found: Vec<(i64, String)> = MIGRATOR
        .iter()
        .map(|migration| {
            (
                migration.version,
                data_encoding::HEXLOWER.encode(&migration.checksum),
            )
        })
        .collect();
    let pinned: Vec<(i64, String)> = CHECKSUMS
        .iter()
        .map(|(version, checksum)| (*version, (*checksum).to_owned()))
        .collect();
    assert_eq!(found, pinned);
}

/// A database file whose schema is one version older than the newest schema.
struct OldDatabase {
    dir: TempDir,
    schema: i64,
}

impl OldDatabase {
    async fn new() -> Self {
        Self::with_text(1).await
    }

    /// Like [`Self::new`], but stores about `kibibytes` KiB of text, so that the file has at least that size.
    async fn with_text(kibibytes: usize) -> Self {
        let old = Self {
            dir: tempfile::tempdir().unwrap(),
            schema: newest() - 1,
        };
        make(&old.file(), old.schema, &"word ".repeat(kibibytes * 205)).await;
        old
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("hearback.db")
    }

    fn url(&self) -> String {
        format!("sqlite://{}?mode=rwc", self.file().display())
    }

    fn copy(&self) -> PathBuf {
        self.dir
            .path()
            .join(format!("hearback.db.before-schema-{}", self.schema + 1))
    }

    fn unfinished(&self) -> PathBuf {
        self.dir.path().join(format!(
            "hearback.db.before-schema-{}.unfinished",
            self.schema + 1
        ))
    }

    /// Asserts that the copy is complete and has the old schema. Asserts that no temporary copy remains.
    async fn assert_copied(&self, what: &str) {
        let (schema, rules) = read(&self.copy()).await;
        assert!(
            schema == self.schema && rules.starts_with("word "),
            "{what}: schema {schema}"
        );
        assert!(!self.unfinished().exists(), "{what}");
    }
}

fn newest() -> i64 {
    MIGRATOR
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap()
}

/// Creates a database file with this schema version, and stores `rules` as the rules of the workspace.
async fn make(file: &Path, schema: i64, rules: &str) {
    let mut connection =
        SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", file.display()))
            .await
            .unwrap();
    sqlx::query("PRAGMA journal_mode = WAL")
        .execute(&mut connection)
        .await
        .unwrap();
    let migrations = MIGRATOR
        .iter()
        .filter(|migration| migration.version <= schema)
        .cloned()
        .collect();
    Migrator::with_migrations(migrations)
        .run_direct(None, &mut connection, false)
        .await
        .unwrap();
    sqlx::query("INSERT INTO settings (name, value) VALUES ('rules', $1)")
        .bind(rules)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// Returns the schema version of a database file and the stored rules of the workspace.
async fn read(file: &Path) -> (i64, String) {
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}?mode=ro", file.display()))
        .await
        .unwrap();
    let rows = sqlx::query_as(
        "SELECT (SELECT max(version) FROM _sqlx_migrations), (SELECT value FROM settings WHERE name = 'rules')",
    );
    rows.fetch_one(&mut connection).await.unwrap()
}

#[actix_web::test]
async fn upgrade_first_makes_a_complete_copy_of_the_database() {
    let old = OldDatabase::new().await;
    Db::open(&old.url()).await.unwrap().close().await;
    old.assert_copied("first upgrade").await;
    assert_eq!(read(&old.file()).await.0, newest());
    // An up-to-date database is not copied.
    std::fs::remove_file(old.copy()).unwrap();
    Db::open(&old.url()).await.unwrap().close().await;
    assert!(!old.copy().exists());
}

#[actix_web::test]
async fn upgrade_replaces_an_invalid_earlier_copy_of_the_database() {
    for what in [
        "empty",
        "rubbish",
        "cut off",
        "of other migrations",
        "damaged",
        "unfinished",
    ] {
        let old = OldDatabase::with_text(100).await;
        let whole = std::fs::read(old.file()).unwrap();
        match what {
            "empty" => std::fs::write(old.copy(), b"").unwrap(),
            "rubbish" => std::fs::write(old.copy(), b"rubbish".repeat(1000)).unwrap(),
            "cut off" => std::fs::write(old.copy(), &whole[..whole.len() / 2]).unwrap(),
            "of other migrations" => {
                make(&old.copy(), old.schema - 1, "word of another time").await
            }
            "damaged" => {
                let mut damaged = whole.clone();
                let (from, to) = (damaged.len() / 4, damaged.len() * 3 / 4);
                damaged[from..to].fill(0xA5);
                std::fs::write(old.copy(), damaged).unwrap();
            }
            _ => std::fs::write(old.unfinished(), &whole[..whole.len() / 2]).unwrap(),
        }
        Db::open(&old.url())
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"))
            .close()
            .await;
        old.assert_copied(what).await;
        assert_eq!(read(&old.file()).await.0, newest(), "{what}");
    }
}

/// Runs the shell commands `before`, and then a Hearback command that opens the database.
fn open_with(old: &OldDatabase, before: &str) -> Output {
    let mut command = Command::new("unshare");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HEARBACK_")) {
        command.env_remove(name);
    }
    command
        .args([
            "-rm",
            "sh",
            "-c",
            &format!("{before}\n\"$0\" token add --person nobody@example.org --name x"),
            env!("CARGO_BIN_EXE_hearback"),
        ])
        .env("HEARBACK_DATA", old.dir.path())
        .env("DATABASE_URL", old.url())
        .output()
        .unwrap()
}

#[actix_web::test]
async fn upgrade_that_was_killed_while_copying_the_database_completes_on_the_next_start() {
    let old = OldDatabase::with_text(4000).await;
    // `ulimit -f` counts blocks of 512 bytes. A process whose file grows beyond the limit is killed
    // with SIGXFSZ.
    let killed = open_with(&old, "ulimit -f 2000");
    assert!(
        !killed.status.success() && old.unfinished().exists() && !old.copy().exists(),
        "{killed:?}"
    );
    assert_eq!(read(&old.file()).await.0, old.schema);
    Db::open(&old.url()).await.unwrap().close().await;
    old.assert_copied("killed").await;
}

#[actix_web::test]
async fn upgrade_is_refused_when_there_is_no_disk_space_for_the_copy() {
    let mounted = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"])
        .output();
    if !mounted.as_ref().is_ok_and(|done| done.status.success()) {
        eprintln!(
            "SKIPPED: no tmpfs can be mounted in a namespace here, so an upgrade without room was NOT tested: \
             {mounted:?}"
        );
        return;
    }
    let old = OldDatabase::with_text(4000).await;
    let kept = tempfile::tempdir().unwrap();
    for (size, fits) in [("8m", false), ("24m", true)] {
        let (folder, kept) = (old.dir.path().display(), kept.path().display());
        // Run Hearback with the database on a small disk, which is mounted over the database's folder. Copy the
        // contents of the disk when the shell exits, because the mount then disappears.
        let before = format!(
            "cp {folder}/hearback.db {kept}/seed && mount -t tmpfs -o size={size} none {folder} && cp {kept}/seed {folder}/hearback.db || exit 9
             trap 'rm -rf {kept}/after; cp -r {folder} {kept}/after' EXIT"
        );
        let done = open_with(&old, &before);
        let output = String::from_utf8(done.stderr).unwrap();
        let after =
            |name: PathBuf| PathBuf::from(format!("{kept}/after")).join(name.file_name().unwrap());
        assert_eq!(after(old.copy()).exists(), fits, "{output}");
        assert!(!after(old.unfinished()).exists(), "{output}");
        assert_eq!(
            read(&after(old.file())).await.0,
            if fits { newest() } else { old.schema },
            "{output}"
        );
        let refused = output.contains("not enough space")
            && output.contains(" MiB in ")
            && output.contains("Nothing was changed");
        assert_eq!(refused, !fits, "{output}");
    }
}

async fn refusal(app: &TestApp) -> String {
    Db::open(&app.state.config.database_url)
        .await
        .unwrap_err()
        .detail()
}

#[actix_web::test]
async fn newer_schema_is_rejected_and_the_error_names_the_version_that_introduced_it() {
    let ours = env!("CARGO_PKG_VERSION");
    let app = TestApp::start().await;
    app.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
    )
    .await;
    // The database does not record which version introduced its schema, so the message names no version.
    let said = refusal(&app).await;
    assert!(
        said.contains("schema 9999")
            && said.contains("Start a newer version of hearback")
            && said.matches(ours).count() == 1,
        "{said}"
    );
    // An older version opened the database last, so the message does not name it.
    app.execute("UPDATE settings SET value = '0.0.1' WHERE name = 'program'")
        .await;
    assert!(!refusal(&app).await.contains("0.0.1"));
    // A newer version opened the database last, so the message names it.
    app.execute("UPDATE settings SET value = '9.9.9' WHERE name = 'program'")
        .await;
    assert!(
        refusal(&app)
            .await
            .contains("Start hearback 9.9.9 or newer")
    );
    // The database records which version introduced the schema. The message names that version, because it is the
    // oldest one that works.
    app.execute("INSERT INTO settings (name, value) VALUES ('program_of_schema_9999', '7.8.9')")
        .await;
    assert!(
        refusal(&app)
            .await
            .contains("Start hearback 7.8.9 or newer")
    );
    assert_eq!(
        app.count("SELECT count(*) FROM settings WHERE name = 'program' AND value = '9.9.9'")
            .await,
        1,
        "nothing was changed"
    );
}

#[actix_web::test]
async fn older_version_with_the_same_schema_does_not_lower_the_recorded_version() {
    let app = TestApp::start().await;
    let noted = format!("program_of_schema_{}", newest());
    let value = async || -> Vec<(String, String)> {
        let rows = sqlx::query_as(
            "SELECT name, value FROM settings WHERE name LIKE 'program%' ORDER BY name",
        );
        rows.fetch_all(&mut *app.state.db.read().await.unwrap())
            .await
            .unwrap()
    };
    let ours = env!("CARGO_PKG_VERSION").to_owned();
    assert_eq!(
        value().await,
        [
            ("program".to_owned(), ours.clone()),
            (noted.clone(), ours.clone())
        ]
    );
    app.execute("UPDATE settings SET value = '7.8.9' WHERE name = 'program'")
        .await;
    Db::open(&app.state.config.database_url)
        .await
        .unwrap()
        .close()
        .await;
    assert_eq!(
        value().await,
        [("program".to_owned(), "7.8.9".to_owned()), (noted, ours)]
    );
    if !postgres() {
        assert!(!std::fs::read_dir(app.dir.path()).unwrap().any(|entry| {
            entry
                .unwrap()
                .path()
                .to_string_lossy()
                .contains("before-schema")
        }));
    }
}
