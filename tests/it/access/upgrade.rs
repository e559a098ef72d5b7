//! Upgrades a database from schema version 6. The migration creates the table `update_access` and fills it.

use hearback::infra::db::{Db, MIGRATOR};
use sqlx::{AnyConnection, Connection, Executor};

use crate::app::{empty_database, postgres};

/// Rows of a database with schema version 6. Ada is the author of all updates except `of-gone`. Dan
/// joined @design after the update `to-group` was sent to the group. The person named Old was a
/// recipient and was removed. The person named Gone is deactivated.
const SCHEMA_6: [&str; 16] = [
    "INSERT INTO people (id, email, email_key, name, name_key, role, time_zone, created_at, deactivated_at) VALUES
     ('ada', 'a', 'a', 'Ada', 'ada', 'member', 'UTC', 1, NULL),
     ('bob', 'b', 'b', 'Bob', 'bob', 'member', 'UTC', 1, NULL),
     ('dan', 'd', 'd', 'Dan', 'dan', 'member', 'UTC', 1, NULL),
     ('old', 'o', 'o', 'Old', 'old', 'member', 'UTC', 1, NULL),
     ('gone', 'g', 'g', 'Gone', 'gone', 'member', 'UTC', 1, 77)",
    "INSERT INTO groups (id, name, made_by, created_at) VALUES ('design', 'design', 'dan', 1)",
    "INSERT INTO group_members (group_id, person_id) VALUES ('design', 'bob'), ('design', 'dan')",
    "INSERT INTO updates (id, author_id, title, notes, visibility, expectation, revision, version, created_at,
         published_at, listed_at) VALUES
     ('to-group', 'ada', 'T', '', 'audience', 'fyi', 1, 1, 1, 10, 10),
     ('to-bob', 'ada', 'T', '', 'audience', 'acknowledge', 1, 1, 1, 11, 11),
     ('to-all', 'ada', 'T', '', 'audience', 'fyi', 1, 1, 1, 12, 12),
     ('open', 'ada', 'T', '', 'workspace', 'fyi', 1, 1, 1, 13, 13),
     ('draft', 'ada', 'T', '', 'workspace', 'fyi', 1, 1, 1, NULL, 1),
     ('trashed', 'ada', 'T', '', 'workspace', 'fyi', 1, 1, 1, 14, 14),
     ('of-gone', 'gone', 'T', '', 'audience', 'fyi', 1, 1, 1, 15, 15)",
    "UPDATE updates SET everyone_at = 12 WHERE id = 'to-all'",
    "UPDATE updates SET trashed_at = 20 WHERE id = 'trashed'",
    "INSERT INTO group_audience (update_id, group_id) VALUES ('to-group', 'design'), ('draft', 'design'), \
     ('trashed', 'design')",
    "INSERT INTO asked_through (update_id, group_id, person_id) VALUES ('to-group', 'design', 'bob')",
    "INSERT INTO audience (update_id, person_id) VALUES ('to-bob', 'bob')",
    "INSERT INTO receipts (update_id, person_id, sent_at) VALUES
     ('to-group', 'bob', 10),
     ('to-bob', 'bob', 11),
     ('to-all', 'bob', 12),
     ('trashed', 'bob', 14),
     ('to-bob', 'gone', 11)",
    "INSERT INTO receipts (update_id, person_id, sent_at, removed_at) VALUES ('to-bob', 'old', 11, 12)",
    "INSERT INTO links (id, update_id, name, secret_hash, created_at) VALUES ('l1', 'to-bob', 'Open', 'h1', 1), \
     ('l2', 'of-gone', 'Of who left', 'h2', 1)",
    "INSERT INTO links (id, update_id, name, secret_hash, created_at, revoked_at) VALUES ('l3', 'of-gone', \
     'Ended before', 'h3', 1, 5)",
    "INSERT INTO notices (person_id, kind, subject_id, update_id, actor_id, at) VALUES ('dan', 'comment', 'c', \
     'to-group', 'bob', 11)",
    "INSERT INTO mutes (person_id, update_id) VALUES ('dan', 'to-group')",
    "INSERT INTO visits (update_id, person_id, seen_at) VALUES ('to-group', 'dan', 11)",
];

/// Creates a database with schema version 6 and the rows above, and upgrades it. Also runs the query in
/// `docs/OPERATIONS.md` that lists the people who will lose access, and returns its rows: email address, update id and
/// title.
async fn upgrade(url: &str) -> (Db, Vec<(String, String, String)>) {
    sqlx::any::install_default_drivers();
    let mut old = AnyConnection::connect(url).await.unwrap();
    MIGRATOR.run_to(6, &mut old).await.unwrap();
    for statement in SCHEMA_6 {
        old.execute(statement).await.unwrap();
    }
    let operations = include_str!("../../../docs/OPERATIONS.md");
    let query = &operations[operations.find("SELECT p.email, u.id, u.title").unwrap()..];
    let affected = sqlx::query_as(query.split(';').next().unwrap())
        .fetch_all(&mut old)
        .await
        .unwrap();
    old.close().await.unwrap();
    (Db::open(url).await.unwrap(), affected)
}

#[actix_web::test]
async fn upgrade_keeps_access_for_recipients_and_revokes_it_for_later_members() {
    let dir = tempfile::tempdir().unwrap();
    let url = if postgres() {
        empty_database().await
    } else {
        format!("sqlite://{}/old.db?mode=rwc", dir.path().display())
    };
    let (db, affected) = upgrade(&url).await;
    assert_eq!(
        affected,
        [("d".to_owned(), "to-group".to_owned(), "T".to_owned())]
    );
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
    let revoked: Vec<(String, Option<i64>)> =
        sqlx::query_as("SELECT id, revoked_at FROM links ORDER BY id")
            .fetch_all(&mut *connection)
            .await
            .unwrap();
    let revoked: Vec<(&str, Option<i64>)> =
        revoked.iter().map(|(id, at)| (id.as_str(), *at)).collect();
    assert_eq!(revoked, [("l1", None), ("l2", Some(77)), ("l3", Some(5))]);
    let allowed: i64 =
        sqlx::query_scalar("SELECT count(*) FROM updates WHERE later_members_at IS NOT NULL")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
    assert_eq!(allowed, 0);
}
