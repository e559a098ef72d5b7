//! Trimming: from the response on, other people get only the kept part, and anchors move with it.

use std::path::PathBuf;

use hearback::people::{Grant, Person, Role, Viewer};
use serde_json::{Value, json};

use crate::app::{Client, TestApp, email, fixture};
use crate::frames;

/// Makes an update by Ada for Bob with a processed recording whose frames are numbered. Returns the paths of the update and of the
/// recording, and the recording.
async fn update_with_recording(
    app: &TestApp,
    ada: &Client,
    publish: bool,
) -> (String, String, Value) {
    let fields = [
        ("title", "T"),
        ("audience", &*email("Bob")),
        ("expectation", "acknowledge"),
        ("publish", if publish { "true" } else { "false" }),
    ];
    let update = ada
        .upload(
            "/updates",
            &fields,
            &[("media", "count.webm", fixture("count.webm"))],
        )
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    let media = format!("/media/{}", update["media"][0]["id"].as_str().unwrap());
    (
        format!("/updates/{}", update["id"].as_str().unwrap()),
        media.clone(),
        ada.get(&media).await.json(),
    )
}

async fn trim(client: &Client, media: &str, from: i64, to: i64) -> Value {
    client
        .json(
            "PUT",
            &format!("{media}/trim"),
            &json!({ "from_ms": from, "to_ms": to }),
        )
        .await
        .expect(200)
        .json()
}

fn names(media: &Value) -> Vec<&str> {
    media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}

fn url(media: &Value, name: &str) -> String {
    let found = media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("{name} of {media}"))["url"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Returns the frame numbers of the video or picture at an address.
async fn numbers(app: &TestApp, address: &str) -> Vec<usize> {
    let bytes = app.client().get(address).await.expect(200).body;
    let path: PathBuf = app.dir.path().join("fetched");
    std::fs::write(&path, bytes).unwrap();
    frames::numbers(&path)
}

#[actix_web::test]
async fn trimmed_recording_serves_only_the_kept_part_except_to_its_author() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, media, whole) = update_with_recording(&app, &ada, true).await;
    let before = bob.get(&media).await.json();
    assert_eq!(names(&before), ["h264", "playable", "poster", "thumbnail"]);

    let answer = trim(&ada, &media, 2_280, 5_000).await;
    assert_eq!(
        (&answer["state"], &answer["reason"], &answer["duration_ms"]),
        (&json!("processing"), &json!("Being trimmed"), &json!(2_720))
    );
    assert_eq!(answer["trim"], json!({ "from_ms": 2_280, "to_ms": 5_000 }));
    // The old addresses end at once, before the job runs.
    for name in names(&before) {
        app.client().get(&url(&before, name)).await.problem(404);
    }
    app.client()
        .get(&url(&whole, "playable"))
        .await
        .problem(404);
    app.wait_for_jobs().await;

    let after = bob.get(&media).await.json();
    assert_eq!(
        (&after["state"], &after["duration_ms"], &after["trim"]),
        (&json!("ready"), &json!(2_720), &Value::Null)
    );
    assert_eq!(names(&after), ["h264", "playable", "poster", "thumbnail"]);
    let wanted: Vec<usize> = (57..=124).collect();
    for name in ["playable", "h264"] {
        assert_eq!(numbers(&app, &url(&after, name)).await, wanted, "{name}");
    }
    // The poster is a frame of the kept part.
    let poster = numbers(&app, &url(&after, "poster")).await;
    assert!(
        poster.iter().all(|number| wanted.contains(number)),
        "{poster:?}"
    );
    let own = ada.get(&media).await.json();
    assert!(
        app.client()
            .get(&url(&own, "original"))
            .await
            .expect(200)
            .body
            == fixture("count.webm")
    );
    assert_eq!(
        app.objects().await.len(),
        5,
        "only the original and four renditions are stored"
    );
    assert_eq!(
        bob.get(&path).await.json()["media"][0]["duration_ms"],
        2_720
    );
}

#[actix_web::test]
async fn trim_can_be_repeated_narrowed_and_removed() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (_, media, whole) = update_with_recording(&app, &ada, true).await;
    let length = whole["duration_ms"].as_i64().unwrap();
    let generation = async || app.count("SELECT max(generation) FROM media").await;
    assert_eq!(
        trim(&ada, &media, 0, length).await["state"],
        "ready",
        "a trim to the full length changes nothing"
    );
    assert_eq!(generation().await, 1);

    trim(&ada, &media, 1_000, 5_000).await;
    trim(&ada, &media, 1_000, 5_000).await;
    assert_eq!(generation().await, 2);
    // Times refer to the trimmed recording, even before it is cut.
    let again = trim(&ada, &media, 1_000, 3_000).await;
    assert_eq!(
        (&again["trim"], &again["duration_ms"]),
        (&json!({ "from_ms": 2_000, "to_ms": 4_000 }), &json!(2_000))
    );
    assert_eq!(
        trim(&ada, &media, 1_000, 3_000).await["trim"],
        again["trim"]
    );
    assert_eq!(trim(&ada, &media, 0, 2_000).await["trim"], again["trim"]);
    assert_eq!(generation().await, 3);
    app.wait_for_jobs().await;
    let wanted: Vec<usize> = (50..=99).collect();
    assert_eq!(
        numbers(&app, &url(&bob.get(&media).await.json(), "playable")).await,
        wanted
    );

    for _ in 0..2 {
        let back = ada
            .delete(&format!("{media}/trim"))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&back["trim"], &back["duration_ms"]),
            (&Value::Null, &json!(length))
        );
    }
    assert_eq!(generation().await, 4);
    app.wait_for_jobs().await;
    assert_eq!(
        numbers(&app, &url(&bob.get(&media).await.json(), "playable")).await,
        (0..150).collect::<Vec<_>>()
    );
}

#[actix_web::test]
async fn comment_anchors_move_with_a_trim() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, media, whole) = update_with_recording(&app, &ada, true).await;
    let mut ids = Vec::new();
    for (at, until) in [
        (500, None),
        (2_000, None),
        (3_000, None),
        (4_000, None),
        (5_000, None),
        (1_000, Some(2_500)),
        (3_500, Some(5_500)),
        (100, Some(900)),
    ] {
        let body =
            json!({ "body": "Here", "media_id": whole["id"], "at_ms": at, "until_ms": until });
        ids.push(
            bob.post(&format!("{path}/comments"), body)
                .await
                .expect(201)
                .json()["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let written = json!([{ "kind": "text", "at": [0.1, 0.1], "text": "Kurbelwelle" }]);
    let drawn =
        json!({ "body": "Here", "media_id": whole["id"], "at_ms": 500, "drawing": written });
    bob.post(&format!("{path}/comments"), drawn)
        .await
        .expect(201);
    app.wait_for_jobs().await;
    let found = async || {
        bob.get("/search?q=kurbelwelle").await.expect(200).json()["items"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(found().await, 1);
    let places = async || {
        let mut places = Vec::new();
        for id in &ids {
            let comment = bob.get(&format!("/comments/{id}")).await.expect(200).json();
            assert_eq!(comment["body"], "Here");
            places.push((
                comment["anchor"]["at_ms"].as_i64(),
                comment["anchor"]["until_ms"].as_i64(),
            ));
        }
        places
    };
    trim(&ada, &media, 2_000, 4_000).await;
    assert_eq!(
        places().await,
        [
            (None, None),
            (Some(0), None),
            (Some(1_000), None),
            (Some(2_000), None),
            (None, None),
            (Some(0), Some(500)),
            (Some(1_500), Some(2_000)),
            (None, None),
        ]
    );
    // A drawing outside the kept part is not found by search.
    app.wait_for_jobs().await;
    assert_eq!(found().await, 0);
    // New anchors must lie within the trimmed length.
    bob.post(
        &format!("{path}/comments"),
        json!({ "body": "x", "media_id": whole["id"], "at_ms": 2_001 }),
    )
    .await
    .problem(422);
    ada.delete(&format!("{media}/trim")).await.expect(200);
    let back = places().await;
    assert_eq!(
        (back[1].0, back[2].0, back[3].0, back[5], back[0].0),
        (
            Some(2_000),
            Some(3_000),
            Some(4_000),
            (Some(2_000), Some(2_500)),
            None
        )
    );
}

#[actix_web::test]
async fn invalid_trim_is_rejected() {
    let app = TestApp::start().await;
    let (ada, bob, eve) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Eve").await,
    );
    let (_, media, whole) = update_with_recording(&app, &ada, true).await;
    let address = format!("{media}/trim");
    let length = whole["duration_ms"].as_i64().unwrap();
    for (body, field) in [
        (json!({ "from_ms": -1, "to_ms": 2_000 }), "from_ms"),
        (json!({ "from_ms": 0, "to_ms": length + 1 }), "to_ms"),
        (json!({ "from_ms": 2_000, "to_ms": 1_000 }), "to_ms"),
        (json!({ "from_ms": 2_000, "to_ms": 2_499 }), "to_ms"),
        (json!({ "from_ms": i64::MIN, "to_ms": i64::MAX }), "to_ms"),
        (json!({ "from_ms": i64::MAX, "to_ms": i64::MIN }), "to_ms"),
        (json!({ "from_ms": 1.5, "to_ms": 2_000 }), "from_ms"),
        (json!({ "from_ms": "1:00", "to_ms": 2_000 }), "from_ms"),
        (json!({ "to_ms": 2_000 }), "from_ms"),
        (json!({ "from_ms": 0, "to_ms": 2_000, "why": 1 }), "why"),
        (
            json!({ "from_ms": 0, "to_ms": 2_000, "change": "big" }),
            "change",
        ),
    ] {
        let problem = ada.json("PUT", &address, &body).await.problem(422);
        assert!(problem["errors"][field].is_string(), "{body}: {problem}");
    }
    let good = json!({ "from_ms": 1_000, "to_ms": 2_000 });
    bob.json("PUT", &address, &good).await.problem(403);
    eve.json("PUT", &address, &good).await.problem(404);
    bob.delete(&address).await.problem(403);
    let picture = ada
        .upload(
            "/updates",
            &[("title", "P")],
            &[("media", "a.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    let picture = format!(
        "/media/{}/trim",
        picture["media"][0]["id"].as_str().unwrap()
    );
    assert_eq!(
        ada.json("PUT", &picture, &good).await.problem(409)["detail"],
        "This is a picture. Only videos can be trimmed."
    );
    for (state, expected) in [
        ("uploading", "still arriving"),
        ("failed", "cannot be played"),
    ] {
        let mut tx = app.state.db.begin().await.unwrap();
        sqlx::query("UPDATE media SET state = $1 WHERE kind = 'video'")
            .bind(state)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let problem = ada.json("PUT", &address, &good).await.problem(409);
        assert!(
            problem["detail"].as_str().unwrap().contains(expected),
            "{problem}"
        );
    }
    app.execute("UPDATE media SET state = 'processing', duration_ms = NULL WHERE kind = 'video'")
        .await;
    assert!(
        ada.json("PUT", &address, &good).await.problem(409)["detail"]
            .as_str()
            .unwrap()
            .contains("not measured yet")
    );
    app.execute("UPDATE media SET state = 'ready', duration_ms = 6000 WHERE kind = 'video'")
        .await;
    // Removed media cannot be trimmed.
    ada.delete(&media).await.expect(204);
    ada.json("PUT", &address, &good).await.problem(404);
}

#[actix_web::test]
async fn trim_form_accepts_minutes_and_seconds() {
    let app = TestApp::start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Bob").await);
    let (path, media, _) = update_with_recording(&app, &ada, false).await;
    let browser = app.browser("Ada").await;
    let address = format!("{media}/trim");
    let answer = browser
        .form(
            "POST",
            &address,
            &[("_method", "PUT"), ("from", "0:01.5"), ("to", "4")],
        )
        .await
        .expect(303);
    assert_eq!(answer.header("location"), format!("{path}/edit"));
    assert_eq!(
        ada.get(&media).await.json()["trim"],
        json!({ "from_ms": 1_500, "to_ms": 4_000 })
    );
    for wrong in ["0:0x", "1:2:3:4", "soon", "-1"] {
        browser
            .form(
                "POST",
                &address,
                &[("_method", "PUT"), ("from", wrong), ("to", "0:02")],
            )
            .await
            .expect(422);
    }
    browser
        .form("POST", &address, &[("_method", "DELETE")])
        .await
        .expect(303);
    assert_eq!(ada.get(&media).await.json()["trim"], Value::Null);
}

#[actix_web::test]
async fn trim_during_processing_supersedes_the_running_job() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (_, media, _) = update_with_recording(&app, &ada, true).await;
    // Processing restarts each time, and the trim arrives at an arbitrary moment of it.
    for (from, to) in [(1_000, 5_500), (0, 4_000), (1_000, 3_000), (0, 1_500)] {
        let id = media.trim_start_matches("/media/");
        let generation = app.count("SELECT max(generation) FROM media").await;
        let mut tx = app.state.db.begin().await.unwrap();
        let payload = json!({ "media": id, "generation": generation }).to_string();
        sqlx::query("INSERT INTO jobs (id, kind, payload, run_at, attempts) VALUES ($1, 'process', $2, 0, 0)")
            .bind(app.state.clock.id())
            .bind(payload)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        app.wait_until("processing has begun", async || {
            app.count("SELECT count(*) FROM jobs WHERE kind = 'process' AND lease IS NOT NULL")
                .await
                > 0
        })
        .await;
        trim(&ada, &media, from, to).await;
    }
    app.wait_for_jobs().await;
    let seen = bob.get(&media).await.json();
    assert_eq!(
        (&seen["state"], &seen["duration_ms"]),
        (&json!("ready"), &json!(1_500))
    );
    // The trims add up to a start at 2000 ms of the original and a length of 1.5 s.
    let numbers = numbers(&app, &url(&seen, "playable")).await;
    assert_eq!((numbers.first(), numbers.len()), (Some(&50), 37));
    assert_eq!(
        app.objects().await.len(),
        5,
        "the files of superseded jobs are deleted"
    );
}

#[actix_web::test]
async fn trim_job_of_a_killed_server_is_completed_by_another() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (_, media, _) = update_with_recording(&app, &ada, true).await;
    // Another worker holds the lease of the job, and dies.
    let mut tx = app.state.db.begin().await.unwrap();
    let person = Person {
        id: ada.id.clone(),
        name: "Ada".into(),
        email: email("Ada"),
        role: Role::Member,
        time_zone: "UTC".into(),
        grant: Grant::Token(String::new()),
    };
    hearback::media::trim(
        &mut tx,
        &app.state.clock,
        &Viewer::Person(person),
        media.trim_start_matches("/media/"),
        (2_000, 4_000),
        None,
    )
    .await
    .unwrap();
    sqlx::query("UPDATE jobs SET lease = 'theirs', leased_until = 99999999999999, attempts = 1 WHERE kind = 'process'")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    // Until then only the author has a file. It is the original, and the page plays the kept part of it.
    assert_eq!(names(&bob.get(&media).await.json()), [""; 0]);
    assert_eq!(names(&ada.get(&media).await.json()), ["original"]);
    let update = ada.get("/updates").await.json()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = app
        .browser("Ada")
        .await
        .get(&format!("/updates/{update}"))
        .await
        .text();
    assert!(
        page.contains("#t=2.000,4.000") && page.contains("data-from=\"2000\""),
        "{page}"
    );
    let page = app
        .browser("Bob")
        .await
        .get(&format!("/updates/{update}"))
        .await
        .text();
    assert!(
        page.contains("Being trimmed") && !page.contains("<video"),
        "{page}"
    );
    app.execute("UPDATE jobs SET leased_until = 1 WHERE kind = 'process'")
        .await;
    app.wait_for_jobs().await;
    assert_eq!(
        numbers(&app, &url(&bob.get(&media).await.json(), "playable")).await,
        (50..=99).collect::<Vec<_>>()
    );
}

#[actix_web::test]
async fn draft_published_during_a_trim_never_serves_the_cut_parts() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, media, _) = update_with_recording(&app, &ada, false).await;
    trim(&ada, &media, 2_000, 4_000).await;
    ada.put(&format!("{path}/publication")).await.expect(200);
    let wanted: Vec<usize> = (50..=99).collect();
    let seen = app.wait_for(&bob, &media, |media| {
        let names = names(media);
        assert!(!names.contains(&"original"), "{media}");
        names.contains(&"playable")
    });
    assert_eq!(numbers(&app, &url(&seen.await, "playable")).await, wanted);
}

#[actix_web::test]
async fn trim_can_ask_again_and_is_shown_in_versions() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, media, _) = update_with_recording(&app, &ada, true).await;
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    // A trim alone asks nobody again, but the next edit proposes to.
    trim(&ada, &media, 1_000, 5_000).await;
    assert_eq!(
        bob.get(&path).await.json()["my_receipt"]["state"],
        "acknowledged"
    );
    let browser = app.browser("Ada").await;
    assert!(
        browser
            .get(&format!("{path}/edit"))
            .await
            .text()
            .contains("name=\"change\" value=\"material\" checked>")
    );
    let body = json!({ "from_ms": 0, "to_ms": 3_000, "change": "material", "what_changed": "Only the part that matters" });
    ada.json("PUT", &format!("{media}/trim"), &body)
        .await
        .expect(200);
    let mine = bob.get(&path).await.json()["my_receipt"].clone();
    assert_eq!(
        (&mine["state"], &mine["owes"]),
        (&json!("stale"), &json!(true))
    );
    let page = app.browser("Bob").await.get(&path).await.text();
    for shown in ["Only the part that matters", "Trimmed to 0:03: count.webm"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("New: count.webm"));
    app.wait_for_jobs().await;
    let versions = ada.get(&format!("{path}/versions")).await.json()["items"].clone();
    assert_eq!(
        (
            &versions[0]["files"][0]["trim"],
            &versions[1]["files"][0]["trim"]
        ),
        (&json!({ "from_ms": 1_000, "to_ms": 4_000 }), &Value::Null)
    );
    let page = browser
        .get(&format!("{path}/versions"))
        .await
        .expect(200)
        .text();
    assert!(page.contains("trimmed to 0:03"), "{page}");

    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    ada.json(
        "DELETE",
        &format!("{media}/trim"),
        &json!({ "change": "material" }),
    )
    .await
    .expect(200);
    assert!(
        app.browser("Bob")
            .await
            .get(&path)
            .await
            .text()
            .contains("Whole again: count.webm")
    );
}
