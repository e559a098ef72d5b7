//! The standing of each recipient: who has opened an update, heard it or objected to it.

mod objections;
mod openings;
mod random_actions;

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email};
use crate::readbacks::{publish_for_two, read_back, receipt};
use crate::verdicts::put_verdict;

/// Publishes an update with this expectation for these people. Returns its path.
async fn publish(author: &Client, expectation: &str, names: &[&str]) -> String {
    let audience: Vec<String> = names.iter().map(|name| email(name)).collect();
    author
        .update(json!({ "title": "Move", "audience": audience, "expectation": expectation }))
        .await
}

async fn counts(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).json()["counts"].clone()
}

async fn page(app: &TestApp, name: &str, path: &str) -> String {
    let browser = app.browser(name).await;
    browser.get(path).await.expect(200).text()
}

/// Submits the "Got it" form. This is the form on the update page if `opened` is true, and the form in the inbox
/// otherwise.
async fn press_got_it(app: &TestApp, name: &str, path: &str, opened: bool) {
    let mut fields = vec![("_method", "PUT")];
    if opened {
        fields.extend([("revision", "1"), ("opened", "true")]);
    }
    let browser = app.browser(name).await;
    let answer = format!("{path}/acknowledgement");
    browser.form("POST", &answer, &fields).await.expect(303);
}

#[actix_web::test]
async fn answer_without_opening_the_update_does_not_count_as_heard() {
    let app = TestApp::start().await;
    let [ada, bob, cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    let path = publish(&ada, "acknowledge", &["Bob", "Cyd"]).await;
    press_got_it(&app, "Bob", &path, false).await;
    let seen = counts(&ada, &path).await;
    assert_eq!(
        [
            &seen["heard"],
            &seen["acknowledged"],
            &seen["answered_unopened"],
            &seen["owing"]
        ],
        [0, 1, 1, 1]
    );
    let row = receipt(&ada, &path, &bob.id).await;
    assert_eq!(
        (&row["state"], &row["standing"]),
        (&json!("acknowledged"), &json!("answered_unopened"))
    );
    let receipts = page(&app, "Ada", &format!("{path}/receipts")).await;
    for shown in [
        "0 of 2 heard. 1 answered without opening it. 1 hasn’t opened it.",
        "Got it without opening",
        "id=\"answered-unopened\"",
    ] {
        assert!(receipts.contains(shown), "{shown}: {receipts}");
    }
    assert!(!receipts.contains("id=\"heard\""), "{receipts}");
    assert_others_do_not_learn_who_opened(&app, &cyd, &path, &bob).await;
    bob.put(&format!("{path}/opening")).await.expect(204);
    let seen = counts(&ada, &path).await;
    assert_eq!([&seen["heard"], &seen["answered_unopened"]], [1, 0]);
    assert_others_do_not_learn_who_opened(&app, &cyd, &path, &bob).await;
}

#[actix_web::test]
async fn answer_to_a_new_revision_counts_as_heard_only_after_that_revision_was_opened() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = publish(&ada, "acknowledge", &["Bob"]).await;
    let standing = async || receipt(&ada, &path, &bob.id).await["standing"].clone();
    let answer = format!("{path}/acknowledgement");
    bob.put(&format!("{path}/opening")).await.expect(204);
    bob.put(&answer).await.expect(200);
    assert_eq!(standing().await, "heard");
    app.state.clock.advance(1000);
    let change = json!({ "notes": "On Tuesday", "change": "material" });
    ada.patch(&path, change).await.expect(200);
    assert_eq!(standing().await, "answered_earlier");
    bob.put(&answer).await.expect(200);
    assert_eq!(standing().await, "answered_unopened");
    assert_eq!(counts(&ada, &path).await["heard"], 0);
    let receipts = page(&app, "Ada", &format!("{path}/receipts")).await;
    assert!(
        receipts.contains("Got it without opening this version"),
        "{receipts}"
    );
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(standing().await, "heard");
}

async fn assert_others_do_not_learn_who_opened(
    app: &TestApp,
    other: &Client,
    path: &str,
    person: &Client,
) {
    let seen = counts(other, path).await;
    assert_eq!(
        (&seen["answered_unopened"], &seen["opened"]),
        (&Value::Null, &Value::Null)
    );
    let row = receipt(other, path, &person.id).await;
    assert_eq!(row["standing"], Value::Null);
    for address in [path.to_owned(), format!("{path}/receipts")] {
        let html = page(app, "Cyd", &address).await;
        assert!(!html.contains("without opening"), "{html}");
    }
    let table = other.get(&format!("{path}/receipts?format=csv")).await;
    assert!(!table.text().contains("answered_unopened"));
}

#[actix_web::test]
async fn verdict_is_hidden_from_other_recipients_until_the_author_shares_it() {
    let (app, ada, bob, cyd, path) = publish_for_two().await;
    read_back(&bob, &path, "I do nothing.").await;
    let verdict = json!({ "verdict": "corrected", "body": "You review it." });
    put_verdict(&ada, &path, &bob, verdict).await.expect(200);
    let seen = receipt(&cyd, &path, &bob.id).await;
    assert_eq!(
        [
            &seen["state"],
            &seen["owes"],
            &seen["correction"],
            &seen["due"]
        ],
        [
            &json!("read_back"),
            &json!(false),
            &Value::Null,
            &Value::Null
        ]
    );
    let (others, own) = (counts(&cyd, &path).await, counts(&bob, &path).await);
    assert_eq!([&others["owing"], &others["acknowledged"]], [1, 1]);
    assert_eq!([&own["owing"], &own["acknowledged"]], [2, 0]);
    for address in ["", "/receipts", "/receipts?format=csv"] {
        let html = page(&app, "Cyd", &format!("{path}{address}")).await;
        for hidden in [
            "Not quite",
            "not quite",
            "needs_correction",
            "You review it",
        ] {
            assert!(!html.contains(hidden), "{address}: {hidden}: {html}");
        }
    }
    assert_eq!(
        receipt(&bob, &path, &bob.id).await["state"],
        "needs_correction"
    );
    let disclosure = format!("{path}/receipts/{}/disclosure", bob.id);
    ada.put(&disclosure).await.expect(200);
    let seen = receipt(&cyd, &path, &bob.id).await;
    assert_eq!(
        (&seen["state"], &seen["owes"]),
        (&json!("needs_correction"), &json!(true))
    );
}

#[actix_web::test]
async fn guest_readback_is_listed_as_a_readback() {
    let app = TestApp::start().await;
    let [ada, _bob] = app.people(["Ada", "Bob"]).await;
    let path = publish(&ada, "readback", &["Bob"]).await;
    let (_, token) = ada.share(&path, true).await;
    let fields = json!({ "name": "Gus", "readback": "We pay on Monday" });
    let guest = app.client().bearer(&token);
    let answer = format!("{path}/acknowledgement");
    guest.json("PUT", &answer, &fields).await.expect(204);
    let html = page(&app, "Ada", &format!("{path}/receipts")).await;
    let guests = &html[html.find("id=\"heard-guests\"").unwrap()..];
    assert!(guests.contains("aria-label=\"Guests\""), "{guests}");
    assert!(guests.contains("Said it back"), "{guests}");
    assert!(!guests.contains("Got it"), "{guests}");
}
