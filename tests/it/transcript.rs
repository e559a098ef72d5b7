//! Compares every route's answer with a recorded one: status, headers and the shape of the JSON. Refactoring must not change them.
//!
//! After an intended change of the contract, `HEARBACK_RECORD=1` records `tests/fixtures/transcript/` again. Review the diff. Both
//! engines give the same answers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::app::{Client, PASSWORD, Response, TestApp, email, fixture, postgres};
use crate::permissions::{TABLE, World, tus_headers};
use crate::shape::{Shape, differences};

/// Headers whose values differ from run to run. Only their presence is recorded.
const VOLATILE: [&str; 5] = [
    "content-length",
    "date",
    "etag",
    "upload-expires",
    "x-request-id",
];
/// Recorded answers, by request and reader.
type Transcript = BTreeMap<String, Value>;

#[actix_web::test]
async fn every_route_responds_as_recorded() {
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
            transcript.insert(
                format!("{method} {pattern} as {who}"),
                record(response).await,
            );
            if destroyed {
                world = World::new(&ada, &bob, &admin, &eve).await;
                // The answers show which thumbnails exist.
                app.wait_for_jobs().await;
            }
        }
        if (*method, *pattern) == ("DELETE", "/session") {
            page = app.browser("Ada").await;
        }
    }
    for (method, path) in [
        ("OPTIONS", "/uploads"),
        ("OPTIONS", "/uploads/0"),
        ("GET", "/nowhere"),
        ("PUT", "/inbox"),
    ] {
        transcript.insert(
            format!("{method} {path} as author"),
            record(send(&ada, method, path, "").await).await,
        );
    }
    let monitor = app.client().bearer("metrics");
    transcript.insert(
        "GET /metrics as monitor".into(),
        record(send(&monitor, "GET", "/metrics", "").await).await,
    );
    compare("routes", transcript);
}

#[actix_web::test]
async fn set_up_and_sign_in_respond_as_recorded() {
    let app = TestApp::start().await;
    let code = app.setup_code.clone().unwrap();
    let first = json!({ "code": code, "email": email("Ada"), "name": "Ada", "password": PASSWORD, "time_zone": "Europe/Berlin" });
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

/// Whether the next reader needs a new world after this request.
fn destroys(method: &str, pattern: &str) -> bool {
    let deletes = method.starts_with("DELETE")
        && (pattern.ends_with('}') || pattern.ends_with("/publication"));
    // A second reminder is too early, a second markup is of an old revision, and another file needs jobs.
    let once = ["/reminders", "/markup", "/media"]
        .iter()
        .any(|end| pattern.ends_with(end));
    deletes || method != "GET" && once
}

#[actix_web::test]
async fn full_update_is_represented_as_recorded() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let scene = Scene::new(&app, &ada, &bob).await;
    let (page, guest) = (app.browser("Ada").await, app.client().bearer(&scene.link));
    let mut transcript = Transcript::new();
    for pattern in [
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
    ] {
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
async fn metrics_keep_their_names_types_and_labels() {
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
        "# TYPE hearback_live_pages gauge",
        "hearback_live_pages",
    ];
    // The free space of a bucket is unknown.
    if !postgres() {
        expected.extend([
            "# TYPE hearback_storage_free_bytes gauge",
            "hearback_storage_free_bytes",
        ]);
    }
    assert_eq!(lines, expected);
}

fn without_sample(line: &str) -> &str {
    if line.starts_with('#') {
        line
    } else {
        line.rsplit_once(' ').unwrap().0
    }
}

/// An update by Ada for Bob and a guest, with media, comments and answers that fill as many fields as possible.
struct Scene {
    update: String,
    video: String,
    picture: String,
    comment: String,
    link: String,
}

impl Scene {
    async fn new(app: &TestApp, ada: &Client, bob: &Client) -> Self {
        let fields = json!({
            "title": "The pelican plan", "notes": "We ship on **Monday**.", "audience": [email("Bob")],
            "expectation": "readback", "due": { "working_days": 2 }, "publish": false,
        });
        let update = ada.update(fields).await;
        let files = [
            ("media", "count.webm", fixture("count.webm")),
            ("media", "shot.png", fixture("shot-1280x800.png")),
        ];
        let media = ada
            .upload(&format!("{update}/media"), &[], &files)
            .await
            .expect(201)
            .json()["items"]
            .clone();
        let [video, picture] =
            [0, 1].map(|n| format!("/media/{}", media[n]["id"].as_str().unwrap()));
        app.wait_for_jobs().await;
        ada.json(
            "PUT",
            &format!("{video}/trim"),
            &json!({ "from_ms": 0, "to_ms": 3000 }),
        )
        .await
        .expect(200);
        let line = json!({ "kind": "line", "from": [0.0, 1.0], "to": [1.0, 0.0], "color": "red", "width": 0.004 });
        ada.json(
            "PUT",
            &format!("{picture}/markup"),
            &json!({ "revision": 0, "shapes": [line] }),
        )
        .await
        .expect(200);
        app.wait_for_jobs().await;
        ada.put(&format!("{update}/publication")).await.expect(200);
        let (_, link) = ada.share(&update, true).await;
        let scene = Self {
            comment: Self::discuss(ada, bob, &update, &video, &picture).await,
            update,
            video,
            picture,
            link,
        };
        scene
            .answer(ada, bob, &app.client().bearer(&scene.link))
            .await;
        let trashed = ada
            .update(json!({ "title": "An older pelican plan", "audience": [email("Bob")] }))
            .await;
        ada.delete(&trashed).await.expect(204);
        let snoozed = ada.update(json!({ "title": "Later", "audience": [email("Bob")], "expectation": "acknowledge" })).await;
        let snooze = format!("/inbox/b{}/snooze", snoozed.trim_start_matches("/updates/"));
        bob.json("PUT", &snooze, &json!({ "until": "tomorrow" }))
            .await
            .expect(204);
        app.wait_for_jobs().await;
        scene
    }

    /// Returns the path of a comment on a stretch of the video.
    async fn discuss(
        ada: &Client,
        bob: &Client,
        update: &str,
        video: &str,
        picture: &str,
    ) -> String {
        let (video, picture) = (
            video.trim_start_matches("/media/"),
            picture.trim_start_matches("/media/"),
        );
        let spot = json!({ "x": 0.1, "y": 0.1, "w": 0.2, "h": 0.2 });
        let comments = format!("{update}/comments");
        let pointed = json!({ "body": "Here", "media_id": video, "at_ms": 1000, "until_ms": 2000 });
        let comment = bob.post(&comments, pointed).await.expect(201).json()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        bob.patch(&format!("/comments/{comment}"), json!({ "body": "There" }))
            .await
            .expect(200);
        bob.post(
            &comments,
            json!({ "body": "This corner", "media_id": picture, "region": spot }),
        )
        .await
        .expect(201);
        let question = bob.question(update, "Why?").await;
        let reply = ada.reply(update, &question, "Because").await;
        bob.put(&format!("/comments/{reply}/acceptance"))
            .await
            .expect(200);
        ada.reply(update, &comment, "Thanks").await;
        ada.put(&format!("/comments/{comment}/reactions/👍"))
            .await
            .expect(204);
        ada.put(&format!("/comments/{comment}/resolution"))
            .await
            .expect(200);
        bob.put(&format!("{update}/reactions/👍")).await.expect(204);
        format!("/comments/{comment}")
    }

    /// Adds a readback, a correction, a second readback with its confirmation, and a guest's answer. Then a change asks again.
    async fn answer(&self, ada: &Client, bob: &Client, guest: &Client) {
        let Self { update, .. } = self;
        bob.put(&format!("{update}/opening")).await.expect(204);
        let acknowledgement = format!("{update}/acknowledgement");
        let confirmation = format!("{update}/receipts/{}/confirmation", bob.id);
        bob.json("PUT", &acknowledgement, &json!({ "readback": "I do it." }))
            .await
            .expect(200);
        ada.json(
            "PUT",
            &confirmation,
            &json!({ "verdict": "corrected", "body": "You review it." }),
        )
        .await
        .expect(200);
        bob.json(
            "PUT",
            &acknowledgement,
            &json!({ "readback": "I review it." }),
        )
        .await
        .expect(200);
        ada.json("PUT", &confirmation, &json!({ "verdict": "confirmed" }))
            .await
            .expect(200);
        guest
            .json(
                "PUT",
                &acknowledgement,
                &json!({ "name": "Gus", "readback": "I watch." }),
            )
            .await
            .expect(204);
        guest
            .post(
                &format!("{update}/comments"),
                json!({ "name": "Gus", "body": "Hello" }),
            )
            .await
            .expect(201);
        let change = json!({ "notes": "We ship on **Friday**.", "change": "material", "what_changed": "The day" });
        ada.patch(update, change).await.expect(200);
    }

    fn address(&self, pattern: &str, bob: &str) -> String {
        let Self {
            update,
            video,
            picture,
            comment,
            ..
        } = self;
        let address = pattern
            .replace("{update}", update)
            .replace("{video}", video)
            .replace("{picture}", picture);
        address.replace("{comment}", comment).replace("{bob}", bob)
    }
}

/// Sends a row of the permission table. Leaves the response's body unread, because event streams have no end.
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

async fn record(response: reqwest::Response) -> Value {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut recorded = Map::new();
    // Whether the server closes the connection depends on how much of a refused request's body had arrived.
    for name in headers.keys().filter(|name| *name != "connection") {
        let values: Vec<String> = headers
            .get_all(name)
            .iter()
            .map(|value| stable(name.as_str(), value.to_str().unwrap()))
            .collect();
        recorded.insert(name.to_string(), values.join("; ").into());
    }
    let media_type = headers
        .get("content-type")
        .map_or("", |value| value.to_str().unwrap());
    // `openapi.rs` checks the API's description.
    let described = response.url().path() == "/openapi.json";
    let body = if media_type.contains("json") && !described {
        Response::read(response).await.body
    } else {
        Vec::new()
    };
    // An answer to HEAD has a content type and no body.
    let body = if body.is_empty() {
        Value::Null
    } else {
        Shape::of(&serde_json::from_slice(&body).unwrap()).json()
    };
    json!({ "status": status, "headers": recorded, "body": body })
}

/// Returns a header's value without the parts that differ from run to run.
fn stable(name: &str, value: &str) -> String {
    match name {
        _ if VOLATILE.contains(&name) => "*".into(),
        "set-cookie" => {
            let (cookie, attributes) = value.split_once(';').unwrap();
            let attributes: Vec<&str> = attributes
                .split(';')
                .filter(|attribute| !attribute.starts_with(" Expires="))
                .collect();
            format!(
                "{}=*;{}",
                without_tokens(cookie.split_once('=').unwrap().0),
                attributes.join(";")
            )
        }
        _ => without_tokens(value),
    }
}

/// Replaces ids, tokens, hashes in the names of assets and the server's port by `*`.
fn without_tokens(text: &str) -> String {
    let mut out = String::new();
    for part in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let token = word.len() >= 16 && word.contains(|c: char| c.is_ascii_digit());
        let hash = word.len() == 8
            && word
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        let port = out.ends_with("127.0.0.1:");
        out.push_str(if token || hash || port { "*" } else { word });
        out.push_str(&part[word.len()..]);
    }
    out
}

/// Fails with a list of all differences from the recorded answers.
fn compare(name: &str, mut transcript: Transcript) {
    let usual = usual_headers(&transcript);
    transcript
        .values_mut()
        .for_each(|answer| leave_out(&usual, answer));
    transcript.insert("usual headers".into(), usual.into());
    let path = format!(
        "{}/tests/fixtures/transcript/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    if std::env::var_os("HEARBACK_RECORD").is_some() {
        let lines: Vec<String> = transcript
            .iter()
            .map(|(request, answer)| format!("{}: {answer}", json!(request)))
            .collect();
        std::fs::write(&path, format!("{{\n{}\n}}\n", lines.join(",\n"))).unwrap();
    }
    let recorded: Transcript = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let changed = differences("", &json!(recorded), &json!(transcript));
    assert!(
        changed.is_empty(),
        "{} differences:\n{}",
        changed.len(),
        changed.join("\n")
    );
}

/// Returns the header values that more than half of the answers share. They are recorded once, which keeps the diffs short.
fn usual_headers(transcript: &Transcript) -> Map<String, Value> {
    let mut counts: BTreeMap<(&String, &str), usize> = BTreeMap::new();
    for answer in transcript.values() {
        for (name, value) in answer["headers"].as_object().unwrap() {
            *counts.entry((name, value.as_str().unwrap())).or_default() += 1;
        }
    }
    let most = counts
        .into_iter()
        .filter(|(_, count)| *count * 2 > transcript.len());
    most.map(|((name, value), _)| (name.clone(), value.into()))
        .collect()
}

/// Keeps only the headers that differ from the usual ones. `null` stands for a header that is missing.
fn leave_out(usual: &Map<String, Value>, answer: &mut Value) {
    let headers = answer["headers"].as_object_mut().unwrap();
    for (name, value) in usual {
        if headers.get(name) == Some(value) {
            headers.remove(name);
        } else {
            headers.entry(name.clone()).or_insert(Value::Null);
        }
    }
}
