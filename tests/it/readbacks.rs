//! Readbacks and objections.

use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp, email};
use crate::verdicts::put_verdict;

/// Publishes an update that asks these people for a readback. Returns its path.
pub async fn publish(author: &Client, names: &[&str]) -> String {
    let audience: Vec<String> = names.iter().map(|name| email(name)).collect();
    author
        .update(json!({ "title": "The new flow", "audience": audience, "expectation": "readback" }))
        .await
}

/// Starts a server with Ada, Bob and Cyd, and publishes an update by Ada for Bob and Cyd. Returns the server, the
/// three clients and the path of the update.
pub async fn publish_for_two() -> (TestApp, Client, Client, Client, String) {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let path = publish(&ada, &["Bob", "Cyd"]).await;
    (app, ada, bob, cyd, path)
}

/// Sends a readback and returns the receipt.
pub async fn read_back(client: &Client, path: &str, text: &str) -> Value {
    let fields = json!({ "readback": text });
    put(client, path, &fields).await.expect(200).json()
}

async fn put(client: &Client, path: &str, fields: &Value) -> Response {
    client
        .json("PUT", &format!("{path}/acknowledgement"), fields)
        .await
}

/// Returns the `why` field of each entry in a section of the inbox.
pub async fn reasons(client: &Client, section: &str) -> Vec<String> {
    let inbox = client.get("/inbox").await.json();
    inbox[section]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["why"].as_str().unwrap().to_owned())
        .collect()
}

/// Returns the inbox's count for a section.
pub async fn inbox_count(client: &Client, section: &str) -> Value {
    client.get("/inbox").await.json()["counts"][section].clone()
}

/// Returns the receipt of a person.
pub async fn receipt(client: &Client, path: &str, person: &str) -> Value {
    let row = client.get(&format!("{path}/receipts/{person}")).await;
    row.expect(200).json()
}

/// Returns the state of the client's own receipt.
pub async fn my_state(client: &Client, path: &str) -> Value {
    client.get(path).await.json()["my_receipt"]["state"].clone()
}

#[actix_web::test]
async fn readback_satisfies_the_request_and_is_listed_in_the_inbox_of_the_author() {
    let (_app, ada, bob, cyd, path) = publish_for_two().await;
    assert_eq!(reasons(&bob, "owed_by_me").await, ["readback"]);
    let receipt = read_back(&bob, &path, "  I move the tests by Friday.  ").await;
    assert_eq!(
        (
            &receipt["state"],
            &receipt["readback"],
            &receipt["revision"]
        ),
        (
            &json!("read_back"),
            &json!("I move the tests by Friday."),
            &json!(1)
        )
    );
    assert_eq!(inbox_count(&bob, "owed_by_me").await, 0);
    read_back(&cyd, &path, "I do nothing.").await;
    // The author's inbox has one entry for the update, even if it has several readbacks.
    assert_eq!(reasons(&ada, "owed_by_me").await, ["readbacks"]);
    let inbox = ada.get("/inbox").await.json();
    let update = &inbox["owed_by_me"][0]["update"];
    assert_eq!(update["counts"]["unheard"], 2);
}

#[actix_web::test]
async fn readback_is_private_unless_the_author_discloses_it() {
    let (app, ada, bob, cyd, path) = publish_for_two().await;
    read_back(&bob, &path, "Unheard-of words").await;
    let seen = receipt(&cyd, &path, &bob.id).await;
    assert_eq!(
        (&seen["state"], &seen["readback"], &seen["exchange"]),
        (&json!("read_back"), &Value::Null, &json!([]))
    );
    let browser = app.browser("Cyd").await;
    for page in [
        path.clone(),
        format!("{path}/receipts"),
        format!("{path}/receipts?format=csv"),
    ] {
        let text = browser.get(&page).await.expect(200).text();
        assert!(!text.contains("Unheard-of"), "{page}");
    }
    let readback =
        async |client: &Client| receipt(client, &path, &bob.id).await["readback"].clone();
    assert_eq!(readback(&bob).await, "Unheard-of words");
    let disclosure = format!("{path}/receipts/{}/disclosure", bob.id);
    cyd.put(&disclosure).await.problem(403);
    bob.put(&disclosure).await.problem(403);
    ada.put(&disclosure).await.expect(200);
    assert_eq!(readback(&cyd).await, "Unheard-of words");
    ada.delete(&disclosure).await.expect(200);
    assert_eq!(readback(&cyd).await, Value::Null);
}

#[actix_web::test]
async fn exchange_can_be_disclosed_only_after_a_readback_or_an_objection() {
    let (app, ada, bob, cyd, path) = publish_for_two().await;
    let browser = app.browser("Ada").await;
    let shows_button = async || {
        let page = browser.get(&format!("{path}/receipts")).await.expect(200);
        page.text().contains("Share with everyone who can see this")
    };
    let disclosure = |person: &Client| format!("{path}/receipts/{}/disclosure", person.id);
    let refused = ada.put(&disclosure(&bob)).await.problem(409);
    assert_eq!(
        refused["detail"],
        "Bob has neither read this update back nor objected, so there is nothing to share."
    );
    assert!(!shows_button().await);
    let decline = format!("{path}/decline");
    let reason = json!({ "reason": "I am away." });
    bob.json("PUT", &decline, &reason).await.expect(200);
    ada.put(&disclosure(&bob)).await.expect(200);
    ada.delete(&disclosure(&bob)).await.expect(200);
    assert!(
        !shows_button().await,
        "every member sees the objection anyway"
    );
    read_back(&cyd, &path, "I wait.").await;
    assert!(shows_button().await);
}

#[actix_web::test]
async fn readback_is_rejected_when_empty_or_too_long() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, &["Bob"]).await;
    let answer = format!("{path}/acknowledgement");
    let problem = bob.put(&answer).await.problem(422);
    let error = problem["errors"]["readback"].as_str().unwrap();
    assert!(error.contains("own words"), "{problem}");
    for text in ["   \n ", &"x".repeat(501)] {
        put(&bob, &path, &json!({ "readback": text }))
            .await
            .problem(422);
    }
    assert_eq!(my_state(&bob, &path).await, "waiting");
    // The rejected form is shown again with the typed text.
    let long = "y".repeat(501);
    let page = app
        .browser("Bob")
        .await
        .form("POST", &answer, &[("_method", "PUT"), ("readback", &long)])
        .await
        .expect(422)
        .text();
    assert!(page.contains(&long));
}

#[actix_web::test]
async fn readback_can_be_changed_or_withdrawn_until_confirmed() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, &["Bob"]).await;
    let answer = format!("{path}/acknowledgement");
    read_back(&bob, &path, "First").await;
    let withdrawn = bob.delete(&answer).await.expect(200).json();
    assert_eq!(withdrawn["state"], "waiting");
    assert_eq!(inbox_count(&ada, "owed_by_me").await, 0);
    assert_eq!(inbox_count(&bob, "owed_by_me").await, 1);
    read_back(&bob, &path, "Second").await;
    // A readback can be replaced. Sending the same text again keeps the time of the answer.
    let at = read_back(&bob, &path, "Third").await["answered_at"].clone();
    app.state.clock.advance(5_000);
    assert_eq!(read_back(&bob, &path, "Third").await["answered_at"], at);
    let confirmation = json!({ "verdict": "confirmed", "said_at": at });
    put_verdict(&ada, &path, &bob, confirmation)
        .await
        .expect(200);
    let problem = bob.delete(&answer).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("confirmed"));
    put(&bob, &path, &json!({ "readback": "Fourth" }))
        .await
        .problem(409);
    let decline = format!("{path}/decline");
    bob.json("PUT", &decline, &json!({ "reason": "no" }))
        .await
        .problem(409);
    let update = bob.get(&path).await.json();
    assert_eq!(update["my_receipt"]["readback"], "Third");
}

#[actix_web::test]
async fn objection_needs_a_reason_and_notifies_the_author() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let fields = json!({ "title": "Move", "audience": [email("Bob"), email("Cyd")], "expectation": "acknowledge" });
    let path = ada.update(fields).await;
    let decline = format!("{path}/decline");
    let object = async |client: &Client, reason: &str| {
        client
            .json("PUT", &decline, &json!({ "reason": reason }))
            .await
    };
    let problem = bob.put(&decline).await.problem(422);
    assert!(problem["errors"]["reason"].is_string());
    object(&bob, "  ").await.problem(422);
    object(&ada, "mine").await.problem(403);
    let declined = object(&bob, "I am on leave").await.expect(200).json();
    assert_eq!(
        (
            &declined["state"],
            &declined["owes"],
            &declined["acknowledged_at"]
        ),
        (&json!("declined"), &json!(false), &Value::Null)
    );
    assert_eq!(inbox_count(&bob, "owed_by_me").await, 0);
    let counts = ada.get(&path).await.json()["counts"].clone();
    assert_eq!(
        (&counts["owing"], &counts["acknowledged"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(reasons(&ada, "said_to_me").await, ["declined"]);
    let reason = async |client: &Client| {
        client.get(&format!("{path}/receipts")).await.json()["items"][0]["reason"].clone()
    };
    assert_eq!(reason(&ada).await, "I am on leave");
    assert_eq!(reason(&cyd).await, "I am on leave");
    // Bob can replace the objection with an acknowledgement, and then withdraw his answer.
    let acknowledged = bob.put(&format!("{path}/acknowledgement")).await;
    assert_eq!(acknowledged.expect(200).json()["state"], "acknowledged");
    let withdrawn = bob.delete(&decline).await.expect(200).json();
    assert_eq!(withdrawn["state"], "waiting");
    assert_eq!(reasons(&ada, "said_to_me").await, [""; 0]);
}

#[actix_web::test]
async fn acknowledgement_does_not_satisfy_a_later_request_for_a_readback() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let fields =
        json!({ "title": "Move", "audience": [email("Bob")], "expectation": "acknowledge" });
    let path = ada.update(fields).await;
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    let change = json!({ "expectation": "readback", "prompt": "When do you start?" });
    ada.patch(&path, change).await.expect(200);
    assert_eq!(reasons(&bob, "owed_by_me").await, ["readback"]);
    let page = app.browser("Bob").await.get(&path).await.text();
    assert!(page.contains("When do you start?"));
    ada.patch(&path, json!({ "expectation": "acknowledge" }))
        .await
        .expect(200);
    assert_eq!(inbox_count(&bob, "owed_by_me").await, 0);
}

#[actix_web::test]
async fn guest_readback_is_shown_to_the_author() {
    let app = TestApp::start().await;
    let (ada, _bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, &["Bob"]).await;
    let (_, token) = ada.share(&path, true).await;
    let guest = app.client().bearer(&token);
    put(&guest, &path, &json!({ "name": "Gus" }))
        .await
        .problem(422);
    let fields = json!({ "name": "Gus", "readback": "We pay on Monday" });
    put(&guest, &path, &fields).await.expect(204);
    let receipts = ada.get(&format!("{path}/receipts")).await.json();
    assert_eq!(receipts["guests"][0]["readback"], "We pay on Monday");
    let objection = json!({ "name": "Gus", "reason": "no" });
    guest
        .json("PUT", &format!("{path}/decline"), &objection)
        .await
        .problem(403);
}
