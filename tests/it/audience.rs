//! The audience and visibility of an update, and how they change.

use serde_json::json;

use crate::app::{PASSWORD, TestApp, array, email, text, update_path};

#[actix_web::test]
async fn audience_everyone_is_resolved_at_publication_and_excludes_accounts_created_later() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let draft = ada
        .update(json!({
            "title": "All hands", "audience": ["everyone"], "expectation": "acknowledge",
            "publish": false,
        }))
        .await;
    let cyd = app.person("Cyd").await;
    ada.put(&format!("{draft}/publication")).await.expect(200);
    app.state.clock.advance(1000);
    let late = app.person("Late").await;

    let receipts = ada.get(&format!("{draft}/receipts")).await.json();
    let names: Vec<&str> = array(&receipts["items"])
        .iter()
        .map(|row| text(&row["person"]["name"]))
        .collect();
    assert_eq!(names, ["Bob", "Cyd"]);
    for owing in [&bob, &cyd] {
        assert_eq!(owing.get("/inbox").await.json()["counts"]["owed_by_me"], 1);
    }
    late.get(&draft).await.expect(200);
    assert_eq!(
        late.get("/inbox").await.json()["counts"],
        json!({ "owed_by_me": 0, "owed_to_me": 0, "said_to_me": 0 })
    );
    // A material change to the update does not add later accounts either.
    ada.patch(
        &draft,
        json!({ "title": "All hands!", "audience": ["everyone"], "change": "material" }),
    )
    .await
    .expect(200);
    assert_eq!(late.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
    assert_eq!(ada.get("/inbox").await.json()["counts"]["owed_to_me"], 1);
}

#[actix_web::test]
async fn fyi_update_to_everyone_creates_a_receipt_only_when_someone_opens_it() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    app.state.clock.advance(1000);
    let path = ada
        .update(json!({ "title": "News", "audience": ["everyone"] }))
        .await;
    assert_eq!(
        ada.get(&format!("{path}/receipts")).await.json()["items"],
        json!([])
    );
    assert_eq!(
        bob.get("/inbox").await.json()["said_to_me"][0]["why"],
        "sent"
    );
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(
        ada.get(&format!("{path}/receipts")).await.json()["items"][0]["state"],
        "opened"
    );
    assert_eq!(bob.get("/inbox").await.json()["counts"]["said_to_me"], 0);
    app.state.clock.advance(1000);
    let late = app.person("Late").await;
    assert_eq!(late.get("/inbox").await.json()["counts"]["said_to_me"], 0);
}

#[actix_web::test]
async fn workspace_update_is_visible_to_everyone_but_only_its_audience_must_respond() {
    let app = TestApp::start().await;
    let [ada, bob, eve] = app.people(["Ada", "Bob", "Eve"]).await;
    let path = ada
        .update(json!({
            "title": "Open", "audience": [email("Bob")], "visibility": "workspace",
            "expectation": "acknowledge",
        }))
        .await;
    eve.get(&path).await.expect(200);
    assert_eq!(eve.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 1);
    eve.put(&format!("{path}/acknowledgement"))
        .await
        .problem(403);
    eve.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(ada.get(&path).await.json()["counts"]["recipients"], 1);
    ada.patch(&path, json!({ "visibility": "audience" }))
        .await
        .expect(200);
    eve.get(&path).await.problem(404);
    bob.get(&path).await.expect(200);
}

#[actix_web::test]
async fn recipients_keep_their_answers_when_they_are_removed_and_added_again() {
    let app = TestApp::start().await;
    let [ada, bob, cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    let path = ada
        .update(json!({ "title": "x", "audience": [email("Bob")], "expectation": "acknowledge" }))
        .await;
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    cyd.get(&path).await.problem(404);

    ada.patch(&path, json!({ "audience": [email("Cyd")] }))
        .await
        .expect(200);
    bob.get(&path).await.problem(404);
    cyd.get(&path).await.expect(200);
    let seen = ada.get(&path).await.json();
    assert_eq!(
        (
            &seen["counts"]["recipients"],
            &seen["counts"]["acknowledged"],
            &seen["audience"]["people"][0]["name"]
        ),
        (&json!(1), &json!(0), &json!("Cyd"))
    );
    ada.patch(&path, json!({ "title": "y" })).await.expect(200);
    cyd.get(&path).await.expect(200);

    ada.patch(
        &path,
        json!({ "audience": [email("Cyd"), email("Bob").to_uppercase(), email("Bob")] }),
    )
    .await
    .expect(200);
    let back = bob.get(&path).await.expect(200).json();
    assert_eq!(back["my_receipt"]["state"], "acknowledged");
    assert_eq!(ada.get(&path).await.json()["counts"]["owing"], 1);
}

#[actix_web::test]
async fn update_that_expects_answers_cannot_lose_its_last_recipient() {
    let app = TestApp::start().await;
    let [ada, cyd] = app.people(["Ada", "Cyd"]).await;
    let path = ada
        .update(json!({ "title": "x", "audience": [email("Cyd")], "expectation": "acknowledge" }))
        .await;
    ada.patch(&path, json!({ "audience": [] }))
        .await
        .problem(422);
    cyd.get(&path).await.expect(200);
    ada.patch(&path, json!({ "audience": [], "expectation": "fyi" }))
        .await
        .expect(200);
    ada.patch(&path, json!({ "expectation": "acknowledge" }))
        .await
        .problem(422);
    cyd.get(&path).await.problem(404);
    assert_eq!(cyd.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
}

#[actix_web::test]
async fn unknown_or_deactivated_audience_member_is_rejected_with_a_reason() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let admin = app.admin("Root").await;
    let gone = app.person("Gone").await;
    admin
        .patch(&format!("/people/{}", gone.id), json!({ "active": false }))
        .await
        .expect(200);
    for (name, said) in [
        ("@designers", "@designers"),
        ("nobody@example.org", "has no account"),
        ("gone@example.org", "is deactivated"),
        ("nonsense", "not an e-mail address"),
    ] {
        let problem = ada
            .post(
                "/updates",
                json!({ "title": "x", "audience": [name], "publish": true }),
            )
            .await
            .problem(422);
        assert!(
            text(&problem["errors"]["audience"]).contains(said),
            "{problem}"
        );
    }
    assert_eq!(ada.get("/updates").await.json()["items"], json!([]));
}

#[actix_web::test]
async fn update_that_expects_answers_needs_a_recipient_other_than_its_author() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for audience in [json!([]), json!([email("Ada")])] {
        let asked = json!({ "title": "x", "audience": audience, "expectation": "acknowledge", "publish": true });
        assert!(
            ada.post("/updates", asked).await.problem(422)["errors"]["audience"]
                .as_str()
                .unwrap()
                .contains("somebody who can answer")
        );
    }
    assert_eq!(ada.get("/updates").await.json()["items"], json!([]));
}

#[actix_web::test]
async fn draft_is_visible_only_to_its_author() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let admin = app.admin("Root").await;
    let path = ada
        .update(json!({
            "title": "Secret plan", "audience": ["everyone"], "visibility": "workspace",
            "publish": false,
        }))
        .await;
    for other in [&bob, &admin] {
        other.get(&path).await.problem(404);
        other.put(&format!("{path}/opening")).await.problem(404);
        other.get(&format!("{path}/receipts")).await.problem(404);
        assert_eq!(other.get("/updates").await.json()["items"], json!([]));
        assert_eq!(
            other.get("/updates?state=draft").await.json()["items"],
            json!([])
        );
        assert_eq!(other.get("/inbox").await.json()["counts"]["said_to_me"], 0);
    }
    assert_eq!(
        ada.get("/updates?state=draft").await.json()["items"][0]["state"],
        "draft"
    );
    ada.post(&format!("{path}/links"), json!({}))
        .await
        .problem(409);
    ada.put(&format!("{path}/acknowledgement"))
        .await
        .problem(409);
    ada.put(&format!("{path}/reactions/👍")).await.problem(409);
    app.wait_for_jobs().await;
    assert_eq!(
        bob.get("/updates?q=secret").await.json()["items"],
        json!([])
    );
}

#[actix_web::test]
async fn publication_can_be_undone_for_ten_seconds() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = ada
        .update(json!({
            "title": "Oops", "audience": [email("Bob")], "expectation": "acknowledge",
            "publish": false,
        }))
        .await;
    let undo = format!("{path}/publication");
    assert_eq!(ada.delete(&undo).await.expect(200).json()["state"], "draft");
    let first = ada.put(&undo).await.expect(200).json();
    assert_eq!(
        ada.put(&undo).await.expect(200).json()["published_at"],
        first["published_at"]
    );
    bob.get(&path).await.expect(200);
    app.state.clock.advance(8_000);
    assert_eq!(ada.delete(&undo).await.expect(200).json()["state"], "draft");
    bob.get(&path).await.problem(404);
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
    ada.put(&undo).await.expect(200);
    app.state.clock.advance(10_001);
    ada.delete(&undo).await.problem(409);
    bob.get(&path).await.expect(200);
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 1);
}

#[actix_web::test]
async fn publication_requires_a_title_or_notes() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    assert!(
        ada.post("/updates", json!({ "publish": true }))
            .await
            .problem(422)["errors"]["title"]
            .is_string()
    );
    let path = ada
        .update(json!({ "notes": "Just words", "publish": true }))
        .await;
    assert!(
        ada.get(&path).await.json()["title"]
            .as_str()
            .unwrap()
            .starts_with("Update, ")
    );
    for title in [json!(""), json!(null), json!(" \n ")] {
        ada.patch(&path, json!({ "title": title }))
            .await
            .problem(422);
    }
}

#[actix_web::test]
async fn edit_based_on_an_older_version_is_rejected_and_keeps_the_typed_text() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let path = ada.update(json!({ "title": "One" })).await;
    let version = ada.get(&path).await.json()["version"].as_i64().unwrap();
    ada.patch(&path, json!({ "title": "Two", "version": version }))
        .await
        .expect(200);
    ada.patch(&path, json!({ "title": "Three", "version": version }))
        .await
        .problem(409);
    let page = browser
        .form(
            "POST",
            &path,
            &[
                ("_method", "PATCH"),
                ("title", "My own words"),
                ("version", &version.to_string()),
            ],
        )
        .await
        .expect(409);
    assert!(page.text().contains("My own words"));
    assert_eq!(ada.get(&path).await.json()["title"], "Two");
    // Of two concurrent edits of the same version, exactly one succeeds.
    let version = ada.get(&path).await.json()["version"].clone();
    let (one, two) = tokio::join!(
        ada.patch(&path, json!({ "title": "A", "version": version })),
        ada.patch(&path, json!({ "title": "B", "version": version }))
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[actix_web::test]
async fn inviting_somebody_through_the_api_returns_the_invitation_link() {
    let app = TestApp::start().await;
    let root = app.admin("Root").await;
    let update = json!({ "title": "Join", "audience": ["new@example.org"], "invite": true, "publish": true });
    let update = root.post("/updates", update).await.expect(201).json();
    assert_eq!(update["invited"][0]["email"], "new@example.org");
    let link = text(&update["invited"][0]["url"]);
    app.client()
        .post(link, json!({ "name": "New", "password": PASSWORD }))
        .await
        .expect(204);
    assert_eq!(
        root.get(&update_path(&update)).await.json()["counts"]["recipients"],
        1
    );
}

#[actix_web::test]
async fn draft_with_a_deactivated_person_in_the_audience_is_rejected_with_a_reason() {
    let app = TestApp::start().await;
    let root = app.admin("Root").await;
    let gone = app.person("Gone").await;
    root.patch(&format!("/people/{}", gone.id), json!({ "active": false }))
        .await
        .expect(200);
    let refused = root
        .post("/updates", json!({ "audience": [email("Gone")] }))
        .await
        .problem(422);
    assert!(
        text(&refused["errors"]["audience"]).contains("deactivated"),
        "{refused}"
    );
    // The page offers to invite only people who have never had an account.
    let page = app
        .browser("Root")
        .await
        .form(
            "POST",
            "/updates",
            &[("audience", "gone@example.org, new@example.org")],
        )
        .await
        .expect(422)
        .text();
    let offer = page.split("Invite and ask").next().unwrap();
    let offer = &offer[offer.rfind("<form").max(offer.rfind("<div")).unwrap()..];
    assert!(
        offer.contains("new@example.org") && !offer.contains("gone@example.org"),
        "{offer}"
    );
}
