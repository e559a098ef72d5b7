//! Readbacks, the author's verdicts, and objections.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email};

async fn publish(author: &Client, names: &[&str]) -> String {
    let audience: Vec<String> = names.iter().map(|name| email(name)).collect();
    author
        .update(json!({ "title": "The new flow", "audience": audience, "expectation": "readback" }))
        .await
}

async fn read_back(client: &Client, path: &str, words: &str) -> Value {
    client
        .json(
            "PUT",
            &format!("{path}/acknowledgement"),
            &json!({ "readback": words }),
        )
        .await
        .expect(200)
        .json()
}

async fn put_verdict(
    author: &Client,
    path: &str,
    person: &Client,
    body: Value,
) -> crate::app::Response {
    author
        .json(
            "PUT",
            &format!("{path}/receipts/{}/confirmation", person.id),
            &body,
        )
        .await
}

fn reasons(inbox: &Value, section: &str) -> Vec<String> {
    inbox[section]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["why"].as_str().unwrap().to_owned())
        .collect()
}

#[actix_web::test]
async fn readback_moves_from_the_recipients_inbox_to_the_authors() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let path = publish(&ada, &["Bob", "Cyd"]).await;
    assert_eq!(
        reasons(&bob.get("/inbox").await.json(), "owed_by_me"),
        ["readback"]
    );
    let said = read_back(&bob, &path, "  I move the tests by Friday.  ").await;
    assert_eq!(
        (&said["state"], &said["readback"], &said["revision"]),
        (
            &json!("read_back"),
            &json!("I move the tests by Friday."),
            &json!(1)
        )
    );
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
    read_back(&cyd, &path, "I do nothing.").await;
    // One inbox entry per update, whatever the number of readbacks.
    let inbox = ada.get("/inbox").await.json();
    assert_eq!(
        (
            reasons(&inbox, "owed_by_me"),
            &inbox["owed_by_me"][0]["update"]["counts"]["unheard"]
        ),
        (vec!["readbacks".to_owned()], &json!(2))
    );

    let heard = put_verdict(&ada, &path, &bob, json!({ "verdict": "confirmed" }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&heard["state"], &heard["owes"]),
        (&json!("confirmed"), &json!(false))
    );
    put_verdict(&ada, &path, &bob, json!({ "verdict": "confirmed" }))
        .await
        .expect(200);
    assert_eq!(
        reasons(&bob.get("/inbox").await.json(), "said_to_me"),
        ["confirmed"]
    );

    let corrected = put_verdict(
        &ada,
        &path,
        &cyd,
        json!({ "verdict": "corrected", "body": "You review it." }),
    )
    .await
    .expect(200)
    .json();
    assert_eq!(
        (
            &corrected["state"],
            &corrected["owes"],
            &corrected["correction"]
        ),
        (
            &json!("needs_correction"),
            &json!(true),
            &json!("You review it.")
        )
    );
    assert_eq!(ada.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
    let inbox = cyd.get("/inbox").await.json();
    assert_eq!(
        (reasons(&inbox, "owed_by_me"), reasons(&inbox, "said_to_me")),
        (vec!["corrected".to_owned()], vec![]),
        "a correction is listed once"
    );
    read_back(&cyd, &path, "I review it.").await;
    put_verdict(&ada, &path, &cyd, json!({ "verdict": "confirmed" }))
        .await
        .expect(200);
    let inbox = ada.get("/inbox").await.json();
    assert_eq!(
        (
            &inbox["counts"]["owed_by_me"],
            &inbox["counts"]["owed_to_me"]
        ),
        (&json!(0), &json!(0))
    );
    assert_eq!(reasons(&inbox, "said_to_me"), ["all_heard"]);
    let said: Vec<Value> = cyd.get(&format!("{path}/receipts/{}", cyd.id)).await.json()["exchange"]
        .as_array()
        .unwrap()
        .clone();
    let kinds: Vec<&str> = said
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["readback", "corrected", "readback", "confirmed"]);
}

#[actix_web::test]
async fn readback_is_private_unless_the_author_discloses_it() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let path = publish(&ada, &["Bob", "Cyd"]).await;
    read_back(&bob, &path, "Unheard-of words").await;
    let row = |client: Client, path: String, id: String| async move {
        client
            .get(&format!("{path}/receipts/{id}"))
            .await
            .expect(200)
            .json()
    };
    let seen = row(cyd.clone(), path.clone(), bob.id.clone()).await;
    assert_eq!(
        (&seen["state"], &seen["readback"], &seen["exchange"]),
        (&json!("read_back"), &Value::Null, &json!([]))
    );
    for page in [
        path.clone(),
        format!("{path}/receipts"),
        format!("{path}/receipts?format=csv"),
    ] {
        assert!(
            !app.browser("Cyd")
                .await
                .get(&page)
                .await
                .expect(200)
                .text()
                .contains("Unheard-of"),
            "{page}"
        );
    }
    assert_eq!(
        row(bob.clone(), path.clone(), bob.id.clone()).await["readback"],
        "Unheard-of words"
    );
    let open = format!("{path}/receipts/{}/disclosure", bob.id);
    cyd.put(&open).await.problem(403);
    bob.put(&open).await.problem(403);
    ada.put(&open).await.expect(200);
    assert_eq!(
        row(cyd.clone(), path.clone(), bob.id.clone()).await["readback"],
        "Unheard-of words"
    );
    ada.delete(&open).await.expect(200);
    assert_eq!(row(cyd, path, bob.id).await["readback"], Value::Null);
}

#[actix_web::test]
async fn readback_is_rejected_when_missing_blank_or_too_long() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, &["Bob"]).await;
    let answer = format!("{path}/acknowledgement");
    assert!(
        bob.put(&answer).await.problem(422)["errors"]["readback"]
            .as_str()
            .unwrap()
            .contains("own words")
    );
    for words in ["   \n ", &"x".repeat(501)] {
        bob.json("PUT", &answer, &json!({ "readback": words }))
            .await
            .problem(422);
    }
    assert_eq!(
        bob.get(&path).await.json()["my_receipt"]["state"],
        "waiting"
    );
    // The form keeps the text.
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
async fn verdict_is_rejected_unless_by_the_author_on_a_present_readback() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let eve = app.person("Eve").await;
    let path = publish(&ada, &["Bob", "Cyd"]).await;
    read_back(&bob, &path, "Mine").await;
    let yes = json!({ "verdict": "confirmed" });
    assert!(
        put_verdict(&bob, &path, &bob, yes.clone())
            .await
            .problem(403)["detail"]
            .as_str()
            .unwrap()
            .contains("for Ada to hear")
    );
    put_verdict(&cyd, &path, &bob, yes.clone())
        .await
        .problem(403);
    put_verdict(&eve, &path, &bob, yes.clone())
        .await
        .problem(404);
    put_verdict(&ada, &path, &ada, yes.clone())
        .await
        .problem(403);
    put_verdict(&ada, &path, &eve, yes.clone())
        .await
        .problem(404);
    assert!(
        put_verdict(&ada, &path, &cyd, yes.clone())
            .await
            .problem(409)["detail"]
            .as_str()
            .unwrap()
            .contains("nothing back")
    );
    put_verdict(
        &ada,
        &path,
        &bob,
        json!({ "verdict": "corrected", "body": " " }),
    )
    .await
    .problem(422);
    put_verdict(&ada, &path, &bob, json!({ "verdict": "perhaps" }))
        .await
        .problem(422);
    put_verdict(&ada, &path, &bob, json!({})).await.problem(422);
    // A verdict on an older readback is a conflict.
    put_verdict(
        &ada,
        &path,
        &bob,
        json!({ "verdict": "confirmed", "said_at": "2020-01-01T00:00:00Z" }),
    )
    .await
    .problem(409);
    assert_eq!(
        bob.get(&path).await.json()["my_receipt"]["state"],
        "read_back"
    );
}

#[actix_web::test]
async fn readback_can_be_changed_or_withdrawn_until_confirmed() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, &["Bob"]).await;
    let answer = format!("{path}/acknowledgement");
    read_back(&bob, &path, "First").await;
    assert_eq!(
        bob.delete(&answer).await.expect(200).json()["state"],
        "waiting"
    );
    assert_eq!(
        (
            ada.get("/inbox").await.json()["counts"]["owed_by_me"].clone(),
            bob.get("/inbox").await.json()["counts"]["owed_by_me"].clone()
        ),
        (json!(0), json!(1))
    );
    read_back(&bob, &path, "Second").await;
    // A readback can be replaced. The same text again is not a new answer.
    let at = read_back(&bob, &path, "Third").await["answered_at"].clone();
    app.state.clock.advance(5_000);
    assert_eq!(read_back(&bob, &path, "Third").await["answered_at"], at);
    put_verdict(
        &ada,
        &path,
        &bob,
        json!({ "verdict": "confirmed", "said_at": at }),
    )
    .await
    .expect(200);
    assert!(
        bob.delete(&answer).await.problem(409)["detail"]
            .as_str()
            .unwrap()
            .contains("confirmed")
    );
    bob.json("PUT", &answer, &json!({ "readback": "Fourth" }))
        .await
        .problem(409);
    bob.json(
        "PUT",
        &format!("{path}/decline"),
        &json!({ "reason": "no" }),
    )
    .await
    .problem(409);
    assert_eq!(
        bob.get(&path).await.json()["my_receipt"]["readback"],
        "Third"
    );
}

#[actix_web::test]
async fn corrected_readback_is_rejected_when_repeated() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, &["Bob"]).await;
    read_back(&bob, &path, "Wrong").await;
    put_verdict(
        &ada,
        &path,
        &bob,
        json!({ "verdict": "corrected", "body": "Right" }),
    )
    .await
    .expect(200);
    bob.json(
        "PUT",
        &format!("{path}/acknowledgement"),
        &json!({ "readback": "Wrong" }),
    )
    .await
    .problem(422);
    // The author can still change the verdict.
    assert_eq!(
        put_verdict(&ada, &path, &bob, json!({ "verdict": "confirmed" }))
            .await
            .expect(200)
            .json()["state"],
        "confirmed"
    );
}

#[actix_web::test]
async fn objection_needs_a_reason_and_notifies_the_author() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let path = ada.update(json!({ "title": "Move", "audience": [email("Bob"), email("Cyd")], "expectation": "acknowledge" })).await;
    let decline = format!("{path}/decline");
    assert!(bob.put(&decline).await.problem(422)["errors"]["reason"].is_string());
    bob.json("PUT", &decline, &json!({ "reason": "  " }))
        .await
        .problem(422);
    ada.json("PUT", &decline, &json!({ "reason": "mine" }))
        .await
        .problem(403);
    let said = bob
        .json("PUT", &decline, &json!({ "reason": "I am on leave" }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&said["state"], &said["owes"], &said["acknowledged_at"]),
        (&json!("declined"), &json!(false), &Value::Null)
    );
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
    let counts = ada.get(&path).await.json()["counts"].clone();
    assert_eq!(
        (&counts["owing"], &counts["acknowledged"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(
        reasons(&ada.get("/inbox").await.json(), "said_to_me"),
        ["declined"]
    );
    let rows = |client: Client, path: String| async move {
        client.get(&format!("{path}/receipts")).await.json()["items"][0]["reason"].clone()
    };
    assert_eq!(
        (
            rows(ada.clone(), path.clone()).await,
            rows(cyd, path.clone()).await
        ),
        (json!("I am on leave"), Value::Null)
    );
    // The recipient can still acknowledge, or withdraw the answer.
    assert_eq!(
        bob.put(&format!("{path}/acknowledgement"))
            .await
            .expect(200)
            .json()["state"],
        "acknowledged"
    );
    assert_eq!(
        bob.delete(&decline).await.expect(200).json()["state"],
        "waiting"
    );
    assert_eq!(
        reasons(&ada.get("/inbox").await.json(), "said_to_me"),
        Vec::<String>::new()
    );
}

#[actix_web::test]
async fn acknowledgement_does_not_satisfy_a_later_request_for_a_readback() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada
        .update(
            json!({ "title": "Move", "audience": [email("Bob")], "expectation": "acknowledge" }),
        )
        .await;
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    ada.patch(
        &path,
        json!({ "expectation": "readback", "prompt": "When do you start?" }),
    )
    .await
    .expect(200);
    assert_eq!(
        reasons(&bob.get("/inbox").await.json(), "owed_by_me"),
        ["readback"]
    );
    assert!(
        app.browser("Bob")
            .await
            .get(&path)
            .await
            .text()
            .contains("When do you start?")
    );
    ada.patch(&path, json!({ "expectation": "acknowledge" }))
        .await
        .expect(200);
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
}

#[actix_web::test]
async fn guest_readback_is_shown_to_the_author() {
    let app = TestApp::start().await;
    let (ada, _bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, &["Bob"]).await;
    let (_, token) = ada.share(&path, true).await;
    let guest = app.client().bearer(&token);
    let answer = format!("{path}/acknowledgement");
    guest
        .json("PUT", &answer, &json!({ "name": "Gus" }))
        .await
        .problem(422);
    guest
        .json(
            "PUT",
            &answer,
            &json!({ "name": "Gus", "readback": "We pay on Monday" }),
        )
        .await
        .expect(204);
    assert_eq!(
        ada.get(&format!("{path}/receipts")).await.json()["guests"][0]["readback"],
        "We pay on Monday"
    );
    guest
        .json(
            "PUT",
            &format!("{path}/decline"),
            &json!({ "name": "Gus", "reason": "no" }),
        )
        .await
        .problem(403);
}

#[actix_web::test]
async fn readback_and_verdict_forms_work_without_scripts() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, &["Bob"]).await;
    let (author, reader) = (app.browser("Ada").await, app.browser("Bob").await);
    assert!(
        reader
            .get(&path)
            .await
            .text()
            .contains("What will you do, and by when?")
    );
    reader
        .form(
            "POST",
            &format!("{path}/acknowledgement"),
            &[
                ("_method", "PUT"),
                ("revision", "1"),
                ("readback", "I test it"),
            ],
        )
        .await
        .expect(303);
    let receipts = author
        .get(&format!("{path}/receipts"))
        .await
        .expect(200)
        .text();
    assert!(
        receipts.contains("I test it")
            && receipts.contains("Yes, that’s it")
            && receipts.contains("Waiting on you"),
        "{receipts}"
    );
    let confirm = format!("{path}/receipts/{}/confirmation", bob.id);
    author
        .form(
            "POST",
            &confirm,
            &[
                ("_method", "PUT"),
                ("verdict", "corrected"),
                ("body", "Not that one"),
            ],
        )
        .await
        .expect(303);
    let page = reader.get(&path).await.text();
    assert!(
        page.contains("not quite.") && page.contains("Not that one"),
        "{page}"
    );
    reader
        .form(
            "POST",
            &format!("{path}/acknowledgement"),
            &[("_method", "PUT"), ("readback", "I test the other")],
        )
        .await
        .expect(303);
    author
        .form(
            "POST",
            &confirm,
            &[("_method", "PUT"), ("verdict", "confirmed")],
        )
        .await
        .expect(303);
    assert!(reader.get(&path).await.text().contains("Ada confirmed it"));
}
