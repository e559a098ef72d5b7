//! Reminders, snoozing, muting, reading in sequence, and notifications that arrive once.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email};

/// Publishes an update that publish_request for an acknowledgement. Returns its path.
async fn publish_request(author: &Client, title: &str, names: &[&str]) -> String {
    let audience: Vec<String> = names.iter().map(|name| email(name)).collect();
    author
        .update(json!({ "title": title, "audience": audience, "expectation": "acknowledge" }))
        .await
}

fn titles(section: &Value) -> Vec<&str> {
    section
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["update"]["title"].as_str().unwrap())
        .collect()
}

async fn owed(client: &Client) -> Value {
    client.get("/inbox").await.expect(200).json()["owed_by_me"].clone()
}

#[actix_web::test]
async fn reminder_moves_the_update_first_and_names_who_still_owes() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    publish_request(&ada, "Early", &["Bob"]).await;
    app.state.clock.advance(1000);
    let path = publish_request(&ada, "Late", &["Bob", "Cyd"]).await;
    assert_eq!(titles(&owed(&bob).await), ["Early", "Late"]);
    cyd.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    let reminders = format!("{path}/reminders");
    bob.post(&reminders, json!({})).await.problem(403);
    let reminder = ada.post(&reminders, json!({})).await.expect(200).json();
    assert_eq!(
        reminder["reminded"],
        json!([{ "id": bob.id, "name": "Bob" }])
    );
    let message = reminder["message"].as_str().unwrap();
    assert!(
        message.contains("“Late”")
            && message.contains("Bob")
            && !message.contains("Cyd")
            && message.ends_with(&path),
        "{message}"
    );
    let rows = owed(&bob).await;
    assert_eq!(
        (titles(&rows), rows[0]["reminded_at"].is_string()),
        (vec!["Late", "Early"], true)
    );
    assert_eq!(owed(&cyd).await, json!([]));
    // At most one reminder per person in four hours.
    ada.post(&reminders, json!({})).await.problem(409);
    app.state.clock.advance(4 * 3_600_000);
    ada.post(&reminders, json!({})).await.expect(200);
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    assert!(
        ada.post(&reminders, json!({})).await.problem(409)["detail"]
            .as_str()
            .unwrap()
            .contains("Nobody owes")
    );
}

#[actix_web::test]
async fn reminder_does_not_apply_to_a_later_request() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    publish_request(&ada, "Early", &["Bob"]).await;
    app.state.clock.advance(1000);
    let path = publish_request(&ada, "Late", &["Bob"]).await;
    let reminders = format!("{path}/reminders");
    ada.post(&reminders, json!({})).await.expect(200);
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    app.state.clock.advance(1000);
    ada.patch(
        &path,
        json!({ "notes": "Otherwise.", "change": "material" }),
    )
    .await
    .expect(200);
    let rows = owed(&bob).await;
    assert_eq!(
        (titles(&rows), &rows[1]["reminded_at"]),
        (vec!["Early", "Late"], &Value::Null)
    );
    assert_eq!(
        ada.get(&format!("{path}/receipts")).await.json()["items"][0]["reminded_at"],
        Value::Null
    );
    // The limit of four hours still applies.
    ada.post(&reminders, json!({})).await.problem(409);
    app.state.clock.advance(4 * 3_600_000);
    ada.post(&reminders, json!({})).await.expect(200);
    assert_eq!(titles(&owed(&bob).await), ["Late", "Early"]);
}

#[actix_web::test]
async fn publishing_returns_a_message_to_share() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let fields = json!({ "title": "The new flow", "audience": [email("Bob")], "expectation": "acknowledge", "due": { "working_days": 1 }, "publish": true });
    let made = ada.post("/updates", fields).await.expect(201).json();
    let message = made["message"].as_str().unwrap();
    assert_eq!(
        message,
        format!(
            "Ada asks for your Got it on “The new flow” by the end of your next working day: {}",
            made["url"].as_str().unwrap()
        )
    );
    let page = app
        .browser("Ada")
        .await
        .get(made["url"].as_str().unwrap())
        .await
        .text();
    assert!(
        page.contains("Sent to 1 person")
            || page.contains("Sent</p>")
            || page.contains(" to 1 person"),
        "{page}"
    );
    assert!(
        page.contains("Copy message") && page.contains("Ada asks for your Got it"),
        "{page}"
    );
    assert_eq!(
        bob.get(made["url"].as_str().unwrap()).await.json()["message"],
        Value::Null
    );
}

#[actix_web::test]
async fn snoozed_entry_returns_at_its_time_or_after_an_answer() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish_request(&ada, "Later", &["Bob"]).await;
    let entry = owed(&bob).await[0]["id"].as_str().unwrap().to_owned();
    let snooze = format!("/inbox/{entry}/snooze");
    for until in [
        json!("2020-01-01T00:00:00Z"),
        json!("soon"),
        json!(null),
        json!(""),
    ] {
        bob.json("PUT", &snooze, &json!({ "until": until }))
            .await
            .problem(422);
    }
    bob.json(
        "PUT",
        "/inbox/bnothing/snooze",
        &json!({ "until": "tomorrow" }),
    )
    .await
    .problem(404);
    ada.json(
        "PUT",
        "/inbox/xnothing/snooze",
        &json!({ "until": "tomorrow" }),
    )
    .await
    .problem(404);
    bob.json("PUT", &snooze, &json!({ "until": "tomorrow" }))
        .await
        .expect(204);
    let inbox = bob.get("/inbox").await.json();
    assert_eq!(
        (
            &inbox["owed_by_me"],
            &inbox["counts"]["owed_by_me"],
            &inbox["snoozed"][0]["id"]
        ),
        (&json!([]), &json!(0), &json!(entry))
    );
    app.state.clock.advance(36 * 3_600_000);
    assert_eq!(titles(&owed(&bob).await), ["Later"]);

    bob.json("PUT", &snooze, &json!({ "until": "monday" }))
        .await
        .expect(204);
    assert_eq!(owed(&bob).await, json!([]));
    bob.delete(&snooze).await.expect(204);
    assert_eq!(titles(&owed(&bob).await), ["Later"]);
    // A reminder ends a snooze.
    bob.json("PUT", &snooze, &json!({ "until": "monday" }))
        .await
        .expect(204);
    ada.post(&format!("{path}/reminders"), json!({}))
        .await
        .expect(200);
    assert_eq!(titles(&owed(&bob).await), ["Later"]);

    let waiting = ada.get("/inbox").await.json()["owed_to_me"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    ada.json(
        "PUT",
        &format!("/inbox/{waiting}/snooze"),
        &json!({ "until": "answered" }),
    )
    .await
    .expect(204);
    assert_eq!(ada.get("/inbox").await.json()["counts"]["owed_to_me"], 0);
    let cyd = app.person("Cyd").await;
    ada.patch(&path, json!({ "audience": [email("Bob"), email("Cyd")] }))
        .await
        .expect(200);
    assert_eq!(ada.get("/inbox").await.json()["counts"]["owed_to_me"], 0);
    cyd.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    assert_eq!(
        ada.get("/inbox").await.json()["counts"]["owed_to_me"],
        1,
        "somebody has answered"
    );
}

#[actix_web::test]
async fn next_follows_the_order_of_the_inbox_to_its_end() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let first = publish_request(&ada, "One", &["Bob"]).await;
    app.state.clock.advance(1000);
    let second = publish_request(&ada, "Two", &["Bob"]).await;
    let third = ada
        .update(json!({ "title": "Three", "audience": [email("Bob")] }))
        .await;
    let id = |path: &str| path.trim_start_matches("/updates/").to_owned();
    let next = async |query: String| {
        bob.get(&format!("/inbox/next?{query}"))
            .await
            .expect(200)
            .json()["id"]
            .clone()
    };
    assert_eq!(next(String::new()).await, json!(id(&first)));
    assert_eq!(
        next(format!("after={}", id(&first))).await,
        json!(id(&second))
    );
    assert_eq!(
        next(format!("after={}", id(&second))).await,
        json!(id(&third))
    );
    assert_eq!(
        next(format!(
            "after={}&skip={},{}",
            id(&third),
            id(&first),
            id(&second)
        ))
        .await,
        Value::Null
    );
    let browser = app.browser("Bob").await;
    assert_eq!(
        browser
            .get(&format!("/inbox/next?after={}", id(&first)))
            .await
            .expect(303)
            .header("location"),
        second
    );
    for path in [&first, &second] {
        bob.put(&format!("{path}/acknowledgement"))
            .await
            .expect(200);
    }
    bob.put(&format!("{third}/opening")).await.expect(204);
    assert_eq!(
        browser
            .get("/inbox/next")
            .await
            .expect(303)
            .header("location"),
        "/inbox"
    );
    assert!(
        browser
            .get("/inbox")
            .await
            .text()
            .contains("Nobody is waiting for you.")
    );
}

#[actix_web::test]
async fn muted_update_notifies_only_of_requests() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada
        .update(json!({ "title": "Noise", "audience": [email("Bob")] }))
        .await;
    bob.put(&format!("{path}/mute")).await.expect(204);
    assert_eq!(bob.get("/inbox").await.json()["counts"]["said_to_me"], 0);
    let thread = bob.comment(&path, "One thing").await;
    ada.post(
        &format!("{path}/comments"),
        json!({ "body": "Another", "parent_id": thread }),
    )
    .await
    .expect(201);
    assert_eq!(bob.get("/inbox").await.json()["counts"]["said_to_me"], 0);
    ada.patch(&path, json!({ "expectation": "acknowledge" }))
        .await
        .expect(200);
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 1);
    bob.delete(&format!("{path}/mute")).await.expect(204);
    ada.post(
        &format!("{path}/comments"),
        json!({ "body": "More", "parent_id": thread }),
    )
    .await
    .expect(201);
    assert_eq!(bob.get("/inbox").await.json()["counts"]["said_to_me"], 1);
}

#[actix_web::test]
async fn notifications_are_unique_and_never_of_own_or_opened_things() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish_request(&ada, "Once", &["Bob"]).await;
    assert_eq!(app.count("SELECT count(*) FROM notices").await, 1);
    ada.post(&format!("{path}/reminders"), json!({}))
        .await
        .expect(200);
    app.state.clock.advance(5 * 3_600_000);
    ada.post(&format!("{path}/reminders"), json!({}))
        .await
        .expect(200);
    assert_eq!(
        app.count("SELECT count(*) FROM notices WHERE kind = 'reminded'")
            .await,
        1
    );
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(
        app.count("SELECT count(*) FROM notices WHERE read_at IS NULL")
            .await,
        0
    );
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    // Ada is notified of the acknowledgement, Bob is not.
    assert_eq!(
        app.count(
            "SELECT count(*) FROM notices WHERE read_at IS NULL AND kind IN ('heard', 'all_heard')"
        )
        .await,
        2
    );
    assert_eq!(
        app.count("SELECT count(*) FROM notices WHERE person_id = actor_id")
            .await,
        0
    );
    // Unpublishing within ten seconds retracts the notifications.
    let path = publish_request(&ada, "Undone", &["Bob"]).await;
    ada.delete(&format!("{path}/publication")).await.expect(200);
    assert_eq!(app.count("SELECT count(*) FROM notices n JOIN updates u ON u.id = n.update_id WHERE u.title = 'Undone'").await, 0);
}

#[actix_web::test]
async fn receipts_overview_is_available_as_page_json_and_csv() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish_request(&ada, "=SUM(A1)", &["Bob"]).await;
    publish_request(&bob, "Not mine", &["Ada"]).await;
    assert_eq!(
        ada.get("/receipts").await.expect(200).json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let table = ada.get("/receipts?format=csv").await.expect(200);
    assert!(table.header("content-type").starts_with("text/csv"));
    assert!(
        table.text().contains("'=SUM(A1)") && !table.text().contains("Not mine"),
        "{}",
        table.text()
    );
    let page = app
        .browser("Ada")
        .await
        .get("/receipts")
        .await
        .expect(200)
        .text();
    assert!(
        page.contains("0 of 1") && page.contains("waiting on 1 person"),
        "{page}"
    );
    let rows = ada
        .clone()
        .header("accept", "text/csv")
        .get(&format!("{path}/receipts"))
        .await
        .expect(200)
        .text();
    assert!(
        rows.starts_with("person,person_id,state,owes,due") && rows.contains(",waiting,true"),
        "{rows}"
    );
}

#[actix_web::test]
async fn counts_follow_from_the_facts_after_concurrent_answers_and_edits() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let names: Vec<String> = (0..12).map(|n| format!("P{n}")).collect();
    let mut people = Vec::new();
    for name in &names {
        people.push(app.person(name).await);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let path = publish_request(&ada, "All at once", &names).await;
    let answer = format!("{path}/acknowledgement");
    let answers = people.iter().map(|person| async {
        person.put(&format!("{path}/opening")).await.expect(204);
        person.put(&answer).await.expect(200);
        person
            .json(
                "PATCH",
                "/me",
                &json!({ "away_until": "2029-01-05T09:00:00Z" }),
            )
            .await
            .expect(200);
    });
    let edits = async {
        ada.patch(
            &path,
            json!({ "change": "material", "what_changed": "All" }),
        )
        .await
        .expect(200);
        ada.patch(&path, json!({ "due": { "working_days": 1 } }))
            .await
            .expect(200);
    };
    futures_util::future::join(futures_util::future::join_all(answers), edits).await;
    let facts = app.count("SELECT count(*) FROM receipts r JOIN updates u ON u.id = r.update_id WHERE r.answered_revision IS NULL OR r.answered_revision < u.revision").await;
    let counts = ada.get(&path).await.json()["counts"].clone();
    assert_eq!(
        (
            &counts["recipients"],
            &counts["owing"],
            &counts["acknowledged"]
        ),
        (&json!(12), &json!(facts), &json!(12 - facts))
    );
    assert_eq!(
        app.count("SELECT count(*) FROM receipts WHERE owes_since IS NOT NULL")
            .await,
        facts
    );
}

#[actix_web::test]
async fn concurrent_publications_and_verdicts_have_one_outcome() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    for _ in 0..5 {
        let draft = ada.update(json!({ "title": "x", "audience": [email("Bob")], "expectation": "readback", "publish": false })).await;
        let publication = format!("{draft}/publication");
        let (one, other) =
            futures_util::future::join(ada.put(&publication), ada.put(&publication)).await;
        assert_eq!(
            one.expect(200).json()["published_at"],
            other.expect(200).json()["published_at"]
        );
        let answer = format!("{draft}/acknowledgement");
        bob.json("PUT", &answer, &json!({ "readback": "Yes" }))
            .await
            .expect(200);
        let verdict = json!({ "verdict": "confirmed" });
        let confirm = format!("{draft}/receipts/{}/confirmation", bob.id);
        let (confirmed, taken) =
            futures_util::future::join(ada.json("PUT", &confirm, &verdict), bob.delete(&answer))
                .await;
        let state = bob.get(&draft).await.json()["my_receipt"]["state"].clone();
        match (confirmed.status.as_u16(), taken.status.as_u16()) {
            (200, 409) => assert_eq!(state, "confirmed"),
            (409, 200) => assert_eq!(state, "waiting"),
            both => panic!("{both:?}: {state}"),
        }
    }
}
