//! Tests that run `hearback serve` as a process.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Serving;
use crate::app::Client;

/// How long a test waits for a condition before it fails.
const TIMEOUT: Duration = Duration::from_secs(60);

#[test]
fn serve_prints_its_address_and_the_setup_link_and_stops_on_sigterm() {
    let dir = tempfile::tempdir().unwrap();
    let settings = [("HEARBACK_DATA", dir.path().to_str().unwrap())];
    for first in [true, false] {
        let mut serving = Serving::start(&settings, Stdio::null());
        assert!(
            serving.base.starts_with("http://127.0.0.1:"),
            "{}",
            serving.base
        );
        let link = serving.output.next().unwrap().unwrap();
        let setup = format!("Set-up link: {}/setup?code=", serving.base);
        assert!(link.starts_with(&setup), "{first}: {link}");
        serving.stop();
    }
}

#[actix_web::test]
async fn serve_keeps_running_when_its_log_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let settings = [("HEARBACK_DATA", dir.path().to_str().unwrap())];
    let mut serving = Serving::start(&settings, Stdio::piped());
    drop(serving.process.stderr.take());
    for _ in 0..3 {
        let response = reqwest::get(format!("{}/healthz", serving.base)).await;
        assert!(
            response
                .as_ref()
                .is_ok_and(|response| response.status().is_success()),
            "{response:?}"
        );
    }
    serving.stop();
}

#[test]
fn serve_asks_for_no_huge_pages_which_would_almost_double_its_idle_memory() {
    // With any other mode, the kernel decides, whatever the program asks for.
    let mode = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled");
    if !mode.is_ok_and(|modes| modes.contains("[madvise]")) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let settings = [("HEARBACK_DATA", dir.path().to_str().unwrap())];
    let serving = Serving::start(&settings, Stdio::null());
    let memory =
        std::fs::read_to_string(format!("/proc/{}/smaps_rollup", serving.process.id())).unwrap();
    let huge = memory
        .lines()
        .find(|line| line.starts_with("AnonHugePages:"))
        .unwrap();
    assert_eq!(huge.split_whitespace().nth(1), Some("0"), "{memory}");
    serving.stop();
}

#[test]
fn serve_warns_about_a_test_clock() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("clock");
    std::fs::write(&file, "2026-11-19T14:00:00Z").unwrap();
    for clock in ["", file.to_str().unwrap()] {
        let settings = [
            ("HEARBACK_DATA", dir.path().to_str().unwrap()),
            ("HEARBACK_TEST_CLOCK", clock),
        ];
        let printed = Serving::start(&settings, Stdio::piped()).stop();
        assert_eq!(
            printed.contains("HEARBACK_TEST_CLOCK is set"),
            !clock.is_empty(),
            "{printed}"
        );
    }
}

#[test]
fn serve_warns_if_no_public_url_is_set() {
    let dir = tempfile::tempdir().unwrap();
    for url in ["", "https://hearback.example.org"] {
        let settings = [
            ("HEARBACK_DATA", dir.path().to_str().unwrap()),
            ("HEARBACK_TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8"),
            ("HEARBACK_URL", url),
        ];
        let printed = Serving::start(&settings, Stdio::piped()).stop();
        let warned = printed
            .lines()
            .any(|line| line.contains("WARN") && line.contains("HEARBACK_URL is not set"));
        assert_eq!(warned, url.is_empty(), "{printed}");
    }
}

#[actix_web::test]
async fn moving_the_test_clock_runs_the_check_for_overdue_answers() {
    let dir = tempfile::tempdir().unwrap();
    let clock = dir.path().join("clock");
    std::fs::write(&clock, "2026-11-19T14:00:00Z").unwrap();
    let settings = [
        ("HEARBACK_DATA", dir.path().to_str().unwrap()),
        ("HEARBACK_TEST_CLOCK", clock.to_str().unwrap()),
        ("HEARBACK_METRICS_TOKEN", "metrics"),
    ];
    let serving = Serving::start(&settings, Stdio::null());
    let client = Client::at(&serving.base).bearer("metrics");
    wait_for_overdue_check(&client, 1_795_096_800).await;
    std::fs::write(&clock, "2026-11-20T14:00:00Z").unwrap();
    wait_for_overdue_check(&client, 1_795_183_200).await;
    serving.stop();
}

/// Waits until the metrics say that the last check for overdue answers was at `time`, in seconds since the Unix epoch.
async fn wait_for_overdue_check(client: &Client, time: i64) {
    let wanted = format!("\nhearback_overdue_check_timestamp_seconds {time}\n");
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let text = client.get("/metrics").await.expect(200).text();
        if text.contains(&wanted) {
            return;
        }
        assert!(Instant::now() < deadline, "no check at {time}: {text}");
    }
}

#[cfg(debug_assertions)]
#[actix_web::test]
async fn debug_build_serves_assets_from_the_configured_folder() {
    let (data, assets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let build = |style: &str| {
        std::fs::write(assets.path().join(style), "body { color: red }").unwrap();
        let manifest = json!({ "app.css": style }).to_string();
        std::fs::write(assets.path().join("manifest.json"), manifest).unwrap();
    };
    build("style-1.css");
    let settings = [
        ("HEARBACK_DATA", data.path().to_str().unwrap()),
        ("HEARBACK_ASSETS", assets.path().to_str().unwrap()),
    ];
    let serving = Serving::start(&settings, Stdio::null());
    let client = Client::at(&serving.base).accept("text/html");

    for style in ["style-1.css", "style-2.css"] {
        build(style);
        let page = client.get("/session").await.expect(200).text();
        assert!(page.contains(&format!("/assets/{style}")), "{page}");
        let served = client.get(&format!("/assets/{style}")).await.expect(200);
        assert_eq!(served.text(), "body { color: red }");
    }
    client.get("/assets/..%2Fhearback.db").await.expect(404);
    serving.stop();
}
