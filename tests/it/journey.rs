//! The main job, end to end, as a program does it.

use serde_json::json;

use crate::app::{TestApp, email, fixture};

#[actix_web::test]
async fn an_uploaded_recording_is_commented_on_and_acknowledged() {
    let app = TestApp::start().await;
    let (ada, bob, eve) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Eve").await,
    );

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
    let update = ada.upload("/updates", &fields, &files).await.expect(201);
    assert!(
        update
            .header("location")
            .ends_with(update.json()["id"].as_str().unwrap())
    );
    let update = update.json();
    let path = format!("/updates/{}", update["id"].as_str().unwrap());
    assert_eq!(
        (&update["state"], &update["media"][1]["state"]),
        (&json!("published"), &json!("ready"))
    );

    // It becomes ready by itself, seekable and with a true duration.
    let ready = app
        .wait_for(&bob, &path, |update| update["media"][0]["state"] == "ready")
        .await;
    let duration = ready["media"][0]["duration_ms"].as_i64().unwrap();
    assert!((9_700..=10_000).contains(&duration), "{duration}");
    let names: Vec<&str> = ready["media"][0]["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["playable", "poster", "thumbnail"],
        "the original is its author's"
    );

    // Bob has it to answer; Eve knows nothing of it.
    let inbox = bob.get("/inbox").await.json();
    assert_eq!(inbox["owed_by_me"][0]["update"]["title"], "The new flow");
    eve.get(&path).await.problem(404);

    let video = ready["media"][0]["id"].as_str().unwrap();
    let comment = bob
        .post(
            &format!("{path}/comments"),
            json!({ "body": "What is *this*?", "media_id": video, "at_ms": 4200 }),
        )
        .await
        .expect(201)
        .json();
    assert_eq!(comment["anchor"]["at_ms"], 4200);
    let reply = ada
        .post(
            &format!("{path}/comments"),
            json!({ "body": "The menu.", "parent_id": comment["id"] }),
        )
        .await
        .expect(201)
        .json();
    assert_eq!(reply["parent_id"], comment["id"]);
    bob.put(&format!("{path}/reactions/👍")).await.expect(204);

    bob.put(&format!("{path}/opening")).await.expect(204);
    let receipts = ada.get(&format!("{path}/receipts")).await.json();
    assert_eq!(
        (
            &receipts["items"][0]["state"],
            receipts["items"][0]["opened_at"].is_string()
        ),
        (&json!("opened"), true)
    );
    let mine = bob
        .put(&format!("{path}/acknowledgement"))
        .await
        .expect(200)
        .json();
    assert_eq!(mine["state"], "acknowledged");

    let seen = ada.get(&path).await.json();
    assert_eq!(
        (
            &seen["counts"]["acknowledged"],
            &seen["counts"]["owing"],
            &seen["reactions"][0]["emoji"]
        ),
        (&json!(1), &json!(0), &json!("👍"))
    );
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 0);

    // Found again by a word that was said.
    app.wait_for_jobs().await;
    let found = bob.get("/updates?q=menu").await.json();
    assert_eq!(found["items"][0]["id"], update["id"]);
    assert_eq!(found["items"][0]["found"][0]["kind"], "comment");
    assert_eq!(eve.get("/updates?q=menu").await.json()["items"], json!([]));
}
