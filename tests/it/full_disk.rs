//! A disk that fills up under SQLite, at every step of every kind of write, and has space again.
//!
//! The server runs in a mount namespace of its own with a small tmpfs for the database: that needs no privileges (`unshare -rm`).

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;
use sqlx::Connection;
use tempfile::TempDir;

use crate::app::{
    Client, PASSWORD, Response, TestApp, array, email, fixture, media_path, postgres,
};
use crate::gate::{Gate, PREPARATION};

const PAGE: u64 = 4096;

/// A server whose database is on a disk of its own.
struct SmallDisk {
    server: Child,
    base: String,
    /// The disk, as this process reaches it.
    disk: PathBuf,
    data: TempDir,
    _mount: TempDir,
}

/// Whether a disk can be mounted here; else the tests say so and end.
fn can_mount() -> bool {
    let dir = tempfile::tempdir().unwrap();
    let tried = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "none"])
        .arg(dir.path())
        .output();
    let mounted = tried.as_ref().is_ok_and(|done| done.status.success());
    if !mounted {
        eprintln!(
            "SKIPPED: no tmpfs can be mounted in a namespace here, so a full disk was NOT tested: {tried:?}"
        );
    }
    mounted
}

impl SmallDisk {
    /// Starts with a copy of the database of `app`, and `mebibytes` of disk.
    async fn start(app: &TestApp, mebibytes: u32, ffmpeg: Option<&Path>) -> Self {
        let (data, mount) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let seed = data.path().join("seed.db");
        copy_database(app, &seed).await;
        let script = "mount -t tmpfs -o size=$SIZE none $MOUNT && cp $SEED $MOUNT/hearback.db && exec \"$@\"";
        let log = File::create(data.path().join("log")).unwrap();
        let mut command = Command::new("unshare");
        command.args([
            "-rm",
            "sh",
            "-c",
            script,
            "sh",
            env!("CARGO_BIN_EXE_hearback"),
            "serve",
            "--listen",
            "127.0.0.1:0",
        ]);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HEARBACK_")) {
            command.env_remove(name);
        }
        command
            .env("SIZE", format!("{mebibytes}m"))
            .env("MOUNT", mount.path())
            .env("SEED", &seed)
            .env(
                "DATABASE_URL",
                format!("sqlite://{}/hearback.db?mode=rwc", mount.path().display()),
            )
            .env("HEARBACK_DATA", data.path());
        if let Some(ffmpeg) = ffmpeg {
            command.env("HEARBACK_FFMPEG", ffmpeg);
        }
        let mut server = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let line = BufReader::new(server.stdout.take().unwrap())
            .lines()
            .next()
            .unwrap()
            .unwrap();
        let base = line
            .strip_prefix("Hearback listens on ")
            .unwrap_or_else(|| panic!("{line}"))
            .to_owned();
        // Neither `unshare` nor `sh` forks here, so the server has the id of the first.
        let disk = PathBuf::from(format!(
            "/proc/{}/root{}",
            server.id(),
            mount.path().display()
        ));
        assert!(disk.join("hearback.db").exists());
        Self {
            server,
            base,
            disk,
            data,
            _mount: mount,
        }
    }

    /// Leaves so many pages free.
    fn fill(&self, pages: u64) {
        let ballast = File::create(self.disk.join("ballast")).unwrap();
        let mut size = 0;
        for block in [256 * PAGE, PAGE] {
            let zeros = vec![0; usize::try_from(block).unwrap()];
            while let Ok(written) = ballast.write_at(&zeros, size) {
                size += u64::try_from(written).unwrap();
            }
        }
        ballast.set_len(size.saturating_sub(pages * PAGE)).unwrap();
    }

    fn make_room(&self) {
        std::fs::remove_file(self.disk.join("ballast")).unwrap();
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("log")).unwrap()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

async fn copy_database(app: &TestApp, to: &Path) {
    let url = format!("sqlite://{}/hearback.db", app.dir.path().display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("VACUUM INTO $1")
        .bind(to.display().to_string())
        .execute(&mut connection)
        .await
        .unwrap();
}

/// The people and updates that the writes are about.
struct World {
    app: TestApp,
    ada: Client,
    bob: Client,
    updates: Vec<String>,
}

/// How many tries of each kind there are, two writes each.
const STEPS: [u64; 9] = [0, 1, 2, 3, 5, 8, 12, 18, 26];

async fn world() -> World {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    for step in STEPS {
        app.person(&format!("Person {step}")).await;
    }
    let mut updates = Vec::new();
    for _ in 0..2 * STEPS.len() {
        updates.push(ada.update(json!({ "title": "Asked", "expectation": "acknowledge", "audience": [email("Bob")] })).await);
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
    /// The `n`th write of a kind, at step `step`.
    async fn write(&self, server: &SmallDisk, kind: &str, step: u64, n: usize) -> Response {
        let (ada, bob) = (
            self.ada.with_base(&server.base),
            self.bob.with_base(&server.base),
        );
        let update = &self.updates[n];
        match kind {
            "sign-in" => {
                let (email, nobody) = (email(&format!("Person {step}")), Client::at(&server.base));
                nobody
                    .post("/session", json!({ "email": email, "password": PASSWORD }))
                    .await
            }
            "draft" => ada.post("/updates", json!({ "title": "Draft" })).await,
            "publication" => {
                let fields = json!({ "title": "T", "expectation": "readback", "audience": [email("Bob")], "publish": true });
                ada.post("/updates", fields).await
            }
            "comment" => {
                bob.post(
                    &format!("{update}/comments"),
                    json!({ "body": "Hm @Ada", "kind": "question" }),
                )
                .await
            }
            "acknowledgement" => bob.put(&format!("{update}/acknowledgement")).await,
            "upload" => {
                ada.upload(
                    &format!("{update}/media"),
                    &[],
                    &[("media", "a.png", fixture("alpha.png"))],
                )
                .await
            }
            "edit" => {
                ada.patch(update, json!({ "title": format!("Edited {n}") }))
                    .await
            }
            "much text" => {
                ada.post(
                    "/updates",
                    json!({ "title": "T", "notes": "words ".repeat(8000), "publish": true }),
                )
                .await
            }
            other => panic!("{other}"),
        }
    }
}

fn assert_refused_truly(refused: &Response, what: &str) {
    let said = refused.problem(503).to_string();
    assert!(
        said.contains("The disk is full")
            && said.contains("was not stored")
            && said.contains("make room"),
        "{what}: {said}"
    );
    assert!(
        refused.header("retry-after").parse::<u64>().is_ok(),
        "{what}"
    );
}

#[actix_web::test]
async fn first_write_of_every_kind_succeeds_after_a_full_disk_has_space_again() {
    if postgres() || !can_mount() {
        return;
    }
    let world = world().await;
    for kind in KINDS {
        // A new server for each, so that its log grows with every write: one that was begun again has room of its own for a while.
        let server = SmallDisk::start(&world.app, 32, None).await;
        let client = Client::at(&server.base);
        for (n, step) in STEPS.into_iter().enumerate() {
            server.fill(step);
            let answer = world.write(&server, kind, step, 2 * n).await;
            let what = format!("{kind} with {step} pages free");
            if step == 0 || answer.status.is_server_error() {
                assert_refused_truly(&answer, &what);
            } else {
                assert!(answer.status.is_success(), "{what}: {}", answer.text());
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
            let answer = world.write(&server, kind, step, 2 * n + 1).await;
            assert!(
                answer.status.is_success(),
                "{what}, then after there was room: {}",
                answer.text()
            );
            client.get("/readyz").await.expect(200);
        }
    }
}

#[actix_web::test]
async fn pages_are_read_and_keep_what_was_typed_on_a_full_disk() {
    if postgres() || !can_mount() {
        return;
    }
    let world = world().await;
    let server = SmallDisk::start(&world.app, 32, None).await;
    let browser = Client::at(&server.base).accept("text/html");
    let signed_in = browser
        .form(
            "POST",
            "/session",
            &[("email", &email("Ada")), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(signed_in.status.as_u16(), 303, "{}", signed_in.text());
    server.fill(0);
    for path in ["/updates", "/inbox", "/receipts", &world.updates[0]] {
        browser.get(path).await.expect(200);
    }
    let page = browser
        .form(
            "POST",
            &format!("{}/comments", world.updates[0]),
            &[("body", "Typed on a full disk")],
        )
        .await
        .expect(503)
        .text();
    for words in [
        "Typed on a full disk",
        "The disk is full",
        "was not stored",
        "make room",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let sign_in = [("email", email("Bob")), ("password", PASSWORD.into())];
    let fields: Vec<(&str, &str)> = sign_in
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let page = Client::at(&server.base)
        .accept("text/html")
        .form("POST", "/session", &fields)
        .await
        .expect(503)
        .text();
    assert!(page.contains("The disk is full"), "{page}");
    server.make_room();
    let again = browser
        .form(
            "POST",
            &format!("{}/comments", world.updates[0]),
            &[("body", "Typed on a full disk")],
        )
        .await;
    assert_eq!(again.status.as_u16(), 303, "{}", again.text());
}

#[actix_web::test]
async fn log_that_fills_the_disk_is_written_back_once_there_is_room() {
    if postgres() || !can_mount() {
        return;
    }
    let world = world().await;
    let server = SmallDisk::start(&world.app, 32, None).await;
    let ada = world.ada.with_base(&server.base);
    // Enough for the log to reach its checkpoint, which then cannot make the file itself longer.
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
        let answer = write().await;
        if answer.status.is_server_error() {
            break answer;
        }
        assert!(answer.status.is_success(), "{}", answer.text());
        stored += 1;
        assert!(stored < 1000, "the disk never filled up");
    };
    assert_refused_truly(&refused, &format!("after {stored}"));
    server.make_room();
    for n in 0..60 {
        let answer = write().await;
        assert!(
            answer.status.is_success(),
            "write {n} after there was room: {}",
            answer.text()
        );
    }
    assert_eq!(
        ada.get("/updates?author=").await.expect(200).json()["items"]
            .as_array()
            .unwrap()
            .len(),
        30,
        "a page of them"
    );
    Client::at(&server.base).get("/readyz").await.expect(200);
}

#[actix_web::test]
async fn jobs_that_end_on_a_full_disk_are_written_down_once_there_is_room() {
    if postgres() || !can_mount() {
        return;
    }
    let world = world().await;
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
            media["reason"] == "Making it seekable"
        })
        .await;
    server.fill(0);
    gate.open(PREPARATION);
    world
        .app
        .wait_until("its end could not be written down", async || {
            server.log().contains("could not be written down yet")
        })
        .await;
    server.make_room();
    world
        .app
        .wait_for(&ada, &media, |media| media["state"] == "ready")
        .await;
    // Work that begins later is claimed and finished, too.
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
