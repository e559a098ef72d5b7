//! Revisions: the list of changes, requests for new answers, and earlier versions.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email, fixture};

async fn acknowledge(client: &Client, path: &str) {
    client
        .put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
}

async fn my_receipt(client: &Client, path: &str) -> Value {
    client.get(path).await.json()["my_receipt"].clone()
}

#[actix_web::test]
async fn material_change_asks_for_new_answers_with_a_new_due_time() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let path = ada
        .update(json!({
            "title": "Plan", "notes": "We ship on Monday.",
            "audience": [email("Bob"), email("Cyd")], "expectation": "acknowledge",
            "due": { "working_days": 1 },
        }))
        .await;
    acknowledge(&bob, &path).await;
    let due_before = my_receipt(&cyd, &path).await["due"].clone();
    app.state.clock.advance(3 * 24 * 3_600_000);
    // A cosmetic edit does not ask for new answers.
    ada.patch(&path, json!({ "title": "The plan" }))
        .await
        .expect(200);
    assert_eq!(my_receipt(&bob, &path).await["state"], "acknowledged");

    let change =
        json!({ "notes": "We ship on Tuesday.", "change": "material", "what_changed": "The day" });
    ada.patch(&path, change).await.expect(200);
    let stale = my_receipt(&bob, &path).await;
    assert_eq!(
        (&stale["state"], &stale["owes"], &stale["revision"]),
        (&json!("stale"), &json!(true), &json!(1))
    );
    assert!(
        stale["due"].as_str() > due_before.as_str(),
        "a new obligation gets a new due time"
    );
    assert_eq!(
        my_receipt(&cyd, &path).await["due"],
        due_before,
        "an unanswered obligation keeps its due time"
    );
    let inbox = bob.get("/inbox").await.json();
    assert_eq!(inbox["owed_by_me"][0]["why"], "changed");
    assert_changes_are_shown_until_acknowledged(&app, &bob, &path).await;
    assert_versions_are_kept(&app, &ada, &bob, &path).await;
}

async fn assert_changes_are_shown_until_acknowledged(app: &TestApp, bob: &Client, path: &str) {
    let browser = app.browser("Bob").await;
    let page = browser.get(path).await.text();
    for shown in [
        "Changed since you answered",
        "The day",
        "<del>Monday.</del>",
        "<ins>Tuesday.</ins>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let author = app.browser("Ada").await;
    let page = author.get(&format!("{path}/receipts")).await.text();
    assert!(
        page.contains("0 of 2 heard. 1 answered an earlier version."),
        "{page}"
    );
    acknowledge(bob, path).await;
    assert!(!browser.get(path).await.text().contains("<del>"));
}

/// Makes another change. Asserts that the author can read all versions of the update, but a
/// recipient cannot.
async fn assert_versions_are_kept(app: &TestApp, ada: &Client, bob: &Client, path: &str) {
    let change = json!({ "notes": "We ship on Friday.", "change": "material" });
    ada.patch(path, change).await.expect(200);
    let address = format!("{path}/versions");
    let versions = ada.get(&address).await.expect(200).json()["items"].clone();
    let notes: Vec<&str> = versions
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["notes"].as_str().unwrap())
        .collect();
    assert_eq!(
        notes,
        [
            "We ship on Friday.",
            "We ship on Tuesday.",
            "We ship on Monday."
        ]
    );
    assert_eq!(
        (&versions[1]["what_changed"], &versions[2]["title"]),
        (&json!("The day"), &json!("The plan"))
    );
    bob.get(&address).await.problem(403);
    let page = app.browser("Ada").await.get(&address).await;
    assert!(page.expect(200).text().contains("We ship on Tuesday."));
}

#[actix_web::test]
async fn ask_again_checkbox_is_shown_after_an_answer_and_checked_when_files_changed() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let fields =
        json!({ "title": "Plan", "audience": [email("Bob")], "expectation": "acknowledge" });
    let path = ada.update(fields).await;
    let browser = app.browser("Ada").await;
    let edit_page = async || browser.get(&format!("{path}/edit")).await.text();
    let (offered, ticked) = (
        "name=\"change\" value=\"material\">",
        "name=\"change\" value=\"material\" checked>",
    );
    assert!(!edit_page().await.contains("again</span>"));
    acknowledge(&bob, &path).await;
    let page = edit_page().await;
    assert!(
        page.contains("Ask 1 person again") && page.contains(offered),
        "{page}"
    );
    for word in ["material change", "cosmetic"] {
        assert!(!page.contains(word), "{word}");
    }
    let files = [("media", "shot.png", fixture("alpha.png"))];
    ada.upload(&format!("{path}/media"), &[], &files)
        .await
        .expect(201);
    assert!(edit_page().await.contains(ticked));
    ada.patch(&path, json!({ "change": "material" }))
        .await
        .expect(200);
    let page = app.browser("Bob").await.get(&path).await.text();
    assert!(page.contains("Added: <bdi>shot.png</bdi>"), "{page}");
    acknowledge(&bob, &path).await;
    assert!(
        edit_page().await.contains(offered),
        "a change for which answers were already requested does not count"
    );
}

#[actix_web::test]
async fn readback_of_an_earlier_revision_cannot_be_confirmed() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada
        .update(json!({ "title": "Plan", "audience": [email("Bob")], "expectation": "readback" }))
        .await;
    bob.json(
        "PUT",
        &format!("{path}/acknowledgement"),
        &json!({ "readback": "Old" }),
    )
    .await
    .expect(200);
    ada.patch(&path, json!({ "notes": "New", "change": "material" }))
        .await
        .expect(200);
    assert_eq!(ada.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
    let confirm = format!("{path}/receipts/{}/confirmation", bob.id);
    ada.json("PUT", &confirm, &json!({ "verdict": "confirmed" }))
        .await
        .problem(409);
    // A readback of an earlier revision is rejected as a conflict.
    bob.json(
        "PUT",
        &format!("{path}/acknowledgement"),
        &json!({ "readback": "Older", "revision": 1 }),
    )
    .await
    .problem(409);
    bob.json(
        "PUT",
        &format!("{path}/acknowledgement"),
        &json!({ "readback": "New", "revision": 2 }),
    )
    .await
    .expect(200);
    ada.json("PUT", &confirm, &json!({ "verdict": "confirmed" }))
        .await
        .expect(200);
}

#[actix_web::test]
async fn changing_an_update_to_fyi_ends_obligations_and_keeps_answers() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let path = ada
        .update(json!({
            "title": "Plan", "audience": [email("Bob"), email("Cyd")], "expectation": "acknowledge",
        }))
        .await;
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    ada.patch(&path, json!({ "expectation": "fyi" }))
        .await
        .expect(200);
    let inbox = cyd.get("/inbox").await.json();
    assert_eq!(
        (
            &inbox["counts"]["owed_by_me"],
            &inbox["said_to_me"][0]["why"]
        ),
        (&json!(0), &json!("sent")),
        "an unopened update stays in the inbox"
    );
    assert_eq!(ada.get("/inbox").await.json()["counts"]["owed_to_me"], 0);
    assert_eq!(
        ada.get(&format!("{path}/receipts")).await.json()["items"][0]["state"],
        "acknowledged"
    );
    assert_eq!(
        bob.get("/inbox").await.json()["counts"],
        json!({ "owed_by_me": 0, "owed_to_me": 0, "said_to_me": 0 })
    );
    let owes: Value = cyd.get(&path).await.json()["my_receipt"]["owes"].clone();
    assert_eq!(owes, json!(false));
}

#[actix_web::test]
async fn removed_file_stays_visible_to_the_author_in_earlier_versions_until_it_is_purged() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let fields = [
        ("title", "x"),
        ("audience", &email("Bob")),
        ("expectation", "acknowledge"),
    ];
    let files = [("media", "shot.png", fixture("alpha.png"))];
    let made = ada.upload("/updates", &fields, &files).await;
    let made = made.expect(201).json();
    let path = format!("/updates/{}", made["id"].as_str().unwrap());
    let media = format!("/media/{}", made["media"][0]["id"].as_str().unwrap());
    let address = |media: &Value| media["renditions"][0]["url"].as_str().unwrap().to_owned();
    let of_bob = address(&bob.get(&media).await.expect(200).json());
    app.client().get(&of_bob).await.expect(200);
    acknowledge(&bob, &path).await;

    for _ in 0..2 {
        ada.delete(&media).await.expect(204);
    }
    assert_eq!(ada.get(&path).await.json()["media"], json!([]));
    // Bob loses access to the file, and the media address that was issued to him stops working.
    bob.get(&media).await.problem(404);
    app.client().get(&of_bob).await.expect(404);
    let change = json!({ "change": "material", "what_changed": "No picture" });
    ada.patch(&path, change).await.expect(200);
    let versions = async || {
        let versions = ada.get(&format!("{path}/versions")).await;
        versions.expect(200).json()["items"].clone()
    };
    let kept = versions().await;
    assert_eq!(kept[0]["files"], json!([]));
    let file = &kept[1]["files"][0];
    assert_eq!(file["name"], "shot.png");
    let of_ada = address(&file["media"]);
    app.client().get(&of_ada).await.expect(200);
    let page = app.browser("Ada").await;
    let page = page.get(&format!("{path}/versions")).await;
    assert!(page.expect(200).text().contains("Delete permanently"));

    ada.delete(&format!("{media}?for_good=true"))
        .await
        .expect(204);
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, Vec::<String>::new());
    assert_eq!(versions().await[1]["files"][0]["media"], Value::Null);
}
