//! The sample update of a new account.

use serde_json::{Value, json};

use crate::app::{Client, PASSWORD, TestApp, email};

/// Creates the first account with the setup link. Returns a client that is signed in.
async fn set_up(app: &TestApp) -> Client {
    let client = app.client().header("sec-fetch-site", "same-origin");
    let code = app.setup_code.clone().unwrap();
    client
        .post(
            "/setup",
            json!({ "code": code, "email": email("Ada"), "name": "Ada", "password": PASSWORD }),
        )
        .await
        .expect(204);
    client
}

async fn inbox(ada: &Client) -> Value {
    ada.get("/inbox").await.expect(200).json()
}

/// Creates the first account and waits until the video of the sample update is ready. Returns the client and the path
/// of the sample update.
async fn set_up_with_sample(app: &TestApp) -> (Client, String) {
    let ada = set_up(app).await;
    let id = inbox(&ada).await["owed_by_me"][0]["update"]["id"].clone();
    let path = format!("/updates/{}", id.as_str().unwrap());
    app.wait_for(&ada, &path, |update| update["media"][0]["state"] == "ready")
        .await;
    (ada, path)
}

async fn inbox_page(client: &Client) -> String {
    let page = client.clone().accept("text/html").get("/inbox").await;
    page.expect(200).text()
}

#[actix_web::test]
async fn sample_update_is_listed_in_the_inbox_and_the_page_suggests_a_recording() {
    let app = TestApp::start().await;
    let ada = set_up(&app).await;
    let inbox = inbox(&ada).await;
    assert_eq!(
        inbox["counts"],
        json!({ "owed_by_me": 1, "owed_to_me": 0, "said_to_me": 0 }),
        "{inbox}"
    );
    let entry = &inbox["owed_by_me"][0];
    assert_eq!(
        (&entry["why"], &entry["due"]),
        (&json!("readback"), &Value::Null)
    );
    let page = inbox_page(&ada).await;
    assert!(
        page.contains("Try it: see what comes back") && page.contains("Record one minute."),
        "{page}"
    );
    app.wait_for_jobs().await;
}

#[actix_web::test]
async fn sample_update_has_notes_and_a_video_with_a_comment() {
    let app = TestApp::start().await;
    let (ada, path) = set_up_with_sample(&app).await;
    let update = ada.get(&path).await.expect(200).json();
    assert_eq!(update["author"]["name"], "Hearback");
    assert!(
        (20_000..=30_000).contains(&update["media"][0]["duration_ms"].as_i64().unwrap()),
        "{update}"
    );
    let notes = update["notes_html"].as_str().unwrap();
    assert!(notes.contains("<strong>Watch.</strong>"), "{update}");
    let renditions = update["media"][0]["renditions"].as_array().unwrap();
    let playable = renditions
        .iter()
        .find(|rendition| rendition["name"] == "playable")
        .unwrap();
    assert_eq!(playable["type"], "video/mp4");
    ada.get(playable["url"].as_str().unwrap()).await.expect(200);
    let comments = ada.get(&format!("{path}/comments")).await;
    let comments = comments.expect(200).json();
    assert_eq!(comments["items"][0]["anchor"]["at_ms"], 10_000);
    app.wait_for_jobs().await;
}

#[actix_web::test]
async fn author_of_the_sample_update_automatically_answers_questions_and_confirms_readbacks() {
    let app = TestApp::start().await;
    let (ada, path) = set_up_with_sample(&app).await;
    ada.put(&format!("{path}/opening")).await.expect(204);
    let comment = json!({ "body": "Like so?", "at_ms": 4000 });
    ada.post(&format!("{path}/comments"), comment)
        .await
        .expect(201);
    ada.put(&format!("{path}/reactions/👍")).await.expect(204);
    let question = ada.question(&path, "Who answers?").await;
    let question = format!("/comments/{question}");
    let answered = ada.get(&question).await.expect(200).json();
    assert_eq!(
        (
            &answered["state"],
            &answered["replies"][0]["author"]["name"]
        ),
        (&json!("answered"), &json!("Hearback"))
    );
    ada.put(&format!("{question}/acceptance")).await.expect(200);
    assert_eq!(inbox(&ada).await["said_to_me"][0]["why"], "answer");
    ada.put(&format!("{path}/opening")).await.expect(204);

    let readback = json!({ "readback": "To hear back" });
    let receipt = ada
        .json("PUT", &format!("{path}/acknowledgement"), &readback)
        .await
        .expect(200)
        .json();
    assert_eq!(receipt["state"], "confirmed", "{receipt}");
    let entries = inbox(&ada).await;
    assert_eq!(
        (&entries["owed_by_me"], &entries["said_to_me"][0]["why"]),
        (&json!([]), &json!("confirmed")),
        "{entries}"
    );
    ada.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(
        inbox(&ada).await["counts"],
        json!({ "owed_by_me": 0, "owed_to_me": 0, "said_to_me": 0 })
    );
    let page = inbox_page(&ada).await;
    assert!(page.contains("Record one minute."), "{page}");
    app.wait_for_jobs().await;
}

#[actix_web::test]
async fn muted_sample_update_is_no_longer_listed_in_the_inbox() {
    let app = TestApp::start().await;
    let ada = set_up(&app).await;
    let id = inbox(&ada).await["owed_by_me"][0]["update"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    ada.put(&format!("/updates/{id}/mute")).await.expect(204);
    assert_eq!(
        inbox(&ada).await["counts"],
        json!({ "owed_by_me": 0, "owed_to_me": 0, "said_to_me": 0 })
    );
    ada.put(&format!("/updates/{id}/mute")).await.expect(204);
    ada.delete(&format!("/updates/{id}/mute")).await.expect(204);
    assert_eq!(inbox(&ada).await["counts"]["owed_by_me"], 0);
    app.state.clock.advance(20 * 24 * 3_600_000);
    app.state.sweep().await.unwrap();
    assert_eq!(inbox(&ada).await["counts"]["said_to_me"], 0);
}

#[actix_web::test]
async fn author_of_the_sample_update_is_not_listed_as_a_person() {
    let app = TestApp::start().await;
    let (ada, sample) = set_up_with_sample(&app).await;
    app.person("Bob").await;
    let people = ada.get("/people").await.expect(200).json();
    let names: Vec<&str> = people["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| person["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Ada", "Bob"]);
    let update = ada.get(&sample).await.json();
    let system_account = update["author"]["id"].as_str().unwrap();
    let person = format!("/people/{system_account}");
    for change in [json!({ "active": true }), json!({ "role": "admin" })] {
        ada.patch(&person, change).await.problem(404);
    }
    ada.post(&format!("{person}/reset"), json!({}))
        .await
        .problem(404);
    for password in ["", PASSWORD] {
        let credentials = json!({ "email": "Hearback", "password": password });
        let tried = app.client().post("/session", credentials).await;
        assert!(tried.status.is_client_error(), "{}", tried.text());
    }
    for name in ["Hearback", "hearback"] {
        let fields = json!({ "title": "T", "audience": [name], "publish": true });
        ada.post("/updates", fields).await.problem(422);
    }
    let fields = json!({ "title": "T", "audience": ["everyone"], "expectation": "acknowledge", "publish": true });
    let made = ada.post("/updates", fields).await.expect(201).json();
    assert_eq!(made["counts"]["recipients"], 1);
    let group = json!({ "name": "all", "members": [system_account] });
    ada.post("/groups", group).await.problem(422);
    let bob = app.browser("Bob").await;
    bob.get(&sample).await.expect(404);
}

#[actix_web::test]
async fn setup_succeeds_without_a_sample_update_when_the_disk_is_full() {
    let app = TestApp::start_with(|config| config.min_free_bytes = u64::MAX).await;
    let ada = set_up(&app).await;
    assert_eq!(inbox(&ada).await["counts"]["owed_by_me"], 0);
    assert_eq!(app.count("SELECT count(*) FROM updates").await, 0);
}

#[actix_web::test]
async fn files_of_a_failed_setup_are_deleted() {
    let app = TestApp::start().await;
    let code = app.setup_code.clone().unwrap();
    let (one, two) = (app.client(), app.client());
    let with = |name: &str| json!({ "code": code, "email": email(name), "name": name, "password": PASSWORD });
    tokio::join!(
        one.post("/setup", with("Ada")),
        two.post("/setup", with("Bob"))
    );
    app.wait_for_jobs().await;
    assert_eq!(app.count("SELECT count(*) FROM updates").await, 1);
    let kept = app
        .count("SELECT count(DISTINCT key) FROM renditions")
        .await;
    assert_eq!(app.objects().await.len() as i64, kept);
}

#[actix_web::test]
async fn invited_member_gets_a_sample_update_of_their_own_and_a_record_button() {
    let app = TestApp::start().await;
    let admin = app.admin("Root").await;
    let bob = app.client().header("sec-fetch-site", "same-origin");
    let invitation = admin
        .post("/invitations", json!({ "emails": [email("Bob")] }))
        .await
        .expect(201)
        .json();
    let link = invitation["items"][0]["url"].as_str().unwrap();
    bob.post(link, json!({ "name": "Bob", "password": PASSWORD }))
        .await
        .expect(204);
    let entries = inbox(&bob).await["owed_by_me"].clone();
    assert_eq!(entries.as_array().unwrap().len(), 1, "{entries}");
    assert_eq!(
        (&entries[0]["update"]["author"]["name"], &entries[0]["why"]),
        (&json!("Hearback"), &json!("readback"))
    );
    let page = inbox_page(&bob).await;
    assert!(
        page.contains("Record one minute.") && page.contains("/updates/new#record"),
        "{page}"
    );
    // Nobody else gets this sample.
    assert_eq!(inbox(&admin).await["counts"]["owed_by_me"], 0);
    app.wait_for_jobs().await;
}
