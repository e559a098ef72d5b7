//! Opening databases of older and newer versions, the settings of SQLite connections, and concurrent writes.

use hearback::infra::db::Db;
use serde_json::json;

use crate::app::{TestApp, postgres, text};
use crate::redaction::stored_bytes::positions;

#[actix_web::test]
async fn database_from_a_newer_version_is_rejected_and_the_error_names_the_required_version() {
    let app = TestApp::start().await;
    app.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
    )
    .await;
    app.execute("UPDATE settings SET value = '7.8.9' WHERE name = 'program'")
        .await;
    let refused = hearback::infra::db::Db::open(&app.state.config.database_url)
        .await
        .unwrap_err()
        .detail();
    assert!(
        refused.contains("7.8.9")
            && refused.contains(env!("CARGO_PKG_VERSION"))
            && refused.contains("Nothing was changed"),
        "{refused}"
    );
    assert_eq!(
        app.count("SELECT count(*) FROM settings WHERE name = 'program' AND value = '7.8.9'")
            .await,
        1
    );
}

#[actix_web::test]
async fn database_file_from_an_older_version_is_backed_up_before_the_upgrade() {
    if postgres() {
        return;
    }
    // This made-up schema cannot be upgraded, but the backup is made before the upgrade fails.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    let url = format!("sqlite://{}?mode=rwc", path.display());
    let mut old = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url)
        .await
        .unwrap();
    for statement in [
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
             installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
         success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)",
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (0, \
         'before the first', 1, x'00', 0)",
        "CREATE TABLE kept (word TEXT)",
        "INSERT INTO kept VALUES ('before')",
    ] {
        sqlx::query(statement).execute(&mut old).await.unwrap();
    }
    sqlx::Connection::close(old).await.unwrap();
    hearback::infra::db::Db::open(&url).await.unwrap_err();
    let copy = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains(".before-schema-"));
    let copy = format!("sqlite://{}", copy.expect("no copy was made").display());
    let mut copied = <sqlx::SqliteConnection as sqlx::Connection>::connect(&copy)
        .await
        .unwrap();
    let word: String = sqlx::query_scalar("SELECT word FROM kept")
        .fetch_one(&mut copied)
        .await
        .unwrap();
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = 'people'")
            .fetch_one(&mut copied)
            .await
            .unwrap();
    assert_eq!((word.as_str(), tables), ("before", 0));
}

#[actix_web::test]
async fn every_sqlite_connection_commits_durably_and_checks_foreign_keys() {
    if postgres() {
        return;
    }
    let app = TestApp::start().await;
    for (pragma, wanted) in [
        ("PRAGMA synchronous", 2),
        ("PRAGMA foreign_keys", 1),
        ("PRAGMA busy_timeout", 15_000),
    ] {
        let mut reads = Vec::new();
        for _ in 0..4 {
            reads.push(app.state.db.read().await.unwrap());
        }
        for connection in &mut reads {
            let value: i64 = sqlx::query_scalar(pragma)
                .fetch_one(&mut **connection)
                .await
                .unwrap();
            assert_eq!(value, wanted, "{pragma}");
        }
    }
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *app.state.db.read().await.unwrap())
        .await
        .unwrap();
    assert_eq!(mode, "wal");
}

#[actix_web::test]
async fn forty_concurrent_comments_all_succeed() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let update = ada
        .post("/updates", json!({ "title": "T", "publish": true }))
        .await
        .expect(201)
        .json();
    let path = format!("/updates/{}/comments", text(&update["id"]));
    let (client, path) = (&ada, path.as_str());
    let writers =
        (0..40).map(|n| async move { client.post(path, json!({ "body": n.to_string() })).await });
    for response in futures_util::future::join_all(writers).await {
        assert_eq!(response.status.as_u16(), 201, "{}", response.text());
    }
    assert_eq!(app.count("SELECT count(*) FROM comments").await, 40);
    // The event numbers have no gaps.
    assert_eq!(
        app.count("SELECT max(n) - min(n) + 1 - count(*) FROM events")
            .await,
        0
    );
}

#[actix_web::test]
async fn search_index_of_an_earlier_version_is_rebuilt_without_deleted_words() {
    if postgres() {
        return;
    }
    let app = TestApp::start_prepared(
        |_| {},
        async |config| {
            let db = Db::open(&config.database_url).await.unwrap();
            let mut tx = db.begin().await.unwrap();
            for statement in [
                "CREATE VIRTUAL TABLE said_words USING fts5 (words, content = '', contentless_delete = 1)",
                "INSERT INTO said (n, update_id, subject_id, words) VALUES (1, 'u', 's', 'kept quokkapunkt')",
                "INSERT INTO said_words (rowid, words) VALUES (1, 'kept quokkapunkt'), (2, 'zebrafunkwolke')",
                "DELETE FROM said_words WHERE rowid = 2",
            ] {
                sqlx::query(statement).execute(&mut *tx).await.unwrap();
            }
            tx.commit().await.unwrap();
            db.close().await;
        },
    )
    .await;
    let found = "SELECT count(*) FROM said_words WHERE said_words MATCH 'quokkapunkt'";
    assert_eq!(app.count(found).await, 1);
    // SQLite cannot move the write-ahead log into the database file while another connection is reading, so retry.
    app.wait_until("the deleted word is erased", async || {
        app.state.db.truncate_wal().await.unwrap();
        let file = std::fs::read(app.dir.path().join("hearback.db")).unwrap();
        let contains = |word: &str| positions(&file, word.as_bytes()).next().is_some();
        contains("quokkapunkt") && !contains("zebrafunkwolke")
    })
    .await;
}
