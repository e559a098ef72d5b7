//! The sample update of a new workspace.

use serde_json::{Value, json};

use crate::app::{Client, PASSWORD, TestApp, email};

/// Creates the first account. Returns a client with its session.
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

#[actix_web::test]
async fn sample_update_can_be_watched_discussed_and_read_back() {
    let app = TestApp::start().await;
    let ada = set_up(&app).await;
    let entries = inbox(&ada).await;
    assert_eq!(
        entries["counts"],
        json!({ "owed_by_me": 1, "owed_to_me": 0, "said_to_me": 0 }),
        "{entries}"
    );
    let entry = &entries["owed_by_me"][0];
    assert_eq!(
        (&entry["why"], &entry["due"]),
        (&json!("readback"), &Value::Null)
    );
    let path = format!("/updates/{}", entry["update"]["id"].as_str().unwrap());

    // The inbox lists the sample beside the suggestion to share something.
    let page = ada
        .clone()
        .accept("text/html")
        .get("/inbox")
        .await
        .expect(200)
        .text();
    assert!(
        page.contains("Try it: what comes back") && page.contains("Share one thing."),
        "{page}"
    );

    let update = app
        .wait_for(&ada, &path, |update| update["media"][0]["state"] == "ready")
        .await;
    assert_eq!(update["author"]["name"], "Hearback");
    assert!(
        (20_000..=30_000).contains(&update["media"][0]["duration_ms"].as_i64().unwrap()),
        "{update}"
    );
    assert!(
        update["notes_html"]
            .as_str()
            .unwrap()
            .contains("<strong>Watch.</strong>"),
        "{update}"
    );
    let playable = update["media"][0]["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "playable")
        .unwrap()
        .clone();
    assert_eq!(playable["type"], "video/mp4");
    ada.get(playable["url"].as_str().unwrap()).await.expect(200);
    let comments = ada
        .get(&format!("{path}/comments"))
        .await
        .expect(200)
        .json();
    assert_eq!(comments["items"][0]["anchor"]["at_ms"], 10_000);

    ada.put(&format!("{path}/opening")).await.expect(204);
    ada.post(
        &format!("{path}/comments"),
        json!({ "body": "Like so?", "at_ms": 4000 }),
    )
    .await
    .expect(201);
    ada.put(&format!("{path}/reactions/👍")).await.expect(204);
    let asked = ada
        .post(
            &format!("{path}/comments"),
            json!({ "body": "Who answers?", "kind": "question" }),
        )
        .await
        .expect(201)
        .json();
    let question = format!("/comments/{}", asked["id"].as_str().unwrap());
    let question_now = ada.get(&question).await.expect(200).json();
    assert_eq!(
        (
            &question_now["state"],
            &question_now["replies"][0]["author"]["name"]
        ),
        (&json!("answered"), &json!("Hearback"))
    );
    ada.put(&format!("{question}/acceptance")).await.expect(200);
    assert_eq!(inbox(&ada).await["said_to_me"][0]["why"], "answer");
    ada.put(&format!("{path}/opening")).await.expect(204);
    let said = ada
        .json(
            "PUT",
            &format!("{path}/acknowledgement"),
            &json!({ "readback": "To hear back" }),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(said["state"], "confirmed", "{said}");
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
    let page = ada
        .clone()
        .accept("text/html")
        .get("/inbox")
        .await
        .expect(200)
        .text();
    assert!(page.contains("Share one thing."), "{page}");
    app.wait_for_jobs().await;
}

#[actix_web::test]
async fn sample_leaves_the_inbox_when_muted() {
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
async fn sample_author_is_not_a_person() {
    let app = TestApp::start().await;
    let ada = set_up(&app).await;
    app.person("Bob").await;
    let people = ada.get("/people").await.expect(200).json();
    let names: Vec<&str> = people["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| person["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Ada", "Bob"]);
    let update = inbox(&ada).await["owed_by_me"][0]["update"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let system_account = ada.get(&format!("/updates/{update}")).await.json()["author"]["id"]
        .as_str()
        .unwrap()
        .to_owned();

    ada.patch(
        &format!("/people/{system_account}"),
        json!({ "active": true }),
    )
    .await
    .problem(404);
    ada.patch(
        &format!("/people/{system_account}"),
        json!({ "role": "admin" }),
    )
    .await
    .problem(404);
    ada.post(&format!("/people/{system_account}/reset"), json!({}))
        .await
        .problem(404);
    for password in ["", PASSWORD] {
        let tried = app
            .client()
            .post(
                "/session",
                json!({ "email": "Hearback", "password": password }),
            )
            .await;
        assert!(tried.status.is_client_error(), "{}", tried.text());
    }
    for name in ["Hearback", "hearback"] {
        ada.post(
            "/updates",
            json!({ "title": "T", "audience": [name], "publish": true }),
        )
        .await
        .problem(422);
    }
    let sent = ada.post("/updates", json!({ "title": "T", "audience": ["everyone"], "expectation": "acknowledge", "publish": true })).await;
    assert_eq!(sent.expect(201).json()["counts"]["recipients"], 1);
    ada.post(
        "/groups",
        json!({ "name": "all", "members": [system_account] }),
    )
    .await
    .problem(422);
    // Nobody else sees the sample.
    let bob = app.browser("Bob").await;
    bob.get(&format!("/updates/{update}")).await.expect(404);
}

#[actix_web::test]
async fn set_up_succeeds_without_a_sample_when_the_disk_is_full() {
    let app = TestApp::start_with(|config| config.min_free_bytes = u64::MAX).await;
    let ada = set_up(&app).await;
    assert_eq!(inbox(&ada).await["counts"]["owed_by_me"], 0);
    assert_eq!(app.count("SELECT count(*) FROM updates").await, 0);
}

#[actix_web::test]
async fn files_of_a_failed_set_up_are_deleted() {
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
