//! Drawings in comments, and search for text in drawings and markup.

use serde_json::{Value, json};

use super::{put_markup, update_with_picture};
use crate::app::{Client, TestApp, fixture};

fn note(text: &str) -> Value {
    json!([{ "kind": "text", "at": [0.1, 0.1], "text": text, "size": 0.03, "color": "red" }])
}

#[actix_web::test]
async fn comment_can_have_a_drawing_on_a_picture() {
    let app = TestApp::start().await;
    let (_, ben, update, media) = update_with_picture(&app).await;
    let (path, drawing) = (format!("{update}/comments"), note("hierhin"));
    let comment = ben
        .post(&path, json!({ "drawing": drawing }))
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&comment["anchor"]["drawing"], &comment["anchor"]["region"]),
        (&drawing, &Value::Null)
    );
    assert_eq!(
        format!("/media/{}", comment["media_id"].as_str().unwrap()),
        media
    );
    let fields = [("body", "b"), ("drawing", &drawing.to_string())];
    let by_form = ben.form("POST", &path, &fields).await.expect(201).json();
    assert_eq!(by_form["anchor"]["drawing"], drawing);
    for invalid in [
        json!({ "drawing": [] }),
        json!({ "body": "b", "drawing": "x" }),
    ] {
        ben.post(&path, invalid).await.problem(422);
    }
}

#[actix_web::test]
async fn box_at_the_edge_of_a_picture_does_not_extend_beyond_the_picture_after_rounding() {
    let app = TestApp::start().await;
    let (ada, ben, update, media) = update_with_picture(&app).await;
    let highlight = |x: f64, width: f64| json!([{ "kind": "highlight", "box": [x, 0.0, width, 1.0], "color": "yellow" }]);
    // If the left edge and the width were each rounded to five decimal places, their sum would be
    // 1.00001.
    let (sent, stored) = (
        highlight(0.015_625, 0.984_375),
        highlight(0.015_63, 0.984_37),
    );
    let comment = ben
        .post(&format!("{update}/comments"), json!({ "drawing": sent }))
        .await
        .expect(201)
        .json();
    assert_eq!(comment["anchor"]["drawing"], stored);
    put_markup(&ada, &media, 0, sent).await.expect(200);
    let markup = ada.get(&format!("{media}/markup")).await.expect(200).json();
    assert_eq!(markup["shapes"], stored);

    // Earlier versions rounded the width up to 0.98438.
    app.execute("UPDATE markups SET shapes = replace(shapes, '0.98437', '0.98438')")
        .await;
    app.execute("UPDATE comments SET drawing = replace(drawing, '0.98437', '0.98438')")
        .await;
    let markup = ada.get(&format!("{media}/markup")).await.expect(200).json();
    assert_eq!(markup["shapes"], stored);
    let comments = ben
        .get(&format!("{update}/comments"))
        .await
        .expect(200)
        .json();
    assert_eq!(comments["items"][0]["anchor"]["drawing"], stored);
    ada.get(&update).await.expect(200);
}

#[actix_web::test]
async fn drawing_on_a_video_requires_a_playback_position() {
    let app = TestApp::start().await;
    let (ada, ben, update, _) = update_with_picture(&app).await;
    let (path, drawing) = (format!("{update}/comments"), note("hierhin"));
    let video = [("media", "a.webm", fixture("rec-vp8-opus-3s.webm"))];
    let added = ada
        .upload(&format!("{update}/media"), &[], &video)
        .await
        .expect(201)
        .json();
    let id = &added["items"][0]["id"];
    let problem = ben
        .post(&path, json!({ "media_id": id, "drawing": drawing }))
        .await
        .problem(422);
    assert!(
        problem["errors"]["at_ms"]
            .as_str()
            .unwrap()
            .contains("position"),
        "{problem}"
    );
    let fields = json!({ "media_id": id, "at_ms": 500, "drawing": drawing });
    let comment = ben.post(&path, fields).await.expect(201).json();
    assert_eq!(
        (&comment["anchor"]["at_ms"], &comment["anchor"]["drawing"]),
        (&json!(500), &drawing)
    );
}

#[actix_web::test]
async fn comment_by_a_guest_loses_its_drawing_when_the_picture_is_removed() {
    let app = TestApp::start().await;
    let (ada, ben, update, media) = update_with_picture(&app).await;
    let (_, token) = ada.share(&update, true).await;
    let fields = json!({ "name": "Gus", "drawing": note("hierhin") });
    let comment = app
        .client()
        .bearer(&token)
        .post(&format!("{update}/comments"), fields)
        .await
        .expect(201)
        .json();
    assert_eq!(comment["anchor"]["drawing"], note("hierhin"));
    ada.delete(&media).await.expect(204);
    let path = format!("/comments/{}", comment["id"].as_str().unwrap());
    assert_eq!(ben.get(&path).await.json()["anchor"], Value::Null);
}

async fn search(client: &Client, words: &str) -> Value {
    let found = client.get(&format!("/search?q={words}")).await.expect(200);
    found.json()["items"].clone()
}

fn first_url(found: &Value) -> &str {
    found[0]["found"][0]["url"].as_str().unwrap()
}

#[actix_web::test]
async fn text_in_markup_is_searchable() {
    let app = TestApp::start().await;
    let (ada, ben, update, media) = update_with_picture(&app).await;
    put_markup(&ada, &media, 0, note("Schaltfläche öffnen"))
        .await
        .expect(200);
    app.wait_for_jobs().await;
    let found = search(&ben, "schaltflache").await;
    assert_eq!(found[0]["found"][0]["kind"], "markup", "{found}");
    let anchor = format!("{update}#m-{}", media.trim_start_matches("/media/"));
    assert!(first_url(&found).ends_with(&anchor), "{found}");
    put_markup(&ada, &media, 1, json!([])).await.expect(200);
    app.wait_for_jobs().await;
    assert_eq!(search(&ben, "schaltflache").await, json!([]));
}

#[actix_web::test]
async fn text_in_drawings_is_searchable() {
    let app = TestApp::start().await;
    let (ada, ben, update, media) = update_with_picture(&app).await;
    let comment = ben
        .post(
            &format!("{update}/comments"),
            json!({ "drawing": note("Kurbelwelle") }),
        )
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    let found = search(&ben, "kurbelwelle").await;
    let anchor = format!("#c-{}", comment["id"].as_str().unwrap());
    assert!(first_url(&found).ends_with(&anchor), "{found}");
    let updates = ben.get("/updates?q=kurbelwelle").await.json();
    assert_eq!(updates["items"].as_array().unwrap().len(), 1);
    ada.delete(&media).await.expect(204);
    app.wait_for_jobs().await;
    assert_eq!(search(&ben, "kurbelwelle").await, json!([]));
}
