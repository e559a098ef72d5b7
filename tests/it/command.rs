//! The program itself, run as a person runs it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output, Stdio};

use serde_json::json;

use crate::app::{Client, TestApp, email};

/// The program with no setting but these.
pub fn hearback(settings: &[(&str, &str)], words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearback"));
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("HEARBACK_") || name == "DATABASE_URL")
    {
        command.env_remove(name);
    }
    command.envs(settings.iter().copied()).args(words);
    command
}

/// The program beside a running server, with its settings.
fn beside(app: &TestApp, words: &[&str]) -> Command {
    let settings: Vec<(&str, &str)> = app
        .settings()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    hearback(&settings, words)
}

/// Runs it to its end. Off this thread: the server beside it lives on it, perhaps in the middle of a transaction.
async fn ended(mut command: Command, given: &str) -> Output {
    let given = given.to_owned();
    let run = move || {
        let mut running = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that reads nothing may have ended before it is told anything.
        let _ = running.stdin.take().unwrap().write_all(given.as_bytes());
        running.wait_with_output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn good(done: &Output) -> String {
    assert!(
        done.status.success(),
        "{} {}",
        text(&done.stdout),
        text(&done.stderr)
    );
    text(&done.stdout)
}

#[actix_web::test]
async fn a_person_that_was_added_signs_in_with_the_password_given() {
    let app = TestApp::start().await;
    let command = beside(
        &app,
        &[
            "person",
            "add",
            "--email",
            "eva@example.org",
            "--name",
            "Eva",
            "--admin",
            "--password-stdin",
        ],
    );
    assert_eq!(
        good(&ended(command, "seven tall green bottles\n").await),
        ""
    );
    let session = app
        .client()
        .post(
            "/session",
            json!({ "email": "eva@example.org", "password": "seven tall green bottles" }),
        )
        .await;
    assert!(session.status.is_success(), "{}", session.text());

    // Twice is refused, and so is what is no address or no password.
    for (words, given) in [
        (["--email", "eva@example.org"], "seven tall green bottles"),
        (["--email", "eva"], "seven tall green bottles"),
        (["--email", "new@example.org"], "123"),
    ] {
        let mut command = beside(
            &app,
            &["person", "add", "--name", "Eva", "--password-stdin"],
        );
        command.args(words);
        let done = ended(command, given).await;
        assert!(
            !done.status.success() && !done.stderr.is_empty(),
            "{words:?}"
        );
    }
    assert_eq!(app.count("SELECT count(*) FROM people").await, 1);
}

#[actix_web::test]
async fn a_reset_prints_a_link_that_sets_a_new_password() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let printed = good(
        &ended(
            beside(&app, &["person", "reset", "--email", &email("Ada")]),
            "",
        )
        .await,
    );
    let path = &printed.trim()[printed.find("/resets/").unwrap()..];
    app.client().accept("text/html").get(path).await.expect(200);
    let set = app
        .client()
        .post(path, json!({ "password": "nine small red balloons" }))
        .await;
    assert!(set.status.is_success(), "{}", set.text());
    let session = app
        .client()
        .post(
            "/session",
            json!({ "email": email("Ada"), "password": "nine small red balloons" }),
        )
        .await;
    assert!(session.status.is_success(), "{}", session.text());
    let unknown = ended(
        beside(&app, &["person", "reset", "--email", "nobody@example.org"]),
        "",
    )
    .await;
    assert!(!unknown.status.success() && text(&unknown.stderr).contains("nobody@example.org"));
}

#[actix_web::test]
async fn a_new_token_is_all_that_is_printed_and_works() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let printed = good(
        &ended(
            beside(
                &app,
                &["token", "add", "--person", &email("Ada"), "--name", "ci"],
            ),
            "",
        )
        .await,
    );
    let token = printed.strip_suffix('\n').unwrap();
    assert!(
        token.starts_with("hb_")
            && token
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_'),
        "{token:?}"
    );
    assert_eq!(
        app.client()
            .bearer(token)
            .get("/me")
            .await
            .expect(200)
            .json()["name"],
        "Ada"
    );
}

#[test]
fn an_unknown_command_says_what_there_is() {
    for words in [
        &["publish"][..],
        &["person", "remove"],
        &["token", "remove"],
    ] {
        let done = hearback(&[], words).output().unwrap();
        assert!(!done.status.success(), "{words:?}");
        let said = text(&done.stderr);
        let known: &[&str] = match words[0] {
            "publish" => &["serve", "doctor", "person", "token"],
            "person" => &["add", "reset"],
            _ => &["add"],
        };
        assert!(
            known.iter().all(|word| said.contains(word)),
            "{words:?}: {said}"
        );
    }
}

#[test]
fn every_wrong_setting_stops_the_start_and_is_named_with_what_would_be_right() {
    let wrong = [
        ("HEARBACK_LISTEN", "8080"),
        ("HEARBACK_STORAGE", "ftp://x"),
        ("HEARBACK_MAX_UPLOAD", "much"),
        ("HEARBACK_DELIVERY", "pigeon"),
    ];
    let done = hearback(&wrong, &["serve"]).output().unwrap();
    assert!(!done.status.success());
    let said = text(&done.stderr);
    assert_eq!(said.lines().count(), wrong.len(), "{said}");
    for (name, value) in wrong {
        let line = said
            .lines()
            .find(|line| line.starts_with(&format!("{name}: ")))
            .unwrap_or_else(|| panic!("{name} is not named: {said}"));
        assert!(line.len() > name.len() + 20, "{value}: {line}");
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("hearback.toml");
    std::fs::write(
        &file,
        "HEARBACK_LISTEN = \"127.0.0.1:0\"\nHEARBAK_URL = \"x\"\n",
    )
    .unwrap();
    let done = hearback(&[("HEARBACK_CONFIG", file.to_str().unwrap())], &["doctor"])
        .output()
        .unwrap();
    assert!(
        !done.status.success() && text(&done.stderr).contains("HEARBAK_URL"),
        "{}",
        text(&done.stderr)
    );
}

#[actix_web::test]
async fn the_doctor_proves_every_part_and_says_how_to_mend_one_that_is_dead() {
    let app = TestApp::start().await;
    let done = ended(beside(&app, &["doctor"]), "").await;
    let said = text(&done.stdout);
    for part in ["database", "storage", "video", "disk"] {
        assert!(
            said.lines()
                .any(|line| line.starts_with("ok") && line.contains(part)),
            "{part}: {said}"
        );
    }
    // A bare `cargo test` has no browser part, which it rightly says.
    let others: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("FAIL") && !line.contains("browser part"))
        .collect();
    assert_eq!(others, [""; 0]);
    assert_eq!(done.status.code(), Some(i32::from(said.contains("FAIL"))));
    assert_eq!(app.objects().await, [""; 0], "its probe is gone");

    let dead = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let data = app.dir.path().join("other");
    let settings = [
        ("HEARBACK_DATA", data.to_str().unwrap().to_owned()),
        ("HEARBACK_STORAGE", "s3://bucket".into()),
        ("HEARBACK_S3_ENDPOINT", format!("http://{dead}")),
        ("AWS_ACCESS_KEY_ID", "k".into()),
        ("AWS_SECRET_ACCESS_KEY", "s".into()),
    ];
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let done = hearback(&settings, &["doctor"]).output().unwrap();
    let said = text(&done.stdout);
    assert_eq!(done.status.code(), Some(1), "{said}");
    let line = said
        .lines()
        .find(|line| line.starts_with("FAIL storage"))
        .unwrap_or_else(|| panic!("{said}"));
    assert!(line.contains("endpoint"), "{line}");
}

#[test]
fn serving_prints_where_it_is_and_the_setup_link_and_ends_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let settings = [("HEARBACK_DATA", dir.path().to_str().unwrap())];
    for first in [true, false] {
        let mut running = hearback(&settings, &["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
        let address = lines.next().unwrap().unwrap();
        assert!(
            address.starts_with("Hearback listens on http://127.0.0.1:"),
            "{address}"
        );
        let link = lines.next().unwrap().unwrap();
        let url = link
            .strip_prefix("Set-up link: ")
            .unwrap_or_else(|| panic!("{link}"));
        assert!(
            url.starts_with(address.strip_prefix("Hearback listens on ").unwrap())
                && url.contains("/setup?code="),
            "{first}: {link}"
        );
        let told = Command::new("kill")
            .args(["-TERM", &running.id().to_string()])
            .status()
            .unwrap();
        assert!(told.success());
        assert_eq!(running.wait().unwrap().code(), Some(0));
    }
}

#[actix_web::test]
async fn it_serves_and_ends_also_when_nobody_reads_its_log_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let settings = [("HEARBACK_DATA", dir.path().to_str().unwrap())];
    let mut running = hearback(&settings, &["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let line = BufReader::new(running.stdout.take().unwrap())
        .lines()
        .next()
        .unwrap()
        .unwrap();
    drop(running.stderr.take());
    let address = line.strip_prefix("Hearback listens on ").unwrap();
    for _ in 0..3 {
        let answer = reqwest::get(format!("{address}/healthz")).await;
        assert!(
            answer
                .as_ref()
                .is_ok_and(|answer| answer.status().is_success()),
            "{answer:?}"
        );
    }
    assert!(
        Command::new("kill")
            .args(["-TERM", &running.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(running.wait().unwrap().code(), Some(0));
}

#[test]
fn a_clock_that_a_file_holds_is_warned_of_when_serving_begins() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("clock");
    std::fs::write(&file, "2026-11-19T14:00:00Z").unwrap();
    for clock in ["", file.to_str().unwrap()] {
        let settings = [
            ("HEARBACK_DATA", dir.path().to_str().unwrap()),
            ("HEARBACK_TEST_CLOCK", clock),
        ];
        let mut running = hearback(&settings, &["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        BufReader::new(running.stdout.take().unwrap())
            .lines()
            .next()
            .unwrap()
            .unwrap();
        assert!(
            Command::new("kill")
                .args(["-TERM", &running.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        let said = text(&running.wait_with_output().unwrap().stderr);
        assert_eq!(
            said.contains("HEARBACK_TEST_CLOCK is set"),
            !clock.is_empty(),
            "{said}"
        );
    }
}

#[cfg(debug_assertions)]
#[actix_web::test]
async fn debug_build_serves_the_assets_of_the_named_folder() {
    let (data, assets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let build = |style: &str| {
        std::fs::write(assets.path().join(style), "body { color: red }").unwrap();
        let manifest = json!({ "app.css": style }).to_string();
        std::fs::write(assets.path().join("manifest.json"), manifest).unwrap();
    };
    build("style-1.css");
    let settings = [
        ("HEARBACK_LISTEN", "127.0.0.1:0"),
        ("HEARBACK_DATA", data.path().to_str().unwrap()),
        ("HEARBACK_ASSETS", assets.path().to_str().unwrap()),
    ];
    let mut serving = hearback(&settings, &["serve"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(serving.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let base = line
        .trim_end()
        .strip_prefix("Hearback listens on ")
        .unwrap();
    let client = Client::at(base).accept("text/html");

    for style in ["style-1.css", "style-2.css"] {
        build(style);
        let page = client.get("/session").await.expect(200).text();
        assert!(page.contains(&format!("/assets/{style}")), "{page}");
        let served = client.get(&format!("/assets/{style}")).await.expect(200);
        assert_eq!(served.text(), "body { color: red }");
    }
    client.get("/assets/..%2Fhearback.db").await.expect(404);
    serving.kill().unwrap();
    serving.wait().unwrap();
}
