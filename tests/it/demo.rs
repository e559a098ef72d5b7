//! `hearback demo`, run as a process.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::app::{Client, TestApp, array, text, texts, update_path};
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
            email: printed[2].split(' ').nth(7).unwrap().to_owned(),
            password: printed[2].split(": ").nth(1).unwrap().to_owned(),
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

    /// Returns the sign-in page, as a browser without scripts receives it.
    async fn sign_in_page(&self) -> String {
        let browser = Client::at(&self.base).accept("text/html");
        browser.get("/session").await.expect(200).text()
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

/// The forms of the faces on a sign-in page: the name on the button, and the fields that a browser submits.
fn faces(page: &str) -> Vec<(String, Vec<(String, String)>)> {
    let between = |text: &str, before: &str, after: &str| {
        let (_, rest) = text.split_once(before).unwrap();
        rest.split_once(after).unwrap().0.to_owned()
    };
    let forms = page.split("class=\"faces\"").skip(1).flat_map(|city| {
        let (city, _) = city.split_once("</section>").unwrap();
        city.split("<form method=\"post\" action=\"/session\"")
            .skip(1)
    });
    forms
        .map(|form| {
            let fields = form.split("<input type=\"hidden\" ").skip(1);
            let fields = fields.map(|field| {
                let name = between(field, "name=\"", "\"");
                (name, between(field, "value=\"", "\""))
            });
            let name = between(form, "</span><span>", "</span>");
            (name, fields.collect())
        })
        .collect()
}

/// Signs in by pressing a face. Returns a client that requests JSON.
async fn press(demo: &Demo, fields: &[(String, String)]) -> Client {
    let browser = Client::at(&demo.base).accept("text/html");
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    browser.form("POST", "/session", &fields).await.expect(303);
    browser.header("accept", "application/json")
}

#[actix_web::test]
async fn pressing_a_face_signs_in_as_that_person_and_shows_recordings_that_are_used_once() {
    let demo = Demo::start(&mut demo(&[]));
    let page = demo.sign_in_page().await;
    assert!(page.contains("This is a demo"), "{page}");
    assert!(page.contains("To start for real"), "{page}");
    let faces = faces(&page);
    assert_eq!(faces.len(), 12);
    let (mut used, mut comments) = (BTreeMap::new(), 0);
    for (name, fields) in &faces {
        let client = press(&demo, fields).await;
        let session = client.get("/session").await.expect(200).json();
        assert_eq!(session["person"]["name"], **name);
        comments += collect_media(&client, &mut used).await;
    }
    assert!(
        comments >= 20,
        "only {comments} comments point at a recording"
    );
    let mut names: Vec<String> = used.into_values().collect();
    names.sort();
    let mut files: Vec<String> = std::fs::read_dir(DEMO_MEDIA)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "narration.json")
        .collect();
    files.sort();
    assert_eq!(names, files, "each file is used once");
    demo.stop().await;
}

const DEMO_MEDIA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample/demo");

/// Adds the file names of all media that the client may see to `used`, by the id of the media. Checks that each comment
/// on a recording points to a moment of it, and returns how many such comments there are.
async fn collect_media(client: &Client, used: &mut BTreeMap<String, String>) -> usize {
    let mut found = 0;
    let list = client.get("/updates?limit=100").await.expect(200).json();
    for update in array(&list["items"]) {
        let path = update_path(update);
        let update = client.get(&path).await.expect(200).json();
        note_media(&update["media"], used);
        let comments = client.get(&format!("{path}/comments?limit=100")).await;
        for comment in array(&comments.expect(200).json()["items"]) {
            note_media(&comment["pictures"], used);
            if let Some(at) = comment["anchor"]["at_ms"].as_u64() {
                let recording = &used[text(&comment["media_id"])];
                assert!(
                    at < duration_ms(recording),
                    "{recording} is shorter than {at} ms"
                );
                found += 1;
            }
        }
    }
    found
}

fn note_media(media: &Value, used: &mut BTreeMap<String, String>) {
    for media in array(media) {
        let (id, name) = (text(&media["id"]), text(&media["file_name"]));
        used.insert(id.to_owned(), name.to_owned());
    }
}

fn narration() -> Value {
    let text = std::fs::read(format!("{DEMO_MEDIA}/narration.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// The length of a recording of the demo, according to its narration.
fn duration_ms(file_name: &str) -> u64 {
    let name = file_name.strip_suffix(".mp4").unwrap();
    narration()[name]["duration_ms"].as_u64().unwrap()
}

#[test]
fn recordings_of_the_demo_are_as_long_as_their_narration_and_no_two_media_look_the_same() {
    let (mut pictures, mut recordings) = (BTreeMap::new(), 0);
    for file in std::fs::read_dir(DEMO_MEDIA).unwrap() {
        let path = file.unwrap().path();
        let (name, path) = (
            path.file_name().unwrap().to_str().unwrap(),
            path.to_str().unwrap(),
        );
        if name == "narration.json" {
            continue;
        }
        if name.ends_with(".mp4") {
            recordings += 1;
            let difference = measured_ms(path).abs_diff(duration_ms(name));
            assert!(difference <= 100, "{name} differs by {difference} ms");
        }
        // The picture that a thumbnail shows: of a recording, the frame after a second.
        let from = if name.ends_with(".mp4") { "1" } else { "0" };
        let picture = run(
            "ffmpeg",
            &[
                "-v",
                "error",
                "-ss",
                from,
                "-i",
                path,
                "-frames:v",
                "1",
                "-f",
                "md5",
                "-",
            ],
        );
        if let Some(other) = pictures.insert(picture, name.to_owned()) {
            panic!("{name} looks like {other}");
        }
    }
    assert_eq!(recordings, narration().as_object().unwrap().len());
}

fn measured_ms(path: &str) -> u64 {
    let seconds = run(
        "ffprobe",
        &[
            "-v",
            "error",
            "-show_entries",
            "format=duration",
            "-of",
            "csv=p=0",
            path,
        ],
    );
    let seconds = std::time::Duration::from_secs_f64(seconds.trim().parse().unwrap());
    u64::try_from(seconds.as_millis()).unwrap()
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[actix_web::test]
async fn sign_in_page_of_a_real_workspace_has_no_faces() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let browser = app.client().accept("text/html");
    let page = browser.get("/session").await.expect(200).text();
    assert!(page.contains("name=\"password\""), "{page}");
    for part in [
        "This is a demo",
        "faces",
        "type=\"hidden\" name=\"password\"",
    ] {
        assert!(!page.contains(part), "{part}: {page}");
    }
}
