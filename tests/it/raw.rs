//! The raw file of a recording can be played as soon as the update is published. Later, the
//! seekable copy replaces the raw file. Players that are already playing the raw file can continue
//! for at least an hour, unless they lose access or the recording is trimmed or removed.

use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp, email, fixture, postgres};

struct Published {
    path: String,
    media: String,
    /// The address of the raw file that Bob got from the server.
    raw: String,
}

/// Publishes an update by Ada for Bob. Its recording stays unprocessed until [`process`] is called.
async fn publish_unprocessed(app: &TestApp, ada: &Client, bob: &Client) -> Published {
    let fields = [("title", "T"), ("audience", &*email("Bob"))];
    let update = ada
        .upload(
            "/updates",
            &fields,
            &[("media", "a.webm", fixture("rec-vp8-opus-3s.webm"))],
        )
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    // Undo the processing of the recording.
    app.execute("DELETE FROM renditions WHERE name NOT IN ('original', 'playable')")
        .await;
    app.execute(
        "UPDATE renditions SET (key, content_type, bytes) = (SELECT o.key, o.content_type, o.bytes FROM \
         renditions o WHERE o.media_id = renditions.media_id AND o.name = 'original')",
    )
    .await;
    app.execute("UPDATE media SET state = 'processing', duration_ms = NULL, raw_until = NULL")
        .await;
    let media = format!("/media/{}", update["media"][0]["id"].as_str().unwrap());
    let raw = url(&bob.get(&media).await.json(), "playable").unwrap();
    Published {
        path: format!("/updates/{}", update["id"].as_str().unwrap()),
        media,
        raw,
    }
}

async fn process(app: &TestApp, published: &Published) {
    let mut tx = app.state.db.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO jobs (id, kind, payload, run_at, attempts) VALUES ($1, 'process', $2, 0, 0)",
    )
    .bind(app.state.clock.id())
    .bind(
        json!({ "media": published.media.trim_start_matches("/media/"), "generation": 1 })
            .to_string(),
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    app.wait_for_jobs().await;
}

fn url(media: &Value, name: &str) -> Option<String> {
    let found = media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == name)?;
    Some(found["url"].as_str().unwrap().to_owned())
}

async fn get_range(app: &TestApp, address: &str) -> Response {
    Response::fetch(
        app.client()
            .request("GET", address)
            .header("range", "bytes=100000-100999"),
    )
    .await
}

#[actix_web::test]
async fn raw_file_stays_playable_for_an_hour_after_processing() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let published = publish_unprocessed(&app, &ada, &bob).await;
    let whole = fixture("rec-vp8-opus-3s.webm");
    assert!(get_range(&app, &published.raw).await.expect(206).body == whole[100_000..101_000]);
    process(&app, &published).await;
    let after = bob.get(&published.media).await.json();
    let copy = url(&after, "playable").unwrap();
    assert_ne!(copy, published.raw);
    assert_eq!(url(&after, "original"), None);
    assert!(get_range(&app, &published.raw).await.expect(206).body == whole[100_000..101_000]);
    get_range(&app, &copy).await.expect(206);
    // The raw file expires after one hour plus the length of the recording.
    app.state.clock.advance(3_600_000 + 4_000);
    get_range(&app, &published.raw).await.problem(404);
    get_range(&app, &copy).await.expect(206);
}

#[actix_web::test]
async fn raw_file_is_unavailable_immediately_after_a_trim_or_removal_or_loss_of_access() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let published = publish_unprocessed(&app, &ada, &bob).await;
    process(&app, &published).await;
    get_range(&app, &published.raw).await.expect(206);

    let removed = ada.patch(&published.path, json!({ "audience": [] })).await;
    removed.expect(200);
    get_range(&app, &published.raw).await.problem(404);
    ada.patch(&published.path, json!({ "audience": [email("Bob")] }))
        .await
        .expect(200);
    get_range(&app, &published.raw).await.expect(206);

    ada.json(
        "PUT",
        &format!("{}/trim", published.media),
        &json!({ "from_ms": 0, "to_ms": 1_500 }),
    )
    .await
    .expect(200);
    get_range(&app, &published.raw).await.problem(404);
    app.wait_for_jobs().await;
    get_range(&app, &published.raw).await.problem(404);
    ada.delete(&format!("{}/trim", published.media))
        .await
        .expect(200);
    app.wait_for_jobs().await;
    get_range(&app, &published.raw).await.problem(404);

    let again = publish_unprocessed(&app, &ada, &bob).await;
    process(&app, &again).await;
    get_range(&app, &again.raw).await.expect(206);
    ada.delete(&again.media).await.expect(204);
    get_range(&app, &again.raw).await.problem(404);
}

#[actix_web::test]
async fn raw_file_is_private_when_processing_failed() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let published = publish_unprocessed(&app, &ada, &bob).await;
    process(&app, &published).await;
    get_range(&app, &published.raw).await.expect(206);
    app.execute("UPDATE media SET state = 'failed'").await;
    get_range(&app, &published.raw).await.problem(404);
    get_range(
        &app,
        &url(&ada.get(&published.media).await.json(), "original").unwrap(),
    )
    .await
    .expect(206);
}

#[actix_web::test]
async fn request_by_another_person_for_a_raw_file_is_not_redirected_to_the_bucket() {
    if !postgres() {
        return;
    }
    let app =
        TestApp::start_with(|config| config.delivery = hearback::config::Delivery::Redirect).await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let published = publish_unprocessed(&app, &ada, &bob).await;
    // The server does not redirect the request to a presigned URL, because a presigned URL remains
    // valid after a trim, which keeps the object.
    get_range(&app, &published.raw).await.expect(206);
    process(&app, &published).await;
    get_range(&app, &published.raw).await.expect(206);
    get_range(
        &app,
        &url(&bob.get(&published.media).await.json(), "playable").unwrap(),
    )
    .await
    .expect(302);
    get_range(
        &app,
        &url(&ada.get(&published.media).await.json(), "original").unwrap(),
    )
    .await
    .expect(302);
}
