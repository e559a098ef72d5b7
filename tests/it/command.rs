//! Tests of the command line: commands, settings and `hearback doctor`.

mod doctor;
mod serve;
mod stop;

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::json;

use crate::app::{TestApp, email};

/// Returns a command that runs Hearback with these settings and no others.
pub fn hearback(settings: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearback"));
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("HEARBACK_") || name == "DATABASE_URL")
    {
        command.env_remove(name);
    }
    command.envs(settings.iter().copied()).args(arguments);
    command
}

/// A running `hearback serve`.
pub struct Serving {
    pub process: Child,
    /// The URL that it printed.
    pub base: String,
    /// The lines that it prints after that.
    pub output: Lines<BufReader<ChildStdout>>,
}

impl Serving {
    /// Runs `serve` on a free port, and waits until it is listening. Its log goes to `log`.
    pub fn start(settings: &[(&str, &str)], log: Stdio) -> Self {
        let mut process = hearback(settings, &["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = output.next().unwrap().unwrap();
        let base = line.strip_prefix("Hearback is listening on ");
        let base = base.unwrap_or_else(|| panic!("{line}")).to_owned();
        Self {
            process,
            base,
            output,
        }
    }

    /// Terminates the process and returns its log.
    pub fn stop(self) -> String {
        terminate(&self.process);
        let done = self.process.wait_with_output().unwrap();
        assert_eq!(done.status.code(), Some(0));
        utf8(&done.stderr)
    }
}

/// Sends SIGTERM to a process.
pub fn terminate(process: &Child) {
    let status = Command::new("kill")
        .args(["-TERM", &process.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// Returns a command that runs Hearback with the settings of `app`.
fn command_for(app: &TestApp, arguments: &[&str]) -> Command {
    let settings: Vec<(&str, &str)> = app
        .settings()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    hearback(&settings, arguments)
}

/// Runs a command until it exits. Waits on another thread, because the server under test runs on this one.
async fn run(mut command: Command, input: &str) -> Output {
    let input = input.to_owned();
    let run = move || {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Ignore a write error: a command that does not read its input may have exited already.
        let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
        process.wait_with_output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn utf8(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Returns what the command printed to standard output. Panics unless the command succeeded.
fn stdout(done: &Output) -> String {
    assert!(
        done.status.success(),
        "{} {}",
        utf8(&done.stdout),
        utf8(&done.stderr)
    );
    utf8(&done.stdout)
}

#[actix_web::test]
async fn person_added_on_the_command_line_can_sign_in_with_the_given_password() {
    let app = TestApp::start().await;
    let command = command_for(
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
        stdout(&run(command, "seven tall green bottles\n").await),
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
}

#[actix_web::test]
async fn person_add_rejects_a_taken_or_invalid_email_address_and_a_weak_password() {
    let app = TestApp::start().await;
    app.person("Eva").await;
    for (arguments, input) in [
        (["--email", "eva@example.org"], "seven tall green bottles"),
        (["--email", "eva"], "seven tall green bottles"),
        (["--email", "new@example.org"], "123"),
    ] {
        let mut command = command_for(
            &app,
            &["person", "add", "--name", "Eva", "--password-stdin"],
        );
        command.args(arguments);
        let done = run(command, input).await;
        assert!(
            !done.status.success() && !done.stderr.is_empty(),
            "{arguments:?}"
        );
    }
    assert_eq!(app.count("SELECT count(*) FROM people").await, 1);
}

#[actix_web::test]
async fn person_reset_prints_a_link_that_sets_a_new_password() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let printed = stdout(
        &run(
            command_for(&app, &["person", "reset", "--email", &email("Ada")]),
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
    let unknown = run(
        command_for(&app, &["person", "reset", "--email", "nobody@example.org"]),
        "",
    )
    .await;
    assert!(!unknown.status.success() && utf8(&unknown.stderr).contains("nobody@example.org"));
}

#[actix_web::test]
async fn token_add_prints_a_working_token_and_nothing_else() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let printed = stdout(
        &run(
            command_for(
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
fn unknown_command_fails_and_lists_the_known_commands() {
    for arguments in [
        &["publish"][..],
        &["person", "remove"],
        &["token", "remove"],
    ] {
        let done = hearback(&[], arguments).output().unwrap();
        assert!(!done.status.success(), "{arguments:?}");
        let printed = utf8(&done.stderr);
        let known: &[&str] = match arguments[0] {
            "publish" => &["serve", "doctor", "person", "token"],
            "person" => &["add", "reset"],
            _ => &["add"],
        };
        assert!(
            known.iter().all(|word| printed.contains(word)),
            "{arguments:?}: {printed}"
        );
    }
}

#[test]
fn serve_fails_and_explains_every_invalid_setting() {
    let invalid = [
        ("HEARBACK_LISTEN", "8080"),
        ("HEARBACK_STORAGE", "ftp://x"),
        ("HEARBACK_MAX_UPLOAD", "much"),
        ("HEARBACK_DELIVERY", "pigeon"),
    ];
    let done = hearback(&invalid, &["serve"]).output().unwrap();
    assert!(!done.status.success());
    let printed = utf8(&done.stderr);
    assert_eq!(printed.lines().count(), invalid.len(), "{printed}");
    for (name, value) in invalid {
        let line = printed
            .lines()
            .find(|line| line.starts_with(&format!("{name}: ")))
            .unwrap_or_else(|| panic!("{name} is not named: {printed}"));
        assert!(line.len() > name.len() + 20, "{value}: {line}");
    }
}

#[test]
fn unknown_setting_in_the_configuration_file_is_rejected_and_the_error_names_it() {
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
        !done.status.success() && utf8(&done.stderr).contains("HEARBAK_URL"),
        "{}",
        utf8(&done.stderr)
    );
}
