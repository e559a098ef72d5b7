//! Trimming a recording. As soon as the author gets the response, other people can get only the
//! kept part.

mod anchors;
mod interruptions;
mod validation;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email, fixture};
use crate::frames;

/// Creates an update by Ada for Bob with a recording, and waits until the recording is processed. Each frame of the
/// recording shows its own number. Returns the path of the update, the path of the recording and the recording's JSON.
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

/// Trims the recording at this path. Returns the recording's JSON.
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
async fn people_other_than_the_author_get_only_the_kept_part_of_a_trimmed_recording() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, media, whole) = update_with_recording(&app, &ada, true).await;
    let before = bob.get(&media).await.json();
    assert_eq!(names(&before), ["h264", "playable", "poster", "thumbnail"]);

    let trimmed = trim(&ada, &media, 2_280, 5_000).await;
    assert_eq!(
        (
            &trimmed["state"],
            &trimmed["reason"],
            &trimmed["duration_ms"]
        ),
        (&json!("processing"), &json!("Being trimmed"), &json!(2_720))
    );
    assert_eq!(trimmed["trim"], json!({ "from_ms": 2_280, "to_ms": 5_000 }));
    // The old addresses stop working before the trim job has run.
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
    assert_shows_only(&app, &after, 57..=124).await;
    let original = url(&ada.get(&media).await.json(), "original");
    let original = app.client().get(&original).await.expect(200);
    assert!(original.body == fixture("count.webm"));
    assert_eq!(
        app.objects().await.len(),
        5,
        "only the original and four renditions are stored"
    );
    let update = bob.get(&path).await.json();
    assert_eq!(update["media"][0]["duration_ms"], 2_720);
}

/// Asserts that the videos consist of exactly these frames, and that the poster is one of them.
async fn assert_shows_only(app: &TestApp, media: &Value, frames: RangeInclusive<usize>) {
    let wanted: Vec<usize> = frames.collect();
    for name in ["playable", "h264"] {
        assert_eq!(numbers(app, &url(media, name)).await, wanted, "{name}");
    }
    let poster = numbers(app, &url(media, "poster")).await;
    assert!(
        poster.iter().all(|number| wanted.contains(number)),
        "{poster:?}"
    );
}

#[actix_web::test]
async fn trim_can_be_narrowed_or_removed_and_repeating_the_same_trim_changes_nothing() {
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
    // The times of a second trim are relative to the first trim, even before the first trim has been processed.
    let narrowed = trim(&ada, &media, 1_000, 3_000).await;
    assert_eq!(
        (&narrowed["trim"], &narrowed["duration_ms"]),
        (&json!({ "from_ms": 2_000, "to_ms": 4_000 }), &json!(2_000))
    );
    for (from, to) in [(1_000, 3_000), (0, 2_000)] {
        let repeated = trim(&ada, &media, from, to).await;
        assert_eq!(repeated["trim"], narrowed["trim"]);
    }
    assert_eq!(generation().await, 3);
    app.wait_for_jobs().await;
    let playable = url(&bob.get(&media).await.json(), "playable");
    let wanted: Vec<usize> = (50..=99).collect();
    assert_eq!(numbers(&app, &playable).await, wanted);
    assert_trim_is_removed(&ada, &media, length).await;
    assert_eq!(generation().await, 4);
    app.wait_for_jobs().await;
    let playable = url(&bob.get(&media).await.json(), "playable");
    let wanted: Vec<usize> = (0..150).collect();
    assert_eq!(numbers(&app, &playable).await, wanted);
}

/// Removes the trim twice. Asserts each time that the recording has its full length.
async fn assert_trim_is_removed(ada: &Client, media: &str, length: i64) {
    for _ in 0..2 {
        let removed = ada.delete(&format!("{media}/trim")).await;
        let removed = removed.expect(200).json();
        assert_eq!(
            (&removed["trim"], &removed["duration_ms"]),
            (&Value::Null, &json!(length))
        );
    }
}

#[actix_web::test]
async fn trim_can_ask_for_new_answers_and_is_listed_in_the_version_history() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, media, _) = update_with_recording(&app, &ada, true).await;
    let (author, reader) = (app.browser("Ada").await, app.browser("Bob").await);
    let receipt = async || bob.get(&path).await.json()["my_receipt"].clone();
    let acknowledgement = format!("{path}/acknowledgement");
    bob.put(&acknowledgement).await.expect(200);
    // This trim does not ask for new answers, but the edit form then suggests asking for them.
    trim(&ada, &media, 1_000, 5_000).await;
    assert_eq!(receipt().await["state"], "acknowledged");
    let page = author.get(&format!("{path}/edit")).await.text();
    assert!(page.contains("name=\"change\" value=\"material\" checked>"));
    let change = json!({
        "from_ms": 0, "to_ms": 3_000, "change": "material",
        "what_changed": "Only the part that matters",
    });
    ada.json("PUT", &format!("{media}/trim"), &change)
        .await
        .expect(200);
    let mine = receipt().await;
    assert_eq!(
        (&mine["state"], &mine["owes"]),
        (&json!("stale"), &json!(true))
    );
    let page = reader.get(&path).await.text();
    for shown in [
        "Only the part that matters",
        "Trimmed to 0:03: <bdi>count.webm</bdi>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("New: <bdi>count.webm</bdi>"));
    app.wait_for_jobs().await;
    let versions = ada.get(&format!("{path}/versions")).await.json()["items"].clone();
    assert_eq!(
        (
            &versions[0]["files"][0]["trim"],
            &versions[1]["files"][0]["trim"]
        ),
        (&json!({ "from_ms": 1_000, "to_ms": 4_000 }), &Value::Null)
    );
    let page = author.get(&format!("{path}/versions")).await;
    let page = page.expect(200).text();
    assert!(page.contains("trimmed to 0:03"), "{page}");

    bob.put(&acknowledgement).await.expect(200);
    let material = json!({ "change": "material" });
    ada.json("DELETE", &format!("{media}/trim"), &material)
        .await
        .expect(200);
    let page = reader.get(&path).await.text();
    assert!(page.contains("No longer trimmed: <bdi>count.webm</bdi>"));
}
