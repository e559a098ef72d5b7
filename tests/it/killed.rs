//! The program is killed in the middle of an upload's last request, and started again.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::app::{TestApp, authority, postgres};
use crate::command::hearback;
use crate::faults::{Breaker, Fault, Reach};
use crate::interrupted::{Interrupted, only_finished_uploads_are_left};
use crate::tus::MIB;

/// The program, serving. It is killed at the latest when this is dropped.
struct Node {
    child: Child,
    base: String,
}

impl Drop for Node {
    fn drop(&mut self) {
        // An error means that it has ended already.
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
                .strip_prefix("Hearback listens on ")
                .unwrap()
                .to_owned();
            node
        };
        tokio::task::spawn_blocking(start).await.unwrap()
    }

    /// SIGKILL.
    async fn kill(mut self) {
        let killed = tokio::task::spawn_blocking(move || {
            self.child.kill().unwrap();
            self.child.wait().unwrap()
        });
        assert!(!killed.await.unwrap().success());
    }

    /// Kills it. What it left undone is done by the `app` beside it.
    async fn kill_and_leave_no_rest(self, app: &TestApp) {
        self.kill().await;
        app.execute("UPDATE jobs SET leased_until = 0 WHERE leased_until IS NOT NULL")
            .await;
        only_finished_uploads_are_left(app).await;
    }
}

/// A Hearback that looks on, and the settings of the one to be killed.
async fn beside() -> (TestApp, BTreeMap<String, String>) {
    let app =
        TestApp::start_with(|config| config.ffmpeg = Some("/nonexistent/ffmpeg".into())).await;
    let mut settings = app.settings().clone();
    settings.insert("HEARBACK_FFMPEG".into(), "/nonexistent/ffmpeg".into());
    (app, settings)
}

#[actix_web::test]
async fn upload_to_a_bucket_survives_a_kill_between_the_steps_of_its_last_request() {
    if !postgres() {
        return;
    }
    let (app, mut settings) = beside().await;
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
            assert!(step > 6, "{step} steps were tried");
            break;
        }
        node.kill().await;
        breaker.mend();
        node = Node::start(&settings).await;
        let sender = sender.at(&node.base);
        upload.resume(&sender).await;
        upload.check(&sender).await;
    }
    node.kill_and_leave_no_rest(&app).await;
}

#[actix_web::test]
async fn upload_to_a_disk_survives_a_kill_between_the_steps_of_its_last_request() {
    if postgres() {
        return;
    }
    let (app, settings) = beside().await;
    let ada = app.person("Ada").await;
    let mut node = Node::start(&settings).await;
    // The last of them is always true at once.
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
        node = Node::start(&settings).await;
        let sender = sender.at(&node.base);
        upload.resume(&sender).await;
        upload.check(&sender).await;
    }
    node.kill_and_leave_no_rest(&app).await;
}
