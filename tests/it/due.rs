//! Due times. They depend on each recipient's time zone, working hours and absence.

use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp, email};

async fn set_time_zone(client: &Client, zone: &str) {
    client
        .patch("/me", json!({ "time_zone": zone }))
        .await
        .expect(200);
}

/// Returns the due time of the person's receipt.
async fn due(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200).json()["my_receipt"]["due"].clone()
}

#[actix_web::test]
async fn due_time_in_working_days_follows_the_time_zone_of_each_recipient() {
    let app = TestApp::start().await;
    let [ada, kim, leo] = app.people(["Ada", "Kim", "Leo"]).await;
    set_time_zone(&kim, "Pacific/Auckland").await;
    set_time_zone(&leo, "America/Los_Angeles").await;
    // At this time, it is Thursday in Los Angeles and already Friday in Auckland.
    app.set_clock("2030-01-10T19:00:00Z");
    let path = ada
        .update(json!({
            "title": "x", "audience": [email("Kim"), email("Leo")],
            "expectation": "acknowledge", "due": { "working_days": 1 },
        }))
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
    // Leo's inbox shows his own due time. Ada sees the due times of both recipients.
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
        "the earliest due time"
    );
}

#[actix_web::test]
async fn withdrawing_an_answer_restores_the_original_due_time() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    // 10 January 2030 is a Thursday.
    app.set_clock("2030-01-10T10:00:00Z");
    let path = ada
        .update(json!({
            "title": "x", "notes": "one", "audience": [email("Bob")],
            "expectation": "readback", "due": { "working_days": 1 },
        }))
        .await;
    let (answer, verdict) = (
        format!("{path}/acknowledgement"),
        format!("{path}/receipts/{}/confirmation", bob.id),
    );
    let read_back = async |readback: &str| {
        let body = json!({ "readback": readback });
        bob.json("PUT", &answer, &body).await.expect(200);
    };
    assert_eq!(due(&bob, &path).await, "2030-01-11T16:00:00.000Z");
    app.set_clock("2030-01-11T10:00:00Z");
    read_back("One.").await;
    bob.delete(&answer).await.expect(200);
    assert_eq!(due(&bob, &path).await, "2030-01-11T16:00:00.000Z");

    // A correction and a material change each ask for a new answer and set a new due time.
    read_back("One!").await;
    ada.json(
        "PUT",
        &verdict,
        &json!({ "verdict": "corrected", "body": "Two." }),
    )
    .await
    .expect(200);
    assert_eq!(due(&bob, &path).await, "2030-01-14T16:00:00.000Z");
    app.set_clock("2030-01-14T10:00:00Z");
    read_back("Two.").await;
    bob.delete(&answer).await.expect(200);
    assert_eq!(due(&bob, &path).await, "2030-01-14T16:00:00.000Z");
    read_back("Two!").await;
    ada.patch(&path, json!({ "notes": "two", "change": "material" }))
        .await
        .expect(200);
    app.set_clock("2030-01-15T10:00:00Z");
    read_back("Three.").await;
    bob.delete(&answer).await.expect(200);
    assert_eq!(due(&bob, &path).await, "2030-01-15T16:00:00.000Z");
}

#[actix_web::test]
async fn due_time_outside_working_hours_moves_to_the_end_of_the_previous_working_day() {
    let app = TestApp::start().await;
    let [ada, leo] = app.people(["Ada", "Leo"]).await;
    set_time_zone(&leo, "America/Los_Angeles").await;
    app.set_clock("2030-01-09T12:00:00Z");
    let path = ada
        .update(json!({
            "title": "x", "audience": [email("Leo")], "expectation": "acknowledge",
            "due": "2030-01-11T09:00:00Z",
        }))
        .await;
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
        "a time within working hours does not move"
    );
    ada.patch(&path, json!({ "due": null })).await.expect(200);
    assert_eq!(due(&leo, &path).await, Value::Null);
}

#[actix_web::test]
async fn absence_postpones_the_due_time_and_is_shown_on_the_receipt() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    app.set_clock("2030-01-07T09:00:00Z");
    let path = ada
        .update(json!({
            "title": "x", "audience": [email("Bob")], "expectation": "acknowledge",
            "due": { "working_days": 1 },
        }))
        .await;
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
    bob.patch(
        "/me",
        json!({
            "away_until": null,
            "working_hours": { "days": [1, 2, 3, 4], "from": "10:00", "to": "14:00" },
        }),
    )
    .await
    .expect(200);
    assert_eq!(due(&bob, &path).await, "2030-01-08T13:00:00.000Z");
}

#[actix_web::test]
async fn added_recipient_gets_their_own_due_time_and_removed_recipient_keeps_their_answer() {
    let app = TestApp::start().await;
    let [ada, bob, cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    app.set_clock("2030-01-07T09:00:00Z");
    let path = ada
        .update(json!({
            "title": "x", "audience": [email("Bob")], "expectation": "acknowledge",
            "due": { "working_days": 1 },
        }))
        .await;
    app.set_clock("2030-01-09T09:00:00Z");
    ada.patch(&path, json!({ "audience": [email("Bob"), email("Cyd")] }))
        .await
        .expect(200);
    assert_eq!(due(&bob, &path).await, "2030-01-08T16:00:00.000Z");
    assert_eq!(due(&cyd, &path).await, "2030-01-10T16:00:00.000Z");
    let receipt = bob
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
        (&json!("acknowledged"), &receipt["answered_at"])
    );
}

#[actix_web::test]
async fn due_time_that_is_in_the_past_or_invalid_is_rejected() {
    let app = TestApp::start().await;
    let [ada, _bob] = app.people(["Ada", "Bob"]).await;
    let with = |due: Value| {
        json!({
            "title": "x", "audience": [email("Bob")], "expectation": "acknowledge", "due": due,
            "publish": true,
        })
    };
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
    // An overdue update can still be edited, even if the request repeats the due time that has passed.
    app.state.clock.advance(20 * 366 * 24 * 3_600_000);
    ada.patch(
        &path,
        json!({ "title": "y", "due": "2040-01-02T12:00:00Z" }),
    )
    .await
    .expect(200);
    // A draft cannot be published after its due time.
    let draft = ada
        .update(json!({
            "title": "x", "audience": [email("Bob")], "expectation": "acknowledge",
            "due": "2099-01-02T12:00:00Z", "publish": false,
        }))
        .await;
    app.state.clock.advance(80 * 366 * 24 * 3_600_000);
    ada.put(&format!("{draft}/publication")).await.problem(422);
}

#[actix_web::test]
async fn overdue_receipt_causes_one_notification_and_is_shown_as_overdue() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    app.set_clock("2030-01-07T09:00:00Z");
    let path = ada
        .update(json!({
            "title": "x", "audience": [email("Bob")], "expectation": "acknowledge",
            "due": { "working_days": 1 }, "otherwise": "ship it",
        }))
        .await;
    assert_eq!(app.state.notify_overdue().await.unwrap(), 0);
    app.set_clock("2030-01-08T16:00:01Z");
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
        page.contains(" · 1 overdue") && page.contains("ship it"),
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

/// Publishes an update to Bob by submitting the form for a new update.
async fn publish_by_form(browser: &Client, fields: &[(&str, &str)]) -> Response {
    let bob = email("Bob");
    let mut all = vec![
        ("title", "x"),
        ("audience", bob.as_str()),
        ("expectation", "acknowledge"),
        ("publish", "true"),
    ];
    all.extend(fields);
    browser.upload("/updates", &all, &[]).await
}

#[actix_web::test]
async fn form_accepts_a_due_time_in_working_days_or_as_a_timestamp() {
    let app = TestApp::start().await;
    let [ada, _] = app.people(["Ada", "Bob"]).await;
    let browser = app.browser("Ada").await;
    let fields = [("when", "days"), ("due_days", "3"), ("due", "")];
    let created = publish_by_form(&browser, &fields).await.expect(303);
    let update = ada.get(created.header("location")).await.json();
    assert_eq!(update["due"], json!({ "working_days": 3 }));
    let time = [("due_days", "3"), ("due", "2040-06-05T12:00")];
    let fields = [&[("when", "time")], &time[..]].concat();
    let created = publish_by_form(&browser, &fields).await.expect(303);
    let update = ada.get(created.header("location")).await.json();
    assert_eq!(update["due"], "2040-06-05T10:00:00.000Z");
    let fields = [&[("when", "none")], &time[..]].concat();
    let created = publish_by_form(&browser, &fields).await.expect(303);
    let update = ada.get(created.header("location")).await.json();
    assert_eq!(update["due"], Value::Null);
}

#[actix_web::test]
async fn form_rejects_a_due_time_of_zero_days() {
    let app = TestApp::start().await;
    app.people(["Ada", "Bob"]).await;
    let browser = app.browser("Ada").await;
    let fields = [("when", "days"), ("due_days", "0"), ("due", "")];
    let page = publish_by_form(&browser, &fields).await.expect(422).text();
    assert!(
        page.contains("This must be a number of working days from 1 to 60.<"),
        "{page}"
    );
}

#[actix_web::test]
async fn form_says_working_day_for_one_and_working_days_for_two() {
    let app = TestApp::start().await;
    app.people(["Ada", "Bob"]).await;
    let browser = app.browser("Ada").await;
    let form = browser.get("/updates/new").await.expect(200).text();
    assert!(form.contains(">working day</unit-label>"), "{form}");
    for (days, unit) in [("1", "working day"), ("2", "working days")] {
        let fields = [("when", "days"), ("due_days", days), ("audience", "nobody")];
        let form = publish_by_form(&browser, &fields).await.expect(422).text();
        assert!(form.contains(&format!(">{unit}</unit-label>")), "{form}");
    }
}
