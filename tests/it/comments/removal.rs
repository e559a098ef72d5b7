//! Repeated requests to remove a comment.

use super::scene;
use crate::app::TestApp;

#[actix_web::test]
async fn removing_a_comment_again_returns_the_same_response_whatever_happened_in_between() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let cyd = app.person("Cyd").await;
    let root = bob.comment(&path, "First").await;
    let reply = bob.reply(&path, &root, "Second").await;
    let [root, reply] = [root, reply].map(|id| format!("/comments/{id}"));
    let removed_by_bob = async || {
        for comment in [&reply, &root] {
            bob.delete(comment).await.expect(204);
            cyd.delete(comment).await.problem(404);
        }
    };
    for comment in [&reply, &root] {
        ada.delete(comment).await.problem(403);
        cyd.delete(comment).await.problem(404);
    }
    removed_by_bob().await;
    removed_by_bob().await;
    for comment in [&reply, &root] {
        let refused = ada.delete(comment).await.problem(403);
        assert_eq!(refused["detail"], "Only Bob can remove this comment.");
    }
    // Ada moves the update to the trash, where Bob cannot see it, and then deletes it permanently.
    ada.delete(&path).await.expect(204);
    removed_by_bob().await;
    let deleted = path.replace("/updates/", "/trash/");
    ada.delete(&deleted).await.expect(204);
    removed_by_bob().await;
    ada.delete(&root).await.problem(404);
}

#[actix_web::test]
async fn removing_a_guests_comment_again_returns_the_same_response() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    let guest = app.client().bearer(&token);
    for host_removes in [true, false] {
        let body = serde_json::json!({ "body": "Hello", "name": "Gus" });
        let comments = format!("{path}/comments");
        let comment = guest.post(&comments, body).await.expect(201).json();
        let comment = crate::app::comment_path(&comment);
        bob.delete(&comment).await.problem(403);
        let (first, second) = if host_removes {
            (&ada, &guest)
        } else {
            (&guest, &ada)
        };
        for client in [first, first, second, second] {
            client.delete(&comment).await.expect(204);
        }
        bob.delete(&comment).await.problem(403);
    }
}

#[actix_web::test]
async fn people_who_cannot_change_a_comment_get_the_same_response_before_and_after_its_removal() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let question = bob.question(&path, "When?").await;
    let comment = format!("/comments/{question}");
    let resolution = format!("{comment}/resolution");
    let body = serde_json::json!({ "body": "Mine" });
    let refusals = async || {
        let edited = ada.patch(&comment, body.clone()).await.problem(403);
        let resolved = ada.put(&resolution).await.problem(403);
        [edited, resolved].map(|problem| problem["detail"].clone())
    };
    let before = refusals().await;
    bob.delete(&comment).await.expect(204);
    assert_eq!(refusals().await, before);
    bob.patch(&comment, body.clone()).await.problem(409);
    bob.put(&resolution).await.problem(409);
}
