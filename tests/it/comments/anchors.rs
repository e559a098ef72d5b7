//! Comments that are anchored to a time or a region.

use serde_json::{Value, json};

use super::{scene, threads};
use crate::app::{Client, TestApp, email, fixture, media_path, update_path};

/// An update with a video and a picture, and the path to which Bob posts comments.
struct Anchored {
    ada: Client,
    bob: Client,
    path: String,
    comments: String,
    video: Value,
    image: Value,
    /// The length of the video in milliseconds.
    length: i64,
}

async fn anchored(app: &TestApp) -> Anchored {
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let files = [
        ("media", "clip.webm", fixture("rec-vp8-opus-3s.webm")),
        ("media", "shot.png", fixture("alpha.png")),
    ];
    let fields = [("title", "Both"), ("audience", &email("Bob"))];
    let created = ada.upload("/updates", &fields, &files).await;
    let path = update_path(&created.expect(201).json());
    let ready = app
        .wait_for(&ada, &path, |update| update["media"][0]["state"] == "ready")
        .await;
    let media = |at: usize| ready["media"][at]["id"].clone();
    Anchored {
        ada,
        bob,
        comments: format!("{path}/comments"),
        path,
        video: media(0),
        image: media(1),
        length: ready["media"][0]["duration_ms"].as_i64().unwrap(),
    }
}

fn with_body(anchor: &Value) -> Value {
    let mut comment = anchor.clone();
    comment["body"] = "Here".into();
    comment
}

#[actix_web::test]
async fn comment_anchor_in_a_video_or_picture_is_stored_and_is_removed_with_the_file() {
    let app = TestApp::start().await;
    let Anchored {
        ada,
        bob,
        path,
        comments,
        video,
        image,
        length,
    } = &anchored(&app).await;
    let spot = json!({ "x": 0.25, "y": 0.5, "w": 0.1, "h": 0.2 });
    let point = json!({ "x": 1.0, "y": 1.0, "w": 0.0, "h": 0.0 });
    for (anchor, media, region) in [
        (
            json!({ "media_id": video, "at_ms": 0 }),
            video,
            &Value::Null,
        ),
        (
            json!({ "at_ms": 1000, "until_ms": length }),
            video,
            &Value::Null,
        ),
        (
            json!({ "media_id": video, "at_ms": length, "region": spot }),
            video,
            &spot,
        ),
        (json!({ "media_id": image, "region": spot }), image, &spot),
        (json!({ "region": { "x": 1, "y": 1 } }), image, &point),
    ] {
        let created = bob.post(comments, with_body(&anchor)).await.expect(201);
        let created = created.json();
        assert_eq!(
            (
                &created["media_id"],
                &created["anchor"]["region"],
                &created["anchor"]["at_ms"]
            ),
            (media, region, &anchor["at_ms"]),
            "{anchor}"
        );
    }
    // When a file is deleted, its comments are kept but lose their anchors.
    let file = json!({ "id": video });
    ada.delete(&media_path(&file)).await.expect(204);
    let left = threads(bob, path).await;
    assert_eq!(
        (left.len(), &left[0]["media_id"], &left[0]["anchor"]),
        (5, &Value::Null, &Value::Null)
    );
}

#[actix_web::test]
async fn comment_anchor_that_is_invalid_or_outside_its_media_is_rejected() {
    let app = TestApp::start().await;
    let Anchored {
        bob,
        path,
        comments,
        video,
        image,
        length,
        ..
    } = &anchored(&app).await;
    let spot = json!({ "x": 0.25, "y": 0.5, "w": 0.1, "h": 0.2 });
    for (anchor, field) in [
        (json!({ "media_id": video, "at_ms": -1 }), "at_ms"),
        (json!({ "media_id": video, "at_ms": length + 1 }), "at_ms"),
        (json!({ "media_id": video, "at_ms": "soon" }), "at_ms"),
        (json!({ "media_id": video, "at_ms": 1.5 }), "at_ms"),
        (json!({ "media_id": image, "at_ms": 5 }), "at_ms"),
        (json!({ "media_id": video, "region": spot }), "at_ms"),
        (
            json!({ "media_id": video, "at_ms": 2000, "until_ms": 1000 }),
            "until_ms",
        ),
        (json!({ "media_id": video, "until_ms": 1000 }), "until_ms"),
        (
            json!({ "media_id": video, "at_ms": 1, "until_ms": length + 1 }),
            "until_ms",
        ),
        (json!({ "media_id": "nothing", "at_ms": 1 }), "media_id"),
        (
            json!({ "region": { "x": 0.9, "y": 0, "w": 0.2, "h": 0.1 } }),
            "region",
        ),
        (json!({ "region": { "x": -0.1, "y": 0 } }), "region"),
        (json!({ "region": { "x": 0 } }), "region"),
        (json!({ "region": { "x": 0, "y": 0, "z": 0 } }), "region"),
        (json!({ "region": "here" }), "region"),
    ] {
        let problem = bob.post(comments, with_body(&anchor)).await.problem(422);
        assert!(problem["errors"][field].is_string(), "{anchor}: {problem}");
    }
    assert_eq!(threads(bob, path).await, Vec::<Value>::new());
}

#[actix_web::test]
async fn comment_anchor_in_media_of_another_update_is_rejected() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let other = ada
        .upload(
            "/updates",
            &[("title", "Other")],
            &[("media", "a.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    let foreign = ada
        .post(
            &format!("{path}/comments"),
            json!({
                "body": "x", "media_id": other["media"][0]["id"], "region": { "x": 0, "y": 0 },
            }),
        )
        .await;
    assert!(foreign.problem(422)["errors"]["media_id"].is_string());
}
