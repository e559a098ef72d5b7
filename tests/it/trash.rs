//! The trash: who sees it, restoring an update, and permanent deletion.

use std::collections::BTreeSet;

use serde_json::json;

use crate::app::{Client, TestApp, comment_path, email, fixture, text, update_path};
use crate::library::titles;

const DAY: i64 = 24 * 3_600_000;

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
    assert_eq!(titles(&ada, "/updates").await, [""; 0]);
    assert_eq!(titles(&ada, "/trash").await, ["Tossed"]);
    assert_eq!(titles(&bob, "/updates?state=trashed").await, [""; 0]);
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
    // This address deletes only updates that are in the trash, so the restored update remains.
    ada.delete(&path.replace("/updates", "/trash"))
        .await
        .expect(204);
    ada.get(&path).await.expect(200);
}

/// Creates an update with a picture, a comment with a picture, a comment by a guest, and reactions. Returns the path
/// of the update and the storage keys of the pictures.
async fn publish_full(app: &TestApp, ada: &Client, title: &str) -> (String, BTreeSet<String>) {
    let picture = ("media", "a.png", fixture("alpha.png"));
    let created = ada
        .upload("/updates", &[("title", title)], &[picture])
        .await;
    let path = update_path(&created.expect(201).json());
    let picture = ("pictures", "b.png", fixture("alpha.png"));
    let comment = ada
        .upload(&format!("{path}/comments"), &[("body", "Look")], &[picture])
        .await
        .expect(201)
        .json();
    let (_, token) = ada.share(&path, true).await;
    let guest = app.client().bearer(&token);
    let greeting = json!({ "body": "Hi", "name": "Gus" });
    let greeting = guest.post(&format!("{path}/comments"), greeting).await;
    let greeting = greeting.expect(201).json();
    ada.reply(&path, text(&greeting["id"]), "Re").await;
    guest
        .put(&format!("{}/reactions/👍", comment_path(&greeting)))
        .await
        .expect(204);
    ada.put(&format!("{}/reactions/👍", comment_path(&comment)))
        .await
        .expect(204);
    guest
        .put(&format!("{path}/acknowledgement"))
        .await
        .expect(204);
    ada.put(&format!("{path}/opening")).await.expect(204);
    app.wait_for_jobs().await;
    let keys = storage_keys(app, &path).await;
    assert!(keys.len() >= 2);
    assert_stored(app, &keys).await;
    (path, keys)
}

/// Returns the storage keys of the update's media, including pictures in comments.
async fn storage_keys(app: &TestApp, path: &str) -> BTreeSet<String> {
    let keys: Vec<String> = sqlx::query_scalar(
        "SELECT key FROM renditions WHERE media_id IN (SELECT id FROM media WHERE update_id = $1)",
    )
    .bind(path.trim_start_matches("/updates/"))
    .fetch_all(&mut *app.state.db.read().await.unwrap())
    .await
    .unwrap();
    keys.into_iter().collect()
}

async fn assert_stored(app: &TestApp, keys: &BTreeSet<String>) {
    for key in keys {
        let length = app.state.uploads.media.storage.len(key).await.unwrap();
        assert!(length.is_some(), "{key}");
    }
}

/// Asserts that the update and all its rows and objects are deleted.
async fn assert_gone(app: &TestApp, ada: &Client, path: &str, keys: &BTreeSet<String>) {
    app.wait_for_jobs().await;
    ada.get(path).await.problem(404);
    for key in keys {
        let length = app.state.uploads.media.storage.len(key).await.unwrap();
        assert_eq!(length, None, "{key}");
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
    let (path, mut keys) = publish_full(&app, &ada, "One").await;
    let (second, more) = publish_full(&app, &ada, "Two").await;
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
    let (path, keys) = publish_full(&app, &ada, "Old").await;
    ada.delete(&path).await.expect(204);
    app.state.clock.advance(30 * DAY - 60_000);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    ada.get(&path).await.expect(200);
    assert_stored(&app, &keys).await;
    app.state.clock.advance(61_000);
    app.state.sweep().await.unwrap();
    assert_gone(&app, &ada, &path, &keys).await;
}
