//! A database from before `update_access` existed (schema 6) is filled with what each person keeps.

use hearback::infra::db::{Db, MIGRATOR};
use sqlx::{AnyConnection, Connection, Executor};

use crate::app::{empty_database, postgres};

/// Ada's updates at schema 6. Dan joined @design after it was sent to; Old was a recipient once; Gone is deactivated.
const BEFORE: [&str; 16] = [
    "INSERT INTO people (id, email, email_key, name, name_key, role, time_zone, created_at, deactivated_at) VALUES
     ('ada', 'a', 'a', 'Ada', 'ada', 'member', 'UTC', 1, NULL), ('bob', 'b', 'b', 'Bob', 'bob', 'member', 'UTC', 1, NULL),
     ('dan', 'd', 'd', 'Dan', 'dan', 'member', 'UTC', 1, NULL), ('old', 'o', 'o', 'Old', 'old', 'member', 'UTC', 1, NULL),
     ('gone', 'g', 'g', 'Gone', 'gone', 'member', 'UTC', 1, 77)",
    "INSERT INTO groups (id, name, made_by, created_at) VALUES ('design', 'design', 'dan', 1)",
    "INSERT INTO group_members (group_id, person_id) VALUES ('design', 'bob'), ('design', 'dan')",
    "INSERT INTO updates (id, author_id, title, notes, visibility, expectation, revision, version, created_at, published_at, listed_at) VALUES
     ('to-group', 'ada', 'T', '', 'audience', 'fyi', 1, 1, 1, 10, 10), ('to-bob', 'ada', 'T', '', 'audience', 'acknowledge', 1, 1, 1, 11, 11),
     ('to-all', 'ada', 'T', '', 'audience', 'fyi', 1, 1, 1, 12, 12), ('open', 'ada', 'T', '', 'workspace', 'fyi', 1, 1, 1, 13, 13),
     ('draft', 'ada', 'T', '', 'workspace', 'fyi', 1, 1, 1, NULL, 1), ('trashed', 'ada', 'T', '', 'workspace', 'fyi', 1, 1, 1, 14, 14),
     ('of-gone', 'gone', 'T', '', 'audience', 'fyi', 1, 1, 1, 15, 15)",
    "UPDATE updates SET everyone_at = 12 WHERE id = 'to-all'",
    "UPDATE updates SET trashed_at = 20 WHERE id = 'trashed'",
    "INSERT INTO group_audience (update_id, group_id) VALUES ('to-group', 'design'), ('draft', 'design'), ('trashed', 'design')",
    "INSERT INTO asked_through (update_id, group_id, person_id) VALUES ('to-group', 'design', 'bob')",
    "INSERT INTO audience (update_id, person_id) VALUES ('to-bob', 'bob')",
    "INSERT INTO receipts (update_id, person_id, sent_at) VALUES
     ('to-group', 'bob', 10), ('to-bob', 'bob', 11), ('to-all', 'bob', 12), ('trashed', 'bob', 14), ('to-bob', 'gone', 11)",
    "INSERT INTO receipts (update_id, person_id, sent_at, removed_at) VALUES ('to-bob', 'old', 11, 12)",
    "INSERT INTO links (id, update_id, name, secret_hash, created_at) VALUES ('l1', 'to-bob', 'Open', 'h1', 1), ('l2', 'of-gone', 'Of who left', 'h2', 1)",
    "INSERT INTO links (id, update_id, name, secret_hash, created_at, revoked_at) VALUES ('l3', 'of-gone', 'Ended before', 'h3', 1, 5)",
    "INSERT INTO notices (person_id, kind, subject_id, update_id, actor_id, at) VALUES ('dan', 'comment', 'c', 'to-group', 'bob', 11)",
    "INSERT INTO mutes (person_id, update_id) VALUES ('dan', 'to-group')",
    "INSERT INTO visits (update_id, person_id, seen_at) VALUES ('to-group', 'dan', 11)",
];

#[actix_web::test]
async fn upgrade_keeps_access_of_recipients_and_ends_that_of_later_members() {
    let dir = tempfile::tempdir().unwrap();
    let url = if postgres() {
        empty_database().await
    } else {
        format!("sqlite://{}/old.db?mode=rwc", dir.path().display())
    };
    sqlx::any::install_default_drivers();
    let mut old = AnyConnection::connect(&url).await.unwrap();
    MIGRATOR.run_to(6, &mut old).await.unwrap();
    for statement in BEFORE {
        old.execute(statement).await.unwrap();
    }
    // What docs/OPERATIONS.md says to ask before the upgrade names those who lose access.
    let operations = include_str!("../../docs/OPERATIONS.md");
    let question = &operations[operations.find("SELECT p.email, u.id, u.title").unwrap()..];
    let affected: Vec<(String, String, String)> =
        sqlx::query_as(question.split(';').next().unwrap())
            .fetch_all(&mut old)
            .await
            .unwrap();
    assert_eq!(
        affected,
        [("d".to_owned(), "to-group".to_owned(), "T".to_owned())]
    );
    old.close().await.unwrap();

    let db = Db::open(&url).await.unwrap();
    let mut connection = db.read().await.unwrap();
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT principal, update_id, listed_at FROM update_access ORDER BY listed_at, principal",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let rows: Vec<(&str, &str, i64)> = rows
        .iter()
        .map(|(principal, update, at)| (principal.as_str(), update.as_str(), *at))
        .collect();
    assert_eq!(
        rows,
        [
            ("bob", "to-group", 10),
            ("bob", "to-bob", 11),
            ("gone", "to-bob", 11),
            ("bob", "to-all", 12),
            ("everyone", "to-all", 12),
            ("everyone", "open", 13),
        ]
    );
    let ended: Vec<(String, Option<i64>)> =
        sqlx::query_as("SELECT id, revoked_at FROM links ORDER BY id")
            .fetch_all(&mut *connection)
            .await
            .unwrap();
    assert_eq!(
        ended,
        [
            ("l1".to_owned(), None),
            ("l2".to_owned(), Some(77)),
            ("l3".to_owned(), Some(5))
        ]
    );
    let ticked: i64 =
        sqlx::query_scalar("SELECT count(*) FROM updates WHERE later_members_at IS NOT NULL")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
    assert_eq!(ticked, 0);
}
