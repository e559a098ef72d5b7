//! Reminders, mutes, notifications, and counts after concurrent changes. The submodules test snoozing and going
//! through the inbox one update after another.

mod next;
mod snooze;

use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp, email};

/// Publishes an update that asks for an acknowledgement. Returns its path.
async fn publish_request(author: &Client, title: &str, names: &[&str]) -> String {
    let audience: Vec<String> = names.iter().map(|name| email(name)).collect();
    author
        .update(json!({ "title": title, "audience": audience, "expectation": "acknowledge" }))
        .await
}

/// Returns the titles of the updates in a section of the inbox.
fn titles(section: &Value) -> Vec<&str> {
    section
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["update"]["title"].as_str().unwrap())
        .collect()
}

/// Returns the inbox entries that require an answer from the client.
async fn owed(client: &Client) -> Value {
    client.get("/inbox").await.expect(200).json()["owed_by_me"].clone()
}

async fn remind(author: &Client, update: &str) -> Response {
    author.post(&format!("{update}/reminders"), json!({})).await
}

#[actix_web::test]
async fn reminder_moves_the_update_to_the_top_and_names_recipients_who_have_not_answered() {
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
    remind(&bob, &path).await.problem(403);
    let reminder = remind(&ada, &path).await.expect(200).json();
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
    let entries = owed(&bob).await;
    assert_eq!(
        (titles(&entries), entries[0]["reminded_at"].is_string()),
        (vec!["Late", "Early"], true)
    );
    assert_eq!(owed(&cyd).await, json!([]));
}

#[actix_web::test]
async fn reminder_is_rejected_within_four_hours_of_the_last_one_or_when_no_answer_is_outstanding() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish_request(&ada, "Late", &["Bob"]).await;
    remind(&ada, &path).await.expect(200);
    remind(&ada, &path).await.problem(409);
    app.state.clock.advance(4 * 3_600_000);
    remind(&ada, &path).await.expect(200);
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    let problem = remind(&ada, &path).await.problem(409);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("There is nobody to remind"), "{detail}");
}

#[actix_web::test]
async fn reminder_does_not_carry_over_to_a_later_request_about_the_same_update() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    publish_request(&ada, "Early", &["Bob"]).await;
    app.state.clock.advance(1000);
    let path = publish_request(&ada, "Late", &["Bob"]).await;
    remind(&ada, &path).await.expect(200);
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
    // A new request does not reset the limit of one reminder in four hours.
    remind(&ada, &path).await.problem(409);
    app.state.clock.advance(4 * 3_600_000);
    remind(&ada, &path).await.expect(200);
    assert_eq!(titles(&owed(&bob).await), ["Late", "Early"]);
}

#[actix_web::test]
async fn publishing_returns_a_message_to_share() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let fields = json!({
        "title": "The new flow", "audience": [email("Bob")], "expectation": "acknowledge",
        "due": { "working_days": 1 }, "publish": true,
    });
    let made = ada.post("/updates", fields).await.expect(201).json();
    let url = made["url"].as_str().unwrap();
    assert_eq!(
        made["message"],
        format!(
            "Ada asks you to press “Got it” on “The new flow” by the end of your next working day: {url}"
        )
    );
    let page = app.browser("Ada").await.get(url).await.text();
    assert!(page.contains(" to 1 person"), "{page}");
    assert!(
        page.contains("Copy message") && page.contains("Ada asks you to press “Got it”"),
        "{page}"
    );
    assert_eq!(bob.get(url).await.json()["message"], Value::Null);
}

#[actix_web::test]
async fn muted_update_is_listed_in_the_inbox_only_when_it_asks_for_an_answer() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada
        .update(json!({ "title": "Noise", "audience": [email("Bob")] }))
        .await;
    bob.put(&format!("{path}/mute")).await.expect(204);
    assert_eq!(bob.get("/inbox").await.json()["counts"]["said_to_me"], 0);
    let thread = bob.comment(&path, "One thing").await;
    ada.reply(&path, &thread, "Another").await;
    assert_eq!(bob.get("/inbox").await.json()["counts"]["said_to_me"], 0);
    ada.patch(&path, json!({ "expectation": "acknowledge" }))
        .await
        .expect(200);
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 1);
    bob.delete(&format!("{path}/mute")).await.expect(204);
    ada.reply(&path, &thread, "More").await;
    assert_eq!(bob.get("/inbox").await.json()["counts"]["said_to_me"], 1);
}

#[actix_web::test]
async fn repeated_reminders_cause_one_notification_and_nobody_is_notified_of_their_own_actions() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish_request(&ada, "Once", &["Bob"]).await;
    assert_eq!(app.count("SELECT count(*) FROM notices").await, 1);
    remind(&ada, &path).await.expect(200);
    app.state.clock.advance(5 * 3_600_000);
    remind(&ada, &path).await.expect(200);
    bob.put(&format!("{path}/opening")).await.expect(204);
    for (statement, expected) in [
        ("SELECT count(*) FROM notices WHERE kind = 'reminded'", 1),
        ("SELECT count(*) FROM notices WHERE read_at IS NULL", 0),
    ] {
        assert_eq!(app.count(statement).await, expected, "{statement}");
    }
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    // Ada has two unread notifications about Bob's acknowledgement. Nobody is notified of their own actions.
    for (statement, expected) in [
        (
            "SELECT count(*) FROM notices WHERE read_at IS NULL AND kind IN ('heard', 'all_heard')",
            2,
        ),
        ("SELECT count(*) FROM notices WHERE person_id = actor_id", 0),
    ] {
        assert_eq!(app.count(statement).await, expected, "{statement}");
    }
}

#[actix_web::test]
async fn unpublishing_within_ten_seconds_retracts_the_notifications() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let path = publish_request(&ada, "Undone", &["Bob"]).await;
    ada.delete(&format!("{path}/publication")).await.expect(200);
    assert_eq!(app.count("SELECT count(*) FROM notices").await, 0);
}

#[actix_web::test]
async fn receipts_overview_is_available_as_html_json_and_csv() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish_request(&ada, "=SUM(A1)", &["Bob"]).await;
    publish_request(&bob, "Not mine", &["Ada"]).await;
    let overview = ada.get("/receipts").await.expect(200).json();
    assert_eq!(overview["items"].as_array().unwrap().len(), 1);
    let table = ada.get("/receipts?format=csv").await.expect(200);
    assert!(table.header("content-type").starts_with("text/csv"));
    assert!(
        table.text().contains("'=SUM(A1)") && !table.text().contains("Not mine"),
        "{}",
        table.text()
    );
    let page = app.browser("Ada").await.get("/receipts").await;
    let page = page.expect(200).text();
    assert!(
        page.contains("0 of 1") && page.contains("Waiting on 1 person"),
        "{page}"
    );
    let program = ada.clone().header("accept", "text/csv");
    let rows = program.get(&format!("{path}/receipts")).await;
    let rows = rows.expect(200).text();
    assert!(
        rows.starts_with("person,person_id,state,owes,due") && rows.contains(",waiting,true"),
        "{rows}"
    );
}

#[actix_web::test]
async fn receipt_counts_are_correct_after_concurrent_answers_and_edits() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let names: Vec<String> = (0..12).map(|n| format!("P{n}")).collect();
    let mut people = Vec::new();
    for name in &names {
        people.push(app.person(name).await);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let path = publish_request(&ada, "All at once", &names).await;
    let answers = people.iter().map(|person| answer_and_leave(person, &path));
    let edits = async {
        let change = json!({ "change": "material", "what_changed": "All" });
        ada.patch(&path, change).await.expect(200);
        let change = json!({ "due": { "working_days": 1 } });
        ada.patch(&path, change).await.expect(200);
    };
    futures_util::future::join(futures_util::future::join_all(answers), edits).await;
    let facts = app
        .count(
            "SELECT count(*) FROM receipts r JOIN updates u ON u.id = r.update_id WHERE \
             r.answered_revision IS NULL OR r.answered_revision < u.revision",
        )
        .await;
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

async fn answer_and_leave(person: &Client, path: &str) {
    person.put(&format!("{path}/opening")).await.expect(204);
    person
        .put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    let absence = json!({ "away_until": "2029-01-05T09:00:00Z" });
    person.patch("/me", absence).await.expect(200);
}

#[actix_web::test]
async fn concurrent_requests_publish_a_draft_only_once_and_either_confirm_or_withdraw_a_readback() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    for _ in 0..5 {
        let draft = ada.update(json!({
            "title": "x", "audience": [email("Bob")], "expectation": "readback", "publish": false,
        })).await;
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
