//! Comments, threads and reactions.

mod anchors;
mod paging;
mod pictures;
mod reactions;
mod removal;
mod rendering;

use serde_json::{Value, json};

use crate::app::{Client, TestApp, array, comment_path, email, fixture, text};
use crate::redaction::stored_bytes::{positions, stored};

async fn threads(client: &Client, path: &str) -> Vec<Value> {
    client
        .get(&format!("{path}/comments"))
        .await
        .expect(200)
        .json()["items"]
        .as_array()
        .unwrap()
        .clone()
}

/// Publishes an update by Ada for Bob. Returns Ada, Bob and the update's path.
async fn scene(app: &TestApp) -> (Client, Client, String) {
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = ada
        .update(json!({ "title": "Look", "audience": [email("Bob")] }))
        .await;
    (ada, bob, path)
}

#[actix_web::test]
async fn replies_are_listed_in_order_within_their_thread() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let first = bob.comment(&path, "First").await;
    let second = bob.comment(&path, "Second").await;
    let at = format!("{path}/comments");
    let reply = ada
        .post(&at, json!({ "body": "Re: first", "parent_id": first }))
        .await
        .expect(201)
        .json();
    // A reply to a reply belongs to the thread of the first comment.
    let deeper = bob
        .post(&at, json!({ "body": "Re: re", "parent_id": reply["id"] }))
        .await
        .expect(201)
        .json();
    assert_eq!(deeper["parent_id"], json!(first));
    let all = threads(&bob, &path).await;
    assert_eq!(
        (all.len(), &all[0]["id"], &all[1]["id"]),
        (2, &json!(first), &json!(second))
    );
    let bodies: Vec<_> = array(&all[0]["replies"])
        .iter()
        .map(|reply| reply["body"].clone())
        .collect();
    assert_eq!(bodies, ["Re: first", "Re: re"]);
    assert_eq!(ada.get(&path).await.json()["counts"]["comments"], 4);
}

#[actix_web::test]
async fn reply_is_rejected_when_its_parent_is_missing_or_belongs_to_another_update() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let first = bob.comment(&path, "First").await;
    let other = ada.update(json!({ "title": "Other" })).await;
    for parent in [json!("nothing"), json!(first)] {
        assert!(
            ada.post(
                &format!("{other}/comments"),
                json!({ "body": "x", "parent_id": parent })
            )
            .await
            .problem(422)["errors"]["parent_id"]
                .is_string()
        );
    }
}

#[actix_web::test]
async fn comment_permalink_redirects_to_the_comment_on_the_page_of_its_update() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = bob.comment(&path, "Here").await;
    let reply = ada
        .post(
            &format!("{path}/comments"),
            json!({ "body": "Yes", "parent_id": id }),
        )
        .await
        .expect(201)
        .json();
    let shown = ada.get(&format!("/comments/{id}")).await.expect(200).json();
    assert_eq!(
        (&shown["body"], &shown["replies"][0]["id"]),
        (&json!("Here"), &reply["id"])
    );
    assert!(text(&shown["url"]).ends_with(&format!("{path}?comment={id}#c-{id}")));
    let redirect = app
        .browser("Bob")
        .await
        .get(&comment_path(&reply))
        .await
        .expect(303);
    let reply_id = text(&reply["id"]);
    assert!(
        redirect
            .header("location")
            .ends_with(&format!("{path}?comment={reply_id}#c-{reply_id}"))
    );
    assert!(
        app.browser("Bob")
            .await
            .get(&path)
            .await
            .text()
            .contains(&format!("c-{id}"))
    );
    ada.get("/comments/nothing").await.problem(404);
}

#[actix_web::test]
async fn only_the_author_can_edit_or_remove_a_comment() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = bob.comment(&path, "Mistkae").await;
    let at = format!("/comments/{id}");
    let edited = bob
        .patch(&at, json!({ "body": "Mistake" }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&edited["body"], edited["edited_at"].is_string()),
        (&json!("Mistake"), true)
    );
    ada.patch(&at, json!({ "body": "Mine now" }))
        .await
        .problem(403);
    ada.delete(&at).await.problem(403);
    bob.patch(&at, json!({ "body": " " })).await.problem(422);
    bob.patch(&at, json!({})).await.problem(422);

    let alone = bob.comment(&path, "Gone soon").await;
    bob.delete(&format!("/comments/{alone}")).await.expect(204);
    assert_eq!(threads(&ada, &path).await.len(), 1);
    ada.get(&format!("/comments/{alone}")).await.problem(404);
    assert_eq!(ada.get(&path).await.json()["counts"]["comments"], 1);
}

#[actix_web::test]
async fn removed_comment_with_replies_leaves_an_empty_placeholder() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = bob.comment(&path, "Mistake").await;
    let at = format!("/comments/{id}");
    ada.post(
        &format!("{path}/comments"),
        json!({ "body": "An answer", "parent_id": id }),
    )
    .await
    .expect(201);
    bob.delete(&at).await.expect(204);
    bob.delete(&at).await.expect(204);
    let left = threads(&ada, &path).await;
    assert_eq!(
        (
            &left[0]["removed"],
            &left[0]["body"],
            &left[0]["body_html"],
            &left[0]["replies"][0]["body"]
        ),
        (&json!(true), &json!(""), &json!(""), &json!("An answer"))
    );
    bob.patch(&at, json!({ "body": "Back" })).await.problem(409);
    bob.put(&format!("{at}/reactions/👍")).await.problem(409);
    app.wait_for_jobs().await;
    assert_eq!(
        ada.get("/updates?q=mistake").await.json()["items"],
        json!([]),
        "search does not find removed comments"
    );
}

#[actix_web::test]
async fn reply_to_a_removed_comment_is_rejected_and_stores_nothing() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = bob.comment(&path, "Now you see me").await;
    bob.delete(&format!("/comments/{id}")).await.expect(204);
    let at = format!("{path}/comments");
    ada.post(&at, json!({ "body": "Reply", "parent_id": id }))
        .await
        .problem(409);
    let picture = ("pictures", "a.png", fixture("alpha.png"));
    ada.upload(&at, &[("body", "Reply"), ("parent_id", &id)], &[picture])
        .await
        .problem(409);
    assert!(threads(&ada, &path).await.is_empty());
    let mut connection = app.state.db.read().await.unwrap();
    for table in [
        "SELECT count(*) FROM media",
        "SELECT count(*) FROM renditions",
    ] {
        assert_eq!(
            sqlx::query_scalar::<_, i64>(table)
                .fetch_one(&mut *connection)
                .await
                .unwrap(),
            0,
            "{table}"
        );
    }
    drop(connection);
    // The rejected form is shown again with the typed text.
    let page = app
        .browser("Ada")
        .await
        .form(
            "POST",
            &at,
            &[("body", "My long answer"), ("parent_id", &id)],
        )
        .await
        .expect(409);
    assert!(page.text().contains("My long answer"));
}

#[actix_web::test]
async fn thread_can_be_resolved_and_reopened() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = bob.comment(&path, "Fix this").await;
    let reply = ada
        .post(
            &format!("{path}/comments"),
            json!({ "body": "Done", "parent_id": id }),
        )
        .await
        .expect(201)
        .json();
    let at = format!("/comments/{id}/resolution");
    for _ in 0..2 {
        assert_eq!(ada.put(&at).await.expect(200).json()["state"], "resolved");
    }
    for _ in 0..2 {
        assert_eq!(
            bob.delete(&at).await.expect(200).json()["state"],
            Value::Null
        );
    }
    ada.put(&format!("/comments/{}/resolution", text(&reply["id"])))
        .await
        .problem(409);
}

#[actix_web::test]
async fn comment_with_an_invalid_field_is_rejected_and_the_error_names_the_field() {
    let app = TestApp::start().await;
    let (_, bob, path) = scene(&app).await;
    let at = format!("{path}/comments");
    bob.post(&at, json!({ "body": "ü".repeat(10_000) }))
        .await
        .expect(201);
    for (body, field) in [
        (json!({ "body": "x".repeat(10_001) }), "body"),
        (json!({ "body": "a\0b" }), "body"),
        (json!({ "body": "" }), "body"),
        (json!({}), "body"),
        (json!({ "body": ["x"] }), "body"),
        (json!({ "body": "x", "color": "red" }), "color"),
        (json!({ "body": "x", "kind": "shout" }), "kind"),
    ] {
        assert!(
            bob.post(&at, body.clone()).await.problem(422)["errors"][field].is_string(),
            "{field}"
        );
    }
    assert_eq!(threads(&bob, &path).await.len(), 1);
    bob.post("/updates/nothing/comments", json!({ "body": "x" }))
        .await
        .problem(404);
}

#[actix_web::test]
async fn comments_added_since_the_last_visit_are_marked_as_new() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    ada.comment(&path, "Old").await;
    bob.put(&format!("{path}/opening")).await.expect(204);
    app.state.clock.advance(3_600_000);
    ada.comment(&path, "New").await;
    bob.comment(&path, "My own").await;
    let browser = app.browser("Bob").await;
    let marks = async || {
        let page = browser.get(&path).await.expect(200).text();
        page.split("id=\"c-")
            .skip(1)
            .map(|comment| comment.contains("New<span"))
            .collect::<Vec<_>>()
    };
    assert_eq!(marks().await, [false, true, false]);
    // The comment remains marked as new during this visit. A visit an hour later removes the mark.
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(marks().await, [false, true, false]);
    app.state.clock.advance(3_600_000);
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(marks().await, [false, false, false]);
}

#[actix_web::test]
async fn comment_on_an_update_in_the_trash_is_rejected() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    bob.comment(&path, "Before").await;
    ada.delete(&path).await.expect(204);
    ada.post(&format!("{path}/comments"), json!({ "body": "x" }))
        .await
        .problem(409);
    bob.post(&format!("{path}/comments"), json!({ "body": "x" }))
        .await
        .problem(404);
}

#[actix_web::test]
async fn removed_comment_is_erased_from_all_stored_data() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let kept = "quokkapunkt remains in this thread";
    ada.comment(&path, kept).await;
    for n in 0..5 {
        ada.comment(&path, &format!("Filler {n} about something else"))
            .await;
    }
    let secret = bob
        .comment(&path, "The password is zebrafunkwolke, keep it")
        .await;
    app.wait_for_jobs().await;
    let contains = async |word: &str| {
        let stored = stored(&app).await;
        stored
            .iter()
            .any(|(_, bytes)| positions(bytes, word.as_bytes()).next().is_some())
    };
    assert!(contains("zebrafunkwolke").await && contains("quokkapunkt").await);

    bob.delete(&format!("/comments/{secret}")).await.expect(204);
    // A job deletes the words that occur nowhere else from the vocabulary of the search, after one to two minutes.
    app.state.clock.advance(3 * 60_000);
    // SQLite's write-ahead log still contains the words. It cannot be emptied while a reader uses it, so retry.
    app.wait_until("the words are erased", async || {
        app.state.db.truncate_wal().await.unwrap();
        !contains("zebrafunkwolke").await
    })
    .await;
    assert!(contains("quokkapunkt").await);
    let found = ada.get("/search?q=quokkapunkt").await.expect(200).json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let gone = ada.get("/search?q=zebrafunkwolke").await.expect(200).json();
    assert_eq!(gone["items"].as_array().unwrap().len(), 0);
}
