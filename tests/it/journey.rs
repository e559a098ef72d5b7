//! The main journey of an update, from upload to acknowledgement, through the API.

use serde_json::json;

use crate::app::{Client, TestApp, email, fixture, text, texts, update_path};

#[actix_web::test]
async fn uploaded_recording_can_be_commented_on_and_acknowledged() {
    let app = TestApp::start().await;
    let [ada, bob, eve] = app.people(["Ada", "Bob", "Eve"]).await;
    let path = publish(&ada).await;
    let video = wait_for_video(&app, &bob, &path).await;

    let inbox = bob.get("/inbox").await.json();
    assert_eq!(inbox["owed_by_me"][0]["update"]["title"], "The new flow");
    eve.get(&path).await.problem(404);
    discuss(&ada, &bob, &path, &video).await;
    acknowledge(&ada, &bob, &path).await;

    // Search finds the comment by one of its words.
    app.wait_for_jobs().await;
    let found = bob.get("/updates?q=menu").await.json();
    assert_eq!(update_path(&found["items"][0]), path);
    assert_eq!(found["items"][0]["found"][0]["kind"], "comment");
    assert_eq!(eve.get("/updates?q=menu").await.json()["items"], json!([]));
}

/// Publishes an update for Bob with a video and a picture. Returns its path.
async fn publish(ada: &Client) -> String {
    let files = [
        ("media", "demo.webm", fixture("rec-vp9-opus-10s.webm")),
        ("media", "shot.png", fixture("shot-1280x800.png")),
    ];
    let fields = [
        ("title", "The new flow"),
        ("notes", "See **this**"),
        ("audience", &email("Bob")),
        ("expectation", "acknowledge"),
    ];
    let response = ada.upload("/updates", &fields, &files).await.expect(201);
    let update = response.json();
    let path = update_path(&update);
    assert!(response.header("location").ends_with(text(&update["id"])));
    assert_eq!(
        (&update["state"], &update["media"][1]["state"]),
        (&json!("published"), &json!("ready"))
    );
    path
}

/// Waits until the video is processed. Asserts that its actual duration is known, and returns its id.
async fn wait_for_video(app: &TestApp, bob: &Client, path: &str) -> String {
    let ready = app
        .wait_for(bob, path, |update| update["media"][0]["state"] == "ready")
        .await;
    let video = &ready["media"][0];
    let duration = video["duration_ms"].as_i64().unwrap();
    assert!((9_700..=10_000).contains(&duration), "{duration}");
    assert_eq!(
        texts(&video["renditions"], "name"),
        ["playable", "poster", "thumbnail"],
        "only the author gets the original"
    );
    text(&video["id"]).to_owned()
}

/// Bob comments on a moment of the video and reacts to the update. Ada replies to the comment.
async fn discuss(ada: &Client, bob: &Client, path: &str, video: &str) {
    let comments = format!("{path}/comments");
    let question = json!({ "body": "What is *this*?", "media_id": video, "at_ms": 4200 });
    let comment = bob.post(&comments, question).await.expect(201).json();
    assert_eq!(comment["anchor"]["at_ms"], 4200);
    let answer = json!({ "body": "The menu.", "parent_id": comment["id"] });
    let reply = ada.post(&comments, answer).await.expect(201).json();
    assert_eq!(reply["parent_id"], comment["id"]);
    bob.put(&format!("{path}/reactions/👍")).await.expect(204);
}

/// Bob opens and acknowledges the update. Ada sees that he did both.
async fn acknowledge(ada: &Client, bob: &Client, path: &str) {
    bob.put(&format!("{path}/opening")).await.expect(204);
    let receipts = ada.get(&format!("{path}/receipts")).await.json();
    let receipt = &receipts["items"][0];
    assert_eq!(
        (&receipt["state"], receipt["opened_at"].is_string()),
        (&json!("opened"), true)
    );
    let receipt = bob
        .put(&format!("{path}/acknowledgement"))
        .await
        .expect(200)
        .json();
    assert_eq!(receipt["state"], "acknowledged");
    let update = ada.get(path).await.json();
    assert_eq!(
        (
            &update["counts"]["acknowledged"],
            &update["counts"]["owing"],
            &update["reactions"][0]["emoji"]
        ),
        (&json!(1), &json!(0), &json!("👍"))
    );
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
}
