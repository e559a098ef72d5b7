//! Upgrades an installation in which an earlier version left unfinished work. The current version
//! finishes this work and still accepts the addresses that the earlier version signed.
//!
//! `tests/fixtures/schema-6` was recorded from a running server. It contains an unfinished upload,
//! a redaction whose picture is hidden but not yet deleted, a pending job of every kind, drafts, a
//! snooze, a share link and a session. Never record it again: only the earlier version can produce
//! this data.

use std::path::Path;

use aws_sdk_s3::primitives::ByteStream;
use hearback::clock;
use hearback::config::Config;
use hearback::infra::db::MIGRATOR;
use hearback::infra::smtp::{Mailer, Server, parse_sender};
use hearback::working_hours::{self, WorkSchedule, WorkingHours};
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

use crate::app::{Client, TestApp, array, empty_database, files, fixture, postgres, s3};
use crate::markup::rendition;
use crate::sink::Sink;
use crate::tus::Sender;

/// The schema version of the snapshot.
const SCHEMA: i64 = 6;
/// The base URL of the recorded installation. Links in its emails begin with this URL.
const URL: &str = "http://hearback.example.org";
/// Numbers above this value are timestamps in milliseconds. The test shifts them to the present, because sessions,
/// links and unfinished uploads expire.
const TIMES: i64 = 1_500_000_000_000;

/// The recorded installation after the current version has upgraded it.
struct Upgraded {
    app: TestApp,
    known: Value,
    sink: Sink,
}

impl Upgraded {
    async fn open() -> Self {
        let name = if postgres() {
            "postgres-s3"
        } else {
            "sqlite-disk"
        };
        let snapshot: Value =
            serde_json::from_slice(&fixture(&format!("schema-6/{name}.json"))).unwrap();
        let sink = Sink::start().await;
        let server = Server::parse(&sink.url).unwrap();
        let database = if postgres() {
            Some(empty_database().await)
        } else {
            None
        };
        let settings = move |config: &mut Config| {
            config.url = Some(URL.into());
            config.mail = Some(Mailer::new(
                server,
                parse_sender("Hearback <hearback@example.org>").unwrap(),
            ));
            if let Some(url) = database {
                config.database_url = url;
            }
        };
        let restored = async |config: &Config| {
            restore(&config.database_url, &snapshot).await;
            restore_objects(name, config).await;
        };
        let app = TestApp::start_prepared(settings, restored).await;
        Self {
            app,
            known: snapshot["known"].clone(),
            sink,
        }
    }

    fn known(&self, name: &str) -> &str {
        self.known[name].as_str().unwrap()
    }

    fn person(&self, name: &str) -> Client {
        self.app
            .client()
            .bearer(self.known(name).trim_start_matches("Bearer "))
    }

    async fn finish_jobs(&self) {
        // Emails are due after ten seconds, and a redaction job is due after a minute.
        self.app.state.clock.advance(61_000);
        self.app.wait_for_jobs().await;
    }
}

/// Creates the schema of the snapshot and fills its tables.
async fn restore(url: &str, snapshot: &Value) {
    sqlx::any::install_default_drivers();
    let mut database = AnyConnection::connect(url).await.unwrap();
    MIGRATOR.run_to(SCHEMA, &mut database).await.unwrap();
    sqlx::query("DELETE FROM event_counter")
        .execute(&mut database)
        .await
        .unwrap();
    let later = clock::real_now() - snapshot["recorded_at"].as_i64().unwrap();
    let tables = snapshot["tables"].as_object().unwrap();
    // Tables are created after the tables that they reference. Inserting rows in the order of creation satisfies all
    // foreign keys.
    let order: Vec<String> = MIGRATOR
        .iter()
        .flat_map(|migration| tables_of(migration.sql.as_str()))
        .collect();
    for table in order.iter().filter(|table| tables.contains_key(*table)) {
        for row in array(&tables[table]) {
            insert(&mut database, table, row.as_object().unwrap(), later).await;
        }
    }
    database.close().await.unwrap();
}

fn tables_of(sql: &str) -> Vec<String> {
    sql.lines()
        .filter_map(|line| line.strip_prefix("CREATE TABLE "))
        .map(|rest| rest.trim_end_matches(" (").to_owned())
        .collect()
}

async fn insert(
    database: &mut AnyConnection,
    table: &str,
    row: &serde_json::Map<String, Value>,
    later: i64,
) {
    let filled: Vec<(&String, &Value)> = row.iter().filter(|(_, value)| !value.is_null()).collect();
    let columns: Vec<&str> = filled.iter().map(|(column, _)| column.as_str()).collect();
    let places = hearback::infra::db::placeholders(1, filled.len());
    let statement = format!(
        "INSERT INTO {table} ({}) VALUES ({places})",
        columns.join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for (_, value) in filled {
        query = match value.as_i64() {
            Some(time) if time > TIMES => query.bind(time + later),
            Some(number) => query.bind(number),
            None => query.bind(value.as_str().unwrap()),
        };
    }
    query.execute(database).await.unwrap();
}

async fn restore_objects(name: &str, config: &Config) {
    let recorded = format!(
        "{}/tests/fixtures/schema-6/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    for file in files(Path::new(&recorded)) {
        let key = file.strip_prefix(&format!("{recorded}/")).unwrap();
        match &config.storage {
            hearback::config::StorageLocation::S3 { bucket, prefix } => {
                let body = ByteStream::from(std::fs::read(&file).unwrap());
                s3().put_object()
                    .bucket(bucket)
                    .key(format!("{prefix}/{key}"))
                    .body(body)
                    .send()
                    .await
                    .unwrap();
            }
            hearback::config::StorageLocation::Disk => {
                let to = config.data_dir.join("media").join(key);
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                std::fs::copy(&file, to).unwrap();
            }
        }
    }
}

#[actix_web::test]
async fn upgraded_installation_finishes_every_pending_job() {
    let old = Upgraded::open().await;
    old.finish_jobs().await;
    let (ada, bob) = (old.person("ada"), old.person("bob"));
    let state = async |name: &str| {
        ada.get(&format!("/media/{}", old.known(name)))
            .await
            .expect(200)
            .json()["state"]
            .clone()
    };
    assert_eq!(
        (state("video").await, state("processing").await),
        (json!("ready"), json!("ready"))
    );
    // The picture with markup has a copy that shows the markup. The redaction is complete, so the redacted picture is
    // visible again.
    let names = |media: &Value| {
        array(&media["renditions"])
            .iter()
            .map(|one| one["name"].clone())
            .collect::<Vec<_>>()
    };
    let marked = bob
        .get(&format!("/media/{}", old.known("marked")))
        .await
        .expect(200)
        .json();
    assert!(names(&marked).contains(&json!("marked")), "{marked}");
    assert_eq!(state("hidden").await, json!("ready"));
    assert_eq!(old.app.count("SELECT count(*) FROM burns").await, 0);
    let found = bob.get("/search?q=fresh").await.expect(200).json();
    assert_eq!(array(&found["items"]).len(), 1, "{found}");
    // Emails wait for the working hours of their recipients, who are all in Berlin.
    let berlin = WorkSchedule::new("Europe/Berlin", WorkingHours::default(), None);
    let now = old.app.state.clock.now();
    let at = working_hours::next_working_moment(&berlin, now);
    old.app.state.clock.advance(at - now);
    old.app.wait_for_jobs().await;
    assert!(!old.sink.receivers().is_empty());
}

#[actix_web::test]
async fn upgraded_installation_resumes_an_upload_where_it_stopped() {
    let old = Upgraded::open().await;
    let path = old.known("upload").to_owned();
    let upload = Sender {
        client: old.person("ada"),
        path,
        media: old.known("upload_media").into(),
        update: String::new(),
    };
    let recording = fixture("count.webm");
    let received = upload.offset().await;
    assert_eq!(received as i64, old.known["uploaded"].as_i64().unwrap());
    upload.send(received, &recording[received..]).await;
    upload.finish(recording.len()).await.expect(204);
    old.finish_jobs().await;
    assert_eq!(upload.media().await["state"], "ready");
    let media = upload.media().await;
    let url = rendition(&media, "original").unwrap()["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let original = upload
        .client
        .get(url.strip_prefix(URL).unwrap())
        .await
        .expect(200)
        .body;
    assert!(original == recording);
}

#[actix_web::test]
async fn upgraded_installation_keeps_sessions_links_and_drafts() {
    let old = Upgraded::open().await;
    let cookies = |cookie: &str| {
        old.app
            .client()
            .accept("text/html")
            .header("cookie", cookie)
    };
    cookies(old.known("session"))
        .get("/inbox")
        .await
        .expect(200);
    let guest = cookies(old.known("guest"));
    assert!(
        guest
            .get(old.known("answered"))
            .await
            .expect(200)
            .text()
            .contains("From outside")
    );
    old.app
        .client()
        .get(&format!("/s/{}", old.known("link")))
        .await
        .expect(200);
    old.app
        .client()
        .get(&format!("/invitations/{}", old.known("invitation")))
        .await
        .expect(200);
    let bob = old.person("bob");
    let inbox = bob.get("/inbox").await.expect(200).json();
    let asked = array(&inbox["owed_by_me"]);
    assert!(
        asked
            .iter()
            .all(|entry| entry["update"]["title"] != "Asked"),
        "the entry is still snoozed: {inbox}"
    );
    let answered = bob.get(old.known("answered")).await.expect(200).json();
    assert_eq!(
        (
            &answered["my_receipt"]["state"],
            &answered["my_receipt"]["readback"]
        ),
        (&json!("read_back"), &json!("I do it."))
    );
    let draft = old
        .app
        .count("SELECT count(*) FROM drafts WHERE body = 'Half a thought'")
        .await;
    assert_eq!(draft, 1);
}

#[actix_web::test]
async fn addresses_signed_by_an_earlier_version_are_still_valid() {
    let old = Upgraded::open().await;
    let unsubscribe = format!("/unsubscribe/{}", old.known("unsubscribe"));
    // The media addresses were signed for different credentials: a token, a session and a share link.
    let addresses = [
        unsubscribe.as_str(),
        old.known("media"),
        old.known("media_of_session"),
        old.known("media_of_link"),
    ];
    let types = ["application/json", "image/jpeg", "image/jpeg", "image/jpeg"];
    for (address, content_type) in addresses.into_iter().zip(types) {
        assert_eq!(
            old.app
                .client()
                .get(address)
                .await
                .expect(200)
                .header("content-type"),
            content_type,
            "{address}"
        );
        old.app.client().get(&changed(address)).await.expect(404);
    }
    let guest = |cookie: &str| old.app.client().header("cookie", cookie);
    let seen = guest(old.known("guest"))
        .get(old.known("answered"))
        .await
        .expect(200)
        .json();
    assert_eq!(seen["title"], "Answered");
    guest(&changed(old.known("guest")))
        .get(old.known("answered"))
        .await
        .expect(401);
    // Email clients send the unsubscribe request without a cookie.
    let one_click = old
        .app
        .client()
        .form("POST", &unsubscribe, &[("List-Unsubscribe", "One-Click")])
        .await;
    one_click.expect(204);
    assert_eq!(
        old.app.client().get(&unsubscribe).await.expect(200).json()["mail"],
        false
    );
}

/// Makes a signature invalid by replacing its first character. The signature is the last part of the value.
fn changed(signed: &str) -> String {
    let at = signed.rfind(['.', '=']).unwrap() + 1;
    let other = if signed[at..].starts_with('0') {
        '1'
    } else {
        '0'
    };
    format!("{}{other}{}", &signed[..at], &signed[at + 1..])
}
