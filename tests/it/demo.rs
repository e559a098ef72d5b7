//! `hearback demo`, run as a process.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::app::{Client, array, text, texts, update_path};
use crate::command::terminate;

/// A running demo.
struct Demo {
    process: Child,
    base: String,
    email: String,
    password: String,
}

impl Demo {
    /// Starts the demo, and reads the address and the account that it prints.
    fn start(command: &mut Command) -> Self {
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let printed: Vec<String> = lines
            .map(Result::unwrap)
            .take_while(|line| !line.contains("Ctrl+C"))
            .collect();
        let base = printed[0]
            .split(' ')
            .find(|word| word.starts_with("http://"))
            .unwrap();
        Self {
            process,
            base: base.to_owned(),
            email: printed[1].split(' ').nth(3).unwrap().to_owned(),
            password: printed[1].split(": ").nth(1).unwrap().to_owned(),
        }
    }

    /// Signs in with the printed account. Returns a browser and a client that requests JSON.
    async fn sign_in(&self) -> (Client, Client) {
        let browser = Client::at(&self.base).accept("text/html");
        let form = [("email", &*self.email), ("password", &*self.password)];
        browser.form("POST", "/session", &form).await.expect(303);
        let program = browser.clone().header("accept", "application/json");
        (browser, program)
    }

    async fn stop(mut self) {
        terminate(&self.process);
        let exited = tokio::task::spawn_blocking(move || self.process.wait().unwrap());
        assert_eq!(exited.await.unwrap().code(), Some(0));
    }
}

fn demo(arguments: &[&OsStr]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearback"));
    command.arg("demo").args(arguments);
    command
}

#[actix_web::test]
async fn demo_contains_receipts_in_many_states_and_deletes_its_folder_when_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(
        demo(&[])
            // The demo must ignore these settings.
            .envs([
                ("HEARBACK_DATA", "/nowhere"),
                ("DATABASE_URL", "postgres://nobody@nowhere/x"),
                ("HEARBACK_SMTP_URL", "smtp://nowhere"),
            ])
            .env("TMPDIR", folder.path()),
    );
    let (browser, program) = demo.sign_in().await;
    check_inbox(&program).await;
    check_updates(&browser, &program).await;
    check_people(&program).await;
    for path in [
        "/inbox",
        "/updates",
        "/updates/new",
        "/receipts",
        "/people",
        "/workspace",
        "/me",
        "/trash",
        "/search?q=checkout",
    ] {
        browser.get(path).await.expect(200);
    }
    demo.stop().await;
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "the demo has left files behind");
}

async fn check_inbox(program: &Client) {
    let inbox = program.get("/inbox").await.expect(200).json();
    for section in ["owed_by_me", "owed_to_me", "said_to_me"] {
        assert!(
            inbox["counts"][section].as_i64().unwrap() >= 2,
            "{section}: {inbox}"
        );
    }
    let reasons = texts(&inbox["owed_by_me"], "why");
    for reason in ["acknowledge", "readback", "changed", "readbacks"] {
        assert!(reasons.contains(&reason), "{reason}: {reasons:?}");
    }
}

/// Opens every update, its receipts and its media. Checks that receipts in every state except
/// `opened` occur.
async fn check_updates(browser: &Client, program: &Client) {
    let list = program.get("/updates?limit=100").await.expect(200).json();
    let mut states = BTreeSet::new();
    for update in array(&list["items"]) {
        let path = update_path(update);
        if update["state"] == "draft" {
            browser.get(&format!("{path}/edit")).await.expect(200);
            continue;
        }
        browser.get(&path).await.expect(200);
        let receipts = format!("{path}/receipts");
        browser.get(&receipts).await.expect(200);
        let receipts = program.get(&receipts).await.expect(200).json();
        states.extend(
            texts(&receipts["items"], "state")
                .into_iter()
                .map(str::to_owned),
        );
        check_media(program, &path).await;
    }
    for state in [
        "waiting",
        "acknowledged",
        "read_back",
        "confirmed",
        "needs_correction",
        "declined",
        "stale",
    ] {
        assert!(states.contains(state), "nobody is {state}: {states:?}");
    }
}

async fn check_media(program: &Client, path: &str) {
    let update = program.get(path).await.expect(200).json();
    for media in array(&update["media"]) {
        for rendition in array(&media["renditions"]) {
            let response = program.get(text(&rendition["url"])).await;
            let status = response.status.as_u16();
            // A job can replace the rendition before it is requested. The old address then returns
            // status 404.
            assert!(matches!(status, 200 | 404), "{status}: {rendition}");
        }
    }
}

async fn check_people(program: &Client) {
    let people = program.get("/people").await.expect(200).json();
    let zones: BTreeSet<&str> = texts(&people["items"], "time_zone").into_iter().collect();
    assert_eq!((array(&people["items"]).len(), zones.len()), (12, 4));
}

#[actix_web::test]
async fn demo_with_the_keep_option_serves_the_same_workspace_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Demo::start(&mut demo(&["--keep".as_ref(), folder.path().as_ref()]));
    let people = async |demo: &Demo| {
        let (_, program) = demo.sign_in().await;
        program.get("/people").await.expect(200).json()
    };
    let first = start();
    let before = people(&first).await;
    first.stop().await;
    let second = start();
    assert_eq!(people(&second).await, before);
    second.stop().await;
}
