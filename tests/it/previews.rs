//! What the rows of the inbox quote.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email};

/// Returns the first entry in a section of the client's inbox.
async fn first(client: &Client, section: &str) -> Value {
    client.get("/inbox").await.expect(200).json()[section][0].clone()
}

async fn page(app: &TestApp, name: &str) -> String {
    let page = app.browser(name).await.get("/inbox").await;
    page.expect(200).text()
}

#[actix_web::test]
async fn row_that_asks_for_an_answer_quotes_the_notes_without_formatting_and_cuts_long_ones() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let notes = format!(
        "**Read** [this](https://example.org)\n\n{}",
        "word ".repeat(100)
    );
    ada.update(json!({ "title": "T", "notes": notes, "audience": [email("Bob")], "expectation": "readback" }))
        .await;
    let entry = first(&bob, "owed_by_me").await;
    let text = entry["preview"]["text"].as_str().unwrap();
    assert_eq!(entry["preview"]["by"], "Ada");
    assert!(
        text.starts_with("Read this word word")
            && text.ends_with('…')
            && text.chars().count() < 165,
        "{entry}"
    );
    assert!(first(&ada, "owed_to_me").await["preview"].is_null());
}

#[actix_web::test]
async fn row_quotes_the_strongest_reason_and_names_the_others() {
    let app = TestApp::start().await;
    let [ada, bob, cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    let path = ada
        .update(json!({ "title": "T", "audience": [email("Bob"), email("Cyd")] }))
        .await;
    let question = bob.question(&path, "When?").await;
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(
        first(&ada, "owed_by_me").await["preview"],
        json!({ "by": "Bob", "text": "When?" })
    );
    app.state.clock.advance(1000);
    ada.reply(&path, &question, "On Monday.").await;
    app.state.clock.advance(1000);
    let other = bob.comment(&path, "Another thread").await;
    for words in ["First", "Second"] {
        app.state.clock.advance(1000);
        cyd.reply(&path, &other, words).await;
    }
    let entry = first(&bob, "said_to_me").await;
    assert_eq!(
        (&entry["why"], &entry["new_comments"], &entry["preview"]),
        (
            &json!("answer"),
            &json!(3),
            &json!({ "by": "Ada", "text": "On Monday." })
        )
    );
    let page = page(&app, "Bob").await;
    assert!(
        page.contains("</bdi> answered your question · 2 new comments")
            && page.contains("On Monday."),
        "{page}"
    );
}

#[actix_web::test]
async fn rows_about_readbacks_quote_the_readback_and_the_correction_in_full() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = ada
        .update(json!({ "title": "T", "audience": [email("Bob")], "expectation": "readback" }))
        .await;
    let answer = format!("{path}/acknowledgement");
    bob.json("PUT", &answer, &json!({ "readback": "I begin at ten." }))
        .await
        .expect(200);
    assert_eq!(
        first(&ada, "owed_by_me").await["preview"],
        json!({ "by": "Bob", "text": "I begin at ten." })
    );
    let correction = format!("Not at ten. {}", "At nine. ".repeat(40));
    let verdict = json!({ "verdict": "corrected", "body": correction });
    ada.json(
        "PUT",
        &format!("{path}/receipts/{}/confirmation", bob.id),
        &verdict,
    )
    .await
    .expect(200);
    let entry = first(&bob, "owed_by_me").await;
    assert_eq!(
        (&entry["why"], &entry["preview"]["text"]),
        (&json!("corrected"), &json!(correction.trim()))
    );
}

#[actix_web::test]
async fn row_quotes_the_newest_comment_and_never_a_deleted_one() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = ada
        .update(json!({ "title": "T", "audience": [email("Bob")] }))
        .await;
    bob.comment(&path, "Kept").await;
    app.state.clock.advance(1000);
    let deleted = bob.comment(&path, "Deleted").await;
    assert_eq!(
        first(&ada, "said_to_me").await["preview"]["text"],
        "Deleted"
    );
    bob.delete(&format!("/comments/{deleted}"))
        .await
        .expect(204);
    assert_eq!(first(&ada, "said_to_me").await["preview"]["text"], "Kept");
}
