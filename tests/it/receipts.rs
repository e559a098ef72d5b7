//! Receipts: who opened and acknowledged which revision, and who can see that.

use serde_json::{Value, json};

use crate::app::{TestApp, email};

/// Returns the fields of an update that asks for an acknowledgement.
fn request_for(audience: &[&str]) -> Value {
    json!({
        "title": "Read me",
        "audience": audience.iter().map(|name| email(name)).collect::<Vec<_>>(),
        "expectation": "acknowledge",
    })
}

#[actix_web::test]
async fn opening_an_update_is_recorded_only_once_and_only_when_the_page_reports_it() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada.update(request_for(&["Bob"])).await;
    let receipt = async || ada.get(&format!("{path}/receipts")).await.json()["items"][0].clone();
    app.browser("Bob").await.get(&path).await.expect(200);
    bob.get(&path).await.expect(200);
    assert_eq!(
        receipt().await["state"],
        "waiting",
        "fetching the page does not count as opening"
    );

    bob.put(&format!("{path}/opening")).await.expect(204);
    let first = receipt().await;
    assert_eq!(
        (&first["state"], first["opened_at"].is_string()),
        (&json!("opened"), true)
    );
    app.state.clock.advance(3_600_000);
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(
        receipt().await["opened_at"],
        first["opened_at"],
        "the first opening is kept"
    );
    assert_eq!(
        bob.get(&path).await.json()["my_receipt"]["opened_at"],
        first["opened_at"]
    );
}

#[actix_web::test]
async fn recipients_cannot_see_whether_others_opened_an_update() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let path = ada.update(request_for(&["Bob", "Cyd"])).await;
    let receipts = format!("{path}/receipts");
    bob.put(&format!("{path}/opening")).await.expect(204);
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
        !page.contains("opened it"),
        "another recipient's page does not show who opened it"
    );
    // The author gets no receipt for opening the update.
    ada.put(&format!("{path}/opening")).await.expect(204);
    let items = ada.get(&receipts).await.json()["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn acknowledgement_keeps_its_original_timestamp_until_withdrawn() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let path = ada.update(request_for(&["Bob", "Cyd"])).await;
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
    // Recipients see who else acknowledged the update, and when.
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
        json!({
            "recipients": 2, "heard": 0, "opened": 0, "acknowledged": 0, "answered_unopened": 0,
            "objections": 0, "owing": 2, "unheard": 0, "comments": 0, "open_questions": 0,
        })
    );
    assert_ne!(
        bob.put(&answer).await.expect(200).json()["acknowledged_at"],
        first["acknowledged_at"]
    );
}

#[actix_web::test]
async fn acknowledgement_becomes_stale_only_after_a_material_change() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada.update(request_for(&["Bob"])).await;
    let answer = format!("{path}/acknowledgement");
    let my_state = async || bob.get(&path).await.json()["my_receipt"]["state"].clone();
    bob.put(&answer).await.expect(200);
    ada.patch(&path, json!({ "notes": "typo fixed" }))
        .await
        .expect(200);
    assert_eq!(my_state().await, "acknowledged");

    let change = json!({ "notes": "All new", "change": "material", "what_changed": "The date" });
    let changed = ada.patch(&path, change).await.expect(200).json();
    assert_eq!(
        (&changed["revision"], &changed["counts"]["owing"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(my_state().await, "stale");
    let owed = bob.get("/inbox").await.json()["owed_by_me"][0].clone();
    assert_eq!(owed["why"], "changed");
    assert_eq!(bob.get(&path).await.json()["what_changed"], "The date");

    // An acknowledgement of an earlier revision is rejected as a conflict.
    let acknowledge = async |revision: i64| {
        bob.json("PUT", &answer, &json!({ "revision": revision }))
            .await
    };
    acknowledge(1).await.problem(409);
    assert_eq!(my_state().await, "stale");
    let again = acknowledge(2).await.expect(200).json();
    assert_eq!(
        (&again["state"], &again["revision"]),
        (&json!("acknowledged"), &json!(2))
    );
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
}

#[actix_web::test]
async fn only_recipients_can_acknowledge_and_reactions_do_not_count_as_acknowledgements() {
    let app = TestApp::start().await;
    let (ada, bob, eve) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Eve").await,
    );
    let path = ada.update(request_for(&["Bob"])).await;
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
async fn fyi_update_requires_no_response_until_its_expectation_changes() {
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
async fn acknowledgement_form_redirects_back_to_the_update() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada.update(request_for(&["Bob"])).await;
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
async fn deactivated_recipient_no_longer_owes_an_answer() {
    let app = TestApp::start().await;
    let (root, ada) = (app.admin("Root").await, app.person("Ada").await);
    let (bob, eve) = (app.person("Bob").await, app.person("Eve").await);
    let path = ada.update(request_for(&["Bob", "Eve"])).await;
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
async fn removed_recipient_gets_the_update_again_when_the_audience_becomes_everyone() {
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
    // Eve acknowledges the update without opening it.
    app.person("Eve")
        .await
        .put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    assert_eq!(dan.get(&path).await.json()["counts"]["acknowledged"], 1);
}

#[actix_web::test]
async fn receipts_page_shows_two_hundred_rows_and_the_csv_file_contains_all_rows() {
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
    assert!(
        page.contains("3 more people are in the CSV file."),
        "{page}"
    );
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
