//! Fills the disk of a server that uses SQLite, sends writes to the server, and then frees space again.
//!
//! The server runs in its own mount namespace, with a small tmpfs for the database. `unshare -rm` creates the
//! namespace without root privileges.

mod small_disk;

use serde_json::json;

use self::small_disk::{SmallDisk, can_mount};
use crate::app::{
    Client, PASSWORD, Response, TestApp, array, email, fixture, media_path, postgres,
};
use crate::gate::{Gate, PREPARATION};

/// The server whose database is copied to the small disk, the people who send the writes, and the
/// updates that the writes change.
struct World {
    app: TestApp,
    ada: Client,
    bob: Client,
    updates: Vec<String>,
}

/// The numbers of pages that are left free on the disk. For each number, the test sends one write
/// while only that many pages are free, and another write after space is freed.
const FREE_PAGES: [u64; 9] = [0, 1, 2, 3, 5, 8, 12, 18, 26];

async fn create_world() -> World {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    for pages in FREE_PAGES {
        app.person(&format!("Person {pages}")).await;
    }
    let mut updates = Vec::new();
    for _ in 0..2 * FREE_PAGES.len() {
        let fields =
            json!({ "title": "Asked", "expectation": "acknowledge", "audience": [email("Bob")] });
        updates.push(ada.update(fields).await);
    }
    app.wait_for_jobs().await;
    World {
        app,
        ada,
        bob,
        updates,
    }
}

const KINDS: [&str; 8] = [
    "sign-in",
    "draft",
    "publication",
    "comment",
    "acknowledgement",
    "upload",
    "edit",
    "much text",
];

impl World {
    /// Sends a write of this kind to the server. A sign-in uses `pages` to select the person. A write to an existing
    /// update uses `n` to select the update.
    async fn write(&self, server: &SmallDisk, kind: &str, pages: u64, n: usize) -> Response {
        let ada = self.ada.with_base(&server.base);
        let bob = self.bob.with_base(&server.base);
        let update = &self.updates[n];
        match kind {
            "sign-in" => {
                let email = email(&format!("Person {pages}"));
                let account = json!({ "email": email, "password": PASSWORD });
                Client::at(&server.base).post("/session", account).await
            }
            "draft" => ada.post("/updates", json!({ "title": "Draft" })).await,
            "publication" => {
                let fields = json!({
                    "title": "T", "expectation": "readback", "audience": [email("Bob")],
                    "publish": true,
                });
                ada.post("/updates", fields).await
            }
            "comment" => {
                let question = json!({ "body": "Hm @Ada", "kind": "question" });
                bob.post(&format!("{update}/comments"), question).await
            }
            "acknowledgement" => bob.put(&format!("{update}/acknowledgement")).await,
            "upload" => {
                let picture = ("media", "a.png", fixture("alpha.png"));
                ada.upload(&format!("{update}/media"), &[], &[picture])
                    .await
            }
            "edit" => {
                let title = format!("Edited {n}");
                ada.patch(update, json!({ "title": title })).await
            }
            "much text" => {
                let fields =
                    json!({ "title": "T", "notes": "words ".repeat(8000), "publish": true });
                ada.post("/updates", fields).await
            }
            other => panic!("{other}"),
        }
    }
}

/// Asserts that the response states that the disk is full and that nothing was stored.
fn assert_disk_full(refused: &Response, what: &str) {
    let problem = refused.problem(503).to_string();
    assert!(
        problem.contains("The disk is full")
            && problem.contains("was not stored")
            && problem.contains("free some space"),
        "{what}: {problem}"
    );
    assert!(
        refused.header("retry-after").parse::<u64>().is_ok(),
        "{what}"
    );
}

#[actix_web::test]
async fn every_kind_of_write_succeeds_after_space_is_freed_on_a_full_disk() {
    if postgres() || !can_mount() {
        return;
    }
    let world = create_world().await;
    for kind in KINDS {
        // Each kind of write needs a new server. Otherwise the write-ahead log would reuse its space and not grow
        // with each write.
        let server = SmallDisk::start(&world.app, 32, None).await;
        let client = Client::at(&server.base);
        for (n, pages) in FREE_PAGES.into_iter().enumerate() {
            server.fill(pages);
            let response = world.write(&server, kind, pages, 2 * n).await;
            let what = format!("{kind} with {pages} free pages");
            if pages == 0 || response.status.is_server_error() {
                assert_disk_full(&response, &what);
            } else {
                assert!(response.status.is_success(), "{what}: {}", response.text());
            }
            let ready = client.get("/readyz").await;
            assert!(
                ready.problem(503)["detail"]
                    .as_str()
                    .unwrap()
                    .contains("database: The disk is full"),
                "{what}: {}",
                ready.text()
            );
            server.make_room();
            let response = world.write(&server, kind, pages, 2 * n + 1).await;
            assert!(
                response.status.is_success(),
                "{what}, after space was freed: {}",
                response.text()
            );
            client.get("/readyz").await.expect(200);
        }
    }
}

async fn sign_in(browser: &Client, name: &str) -> Response {
    let account = [("email", &*email(name)), ("password", PASSWORD)];
    browser.form("POST", "/session", &account).await
}

#[actix_web::test]
async fn pages_can_be_opened_and_forms_keep_their_text_when_the_disk_is_full() {
    if postgres() || !can_mount() {
        return;
    }
    let world = create_world().await;
    let server = SmallDisk::start(&world.app, 32, None).await;
    let browser = Client::at(&server.base).accept("text/html");
    let signed_in = sign_in(&browser, "Ada").await;
    assert_eq!(signed_in.status.as_u16(), 303, "{}", signed_in.text());
    server.fill(0);
    for path in ["/updates", "/inbox", "/receipts", &world.updates[0]] {
        browser.get(path).await.expect(200);
    }
    let comments = format!("{}/comments", world.updates[0]);
    let typed = [("body", "Typed on a full disk")];
    let page = browser.form("POST", &comments, &typed).await;
    let page = page.expect(503).text();
    for text in [
        "Typed on a full disk",
        "The disk is full",
        "was not stored",
        "free some space",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let other = Client::at(&server.base).accept("text/html");
    let page = sign_in(&other, "Bob").await.expect(503).text();
    assert!(page.contains("The disk is full"), "{page}");
    server.make_room();
    let again = browser.form("POST", &comments, &typed).await;
    assert_eq!(again.status.as_u16(), 303, "{}", again.text());
}

#[actix_web::test]
async fn writes_succeed_again_after_the_write_ahead_log_filled_the_disk_and_space_was_freed() {
    if postgres() || !can_mount() {
        return;
    }
    let world = create_world().await;
    let server = SmallDisk::start(&world.app, 32, None).await;
    let ada = world.ada.with_base(&server.base);
    // The write-ahead log can grow in this space until SQLite checkpoints it. The checkpoint then fails, because too
    // little space is left to extend the database file.
    server.fill(1100);
    let write = async || {
        ada.post(
            "/updates",
            json!({ "title": "T", "notes": "many words ".repeat(4000), "publish": true }),
        )
        .await
    };
    let mut stored = 0;
    let refused = loop {
        let response = write().await;
        if response.status.is_server_error() {
            break response;
        }
        assert!(response.status.is_success(), "{}", response.text());
        stored += 1;
        assert!(stored < 1000, "the disk never filled up");
    };
    assert_disk_full(&refused, &format!("after {stored}"));
    server.make_room();
    for n in 0..60 {
        let response = write().await;
        assert!(
            response.status.is_success(),
            "write {n} after space was freed: {}",
            response.text()
        );
    }
    assert_eq!(
        ada.get("/updates?author=").await.expect(200).json()["items"]
            .as_array()
            .unwrap()
            .len(),
        30,
        "a full page of updates"
    );
    Client::at(&server.base).get("/readyz").await.expect(200);
}

#[actix_web::test]
async fn job_outcome_that_could_not_be_stored_on_a_full_disk_is_stored_after_space_is_freed() {
    if postgres() || !can_mount() {
        return;
    }
    let world = create_world().await;
    let mut gate = Gate::holding(&[PREPARATION]);
    let server = SmallDisk::start(&world.app, 32, Some(&gate.ffmpeg())).await;
    let ada = world.ada.with_base(&server.base);
    let video = [("media", "a.webm", fixture("rec-vp8-opus-3s.webm"))];
    let update = ada
        .upload("/updates", &[("title", "Searchable")], &video)
        .await
        .expect(201)
        .json();
    let media = media_path(&update["media"][0]);
    world
        .app
        .wait_for(&ada, &media, |media| {
            media["reason"] == "Making the video seekable"
        })
        .await;
    server.fill(0);
    gate.open(PREPARATION);
    world
        .app
        .wait_until("the outcome of the job could not be recorded", async || {
            server
                .log()
                .contains("the outcome of a job could not be recorded; retrying")
        })
        .await;
    server.make_room();
    world
        .app
        .wait_for(&ada, &media, |media| media["state"] == "ready")
        .await;
    // A job that is enqueued later also runs.
    ada.update(json!({ "title": "Later", "notes": "afterwards" }))
        .await;
    world
        .app
        .wait_for(&ada, "/updates?q=afterwards", |found| {
            array(&found["items"]).len() == 1
        })
        .await;
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
