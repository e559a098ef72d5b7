//! By when: for each recipient in their zone and hours.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::app::{Client, TestApp, email};

/// Moves the domain's clock to this moment.
fn at(app: &TestApp, moment: &str) {
    let moment = moment.parse::<Timestamp>().unwrap().as_millisecond();
    app.state.clock.advance(moment - app.state.clock.now());
}

async fn lives(client: &Client, zone: &str) {
    client
        .patch("/me", json!({ "time_zone": zone }))
        .await
        .expect(200);
}

async fn due(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).json()["my_receipt"]["due"].clone()
}

#[actix_web::test]
async fn working_days_end_for_each_at_the_end_of_their_own() {
    let app = TestApp::start().await;
    let (ada, kim, leo) = (
        app.person("Ada").await,
        app.person("Kim").await,
        app.person("Leo").await,
    );
    lives(&kim, "Pacific/Auckland").await;
    lives(&leo, "America/Los_Angeles").await;
    // A Thursday, 20:00 in Berlin, Friday in Auckland.
    at(&app, "2030-01-10T19:00:00Z");
    let path = ada
        .update(
            json!({ "title": "x", "audience": [email("Kim"), email("Leo")], "expectation": "acknowledge", "due": { "working_days": 1 } }),
        )
        .await;
    assert_eq!(
        ada.get(&path).await.json()["due"],
        json!({ "working_days": 1 })
    );
    assert_eq!(
        due(&kim, &path).await,
        "2030-01-14T04:00:00.000Z",
        "Monday 17:00 in Auckland"
    );
    assert_eq!(
        due(&leo, &path).await,
        "2030-01-12T01:00:00.000Z",
        "Friday 17:00 in Los Angeles"
    );
    // Each is told in their own time, and the author's page knows both.
    let page = app.browser("Leo").await.get("/inbox").await.text();
    assert!(
        page.contains("Got it by <time") && page.contains("Fri 17:00"),
        "{page}"
    );
    let items = ada.get(&format!("{path}/receipts")).await.json()["items"].clone();
    assert_eq!(
        (&items[0]["due"], &items[1]["due"]),
        (
            &json!("2030-01-14T04:00:00.000Z"),
            &json!("2030-01-12T01:00:00.000Z")
        )
    );
    assert_eq!(
        ada.get("/inbox").await.json()["owed_to_me"][0]["due"],
        "2030-01-12T01:00:00.000Z",
        "the next of them"
    );
}

#[actix_web::test]
async fn an_answer_that_is_taken_back_is_owed_as_it_was_and_not_given_more_time() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    // A Thursday.
    at(&app, "2030-01-10T10:00:00Z");
    let path = ada
        .update(
            json!({ "title": "x", "notes": "one", "audience": [email("Bob")], "expectation": "readback", "due": { "working_days": 1 } }),
        )
        .await;
    let (answer, verdict) = (
        format!("{path}/acknowledgement"),
        format!("{path}/receipts/{}/confirmation", bob.id),
    );
    let say = async |words: &str| {
        bob.json("PUT", &answer, &json!({ "readback": words }))
            .await
            .expect(200)
            .status
    };
    assert_eq!(due(&bob, &path).await, "2030-01-11T16:00:00.000Z");
    at(&app, "2030-01-11T10:00:00Z");
    say("One.").await;
    bob.delete(&answer).await.expect(200);
    assert_eq!(due(&bob, &path).await, "2030-01-11T16:00:00.000Z");

    // Asked anew by a correction, and then by a change, it is due anew, and taken back then as of then.
    say("One!").await;
    ada.json(
        "PUT",
        &verdict,
        &json!({ "verdict": "corrected", "body": "Two." }),
    )
    .await
    .expect(200);
    assert_eq!(due(&bob, &path).await, "2030-01-14T16:00:00.000Z");
    at(&app, "2030-01-14T10:00:00Z");
    say("Two.").await;
    bob.delete(&answer).await.expect(200);
    assert_eq!(due(&bob, &path).await, "2030-01-14T16:00:00.000Z");
    say("Two!").await;
    ada.patch(&path, json!({ "notes": "two", "change": "material" }))
        .await
        .expect(200);
    at(&app, "2030-01-15T10:00:00Z");
    say("Three.").await;
    bob.delete(&answer).await.expect(200);
    assert_eq!(due(&bob, &path).await, "2030-01-15T16:00:00.000Z");
}

#[actix_web::test]
async fn a_time_in_the_night_of_a_recipient_is_asked_for_at_the_end_of_their_day_before() {
    let app = TestApp::start().await;
    let (ada, leo) = (app.person("Ada").await, app.person("Leo").await);
    lives(&leo, "America/Los_Angeles").await;
    at(&app, "2030-01-09T12:00:00Z");
    let path =
        ada.update(json!({ "title": "x", "audience": [email("Leo")], "expectation": "acknowledge", "due": "2030-01-11T09:00:00Z" })).await;
    assert_eq!(
        due(&leo, &path).await,
        "2030-01-11T01:00:00.000Z",
        "Thursday 17:00 in Los Angeles"
    );
    ada.patch(&path, json!({ "due": "2030-01-11T20:00:00Z" }))
        .await
        .expect(200);
    assert_eq!(
        due(&leo, &path).await,
        "2030-01-11T20:00:00.000Z",
        "noon stays noon"
    );
    ada.patch(&path, json!({ "due": null })).await.expect(200);
    assert_eq!(due(&leo, &path).await, Value::Null);
}

#[actix_web::test]
async fn being_away_moves_what_is_due_and_is_said_on_the_receipt() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    at(&app, "2030-01-07T09:00:00Z");
    let path =
        ada.update(json!({ "title": "x", "audience": [email("Bob")], "expectation": "acknowledge", "due": { "working_days": 1 } })).await;
    assert_eq!(due(&bob, &path).await, "2030-01-08T16:00:00.000Z");
    bob.patch("/me", json!({ "away_until": "2030-01-16T08:00:00Z" }))
        .await
        .expect(200);
    assert_eq!(due(&bob, &path).await, "2030-01-17T16:00:00.000Z");
    let row = ada.get(&format!("{path}/receipts")).await.json()["items"][0].clone();
    assert_eq!(row["away_until"], "2030-01-16T08:00:00.000Z");
    assert!(
        app.browser("Ada")
            .await
            .get(&format!("{path}/receipts"))
            .await
            .text()
            .contains("away until")
    );
    bob.patch("/me", json!({ "away_until": null, "working_hours": { "days": [1, 2, 3, 4], "from": "10:00", "to": "14:00" } }))
        .await
        .expect(200);
    assert_eq!(due(&bob, &path).await, "2030-01-08T13:00:00.000Z");
}

#[actix_web::test]
async fn someone_added_later_gets_their_own_due_and_someone_removed_keeps_their_history() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    at(&app, "2030-01-07T09:00:00Z");
    let path =
        ada.update(json!({ "title": "x", "audience": [email("Bob")], "expectation": "acknowledge", "due": { "working_days": 1 } })).await;
    at(&app, "2030-01-09T09:00:00Z");
    ada.patch(&path, json!({ "audience": [email("Bob"), email("Cyd")] }))
        .await
        .expect(200);
    assert_eq!(due(&bob, &path).await, "2030-01-08T16:00:00.000Z");
    assert_eq!(due(&cyd, &path).await, "2030-01-10T16:00:00.000Z");
    let said = bob
        .put(&format!("{path}/acknowledgement"))
        .await
        .expect(200)
        .json();
    ada.patch(&path, json!({ "audience": [email("Cyd")] }))
        .await
        .expect(200);
    bob.get(&path).await.problem(404);
    ada.patch(&path, json!({ "audience": [email("Bob"), email("Cyd")] }))
        .await
        .expect(200);
    let back = bob.get(&path).await.json()["my_receipt"].clone();
    assert_eq!(
        (&back["state"], &back["answered_at"]),
        (&json!("acknowledged"), &said["answered_at"])
    );
}

#[actix_web::test]
async fn a_due_in_the_past_or_that_is_no_rule_is_refused_and_nothing_is_changed() {
    let app = TestApp::start().await;
    let (ada, _bob) = (app.person("Ada").await, app.person("Bob").await);
    let with = |due: Value| json!({ "title": "x", "audience": [email("Bob")], "expectation": "acknowledge", "due": due, "publish": true });
    for due in [
        json!("2020-01-01T00:00:00Z"),
        json!({ "working_days": 0 }),
        json!({ "working_days": 61 }),
        json!({ "days": 1 }),
        json!("soon"),
        json!(5),
    ] {
        let problem = ada.post("/updates", with(due.clone())).await.problem(422);
        assert!(problem["errors"]["due"].is_string(), "{due}: {problem}");
    }
    assert_eq!(ada.get("/updates").await.json()["items"], json!([]));
    let path = ada.update(with(json!("2040-01-02T12:00:00Z"))).await;
    ada.patch(&path, json!({ "due": "2020-01-01T00:00:00Z" }))
        .await
        .problem(422);
    assert_eq!(
        ada.get(&path).await.json()["due"],
        "2040-01-02T12:00:00.000Z"
    );
    // What is late stays editable.
    app.state.clock.advance(20 * 366 * 24 * 3_600_000);
    ada.patch(
        &path,
        json!({ "title": "y", "due": "2040-01-02T12:00:00Z" }),
    )
    .await
    .expect(200);
    // A draft whose time has come is not sent as late.
    let draft = ada.update(json!({ "title": "x", "audience": [email("Bob")], "expectation": "acknowledge", "due": "2099-01-02T12:00:00Z", "publish": false })).await;
    app.state.clock.advance(80 * 366 * 24 * 3_600_000);
    ada.put(&format!("{draft}/publication")).await.problem(422);
}

#[actix_web::test]
async fn what_becomes_due_is_told_once_and_shown_as_overdue() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    at(&app, "2030-01-07T09:00:00Z");
    let path = ada
        .update(json!({ "title": "x", "audience": [email("Bob")], "expectation": "acknowledge", "due": { "working_days": 1 }, "otherwise": "ship it" }))
        .await;
    assert_eq!(app.state.notify_overdue().await.unwrap(), 0);
    at(&app, "2030-01-08T16:00:01Z");
    app.state.notify_overdue().await.unwrap();
    assert_eq!(
        app.count("SELECT count(*) FROM notices WHERE kind = 'overdue'")
            .await,
        1
    );
    assert_eq!(app.state.notify_overdue().await.unwrap(), 0);
    assert_eq!(
        bob.get("/inbox").await.json()["owed_by_me"][0]["overdue"],
        true
    );
    assert_eq!(
        ada.get("/inbox").await.json()["owed_to_me"][0]["overdue"],
        true
    );
    let page = app
        .browser("Ada")
        .await
        .get(&format!("{path}/receipts"))
        .await
        .text();
    assert!(
        page.contains("1 is overdue.") && page.contains("ship it"),
        "{page}"
    );
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    assert_eq!(
        ada.get(&format!("{path}/receipts")).await.json()["items"][0]["overdue"],
        false
    );
}

#[actix_web::test]
async fn a_form_says_by_when_in_days_or_as_a_time() {
    let app = TestApp::start().await;
    let (ada, _bob) = (app.person("Ada").await, app.person("Bob").await);
    let browser = app.browser("Ada").await;
    let bob = email("Bob");
    let send = async |fields: &[(&str, &str)]| {
        let mut all = vec![
            ("title", "x"),
            ("audience", bob.as_str()),
            ("expectation", "acknowledge"),
            ("publish", "true"),
        ];
        all.extend(fields);
        browser.upload("/updates", &all, &[]).await
    };
    let made = send(&[("when", "days"), ("due_days", "3"), ("due", "")])
        .await
        .expect(303);
    assert_eq!(
        ada.get(made.header("location")).await.json()["due"],
        json!({ "working_days": 3 })
    );
    let made = send(&[
        ("when", "time"),
        ("due_days", "3"),
        ("due", "2040-06-05T12:00"),
    ])
    .await
    .expect(303);
    assert_eq!(
        ada.get(made.header("location")).await.json()["due"],
        "2040-06-05T10:00:00.000Z"
    );
    let made = send(&[
        ("when", "none"),
        ("due_days", "3"),
        ("due", "2040-06-05T12:00"),
    ])
    .await
    .expect(303);
    assert_eq!(
        ada.get(made.header("location")).await.json()["due"],
        Value::Null
    );
    let page = send(&[("when", "days"), ("due_days", "0"), ("due", "")])
        .await
        .expect(422)
        .text();
    assert!(page.contains("working days from 1 to 60"), "{page}");
}
