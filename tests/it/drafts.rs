//! Saved drafts of comments, replies, readbacks and objections.

use serde_json::json;

use crate::app::{Client, Response, TestApp, email};

async fn save_draft(client: &Client, path: &str, subject: &str, body: &str) -> Response {
    client
        .json(
            "PUT",
            &format!("{path}/drafts/{subject}"),
            &json!({ "body": body }),
        )
        .await
}

async fn scene(app: &TestApp) -> (Client, Client, String) {
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = ada
        .update(json!({ "title": "Look", "audience": [email("Bob")] }))
        .await;
    (ada, bob, path)
}

#[actix_web::test]
async fn saved_draft_is_shown_only_to_its_author_but_on_all_of_their_devices() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = ada.comment(&path, "What do you think?").await;
    for body in ["Half a", "Half a thought <b>"] {
        save_draft(&bob, &path, "comment", body).await.expect(204);
    }
    save_draft(&bob, &path, &id, "I think that")
        .await
        .expect(204);
    save_draft(&bob, &path, "readback", "I will")
        .await
        .expect(204);
    save_draft(&bob, &path, "decline", "Not me")
        .await
        .expect(204);
    let page = app.browser("Bob").await.get(&path).await.text();
    for part in [
        "Half a thought &#60;b&#62;</textarea>",
        "I think that</textarea>",
        &format!("name=\"reply\" value=\"{id}\" aria-expanded=\"true\""),
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(
        !app.browser("Ada")
            .await
            .get(&path)
            .await
            .text()
            .contains("Half a thought")
    );
    save_draft(&bob, &path, "comment", " ").await.expect(204);
    for _ in 0..2 {
        bob.delete(&format!("{path}/drafts/{id}")).await.expect(204);
    }
    assert_eq!(app.count("SELECT count(*) FROM drafts").await, 2);
}

#[actix_web::test]
async fn draft_is_deleted_when_it_is_sent_but_not_when_sending_fails() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = ada.comment(&path, "What do you think?").await;
    save_draft(&bob, &path, "comment", "All in all")
        .await
        .expect(204);
    save_draft(&bob, &path, &id, "I think that")
        .await
        .expect(204);
    bob.post(&format!("{path}/comments"), json!({ "body": "" }))
        .await
        .problem(422);
    assert_eq!(app.count("SELECT count(*) FROM drafts").await, 2);
    bob.comment(&path, "All in all, fine").await;
    assert_eq!(
        app.count("SELECT count(*) FROM drafts WHERE subject = 'comment'")
            .await,
        0
    );
    assert_eq!(app.count("SELECT count(*) FROM drafts").await, 1);
    bob.reply(&path, &id, "I think that too").await;
    assert_eq!(app.count("SELECT count(*) FROM drafts").await, 0);
}

#[actix_web::test]
async fn readback_and_objection_drafts_are_deleted_when_sent() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = ada
        .update(json!({ "title": "Look", "audience": [email("Bob")], "expectation": "readback" }))
        .await;
    save_draft(&bob, &path, "readback", "I will move the")
        .await
        .expect(204);
    save_draft(&bob, &path, "decline", "I cannot")
        .await
        .expect(204);
    let page = app.browser("Bob").await.get(&path).await.text();
    assert!(page.contains("I will move the</textarea>") && page.contains("I cannot</textarea>"));
    bob.json(
        "PUT",
        &format!("{path}/acknowledgement"),
        &json!({ "readback": "I will move the menu" }),
    )
    .await
    .expect(200);
    assert_eq!(
        app.count("SELECT count(*) FROM drafts WHERE subject = 'readback'")
            .await,
        0
    );
    bob.json(
        "PUT",
        &format!("{path}/decline"),
        &json!({ "reason": "I cannot" }),
    )
    .await
    .expect(200);
    assert_eq!(app.count("SELECT count(*) FROM drafts").await, 0);
}

#[actix_web::test]
async fn saving_a_draft_requires_access_to_the_update_and_a_valid_body() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let other = ada.update(json!({ "title": "Other" })).await;
    let (foreign, eve) = (
        ada.comment(&other, "Elsewhere").await,
        app.person("Eve").await,
    );
    save_draft(&bob, &path, &foreign, "x").await.problem(404);
    save_draft(&bob, &path, "nothing", "x").await.problem(404);
    save_draft(&bob, &other, "comment", "x").await.problem(404);
    save_draft(&eve, &path, "comment", "x").await.problem(404);
    eve.delete(&format!("{path}/drafts/comment"))
        .await
        .problem(404);
    save_draft(&bob, &path, "comment", &"ü".repeat(10_000))
        .await
        .expect(204);
    assert!(
        save_draft(&bob, &path, "comment", &"x".repeat(10_001))
            .await
            .problem(422)["errors"]["body"]
            .is_string()
    );
    let at = format!("{path}/drafts/comment");
    assert!(
        bob.json("PUT", &at, &json!({ "body": "x", "color": "red" }))
            .await
            .problem(422)["errors"]["color"]
            .is_string()
    );
    let (_, token) = ada.share(&path, true).await;
    save_draft(&app.client().bearer(&token), &path, "comment", "x")
        .await
        .problem(403);
    save_draft(&app.client(), &path, "comment", "x")
        .await
        .problem(401);
    assert_eq!(app.count("SELECT count(*) FROM drafts").await, 1);
}
