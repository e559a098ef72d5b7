//! What waits for whom, in three sections.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email};

async fn counts(client: &Client) -> (i64, i64, i64) {
    let inbox = client.get("/inbox").await.expect(200).json();
    let counts = |name: &str| inbox["counts"][name].as_i64().unwrap();
    for section in ["owed_by_me", "owed_to_me", "said_to_me"] {
        assert_eq!(inbox[section].as_array().unwrap().len() as i64, counts(section), "{section}");
    }
    (counts("owed_by_me"), counts("owed_to_me"), counts("said_to_me"))
}

fn titles(section: &Value) -> Vec<&str> {
    section.as_array().unwrap().iter().map(|entry| entry["update"]["title"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn what_is_asked_waits_for_the_recipient_and_on_the_recipient() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (app.person("Ada").await, app.person("Bob").await, app.person("Cyd").await);
    let path = ada.update(json!({ "title": "Answer me", "audience": [email("Bob"), email("Cyd")], "expectation": "acknowledge", "due": "2030-01-02T15:04:05Z" })).await;
    assert_eq!((counts(&ada).await, counts(&bob).await), ((0, 1, 0), (1, 0, 0)));
    let entry = bob.get("/inbox").await.json()["owed_by_me"][0].clone();
    assert_eq!(
        (&entry["why"], &entry["due"], &entry["update"]["id"]),
        (&json!("acknowledge"), &json!("2030-01-02T15:04:05.000Z"), &json!(path.trim_start_matches("/updates/")))
    );
    assert!(entry["id"].is_string() && entry["update"]["url"].as_str().unwrap().ends_with(&path));

    bob.put(&format!("{path}/acknowledgement")).await.expect(200);
    assert_eq!((counts(&ada).await, counts(&bob).await, counts(&cyd).await), ((0, 1, 0), (0, 0, 0), (1, 0, 0)));
    cyd.put(&format!("{path}/acknowledgement")).await.expect(200);
    assert_eq!((counts(&ada).await, counts(&cyd).await), ((0, 0, 1), (0, 0, 0)), "that all have answered is worth hearing");
    cyd.delete(&format!("{path}/acknowledgement")).await.expect(200);
    assert_eq!((counts(&ada).await, counts(&cyd).await), ((0, 1, 0), (1, 0, 0)));
    ada.delete(&path).await.expect(204);
    assert_eq!((counts(&ada).await, counts(&cyd).await), ((0, 0, 0), (0, 0, 0)));
    ada.put(&format!("{path}/restoration")).await.expect(200);
    assert_eq!((counts(&ada).await, counts(&cyd).await), ((0, 1, 0), (1, 0, 0)));
}

#[actix_web::test]
async fn what_is_due_first_stands_first() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    for (title, due) in [("none", Value::Null), ("late", json!("2031-01-01T00:00:00Z")), ("soon", json!("2030-01-01T00:00:00Z"))] {
        ada.update(json!({ "title": title, "audience": [email("Bob")], "expectation": "acknowledge", "due": due })).await;
    }
    assert_eq!(titles(&bob.get("/inbox").await.json()["owed_by_me"]), ["soon", "late", "none"]);
    assert_eq!(titles(&ada.get("/inbox").await.json()["owed_to_me"]), ["soon", "late", "none"]);
}

#[actix_web::test]
async fn what_is_said_waits_until_it_is_looked_at() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (app.person("Ada").await, app.person("Bob").await, app.person("Cyd").await);
    let path = ada.update(json!({ "title": "News", "audience": [email("Bob"), email("Cyd")] })).await;
    assert_eq!(counts(&bob).await, (0, 0, 1));
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(counts(&bob).await, (0, 0, 0));

    app.state.clock.advance(1000);
    let id = bob.comment(&path, "One").await;
    bob.comment(&path, "Two").await;
    let said = ada.get("/inbox").await.json()["said_to_me"][0].clone();
    assert_eq!((&said["why"], &said["new_comments"]), (&json!("comments"), &json!(2)));
    app.state.clock.advance(1000);
    ada.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(counts(&ada).await, (0, 0, 0));
    // One's own words are no news; an answer in one's thread is; a thread of others is not.
    assert_eq!(counts(&bob).await, (0, 0, 0));
    app.state.clock.advance(1000);
    ada.post(&format!("{path}/comments"), json!({ "body": "Re", "parent_id": id })).await.expect(201);
    ada.comment(&path, "Another thread").await;
    let said = bob.get("/inbox").await.json()["said_to_me"][0].clone();
    assert_eq!((&said["why"], &said["new_comments"]), (&json!("comments"), &json!(1)));
    cyd.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(counts(&cyd).await, (0, 0, 0));
    // Who can no longer see it hears nothing of it.
    ada.patch(&path, json!({ "audience": [email("Cyd")] })).await.expect(200);
    assert_eq!(counts(&bob).await, (0, 0, 0));
}

#[actix_web::test]
async fn a_program_that_never_opened_the_page_still_hears_answers_to_what_it_said() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada.update(json!({ "title": "Ask", "audience": [email("Bob")], "expectation": "acknowledge" })).await;
    ada.comment(&path, "Before").await;
    app.state.clock.advance(1000);
    let id = bob.comment(&path, "A question").await;
    app.state.clock.advance(1000);
    ada.post(&format!("{path}/comments"), json!({ "body": "The answer", "parent_id": id })).await.expect(201);
    let said = bob.get("/inbox").await.json()["said_to_me"].clone();
    assert_eq!((&said[0]["why"], &said[0]["new_comments"]), (&json!("comments"), &json!(1)));
}

#[actix_web::test]
async fn home_leads_to_the_inbox_or_to_signing_in() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    assert_eq!(app.browser("Ada").await.get("/").await.expect(303).header("location"), "/inbox");
    assert_eq!(app.client().accept("text/html").get("/").await.expect(303).header("location"), "/session?next=/");
}
