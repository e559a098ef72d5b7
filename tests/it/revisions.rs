//! Revisions: what changed, who is asked again, and earlier versions.

use serde_json::{Value, json};

use crate::app::{TestApp, email, fixture};

#[actix_web::test]
async fn material_change_asks_again_and_shows_the_changes_since_the_answer() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let path = ada
        .update(json!({ "title": "Plan", "notes": "We ship on Monday.", "audience": [email("Bob"), email("Cyd")], "expectation": "acknowledge", "due": { "working_days": 1 } }))
        .await;
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    let cyds = cyd.get(&path).await.json()["my_receipt"]["due"].clone();
    app.state.clock.advance(3 * 24 * 3_600_000);
    // A cosmetic edit asks nobody again.
    ada.patch(&path, json!({ "title": "The plan" }))
        .await
        .expect(200);
    assert_eq!(
        bob.get(&path).await.json()["my_receipt"]["state"],
        "acknowledged"
    );

    ada.patch(
        &path,
        json!({ "notes": "We ship on Tuesday.", "change": "material", "what_changed": "The day" }),
    )
    .await
    .expect(200);
    let mine = bob.get(&path).await.json()["my_receipt"].clone();
    assert_eq!(
        (&mine["state"], &mine["owes"], &mine["revision"]),
        (&json!("stale"), &json!(true), &json!(1))
    );
    assert!(
        mine["due"].as_str() > cyds.as_str(),
        "a new obligation gets a new due time"
    );
    assert_eq!(
        cyd.get(&path).await.json()["my_receipt"]["due"],
        cyds,
        "an unanswered obligation keeps its due time"
    );
    assert_eq!(
        bob.get("/inbox").await.json()["owed_by_me"][0]["why"],
        "changed"
    );
    let page = app.browser("Bob").await.get(&path).await.text();
    for shown in [
        "This changed since you answered.",
        "The day",
        "<del>Monday.</del>",
        "<ins>Tuesday.</ins>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let page = app
        .browser("Ada")
        .await
        .get(&format!("{path}/receipts"))
        .await
        .text();
    assert!(
        page.contains("0 of 2 heard. 1 answered an earlier version."),
        "{page}"
    );
    // After another acknowledgement there are no changes to show.
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    assert!(
        !app.browser("Bob")
            .await
            .get(&path)
            .await
            .text()
            .contains("<del>")
    );

    ada.patch(
        &path,
        json!({ "notes": "We ship on Friday.", "change": "material" }),
    )
    .await
    .expect(200);
    let versions = ada
        .get(&format!("{path}/versions"))
        .await
        .expect(200)
        .json()["items"]
        .clone();
    let notes: Vec<&str> = versions
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["notes"].as_str().unwrap())
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
    bob.get(&format!("{path}/versions")).await.problem(403);
    assert!(
        app.browser("Ada")
            .await
            .get(&format!("{path}/versions"))
            .await
            .expect(200)
            .text()
            .contains("We ship on Tuesday.")
    );
}

#[actix_web::test]
async fn asking_again_is_offered_after_an_answer_and_ticked_when_files_changed() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada
        .update(
            json!({ "title": "Plan", "audience": [email("Bob")], "expectation": "acknowledge" }),
        )
        .await;
    let browser = app.browser("Ada").await;
    let edit = format!("{path}/edit");
    assert!(!browser.get(&edit).await.text().contains("again</span>"));
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    let page = browser.get(&edit).await.text();
    assert!(
        page.contains("Ask 1 person again") && page.contains("name=\"change\" value=\"material\">"),
        "{page}"
    );
    for word in ["material change", "cosmetic"] {
        assert!(!page.contains(word), "{word}");
    }
    ada.upload(
        &format!("{path}/media"),
        &[],
        &[("media", "shot.png", fixture("alpha.png"))],
    )
    .await
    .expect(201);
    assert!(
        browser
            .get(&edit)
            .await
            .text()
            .contains("name=\"change\" value=\"material\" checked>")
    );
    ada.patch(&path, json!({ "change": "material" }))
        .await
        .expect(200);
    let page = app.browser("Bob").await.get(&path).await.text();
    assert!(page.contains("New: shot.png"), "{page}");
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    assert!(
        browser
            .get(&edit)
            .await
            .text()
            .contains("name=\"change\" value=\"material\">"),
        "a change that was already asked about does not count"
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
    // A readback from an outdated page is a conflict.
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
async fn changing_to_fyi_ends_obligations_and_keeps_answers() {
    let app = TestApp::start().await;
    let (ada, bob, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Cyd").await,
    );
    let path = ada.update(json!({ "title": "Plan", "audience": [email("Bob"), email("Cyd")], "expectation": "acknowledge" })).await;
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
async fn removed_file_stays_in_earlier_versions_for_the_author_until_purged() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let made = ada
        .upload(
            "/updates",
            &[
                ("title", "x"),
                ("audience", &email("Bob")),
                ("expectation", "acknowledge"),
            ],
            &[("media", "shot.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    let (path, media) = (
        format!("/updates/{}", made["id"].as_str().unwrap()),
        format!("/media/{}", made["media"][0]["id"].as_str().unwrap()),
    );
    let address = |media: &Value| media["renditions"][0]["url"].as_str().unwrap().to_owned();
    let bobs = address(&bob.get(&media).await.expect(200).json());
    app.client().get(&bobs).await.expect(200);
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);

    ada.delete(&media).await.expect(204);
    ada.delete(&media).await.expect(204);
    assert_eq!(ada.get(&path).await.json()["media"], json!([]));
    // Other people lose the file and their address of it.
    bob.get(&media).await.problem(404);
    app.client().get(&bobs).await.expect(404);
    ada.patch(
        &path,
        json!({ "change": "material", "what_changed": "No picture" }),
    )
    .await
    .expect(200);
    let versions = ada
        .get(&format!("{path}/versions"))
        .await
        .expect(200)
        .json()["items"]
        .clone();
    assert_eq!(versions[0]["files"], json!([]));
    let kept = &versions[1]["files"][0];
    assert_eq!(kept["name"], "shot.png");
    app.client().get(&address(&kept["media"])).await.expect(200);
    assert!(
        app.browser("Ada")
            .await
            .get(&format!("{path}/versions"))
            .await
            .expect(200)
            .text()
            .contains("Delete for good")
    );

    ada.delete(&format!("{media}?for_good=true"))
        .await
        .expect(204);
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, Vec::<String>::new());
    assert_eq!(
        ada.get(&format!("{path}/versions")).await.json()["items"][1]["files"][0]["media"],
        Value::Null
    );
}
