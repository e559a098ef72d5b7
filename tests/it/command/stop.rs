//! Tests that stop `hearback serve` cleanly.

use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::{Serving, hearback, run, stdout};
use crate::app::{Client, comment_path};

/// A word that no other text contains.
const SECRET: &str = "zebrafunkwolke";

/// A server, and a client for one person.
struct Server {
    serving: Serving,
    client: Client,
}

impl Server {
    /// Starts a server with this data folder. Its client uses this API token.
    fn start(folder: &Path, token: &str) -> Self {
        let settings = [("HEARBACK_DATA", folder.to_str().unwrap())];
        let serving = Serving::start(&settings, Stdio::piped());
        let client = Client::at(&serving.base).bearer(token);
        Self { serving, client }
    }

    /// Writes a comment with the secret word and deletes it.
    async fn comment_and_delete(&self) {
        let update = self.client.update(json!({ "title": "Plan" })).await;
        let body = json!({ "body": format!("Never mind the {SECRET}") });
        let comment = self
            .client
            .post(&format!("{update}/comments"), body)
            .await
            .expect(201)
            .json();
        self.client
            .delete(&comment_path(&comment))
            .await
            .expect(204);
    }
}

/// Adds a person and returns an API token of that person.
async fn add_person(folder: &Path) -> String {
    let settings = [("HEARBACK_DATA", folder.to_str().unwrap())];
    let person = ["--email", "ada@example.org", "--name", "Ada"];
    let add = hearback(&settings, &[&["person", "add"][..], &person].concat());
    stdout(&run(add, "").await);
    let token = ["token", "add", "--person", "ada@example.org", "--name", "x"];
    let printed = stdout(&run(hearback(&settings, &token), "").await);
    printed.trim().to_owned()
}

/// Whether a file of the database contains the secret word.
fn is_stored(folder: &Path) -> bool {
    let files = ["hearback.db", "hearback.db-wal"].map(|name| std::fs::read(folder.join(name)));
    let mut files = files.iter().flatten();
    files.any(|bytes| {
        bytes
            .windows(SECRET.len())
            .any(|word| word == SECRET.as_bytes())
    })
}

#[actix_web::test]
async fn clean_stop_erases_deleted_text_or_warns_if_another_database_reader_prevents_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let token = add_person(folder).await;
    let warning = "the write-ahead log could not be emptied";

    let server = Server::start(folder, &token);
    server.comment_and_delete().await;
    let log = server.serving.stop();
    assert!(!log.contains(warning), "{log}");
    assert!(!is_stored(folder));

    let server = Server::start(folder, &token);
    let options = SqliteConnectOptions::new().filename(folder.join("hearback.db"));
    let mut reader = SqliteConnection::connect_with(&options).await.unwrap();
    let mut reading = reader.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM people")
        .fetch_one(&mut *reading)
        .await
        .unwrap();
    server.comment_and_delete().await;
    let log = server.serving.stop();
    assert!(log.contains(warning), "{log}");
    assert!(is_stored(folder));
    drop(reading);
    reader.close().await.unwrap();
}
