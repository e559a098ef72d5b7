//! Reminding, putting off, muting, reading one after the other, and notices that are told once.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email};

async fn asks(author: &Client, title: &str, names: &[&str]) -> String {
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
async fn a_reminder_puts_the_row_first_and_names_those_who_still_owe() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    asks(&ada, "Early", &["Bob"]).await;
    app.state.clock.advance(1000);
    let path = asks(&ada, "Late", &["Bob", "Cyd"]).await;
    assert_eq!(titles(&owed(&bob).await), ["Early", "Late"]);
    cyd.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    let reminders = format!("{path}/reminders");
    bob.post(&reminders, json!({})).await.problem(403);
    let said = ada.post(&reminders, json!({})).await.expect(200).json();
    assert_eq!(said["reminded"], json!([{ "id": bob.id, "name": "Bob" }]));
    let message = said["message"].as_str().unwrap();
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
    // At most once in four hours a person.
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
async fn a_reminder_is_of_what_was_owed_then_and_not_of_what_is_asked_anew() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    asks(&ada, "Early", &["Bob"]).await;
    app.state.clock.advance(1000);
    let path = asks(&ada, "Late", &["Bob"]).await;
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
    // He was reminded a moment ago all the same.
    ada.post(&reminders, json!({})).await.problem(409);
    app.state.clock.advance(4 * 3_600_000);
    ada.post(&reminders, json!({})).await.expect(200);
    assert_eq!(titles(&owed(&bob).await), ["Late", "Early"]);
}

#[actix_web::test]
async fn publishing_answers_with_words_to_pass_on() {
    let app = TestApp::start().await;
    let (ada, _bob) = (app.person("Ada").await, app.person("Bob").await);
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
        _bob.get(made["url"].as_str().unwrap()).await.json()["message"],
        Value::Null
    );
}

#[actix_web::test]
async fn what_is_put_off_is_away_until_its_time_or_until_somebody_answers() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = asks(&ada, "Later", &["Bob"]).await;
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
    // A reminder finds also who has put it off.
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
async fn reading_goes_from_one_to_the_next_and_comes_to_an_end() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let first = asks(&ada, "One", &["Bob"]).await;
    app.state.clock.advance(1000);
    let second = asks(&ada, "Two", &["Bob"]).await;
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
async fn who_mutes_an_update_hears_nothing_of_it_but_what_is_asked_of_them() {
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
async fn notices_are_never_of_ones_own_doing_never_two_for_one_thing_and_none_of_what_was_read() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = asks(&ada, "Once", &["Bob"]).await;
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
    // Ada hears of it, Bob does not hear of what he did.
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
    // Undone within ten seconds, it was never told.
    let path = asks(&ada, "Undone", &["Bob"]).await;
    ada.delete(&format!("{path}/publication")).await.expect(200);
    assert_eq!(app.count("SELECT count(*) FROM notices n JOIN updates u ON u.id = n.update_id WHERE u.title = 'Undone'").await, 0);
}

#[actix_web::test]
async fn the_overview_of_all_ones_updates_is_a_page_json_and_a_table() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = asks(&ada, "=SUM(A1)", &["Bob"]).await;
    asks(&bob, "Not mine", &["Ada"]).await;
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
async fn answers_edits_and_reminders_at_once_leave_counts_that_follow_from_the_facts() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let names: Vec<String> = (0..12).map(|n| format!("P{n}")).collect();
    let mut people = Vec::new();
    for name in &names {
        people.push(app.person(name).await);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let path = asks(&ada, "All at once", &names).await;
    let answer = format!("{path}/acknowledgement");
    let said = people.iter().map(|person| async {
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
    futures_util::future::join(futures_util::future::join_all(said), edits).await;
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
async fn of_two_publications_at_once_one_tells_and_of_confirming_and_taking_back_one_holds() {
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
