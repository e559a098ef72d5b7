//! The raw file plays from publication; who plays it goes on when the seekable copy takes its place, unless the right to it ends.

use serde_json::{Value, json};

use crate::app::{Answer, Client, TestApp, email, fixture, postgres};

struct Watched {
    path: String,
    media: String,
    /// The address of the raw file as Bob got it.
    raw: String,
}

/// An update of Ada's for Bob whose recording is not prepared yet, and will not be before [`prepare`].
async fn unprepared(app: &TestApp, ada: &Client, bob: &Client) -> Watched {
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
    app.jobs_done().await;
    // As it was when it came.
    app.execute("DELETE FROM renditions WHERE name NOT IN ('original', 'playable')")
        .await;
    app.execute(
        "UPDATE renditions SET (key, content_type, bytes) = (SELECT o.key, o.content_type, o.bytes FROM renditions o WHERE o.media_id = renditions.media_id AND o.name = 'original')",
    )
    .await;
    app.execute("UPDATE media SET state = 'processing', duration_ms = NULL, raw_until = NULL")
        .await;
    let media = format!("/media/{}", update["media"][0]["id"].as_str().unwrap());
    let raw = url(&bob.get(&media).await.json(), "playable").unwrap();
    Watched {
        path: format!("/updates/{}", update["id"].as_str().unwrap()),
        media,
        raw,
    }
}

async fn prepare(app: &TestApp, watched: &Watched) {
    let mut tx = app.state.db.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO jobs (id, kind, payload, run_at, attempts) VALUES ($1, 'process', $2, 0, 0)",
    )
    .bind(app.state.clock.id())
    .bind(
        json!({ "media": watched.media.trim_start_matches("/media/"), "generation": 1 })
            .to_string(),
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    app.jobs_done().await;
}

fn url(media: &Value, name: &str) -> Option<String> {
    let found = media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == name)?;
    Some(found["url"].as_str().unwrap().to_owned())
}

async fn part(app: &TestApp, address: &str) -> Answer {
    Answer::of(
        app.client()
            .request("GET", address)
            .header("range", "bytes=100000-100999"),
    )
    .await
}

#[actix_web::test]
async fn who_plays_the_raw_file_goes_on_when_the_copy_is_there() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let watched = unprepared(&app, &ada, &bob).await;
    let whole = fixture("rec-vp8-opus-3s.webm");
    assert!(part(&app, &watched.raw).await.expect(206).body == whole[100_000..101_000]);
    prepare(&app, &watched).await;
    let after = bob.get(&watched.media).await.json();
    let copy = url(&after, "playable").unwrap();
    assert_ne!(copy, watched.raw);
    assert_eq!(url(&after, "original"), None);
    assert!(part(&app, &watched.raw).await.expect(206).body == whole[100_000..101_000]);
    part(&app, &copy).await.expect(206);
    // Its length and an hour later nobody plays it any more.
    app.state.clock.advance(3_600_000 + 4_000);
    part(&app, &watched.raw).await.problem(404);
    part(&app, &copy).await.expect(206);
}

#[actix_web::test]
async fn the_raw_file_ends_at_once_with_a_trim_a_removal_or_the_right_to_it() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let watched = unprepared(&app, &ada, &bob).await;
    prepare(&app, &watched).await;
    part(&app, &watched.raw).await.expect(206);

    let removed = ada.patch(&watched.path, json!({ "audience": [] })).await;
    removed.expect(200);
    part(&app, &watched.raw).await.problem(404);
    ada.patch(&watched.path, json!({ "audience": [email("Bob")] }))
        .await
        .expect(200);
    part(&app, &watched.raw).await.expect(206);

    ada.json(
        "PUT",
        &format!("{}/trim", watched.media),
        &json!({ "from_ms": 0, "to_ms": 1_500 }),
    )
    .await
    .expect(200);
    part(&app, &watched.raw).await.problem(404);
    app.jobs_done().await;
    part(&app, &watched.raw).await.problem(404);
    ada.delete(&format!("{}/trim", watched.media))
        .await
        .expect(200);
    app.jobs_done().await;
    part(&app, &watched.raw).await.problem(404);

    let again = unprepared(&app, &ada, &bob).await;
    prepare(&app, &again).await;
    part(&app, &again.raw).await.expect(206);
    ada.delete(&again.media).await.expect(204);
    part(&app, &again.raw).await.problem(404);
}

#[actix_web::test]
async fn raw_file_is_its_authors_alone_when_preparing_it_failed() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let watched = unprepared(&app, &ada, &bob).await;
    prepare(&app, &watched).await;
    part(&app, &watched.raw).await.expect(206);
    app.execute("UPDATE media SET state = 'failed'").await;
    part(&app, &watched.raw).await.problem(404);
    part(
        &app,
        &url(&ada.get(&watched.media).await.json(), "original").unwrap(),
    )
    .await
    .expect(206);
}

#[actix_web::test]
async fn nobody_is_sent_to_the_bucket_for_anothers_original() {
    if !postgres() {
        return;
    }
    let app =
        TestApp::start_with(|config| config.delivery = hearback::config::Delivery::Redirect).await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let watched = unprepared(&app, &ada, &bob).await;
    // An address in the bucket would outlive a trim, and the object stays.
    part(&app, &watched.raw).await.expect(206);
    prepare(&app, &watched).await;
    part(&app, &watched.raw).await.expect(206);
    part(
        &app,
        &url(&bob.get(&watched.media).await.json(), "playable").unwrap(),
    )
    .await
    .expect(302);
    part(
        &app,
        &url(&ada.get(&watched.media).await.json(), "original").unwrap(),
    )
    .await
    .expect(302);
}
