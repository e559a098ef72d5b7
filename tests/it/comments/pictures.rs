//! Pictures in comments.

use serde_json::json;

use super::{scene, threads};
use crate::app::{TestApp, array, comment_path, fixture, media_path, text};

fn picture() -> (&'static str, &'static str, Vec<u8>) {
    ("pictures", "paste.png", fixture("alpha.png"))
}

#[actix_web::test]
async fn pictures_are_stored_with_a_comment_and_deleted_with_it() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let created = bob
        .upload(
            &format!("{path}/comments"),
            &[("body", "")],
            &[picture(), picture()],
        )
        .await
        .expect(201)
        .json();
    assert_eq!(array(&created["pictures"]).len(), 2);
    let first = &created["pictures"][0];
    let url = text(&first["renditions"][0]["url"]);
    let served = app.client().get(url).await.expect(200);
    assert_eq!(served.header("content-type"), "image/png");
    ada.get(&media_path(first)).await.expect(200);
    assert_eq!(
        ada.get(&path).await.json()["media"],
        json!([]),
        "pictures of comments are not media of the update"
    );

    let keys: Vec<String> = sqlx::query_scalar("SELECT key FROM renditions")
        .fetch_all(&mut *app.state.db.read().await.unwrap())
        .await
        .unwrap();
    bob.delete(&comment_path(&created)).await.expect(204);
    app.client().get(url).await.problem(404);
    app.wait_for_jobs().await;
    for key in keys {
        let stored = app.state.uploads.media.storage.len(&key).await.unwrap();
        assert_eq!(stored, None, "{key}");
    }
}

#[actix_web::test]
async fn comment_with_an_invalid_picture_or_too_many_pictures_is_rejected() {
    let app = TestApp::start().await;
    let (_, bob, path) = scene(&app).await;
    let at = format!("{path}/comments");
    let body = [("body", "x")];
    let video = ("pictures", "clip.webm", fixture("rec-vp8-opus-3s.webm"));
    bob.upload(&at, &body, &[video]).await.problem(415);
    let script = ("pictures", "bad.svg", fixture("bad-script.svg"));
    let problem = bob.upload(&at, &body, &[picture(), script]).await;
    let problem = problem.problem(415);
    let errors: Vec<&String> = problem["errors"].as_object().unwrap().keys().collect();
    assert_eq!(errors, ["pictures[1]"]);
    let wrong_field = ("media", "a.png", fixture("alpha.png"));
    bob.upload(&at, &body, &[wrong_field]).await.problem(422);
    let many: Vec<_> = (0..11).map(|_| picture()).collect();
    bob.upload(&at, &body, &many).await.problem(422);
    assert!(threads(&bob, &path).await.is_empty());
}
