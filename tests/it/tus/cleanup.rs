//! Terminated, expired and removed uploads leave nothing behind.

use serde_json::json;

use super::{HOUR, MIB, Sender, long};
use crate::app::TestApp;

#[actix_web::test]
async fn terminated_upload_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let whole = long(10 * MIB);
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole[..9 * MIB]).await;
    sender.send(9 * MIB, &whole[9 * MIB..]).await;
    sender.terminate(&bob).await.problem(404);
    sender.terminate(&ada).await.expect(204);
    sender.head().await.expect(404);
    for gone in [
        format!("/media/{}", sender.media),
        format!("/updates/{}", sender.update),
    ] {
        ada.get(&gone).await.problem(404);
    }
    app.wait_for_jobs().await;
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn terminating_an_upload_keeps_its_draft_if_the_draft_was_edited() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let sender = Sender::recording(&ada).await;
    let draft = format!("/updates/{}", sender.update);
    ada.patch(&draft, json!({ "title": "Edited" }))
        .await
        .expect(200);
    sender.terminate(&ada).await.expect(204);
    assert_eq!(ada.get(&draft).await.expect(200).json()["media"], json!([]));
}

#[actix_web::test]
async fn completed_upload_cannot_be_terminated_but_its_media_can_be_removed() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = long(10 * MIB);
    let sender = Sender::file(&ada, "a.webm", whole.len()).await;
    sender.send(0, &whole).await;
    sender.terminate(&ada).await.problem(409);
    ada.delete(&format!("/media/{}", sender.media))
        .await
        .expect(204);
    sender.head().await.expect(410);
    app.wait_for_jobs().await;
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn unfinished_upload_is_deleted_when_its_media_is_removed() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let sender = Sender::recording(&ada).await;
    sender.send(0, &long(9 * MIB)).await;
    ada.delete(&format!("/media/{}", sender.media))
        .await
        .expect(204);
    sender.patch(9 * MIB, b"more", &[]).await.problem(410);
    assert_eq!(ada.get("/uploads").await.json()["items"], json!([]));
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
    sender.head().await.expect(404);
}

#[actix_web::test]
async fn expired_upload_is_deleted_and_its_media_is_marked_failed() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let sender = Sender::file(&ada, "a.webm", 20 * MIB).await;
    sender.send(0, &long(9 * MIB)).await;
    app.state.clock.advance(8 * 24 * HOUR);
    sender.head().await.expect(410);
    sender.patch(9 * MIB, b"more", &[]).await.problem(410);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
    let media = sender.media().await;
    assert_eq!(media["state"], "failed");
    assert!(
        media["reason"]
            .as_str()
            .unwrap()
            .contains("Upload the file or record again")
    );
}
