//! The list of updates: filters, search, pagination, drafts and the trash.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::app::{Client, TestApp, array, email, fixture, text, update_path};

async fn titles(client: &Client, address: &str) -> Vec<String> {
    let list = client.get(address).await.expect(200).json();
    array(&list["items"])
        .iter()
        .map(|row| text(&row["title"]).to_owned())
        .collect()
}

#[actix_web::test]
async fn updates_can_be_filtered_and_invalid_filters_are_rejected() {
    let app = TestApp::start().await;
    let [ada, bob, eve] = app.people(["Ada", "Bob", "Eve"]).await;
    ada.upload(
        "/updates",
        &[("title", "shot"), ("audience", &email("Bob"))],
        &[("media", "a.png", fixture("alpha.png"))],
    )
    .await
    .expect(201);
    ada.upload(
        "/updates",
        &[("title", "clip"), ("audience", "everyone")],
        &[("media", "a.webm", fixture("rec-vp8-opus-3s.webm"))],
    )
    .await
    .expect(201);
    bob.update(json!({ "title": "open", "visibility": "workspace" }))
        .await;
    bob.update(json!({ "title": "draft", "audience": ["everyone"], "publish": false }))
        .await;

    assert_eq!(
        titles(&bob, "/updates").await,
        ["draft", "open", "clip", "shot"]
    );
    assert_eq!(titles(&eve, "/updates").await, ["open", "clip"]);
    assert_eq!(titles(&ada, "/updates?author=me").await, ["clip", "shot"]);
    assert_eq!(
        titles(&bob, &format!("/updates?author={}", ada.id)).await,
        ["clip", "shot"]
    );
    assert_eq!(titles(&bob, "/updates?audience=me").await, ["clip", "shot"]);
    assert_eq!(titles(&eve, "/updates?audience=me").await, ["clip"]);
    assert_eq!(
        titles(&ada, "/updates?audience=me").await,
        Vec::<String>::new()
    );
    assert_eq!(titles(&bob, "/updates?kind=image").await, ["shot"]);
    assert_eq!(titles(&bob, "/updates?kind=video").await, ["clip"]);
    assert_eq!(titles(&bob, "/updates?state=draft").await, ["draft"]);
    assert_eq!(
        titles(&bob, "/updates?state=published").await,
        ["open", "clip", "shot"]
    );
    for wrong in [
        "state=gone",
        "kind=sound",
        "audience=you",
        "limit=0",
        "limit=101",
        "limit=x",
        "after=rubbish",
        "limit=2&limit=3",
        "colour=red",
    ] {
        ada.get(&format!("/updates?{wrong}")).await.problem(422);
    }
    app.browser("Bob")
        .await
        .get("/updates?state=draft&q=x")
        .await
        .expect(200);
}

#[actix_web::test]
async fn list_pages_neither_skip_nor_repeat_updates_while_updates_are_added() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for n in 0..7 {
        ada.update(json!({ "title": format!("u{n}") })).await;
    }
    let (mut seen, mut address) = (Vec::new(), "/updates?limit=3".to_owned());
    loop {
        let list = ada.get(&address).await.expect(200).json();
        seen.extend(
            array(&list["items"])
                .iter()
                .map(|row| text(&row["title"]).to_owned()),
        );
        // An update that is added while somebody reads the pages does not shift later pages.
        ada.update(json!({ "title": "new" })).await;
        let Some(next) = list["next"].as_str() else {
            break;
        };
        address = format!("/updates?limit=3&after={next}");
    }
    assert_eq!(seen, ["u6", "u5", "u4", "u3", "u2", "u1", "u0"]);
    assert_eq!(
        ada.get("/updates?limit=10").await.json()["next"],
        Value::Null
    );
}

#[actix_web::test]
async fn search_finds_words_in_updates_and_comments_and_ignores_case_and_accents() {
    let app = TestApp::start().await;
    let [ada, bob, eve] = app.people(["Ada", "Bob", "Eve"]).await;
    let one =
        ada.update(json!({ "title": "Crème brûlée recipe", "notes": "O'Brien said \"go\" AND left", "audience": [email("Bob")] })).await;
    let two = ada
        .update(json!({ "title": "Second", "notes": "Über den Fluß", "visibility": "workspace" }))
        .await;
    let comment = bob
        .comment(&one, "The Straße is über-long; see v2.0 at 日本語")
        .await;
    app.wait_for_jobs().await;
    let id = |path: &str| path.trim_start_matches("/updates/").to_owned();
    for (q, found) in [
        ("creme", vec![id(&one)]),
        ("CRÈME BRULEE", vec![id(&one)]),
        ("recip", vec![id(&one)]),
        ("o'brien", vec![id(&one)]),
        ("\"go\"", vec![id(&one)]),
        ("brien AND left", vec![id(&one)]),
        ("uber", vec![id(&two), id(&one)]),
        ("über-long", vec![id(&one)]),
        ("v2.0", vec![id(&one)]),
        ("日本語", vec![id(&one)]),
        ("creme OR second", vec![]),
        ("NOT creme", vec![]),
        ("recipe second", vec![]),
        ("* ( ) : ^ ~ & | ! -", vec![]),
        ("creme*", vec![id(&one)]),
        ("' OR 1=1 --", vec![]),
        ("fluß", vec![id(&two)]),
    ] {
        let list = ada
            .get(&format!("/updates?q={}", encoded(q)))
            .await
            .expect(200)
            .json();
        let ids: Vec<_> = array(&list["items"])
            .iter()
            .map(|row| text(&row["id"]).to_owned())
            .collect();
        assert_eq!(ids, found, "{q}");
        // The search page finds the same updates, but sorts them by relevance.
        let best = ada
            .get(&format!("/search?q={}", encoded(q)))
            .await
            .expect(200)
            .json();
        let best: BTreeSet<_> = array(&best["items"])
            .iter()
            .map(|row| text(&row["id"]).to_owned())
            .collect();
        assert_eq!(best, ids.into_iter().collect(), "{q}");
    }
    assert_eq!(
        titles(&eve, "/updates?q=creme").await,
        Vec::<String>::new(),
        "search does not find updates without access"
    );
    assert_eq!(titles(&eve, "/updates?q=uber").await, ["Second"]);
    let place = bob.get("/updates?q=strasse").await.json();
    let place = if place["items"] == json!([]) {
        bob.get(&format!("/updates?q={}", encoded("straße")))
            .await
            .json()
    } else {
        place
    };
    assert_eq!(place["items"][0]["found"][0]["kind"], "comment");
    assert!(text(&place["items"][0]["found"][0]["url"]).ends_with(&format!("#c-{comment}")));

    ada.patch(&one, json!({ "title": "Plain pudding" }))
        .await
        .expect(200);
    app.wait_for_jobs().await;
    assert_eq!(titles(&ada, "/updates?q=creme").await, Vec::<String>::new());
    assert_eq!(titles(&ada, "/updates?q=pudding").await, ["Plain pudding"]);
    // A very long query either works or is rejected as invalid.
    for long in ["x".repeat(3000), "x ".repeat(1000)] {
        assert!(matches!(
            ada.get(&format!("/updates?q={long}")).await.status.as_u16(),
            200 | 422
        ));
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[actix_web::test]
async fn trash_is_private_and_restoring_an_update_keeps_its_comments_and_answers() {
    let app = TestApp::start().await;
    let [ada, bob, eve] = app.people(["Ada", "Bob", "Eve"]).await;
    let path = ada
        .update(
            json!({ "title": "Tossed", "audience": [email("Bob")], "expectation": "acknowledge" }),
        )
        .await;
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    bob.comment(&path, "Words").await;
    for _ in 0..2 {
        ada.delete(&path).await.expect(204);
    }
    bob.get(&path).await.problem(404);
    assert_eq!(titles(&ada, "/updates").await, Vec::<String>::new());
    assert_eq!(titles(&ada, "/trash").await, ["Tossed"]);
    assert_eq!(
        titles(&bob, "/updates?state=trashed").await,
        Vec::<String>::new()
    );
    assert_eq!(ada.get(&path).await.expect(200).json()["state"], "trashed");
    ada.patch(&path, json!({ "title": "x" })).await.problem(409);
    ada.put(&format!("{path}/publication")).await.problem(409);
    // Eve can neither empty Ada's trash nor delete an update in it.
    eve.delete("/trash").await.expect(204);
    eve.delete(&path.replace("/updates", "/trash"))
        .await
        .expect(204);
    app.browser("Ada").await.get("/trash").await.expect(200);

    for _ in 0..2 {
        ada.put(&format!("{path}/restoration")).await.expect(200);
    }
    let back = bob.get(&path).await.expect(200).json();
    assert_eq!(
        (&back["my_receipt"]["state"], &back["counts"]["comments"]),
        (&json!("acknowledged"), &json!(1))
    );
    // Deleting an update from the trash has no effect if it is not in the trash.
    ada.delete(&path.replace("/updates", "/trash"))
        .await
        .expect(204);
    ada.get(&path).await.expect(200);
}

/// Creates an update with a picture, a comment with a picture, a comment by a guest, and reactions. Returns the path
/// of the update and the storage keys of the pictures.
async fn full(app: &TestApp, ada: &Client, title: &str) -> (String, BTreeSet<String>) {
    let made = ada
        .upload(
            "/updates",
            &[("title", title)],
            &[("media", "a.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    let path = update_path(&made);
    let comment = ada
        .upload(
            &format!("{path}/comments"),
            &[("body", "Look")],
            &[("pictures", "b.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    let (_, token) = ada.share(&path, true).await;
    let guest = app.client().bearer(&token);
    let said = guest
        .post(
            &format!("{path}/comments"),
            json!({ "body": "Hi", "name": "Gus" }),
        )
        .await
        .expect(201)
        .json();
    ada.post(
        &format!("{path}/comments"),
        json!({ "body": "Re", "parent_id": said["id"] }),
    )
    .await
    .expect(201);
    guest
        .put(&format!("/comments/{}/reactions/👍", text(&said["id"])))
        .await
        .expect(204);
    ada.put(&format!("/comments/{}/reactions/👍", text(&comment["id"])))
        .await
        .expect(204);
    guest
        .put(&format!("{path}/acknowledgement"))
        .await
        .expect(204);
    ada.put(&format!("{path}/opening")).await.expect(204);
    app.wait_for_jobs().await;
    let mut connection = app.state.db.read().await.unwrap();
    let keys: Vec<String> = sqlx::query_scalar(
        "SELECT key FROM renditions WHERE media_id IN (SELECT id FROM media WHERE update_id = $1)",
    )
    .bind(text(&made["id"]))
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    drop(connection);
    assert!(keys.len() >= 2);
    for key in &keys {
        assert!(
            app.state
                .uploads
                .media
                .storage
                .len(key)
                .await
                .unwrap()
                .is_some(),
            "{key}"
        );
    }
    (path, keys.into_iter().collect())
}

async fn assert_gone(app: &TestApp, ada: &Client, path: &str, keys: &BTreeSet<String>) {
    app.wait_for_jobs().await;
    ada.get(path).await.problem(404);
    for key in keys {
        assert_eq!(
            app.state.uploads.media.storage.len(key).await.unwrap(),
            None,
            "{key}"
        );
    }
    let mut connection = app.state.db.read().await.unwrap();
    for table in [
        "updates",
        "comments",
        "media",
        "renditions",
        "links",
        "guests",
        "reactions",
        "receipts",
        "visits",
        "said",
    ] {
        let rows: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
                .fetch_one(&mut *connection)
                .await
                .unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

#[actix_web::test]
async fn emptying_the_trash_deletes_all_stored_bytes() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let (path, mut keys) = full(&app, &ada, "One").await;
    let (second, more) = full(&app, &ada, "Two").await;
    ada.delete(&path).await.expect(204);
    ada.delete(&second).await.expect(204);
    ada.delete(&path.replace("/updates", "/trash"))
        .await
        .expect(204);
    assert_eq!(titles(&ada, "/trash").await, ["Two"]);
    ada.delete("/trash").await.expect(204);
    keys.extend(more);
    assert_gone(&app, &ada, &path, &keys).await;
}

#[actix_web::test]
async fn trash_is_emptied_automatically_after_thirty_days() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let (path, keys) = full(&app, &ada, "Old").await;
    ada.delete(&path).await.expect(204);
    app.state.clock.advance(30 * 24 * 3_600_000 - 60_000);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    ada.get(&path).await.expect(200);
    for key in &keys {
        assert!(
            app.state
                .uploads
                .media
                .storage
                .len(key)
                .await
                .unwrap()
                .is_some(),
            "{key}"
        );
    }
    app.state.clock.advance(61_000);
    app.state.sweep().await.unwrap();
    assert_gone(&app, &ada, &path, &keys).await;
}
