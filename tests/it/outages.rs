//! Outages of the storage and the database: requests fail with a clear error, and all work continues after the
//! outage.

use serde_json::json;

use crate::app::{Client, TestApp, array, authority, fixture, postgres, text, update_path};
use crate::cable::{Cable, DetachableStorage};
use crate::tus::Sender;

/// Asserts that the readiness check fails and names this component.
async fn assert_not_ready(client: &Client, part: &str) {
    let ready = client.get("/readyz").await;
    assert!(
        text(&ready.problem(503)["detail"]).contains(part),
        "{}",
        ready.text()
    );
}

async fn wait_until_ready(app: &TestApp, client: &Client) {
    app.wait_until("the server is ready", async || {
        client.get("/readyz").await.status == 200
    })
    .await;
}

#[actix_web::test]
async fn uploads_are_rejected_during_a_storage_outage_but_the_typed_text_is_kept() {
    let (app, storage) = DetachableStorage::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let path = ada.update(json!({ "title": "Before" })).await;
    let pictures = [("media", "a.png", fixture("alpha.png"))];

    storage.detach();
    let fields = [("title", "During")];
    let refused = ada.upload("/updates", &fields, &pictures).await;
    assert!(
        text(&refused.problem(503)["errors"]["media[0]"]).contains("storage"),
        "{}",
        refused.text()
    );
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
    let video = [("media", "a.webm", fixture("rec-vp8-opus-3s.webm"))];
    ada.upload(&format!("{path}/media"), &[], &video)
        .await
        .problem(503);
    let fields = [("title", "Typed during")];
    let page = browser.upload("/updates", &fields, &pictures).await;
    let page = page.expect(503).text();
    assert!(page.contains("Typed during"), "{page}");
    let pictures = [("pictures", "a.png", fixture("alpha.png"))];
    let fields = [("body", "Said during")];
    let page = browser
        .upload(&format!("{path}/comments"), &fields, &pictures)
        .await;
    assert!(
        page.status == 503 && page.text().contains("Said during"),
        "{}",
        page.text()
    );
    storage.attach();
    assert_eq!(array(&ada.get("/updates").await.json()["items"]).len(), 1);
}

#[actix_web::test]
async fn pages_and_comments_work_during_a_storage_outage() {
    let (app, storage) = DetachableStorage::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let files = [("media", "a.png", fixture("alpha.png"))];
    let update = ada
        .upload("/updates", &[("title", "Before")], &files)
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    let path = update_path(&update);
    let media = text(&update["media"][0]["renditions"][0]["url"]);
    let ready = ada.get("/readyz").await.expect(200).json();
    assert_eq!(ready["status"], "ready");

    storage.detach();
    assert_not_ready(&ada, "storage").await;
    ada.get("/healthz").await.expect(200);
    browser.get(&path).await.expect(200);
    ada.post(&format!("{path}/comments"), json!({ "body": "Still here" }))
        .await
        .expect(201);
    let bytes = app.client().get(media).await;
    assert!(
        matches!(bytes.status.as_u16(), 404 | 503),
        "{}",
        bytes.text()
    );
    ada.upload("/updates", &[("title", "During")], &files)
        .await
        .problem(503);

    storage.attach();
    wait_until_ready(&app, &ada).await;
    ada.upload("/updates", &[("title", "After")], &files)
        .await
        .expect(201);
    app.client().get(media).await.expect(200);
    assert_eq!(
        array(&ada.get("/updates").await.json()["items"]).len(),
        2,
        "the rejected update was not stored"
    );
}

#[actix_web::test]
async fn upload_resumes_after_a_storage_outage() {
    let (app, storage) = DetachableStorage::start().await;
    let ada = app.person("Ada").await;
    let recording = fixture("rec-vp9-opus-10s.webm");
    let length = recording.len().to_string();
    let sender = Sender::recording(&ada).await;
    sender.send(0, &recording[..100_000]).await;
    storage.detach();
    let next = &recording[100_000..200_000];
    let refused = sender.patch(100_000, next, &[]).await;
    refused.problem(503);
    assert_ne!(refused.header("retry-after"), "");
    let head = sender.head().await.expect(200);
    assert_eq!(head.header("upload-offset"), "100000");
    storage.attach();
    sender.patch(100_000, next, &[]).await.expect(204);
    // Make the storage unavailable before the last request, which would finish the upload.
    storage.detach();
    let finish = [("upload-length", length.as_str())];
    sender
        .patch(200_000, &recording[200_000..], &finish)
        .await
        .problem(503);
    storage.attach();
    let head = sender.head().await.expect(200);
    let offset: usize = head.header("upload-offset").parse().unwrap();
    assert!([200_000, recording.len()].contains(&offset), "{offset}");
    sender
        .patch(offset, &recording[offset..], &finish)
        .await
        .expect(204);
    assert!(sender.original().await == recording);
}

/// Starts a server that uses PostgreSQL. Also returns a proxy that can cut and restore the connections to the database.
async fn start_with_database_cable() -> (TestApp, Cable) {
    let cable = Cable::to(authority(&std::env::var("HEARBACK_TEST_POSTGRES").unwrap())).await;
    let proxy = cable.address.to_string();
    let app = TestApp::start_with(|config| {
        let direct = authority(&config.database_url);
        config.database_url = config.database_url.replace(&direct, &proxy);
    })
    .await;
    (app, cable)
}

#[actix_web::test]
async fn typed_text_is_kept_during_a_database_outage_and_all_work_resumes_afterwards() {
    if !postgres() {
        return;
    }
    let (app, cable) = start_with_database_cable().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let path = ada.update(json!({ "title": "T" })).await;
    // Wait for all jobs before the outage. A job that lost its connection would be retried only after its lease has
    // expired.
    app.wait_for_jobs().await;
    cable.cut();
    let refused = ada.get(&path).await;
    refused.problem(503);
    assert!(
        refused.header("retry-after").parse::<u64>().is_ok()
            && !refused.header("x-request-id").is_empty()
    );
    assert_not_ready(&app.client(), "database").await;
    app.client().get("/healthz").await.expect(200);
    let typed = [("title", "Typed while away"), ("notes", "Many words")];
    assert_pages_keep_typed_text(&browser, &path, &typed).await;

    cable.mend();
    wait_until_ready(&app, &ada).await;
    let published = browser.upload("/updates", &typed, &[]).await;
    assert_eq!(published.status.as_u16(), 303);
    app.wait_for_jobs().await;
    let found = ada.get("/updates?q=words").await.json();
    assert_eq!(array(&found["items"]).len(), 1, "jobs run again");
}

async fn assert_pages_keep_typed_text(browser: &Client, path: &str, typed: &[(&str, &str)]) {
    let pictures = [("media", "a.png", fixture("alpha.png"))];
    let edit = format!("{path}?_method=PATCH");
    for page in [
        browser.upload("/updates", typed, &pictures).await,
        browser.form("POST", &edit, typed).await,
    ] {
        let page = page.expect(503).text();
        assert!(
            page.contains("Typed while away") && page.contains("Many words"),
            "{page}"
        );
    }
    let fields = [("body", "Said while away")];
    let page = browser
        .upload(&format!("{path}/comments"), &fields, &[])
        .await
        .expect(503)
        .text();
    assert!(page.contains("Said while away"), "{page}");
}

#[actix_web::test]
async fn locked_database_file_is_reported_as_busy() {
    if postgres() {
        return;
    }
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let url = format!("sqlite://{}/hearback.db", app.dir.path().display());
    let mut other = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url)
        .await
        .unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let refused = ada.post("/updates", json!({ "title": "T" })).await;
    refused.problem(503);
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
    ada.get("/updates").await.expect(200);
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    ada.post("/updates", json!({ "title": "T" }))
        .await
        .expect(201);
}
