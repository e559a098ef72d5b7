//! The three sections of the inbox: `owed_by_me`, `owed_to_me` and `said_to_me`.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, array, email, text};

/// Returns the count that the inbox states for each section. Asserts that each section has that
/// many entries.
async fn counts(client: &Client) -> (i64, i64, i64) {
    let inbox = client.get("/inbox").await.expect(200).json();
    let count = |name: &str| inbox["counts"][name].as_i64().unwrap();
    for section in ["owed_by_me", "owed_to_me", "said_to_me"] {
        assert_eq!(
            array(&inbox[section]).len() as i64,
            count(section),
            "{section}"
        );
    }
    (
        count("owed_by_me"),
        count("owed_to_me"),
        count("said_to_me"),
    )
}

fn titles(section: &Value) -> Vec<&str> {
    section
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| text(&entry["update"]["title"]))
        .collect()
}

#[actix_web::test]
async fn author_is_owed_an_acknowledgement_until_every_recipient_has_answered() {
    let app = TestApp::start().await;
    let [ada, bob, cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    let path = ada
        .update(json!({
            "title": "Answer me", "audience": [email("Bob"), email("Cyd")],
            "expectation": "acknowledge", "due": "2030-01-02T15:04:05Z",
        }))
        .await;
    assert_eq!(
        (counts(&ada).await, counts(&bob).await),
        ((0, 1, 0), (1, 0, 0))
    );
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    assert_eq!(
        (counts(&ada).await, counts(&bob).await, counts(&cyd).await),
        ((0, 1, 0), (0, 0, 0), (1, 0, 0))
    );
    cyd.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    assert_eq!(
        (counts(&ada).await, counts(&cyd).await),
        ((0, 0, 1), (0, 0, 0)),
        "the author is notified when all have answered"
    );
    cyd.delete(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    assert_eq!(
        (counts(&ada).await, counts(&cyd).await),
        ((0, 1, 0), (1, 0, 0))
    );
    ada.delete(&path).await.expect(204);
    assert_eq!(
        (counts(&ada).await, counts(&cyd).await),
        ((0, 0, 0), (0, 0, 0))
    );
    ada.put(&format!("{path}/restoration")).await.expect(200);
    assert_eq!(
        (counts(&ada).await, counts(&cyd).await),
        ((0, 1, 0), (1, 0, 0))
    );
}

#[actix_web::test]
async fn inbox_entry_states_which_response_is_due_and_when() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = ada
        .update(json!({
            "title": "Answer me", "audience": [email("Bob")], "expectation": "acknowledge",
            "due": "2030-01-02T15:04:05Z",
        }))
        .await;
    let entry = bob.get("/inbox").await.json()["owed_by_me"][0].clone();
    assert_eq!(
        (&entry["why"], &entry["due"], &entry["update"]["id"]),
        (
            &json!("acknowledge"),
            &json!("2030-01-02T15:04:05.000Z"),
            &json!(path.trim_start_matches("/updates/"))
        )
    );
    assert!(entry["id"].is_string() && text(&entry["update"]["url"]).ends_with(&path));
}

#[actix_web::test]
async fn inbox_entries_that_ask_for_an_answer_are_sorted_by_due_time() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    for (title, due) in [
        ("none", Value::Null),
        ("late", json!("2031-01-01T00:00:00Z")),
        ("soon", json!("2030-01-01T00:00:00Z")),
    ] {
        ada.update(json!({
            "title": title, "audience": [email("Bob")], "expectation": "acknowledge", "due": due,
        }))
        .await;
    }
    assert_eq!(
        titles(&bob.get("/inbox").await.json()["owed_by_me"]),
        ["soon", "late", "none"]
    );
    assert_eq!(
        titles(&ada.get("/inbox").await.json()["owed_to_me"]),
        ["soon", "late", "none"]
    );
}

#[actix_web::test]
async fn inbox_entry_about_a_new_update_or_comment_is_listed_until_the_update_is_opened() {
    let app = TestApp::start().await;
    let [ada, bob, cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    let path = ada
        .update(json!({ "title": "News", "audience": [email("Bob"), email("Cyd")] }))
        .await;
    assert_eq!(counts(&bob).await, (0, 0, 1));
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(counts(&bob).await, (0, 0, 0));

    app.state.clock.advance(1000);
    let id = bob.comment(&path, "One").await;
    bob.comment(&path, "Two").await;
    let said = ada.get("/inbox").await.json()["said_to_me"][0].clone();
    assert_eq!(
        (&said["why"], &said["new_comments"]),
        (&json!("comments"), &json!(2))
    );
    app.state.clock.advance(1000);
    ada.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(counts(&ada).await, (0, 0, 0));
    // Bob gets no entry for his own comments.
    assert_eq!(counts(&bob).await, (0, 0, 0));
    // Bob's entry counts a reply in his thread, but not a comment in another thread.
    app.state.clock.advance(1000);
    ada.post(
        &format!("{path}/comments"),
        json!({ "body": "Re", "parent_id": id }),
    )
    .await
    .expect(201);
    ada.comment(&path, "Another thread").await;
    let said = bob.get("/inbox").await.json()["said_to_me"][0].clone();
    assert_eq!(
        (&said["why"], &said["new_comments"]),
        (&json!("comments"), &json!(1))
    );
    cyd.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(counts(&cyd).await, (0, 0, 0));
    ada.patch(&path, json!({ "audience": [email("Cyd")] }))
        .await
        .expect(200);
    assert_eq!(counts(&bob).await, (0, 0, 0));
}

#[actix_web::test]
async fn reply_is_listed_in_the_inbox_of_a_commenter_who_never_opened_the_update() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = ada
        .update(json!({ "title": "Ask", "audience": [email("Bob")], "expectation": "acknowledge" }))
        .await;
    ada.comment(&path, "Before").await;
    app.state.clock.advance(1000);
    let id = bob.comment(&path, "A question").await;
    app.state.clock.advance(1000);
    ada.post(
        &format!("{path}/comments"),
        json!({ "body": "The answer", "parent_id": id }),
    )
    .await
    .expect(201);
    let said = bob.get("/inbox").await.json()["said_to_me"].clone();
    assert_eq!(
        (&said[0]["why"], &said[0]["new_comments"]),
        (&json!("comments"), &json!(1))
    );
}

#[actix_web::test]
async fn home_page_redirects_signed_in_people_to_the_inbox_and_others_to_the_sign_in_page() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    assert_eq!(
        app.browser("Ada")
            .await
            .get("/")
            .await
            .expect(303)
            .header("location"),
        "/inbox"
    );
    assert_eq!(
        app.client()
            .accept("text/html")
            .get("/")
            .await
            .expect(303)
            .header("location"),
        "/session?next=/"
    );
}

/// Adds 1,100 copies of the update "First", with receipts, access rights and notifications.
async fn copy_first_update(app: &TestApp) {
    app.execute(
        "INSERT INTO updates (id, author_id, title, notes, visibility, expectation, revision, version, created_at,
             published_at, listed_at,
             owing, recipients, next_due_at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)
         SELECT 'x' || CAST(n.i AS TEXT), u.author_id, 'Copy', '', u.visibility, u.expectation, 1, 1,
         u.created_at, u.published_at, u.listed_at,
             1, 1, u.next_due_at + 1 FROM updates u CROSS JOIN n WHERE u.title = 'First'",
    )
    .await;
    app.execute(
        "INSERT INTO receipts (update_id, person_id, sent_at, owes_since, due_at) SELECT u.id, r.person_id,
             r.sent_at, r.owes_since, r.due_at + 1
         FROM updates u CROSS JOIN receipts r JOIN updates f ON f.id = r.update_id WHERE u.title = 'Copy'
         AND f.title = 'First'",
    )
    .await;
    app.execute(
        "INSERT INTO update_access (principal, listed_at, update_id, author_id, has_video, has_image)
         SELECT r.person_id, u.listed_at, u.id, u.author_id, 0, 0 FROM updates u
         JOIN receipts r ON r.update_id = u.id WHERE u.title = 'Copy'",
    )
    .await;
    app.execute(
        "INSERT INTO notices (person_id, kind, subject_id, update_id, actor_id, at) SELECT r.person_id, 'sent',
             u.id, u.id, u.author_id, r.sent_at
         FROM updates u JOIN receipts r ON r.update_id = u.id WHERE u.title = 'Copy'",
    )
    .await;
}

#[actix_web::test]
async fn inbox_section_lists_a_hundred_entries_and_shows_1000_plus_when_there_are_over_a_thousand()
{
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let fields = json!({
        "title": "First", "audience": [email("Bob")], "expectation": "acknowledge",
        "due": "2030-01-02T15:04:05Z", "publish": true,
    });
    ada.post("/updates", fields).await.expect(201);
    copy_first_update(&app).await;
    for (client, section) in [
        (&bob, "owed_by_me"),
        (&bob, "said_to_me"),
        (&ada, "owed_to_me"),
    ] {
        let inbox = client.get("/inbox").await.expect(200).json();
        assert_eq!(
            (&inbox["counts"][section], array(&inbox[section]).len()),
            (&json!(1001), 100),
            "{section}"
        );
        assert!(
            section == "said_to_me" || titles(&inbox[section])[0] == "First",
            "{section}"
        );
    }
    let page = app
        .browser("Bob")
        .await
        .get("/inbox")
        .await
        .expect(200)
        .text();
    assert!(
        page.contains("<title>(1000+) Inbox") && page.matches("1000+").count() == 4,
        "{page}"
    );
}

#[actix_web::test]
async fn many_obsolete_notifications_do_not_hide_older_inbox_entries() {
    let app = TestApp::start().await;
    let root = app.admin("Root").await;
    let ada = app.person("Ada").await;
    let [bob, dan] = app.people(["Bob", "Dan"]).await;
    let group = bob
        .post("/groups", json!({ "name": "design", "members": [] }))
        .await
        .expect(201)
        .json();
    let commented = ada
        .update(json!({ "title": "Commented", "audience": [email("Bob")] }))
        .await;
    bob.post(&format!("{commented}/comments"), json!({ "body": "Seen." }))
        .await
        .expect(201);
    ada.update(json!({ "title": "Joined", "audience": ["@design"], "later_members": true }))
        .await;
    bob.patch(
        &format!("/groups/{}", text(&group["id"])),
        json!({ "members": [email("Dan")] }),
    )
    .await
    .expect(200);
    app.execute(
        "INSERT INTO notices (person_id, kind, subject_id, update_id, actor_id, at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)
         SELECT j.person_id, j.kind, j.subject_id || CAST(n.i AS TEXT), j.update_id, j.actor_id, j.at + n.i
         FROM notices j CROSS JOIN n WHERE j.kind = 'joined'",
    )
    .await;
    let said = ada.get("/inbox").await.expect(200).json()["said_to_me"].take();
    assert_eq!(titles(&said), ["Joined"]);
    root.patch(&format!("/people/{}", dan.id), json!({ "active": false }))
        .await
        .expect(200);
    let said = ada.get("/inbox").await.expect(200).json()["said_to_me"].take();
    assert_eq!(titles(&said), ["Commented"]);
}

#[actix_web::test]
async fn many_notifications_about_one_update_do_not_hide_other_updates() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    for (title, expectation) in [
        ("Busy", "acknowledge"),
        ("Disputed", "acknowledge"),
        ("Quiet", "fyi"),
    ] {
        let path = ada
            .update(
                json!({ "title": title, "audience": [email("Bob")], "expectation": expectation }),
            )
            .await;
        match title {
            "Disputed" => {
                let objection = json!({ "reason": "Too early" });
                let decline = format!("{path}/decline");
                bob.json("PUT", &decline, &objection).await.expect(200);
            }
            "Quiet" => drop(bob.comment(&path, "Thanks").await),
            _ => {}
        }
    }
    // These notifications are newer than all others, but the inbox hides them while an answer is missing.
    app.execute(
        "WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 1001)
         INSERT INTO notices (person_id, kind, subject_id, update_id, actor_id, at)
         SELECT u.author_id, 'all_heard', 'x' || CAST(k.n AS TEXT), u.id, '', 4000000000000 + k.n FROM k,
         updates u WHERE u.title = 'Busy'",
    )
    .await;
    let said = ada.get("/inbox").await.json()["said_to_me"].clone();
    assert_eq!(titles(&said), ["Quiet", "Disputed"]);
    app.execute("UPDATE notices SET kind = 'comment' WHERE kind = 'all_heard'")
        .await;
    let said = ada.get("/inbox").await.json()["said_to_me"].clone();
    assert_eq!(titles(&said), ["Busy", "Disputed"]);
}
