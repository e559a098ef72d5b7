//! Opened and acknowledged: by whom, seen by whom, and for which revision.

use serde_json::{Value, json};

use crate::app::{TestApp, email};

fn asks(audience: &[&str]) -> Value {
    json!({ "title": "Read me", "audience": audience.iter().map(|name| email(name)).collect::<Vec<_>>(), "expectation": "acknowledge" })
}

#[actix_web::test]
async fn opening_counts_only_when_the_page_says_so_and_is_for_the_author_and_that_person() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let path = ada.update(asks(&["Bob", "Cyd"])).await;
    let receipts = format!("{path}/receipts");
    let browser = app.browser("Bob").await;
    browser.get(&path).await.expect(200);
    bob.get(&path).await.expect(200);
    assert_eq!(
        ada.get(&receipts).await.json()["items"][0]["state"],
        "waiting",
        "looking at the page is not opening it"
    );

    bob.put(&format!("{path}/opening")).await.expect(204);
    let first = ada.get(&receipts).await.json()["items"][0].clone();
    assert_eq!(
        (&first["state"], first["opened_at"].is_string()),
        (&json!("opened"), true)
    );
    app.state.clock.advance(3_600_000);
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(
        ada.get(&receipts).await.json()["items"][0]["opened_at"],
        first["opened_at"],
        "the first time stays"
    );
    assert_eq!(
        bob.get(&path).await.json()["my_receipt"]["opened_at"],
        first["opened_at"]
    );

    let seen = cyd.get(&receipts).await.json()["items"][0].clone();
    assert_eq!(
        (&seen["person"]["name"], &seen["state"], &seen["opened_at"]),
        (&json!("Bob"), &json!("waiting"), &Value::Null)
    );
    assert_eq!(
        (
            cyd.get(&path).await.json()["counts"]["opened"].clone(),
            ada.get(&path).await.json()["counts"]["opened"].clone()
        ),
        (Value::Null, json!(1))
    );
    let page = app.browser("Cyd").await.get(&path).await.expect(200).text();
    assert!(
        !page.contains("not opened it"),
        "a colleague's page does not tell who opened it"
    );
    // The author's own opening is none.
    ada.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(
        ada.get(&receipts).await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[actix_web::test]
async fn an_acknowledgement_keeps_its_first_time_and_can_be_taken_back() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let path = ada.update(asks(&["Bob", "Cyd"])).await;
    let answer = format!("{path}/acknowledgement");
    let first = bob.put(&answer).await.expect(200).json();
    assert_eq!(
        (&first["state"], &first["revision"]),
        (&json!("acknowledged"), &json!(1))
    );
    app.state.clock.advance(60_000);
    assert_eq!(
        bob.put(&answer).await.expect(200).json()["acknowledged_at"],
        first["acknowledged_at"]
    );
    // Who acknowledged, and when, is open to all who see the update.
    assert_eq!(
        cyd.get(&format!("{path}/receipts")).await.json()["items"][0]["acknowledged_at"],
        first["acknowledged_at"]
    );

    assert_eq!(
        bob.delete(&answer).await.expect(200).json()["state"],
        "waiting"
    );
    bob.delete(&answer).await.expect(200);
    assert_eq!(
        ada.get(&path).await.json()["counts"],
        json!({ "recipients": 2, "opened": 0, "acknowledged": 0, "owing": 2, "unheard": 0, "comments": 0, "open_questions": 0 })
    );
    assert_ne!(
        bob.put(&answer).await.expect(200).json()["acknowledged_at"],
        first["acknowledged_at"]
    );
}

#[actix_web::test]
async fn an_acknowledgement_goes_stale_when_the_content_changes_and_not_when_a_letter_does() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada.update(asks(&["Bob"])).await;
    let answer = format!("{path}/acknowledgement");
    bob.put(&answer).await.expect(200);
    ada.patch(&path, json!({ "notes": "typo mended" }))
        .await
        .expect(200);
    assert_eq!(
        bob.get(&path).await.json()["my_receipt"]["state"],
        "acknowledged"
    );

    let changed = ada
        .patch(
            &path,
            json!({ "notes": "All new", "change": "material", "what_changed": "The date" }),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&changed["revision"], &changed["counts"]["owing"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(bob.get(&path).await.json()["my_receipt"]["state"], "stale");
    let owed = bob.get("/inbox").await.json()["owed_by_me"][0].clone();
    assert_eq!(owed["why"], "changed");
    assert_eq!(bob.get(&path).await.json()["what_changed"], "The date");

    // Who answers what they saw before is told to look again.
    bob.json("PUT", &answer, &json!({ "revision": 1 }))
        .await
        .problem(409);
    assert_eq!(bob.get(&path).await.json()["my_receipt"]["state"], "stale");
    let again = bob
        .json("PUT", &answer, &json!({ "revision": 2 }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&again["state"], &again["revision"]),
        (&json!("acknowledged"), &json!(2))
    );
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
}

#[actix_web::test]
async fn only_recipients_acknowledge_and_a_reaction_never_does() {
    let app = TestApp::start().await;
    let (ada, bob, eve) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Eve").await,
    );
    let path = ada.update(asks(&["Bob"])).await;
    ada.put(&format!("{path}/acknowledgement"))
        .await
        .problem(403);
    eve.put(&format!("{path}/acknowledgement"))
        .await
        .problem(404);
    for emoji in ["👍", "✅"] {
        bob.put(&format!("{path}/reactions/{emoji}"))
            .await
            .expect(204);
    }
    bob.comment(&path, "Got it").await;
    assert_eq!(
        bob.get(&path).await.json()["my_receipt"]["state"],
        "waiting"
    );
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 1);
    bob.json(
        "PUT",
        &format!("{path}/acknowledgement"),
        &json!({ "revision": "one" }),
    )
    .await
    .problem(422);
    bob.json(
        "PUT",
        &format!("{path}/acknowledgement"),
        &json!({ "wrong": 1 }),
    )
    .await
    .problem(422);
}

#[actix_web::test]
async fn what_asks_nothing_is_owed_by_nobody_until_it_asks() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada
        .update(
            json!({ "title": "FYI", "audience": [email("Bob")], "due": "2030-01-02T15:00:00Z" }),
        )
        .await;
    let inbox = bob.get("/inbox").await.json();
    assert_eq!(
        (
            &inbox["counts"]["owed_by_me"],
            &inbox["said_to_me"][0]["why"]
        ),
        (&json!(0), &json!("sent"))
    );
    let receipt = ada.get(&format!("{path}/receipts")).await.json()["items"][0].clone();
    assert_eq!(
        (&receipt["due"], &receipt["overdue"]),
        (&Value::Null, &json!(false))
    );
    ada.patch(&path, json!({ "expectation": "acknowledge" }))
        .await
        .expect(200);
    app.state.clock.advance(20 * 365 * 24 * 3_600_000);
    let owed = bob.get("/inbox").await.json()["owed_by_me"][0].clone();
    assert_eq!(
        (&owed["why"], &owed["overdue"], &owed["due"]),
        (
            &json!("acknowledge"),
            &json!(true),
            &json!("2030-01-02T15:00:00.000Z")
        )
    );
    ada.patch(&path, json!({ "due": null })).await.expect(200);
    assert_eq!(
        bob.get("/inbox").await.json()["owed_by_me"][0]["due"],
        Value::Null
    );
}

#[actix_web::test]
async fn a_form_acknowledges_with_one_press_and_goes_back_to_the_page() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada.update(asks(&["Bob"])).await;
    let browser = app.browser("Bob").await;
    let pressed = browser
        .form(
            "POST",
            &format!("{path}/acknowledgement"),
            &[("_method", "PUT"), ("revision", "1")],
        )
        .await
        .expect(303);
    assert_eq!(pressed.header("location"), path);
    assert_eq!(
        bob.get(&path).await.json()["my_receipt"]["state"],
        "acknowledged"
    );
    let stale = browser
        .form(
            "POST",
            &format!("{path}/acknowledgement"),
            &[("_method", "PUT"), ("revision", "7")],
        )
        .await
        .expect(409);
    assert!(stale.header("content-type").starts_with("text/html"));
}

#[actix_web::test]
async fn who_was_deactivated_before_answering_owes_nothing_any_more() {
    let app = TestApp::start().await;
    let (root, ada) = (app.admin("Root").await, app.person("Ada").await);
    let (bob, eve) = (app.person("Bob").await, app.person("Eve").await);
    let path = ada.update(asks(&["Bob", "Eve"])).await;
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    assert_eq!(ada.get("/inbox").await.json()["counts"]["owed_to_me"], 1);
    for gone in [&bob, &eve] {
        root.patch(&format!("/people/{}", gone.id), json!({ "active": false }))
            .await
            .expect(200);
    }
    let counts = ada.get(&path).await.json()["counts"].clone();
    assert_eq!(
        (
            &counts["recipients"],
            &counts["acknowledged"],
            &counts["owing"]
        ),
        (&json!(1), &json!(1), &json!(0))
    );
    assert_eq!(ada.get("/inbox").await.json()["counts"]["owed_to_me"], 0);
}

#[actix_web::test]
async fn who_was_taken_out_and_is_meant_by_everyone_again_can_open_and_answer() {
    let app = TestApp::start().await;
    let (ada, bob, dan) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Dan").await,
    );
    let path = ada
        .update(json!({ "title": "For all", "audience": [email("Bob")], "publish": true }))
        .await;
    ada.patch(&path, json!({ "audience": [email("Dan")] }))
        .await
        .expect(200);
    ada.patch(&path, json!({ "audience": ["everyone"] }))
        .await
        .expect(200);
    assert_eq!(bob.get("/inbox").await.json()["counts"]["said_to_me"], 1);
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(bob.get("/inbox").await.json()["counts"]["said_to_me"], 0);
    // A program that never opens a page may answer all the same.
    app.person("Eve")
        .await
        .put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    assert_eq!(dan.get(&path).await.json()["counts"]["acknowledged"], 1);
}

#[actix_web::test]
async fn the_page_shows_two_hundred_of_those_who_owe_and_the_table_all() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.execute(
        "INSERT INTO people (id, email, email_key, name, name_key, role, time_zone, created_at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 203)
         SELECT 'p' || CAST(i AS TEXT), CAST(i AS TEXT), CAST(i AS TEXT), 'P', 'p', 'member', 'UTC', 1 FROM n",
    )
    .await;
    let path = ada
        .update(json!({ "title": "T", "audience": ["everyone"], "expectation": "acknowledge" }))
        .await;
    let page = app
        .browser("Ada")
        .await
        .get(&format!("{path}/receipts"))
        .await
        .expect(200)
        .text();
    assert_eq!(page.matches("id=\"receipt-").count(), 200);
    assert!(page.contains("3 more people are in the table."), "{page}");
    assert_eq!(
        ada.get(&format!("{path}/receipts?format=csv"))
            .await
            .expect(200)
            .text()
            .lines()
            .count(),
        204
    );
}
