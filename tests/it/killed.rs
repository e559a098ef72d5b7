//! Uploads survive when the server is killed during their last request and then restarted.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::app::{TestApp, authority, postgres};
use crate::command::hearback;
use crate::faults::{Breaker, Fault, Reach};
use crate::interrupted::{Interrupted, assert_only_finished_uploads_are_left};
use crate::tus::MIB;

/// A server process. Dropping it kills the process.
struct Node {
    child: Child,
    base: String,
}

impl Drop for Node {
    fn drop(&mut self) {
        // Ignore the error of `kill`, because the process may have exited already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Node {
    async fn start(settings: &BTreeMap<String, String>) -> Self {
        let settings = settings.clone();
        let start = move || {
            let settings: Vec<(&str, &str)> = settings
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let child = hearback(&settings, &["serve"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut node = Self {
                child,
                base: String::new(),
            };
            let line = BufReader::new(node.child.stdout.take().unwrap())
                .lines()
                .next()
                .unwrap()
                .unwrap();
            node.base = line
                .strip_prefix("Hearback is listening on ")
                .unwrap()
                .to_owned();
            node
        };
        tokio::task::spawn_blocking(start).await.unwrap()
    }

    /// Kills the process with SIGKILL.
    async fn kill(mut self) {
        let killed = tokio::task::spawn_blocking(move || {
            self.child.kill().unwrap();
            self.child.wait().unwrap()
        });
        assert!(!killed.await.unwrap().success());
    }

    /// Kills the process. Asserts that `app` cleans up everything except finished uploads.
    async fn kill_and_check_leftovers(self, app: &TestApp) {
        self.kill().await;
        app.execute("UPDATE jobs SET leased_until = 0 WHERE leased_until IS NOT NULL")
            .await;
        assert_only_finished_uploads_are_left(app).await;
    }
}

/// Starts a server that keeps running. Also returns the settings for a second server, which the test kills.
async fn start_survivor() -> (TestApp, BTreeMap<String, String>) {
    let app =
        TestApp::start_with(|config| config.ffmpeg = Some("/nonexistent/ffmpeg".into())).await;
    let mut settings = app.settings().clone();
    settings.insert("HEARBACK_FFMPEG".into(), "/nonexistent/ffmpeg".into());
    (app, settings)
}

/// Changes the settings so that the server connects to PostgreSQL and S3 through a breaker.
async fn connect_through_breaker(settings: &mut BTreeMap<String, String>) -> Breaker {
    let breaker = Breaker::new();
    let database = breaker
        .database(authority(&settings["DATABASE_URL"]))
        .await
        .to_string();
    let storage = breaker
        .storage(authority(&settings["HEARBACK_S3_ENDPOINT"]))
        .await;
    let direct = settings["DATABASE_URL"].clone();
    settings.insert(
        "DATABASE_URL".into(),
        format!(
            "{}?sslmode=disable",
            direct.replace(&authority(&direct), &database)
        ),
    );
    settings.insert("HEARBACK_S3_ENDPOINT".into(), format!("http://{storage}"));
    breaker
}

#[actix_web::test]
async fn upload_to_a_bucket_survives_killing_the_server_during_the_last_request() {
    if !postgres() {
        return;
    }
    let (app, mut settings) = start_survivor().await;
    let folder = tempfile::tempdir().unwrap();
    settings.insert("HEARBACK_DATA".into(), folder.path().display().to_string());
    let breaker = connect_through_breaker(&mut settings).await;
    let ada = app.person("Ada").await;
    let upload = Interrupted::file(8 * MIB, 16 * MIB + 100_000);
    let mut node = Node::start(&settings).await;
    for step in (0..).step_by(2) {
        let sender = upload.begin(&ada.with_base(&node.base)).await;
        breaker.arm(step, Reach::Both, Fault::CutAfter);
        let answered = tokio::select! {
            answer = upload.send_rest(&sender, upload.before) => answer.status == 204,
            () = breaker.tripped() => false,
        };
        if answered {
            breaker.mend();
            upload.check(&sender).await;
            assert!(step > 6, "only {step} steps were tried");
            break;
        }
        node.kill().await;
        breaker.mend();
        node = Node::start(&settings).await;
        let sender = sender.at(&node.base);
        upload.resume(&sender).await;
        upload.check(&sender).await;
    }
    node.kill_and_check_leftovers(&app).await;
}

#[actix_web::test]
async fn upload_to_a_disk_survives_killing_the_server_during_the_last_request() {
    if postgres() {
        return;
    }
    let (app, settings) = start_survivor().await;
    let ada = app.person("Ada").await;
    let mut node = Node::start(&settings).await;
    // Each round repeats one of these SQL statements, and kills the process as soon as the result is more than 0. With
    // `SELECT 1`, the process is killed at once.
    let steps = [
        "SELECT count(*) FROM uploads WHERE finished_at IS NULL AND generation > 1",
        "SELECT count(*) FROM uploads WHERE finished_at IS NULL AND received > 1048576",
        "SELECT count(*) FROM (SELECT received FROM uploads ORDER BY id DESC LIMIT 1) WHERE received = 3000001",
        "SELECT count(*) FROM (SELECT finished_at FROM uploads ORDER BY id DESC LIMIT 1) WHERE finished_at IS NOT NULL",
        "SELECT 1",
    ];
    let upload = Interrupted::file(MIB, 3_000_001);
    for step in steps.into_iter().chain(steps) {
        let sender = upload.begin(&ada.with_base(&node.base)).await;
        {
            let mut last = std::pin::pin!(upload.send_rest(&sender, upload.before));
            tokio::select! {
                answer = &mut last => drop(answer.expect(204)),
                () = app.wait_until(step, async || app.count(step).await > 0) => {}
            }
        }
        node.kill().await;
        // `app` uses the same data folder, so the new process does not end the lease of the killed process. End it
        // here.
        app.execute("UPDATE uploads SET finisher = NULL").await;
        node = Node::start(&settings).await;
        let sender = sender.at(&node.base);
        upload.resume(&sender).await;
        upload.check(&sender).await;
    }
    node.kill_and_check_leftovers(&app).await;
}
