//! Compares the response of every route to a recorded response: status, headers and the shape of the JSON.
//! Refactoring must not change these.
//!
//! After an intended change of the API, set `HEARBACK_RECORD=1` and run the tests to record
//! `tests/fixtures/transcript/` again. Then review the diff. Both database engines must give the same responses.

mod recording;
mod scene;

use serde_json::{Value, json};

use self::recording::{Transcript, compare, record};
use self::scene::Scene;
use crate::app::{Client, PASSWORD, TestApp, email, fixture, postgres};
use crate::permissions::{TABLE, World, destroys, tus_headers};

#[actix_web::test]
async fn every_route_responds_as_in_the_recorded_transcript() {
    let app = TestApp::start_with(|config| config.metrics_token = Some("metrics".into())).await;
    let (ada, bob, eve, admin) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Eve").await,
        app.admin("Root").await,
    );
    let mut transcript = Transcript::new();
    let mut world = World::new(&ada, &bob, &admin, &eve).await;
    app.wait_for_jobs().await;
    let mut page = app.browser("Ada").await;
    for (method, pattern, body, _) in TABLE {
        let readers = [
            ("author", &ada),
            ("author, page", &page),
            ("recipient", &bob),
            ("admin", &admin),
            ("nobody", &app.client()),
        ];
        for (who, client) in readers {
            let response = send(client, method, &world.address(method, pattern), body).await;
            let destroyed = destroys(method, pattern) && response.status().as_u16() < 400;
            let request = format!("{method} {pattern} as {who}");
            transcript.insert(request, record(response).await);
            if destroyed {
                world = World::new(&ada, &bob, &admin, &eve).await;
                // Wait for the jobs of the new world. Otherwise its thumbnails could be missing from some responses.
                app.wait_for_jobs().await;
            }
        }
        if (*method, *pattern) == ("DELETE", "/session") {
            page = app.browser("Ada").await;
        }
    }
    let monitor = app.client().bearer("metrics");
    for (method, path, who, client) in [
        ("OPTIONS", "/uploads", "author", &ada),
        ("OPTIONS", "/uploads/0", "author", &ada),
        ("GET", "/nowhere", "author", &ada),
        ("PUT", "/inbox", "author", &ada),
        ("GET", "/metrics", "monitor", &monitor),
    ] {
        let response = send(client, method, path, "").await;
        transcript.insert(format!("{method} {path} as {who}"), record(response).await);
    }
    compare("routes", transcript);
}

#[actix_web::test]
async fn setup_and_sign_in_respond_as_in_the_recorded_transcript() {
    let app = TestApp::start().await;
    let code = app.setup_code.clone().unwrap();
    let first = json!({
        "code": code, "email": email("Ada"), "name": "Ada", "password": PASSWORD,
        "time_zone": "Europe/Berlin",
    });
    let right = json!({ "email": email("Ada"), "password": PASSWORD });
    let wrong = json!({ "email": email("Ada"), "password": "guessed" });
    let mut transcript = Transcript::new();
    for (name, method, path, body) in [
        ("set-up page", "GET", format!("/setup?code={code}"), None),
        ("set-up", "POST", "/setup".into(), Some(&first)),
        ("set-up again", "POST", "/setup".into(), Some(&first)),
        ("right password", "POST", "/session".into(), Some(&right)),
        ("wrong password", "POST", "/session".into(), Some(&wrong)),
    ] {
        for (who, client) in [
            ("program", app.client()),
            ("page", app.client().accept("text/html")),
        ] {
            let body = body.map(Value::to_string).unwrap_or_default();
            transcript.insert(
                format!("{name} by {who}"),
                record(send(&client, method, &path, &body).await).await,
            );
        }
    }
    compare("sign-in", transcript);
}

/// The pages and JSON documents that are requested for an update with all kinds of content.
const PAGES: [&str; 20] = [
    "{update}",
    "{update}/access",
    "{update}/comments",
    "{update}/edit",
    "{update}/links",
    "{update}/receipts",
    "{update}/receipts?format=csv",
    "{update}/receipts/{bob}",
    "{update}/versions",
    "{video}",
    "{picture}",
    "{picture}/markup",
    "{comment}",
    "{comment}/history",
    "/inbox",
    "/inbox/next",
    "/receipts",
    "/search?q=pelican",
    "/trash",
    "/updates",
];

#[actix_web::test]
async fn responses_about_an_update_with_all_kinds_of_content_match_the_recorded_transcript() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let scene = Scene::new(&app, &ada, &bob).await;
    let (page, guest) = (app.browser("Ada").await, app.client().bearer(&scene.link));
    let mut transcript = Transcript::new();
    for pattern in PAGES {
        let address = scene.address(pattern, &bob.id);
        for (who, client) in [
            ("author", &ada),
            ("author, page", &page),
            ("recipient", &bob),
            ("guest", &guest),
        ] {
            let response = send(client, "GET", &address, "").await;
            transcript.insert(format!("GET {pattern} as {who}"), record(response).await);
        }
    }
    compare("full-update", transcript);
}

#[actix_web::test]
async fn metrics_keep_their_names_and_labels() {
    let app = TestApp::start_with(|config| config.metrics_token = Some("metrics".into())).await;
    let text = app
        .client()
        .bearer("metrics")
        .get("/metrics")
        .await
        .expect(200)
        .text();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("# HELP "))
        .map(without_sample)
        .collect();
    let mut expected = vec![
        "# TYPE hearback_jobs gauge",
        "hearback_jobs{state=\"waiting\"}",
        "hearback_jobs{state=\"dead\"}",
        "# TYPE hearback_jobs_due gauge",
        "hearback_jobs_due",
        "# TYPE hearback_overdue_check_timestamp_seconds gauge",
        "hearback_overdue_check_timestamp_seconds",
        "# TYPE hearback_live_pages gauge",
        "hearback_live_pages",
    ];
    // The free space of a bucket is unknown, so this metric exists only for folders.
    if !postgres() {
        expected.extend([
            "# TYPE hearback_storage_free_bytes gauge",
            "hearback_storage_free_bytes",
        ]);
    }
    assert_eq!(lines, expected);
}

/// Returns a line of the metrics without its sample value.
fn without_sample(line: &str) -> &str {
    if line.starts_with('#') {
        line
    } else {
        line.rsplit_once(' ').unwrap().0
    }
}

/// Sends the request of a row in the permission table. Does not read the body of the response, because event streams
/// have no end.
async fn send(client: &Client, method: &str, address: &str, body: &str) -> reqwest::Response {
    let request = client.request(method.trim_end_matches(['+', '~']), address);
    let request = match method.chars().last() {
        Some('+') => {
            let part = reqwest::multipart::Part::bytes(fixture("alpha.png")).file_name("a.png");
            request.multipart(reqwest::multipart::Form::new().part("media", part))
        }
        Some('~') => tus_headers(request),
        _ if body.is_empty() => request,
        _ => request
            .header("content-type", "application/json")
            .body(body.to_owned()),
    };
    request.send().await.unwrap()
}
