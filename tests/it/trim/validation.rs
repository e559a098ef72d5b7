//! Validation of trims.

use serde_json::{Value, json};

use super::update_with_recording;
use crate::app::{TestApp, fixture};

#[actix_web::test]
async fn invalid_trim_is_rejected_and_the_error_names_the_field() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
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
}

#[actix_web::test]
async fn only_the_author_can_trim_and_only_recordings_with_a_known_length_can_be_trimmed() {
    let app = TestApp::start().await;
    let (ada, bob, eve) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Eve").await,
    );
    let (path, media, _) = update_with_recording(&app, &ada, true).await;
    let address = format!("{media}/trim");
    let valid = json!({ "from_ms": 1_000, "to_ms": 2_000 });
    bob.json("PUT", &address, &valid).await.problem(403);
    eve.json("PUT", &address, &valid).await.problem(404);
    bob.delete(&address).await.problem(403);
    let files = [("media", "a.png", fixture("alpha.png"))];
    let added = ada.upload(&format!("{path}/media"), &[], &files).await;
    let added = added.expect(201).json();
    let picture = format!("/media/{}/trim", added["items"][0]["id"].as_str().unwrap());
    assert_eq!(
        ada.json("PUT", &picture, &valid).await.problem(409)["detail"],
        "This is a picture. Only videos can be trimmed."
    );
    for (change, expected) in [
        (
            "UPDATE media SET state = 'uploading' WHERE kind = 'video'",
            "still being uploaded",
        ),
        (
            "UPDATE media SET state = 'failed' WHERE kind = 'video'",
            "cannot be played",
        ),
        (
            "UPDATE media SET state = 'processing', duration_ms = NULL WHERE kind = 'video'",
            "not known yet",
        ),
    ] {
        app.execute(change).await;
        let problem = ada.json("PUT", &address, &valid).await.problem(409);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(expected), "{problem}");
    }
    app.execute("UPDATE media SET state = 'ready', duration_ms = 6000 WHERE kind = 'video'")
        .await;
    ada.delete(&media).await.expect(204);
    ada.json("PUT", &address, &valid).await.problem(404);
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
