//! Recordings while they arrive: how they grow, end without their page, and go on when it comes back.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::app::{Answer, TestApp, email, fixture};
use crate::tus::{HOUR, MIB, Sender, long, metadata, raw_patch, with};

#[actix_web::test]
async fn a_recording_of_unknown_length_grows_plays_from_its_last_byte_and_becomes_ready() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let sender = Sender::recording(&ada).await;
    let head = sender.head().await.expect(200);
    assert_eq!(
        (
            head.header("upload-offset"),
            head.header("upload-defer-length"),
            head.header("cache-control")
        ),
        ("0", "1", "no-store")
    );
    assert_eq!(
        (head.header("tus-resumable"), head.header("upload-length")),
        ("1.0.0", "")
    );
    assert_eq!(
        head.header("upload-metadata"),
        metadata(&[("filename", "Recording.webm"), ("filetype", "video/webm")])
    );
    assert!(head.header("upload-expires").ends_with("GMT"));
    assert_eq!(
        (
            &sender.media().await["state"],
            &sender.media().await["kind"]
        ),
        (&json!("uploading"), &json!("video"))
    );

    // As MediaRecorder does: a first piece of one byte, empty ones in between.
    let mut at = 0;
    for piece in [&whole[..1], &[], &whole[1..40_000], &whole[40_000..]] {
        at = sender.send(at, piece).await;
        assert_eq!(sender.offset().await, at);
    }
    let mine = ada.get("/uploads").await.expect(200).json();
    assert_eq!(
        (
            &mine["items"][0]["received"],
            &mine["items"][0]["length"],
            &mine["items"][0]["recording"]
        ),
        (&json!(at), &Value::Null, &json!(true))
    );
    let done = sender.finish(at).await.expect(204);
    assert_eq!(
        (
            done.header("hearback-media"),
            done.header("hearback-update")
        ),
        (sender.media.as_str(), sender.update.as_str())
    );
    let media = sender.media().await;
    assert!(
        media["renditions"]
            .as_array()
            .unwrap()
            .iter()
            .any(|rendition| rendition["name"] == "playable"),
        "plays at once: {media}"
    );
    app.jobs_done().await;
    assert_eq!(sender.media().await["state"], "ready");
    assert_eq!(sender.original().await, whole);
    assert_eq!(ada.get("/uploads").await.json()["items"], json!([]));
    let update = ada
        .get(&format!("/updates/{}", sender.update))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&update["state"], &update["media"][0]["id"]),
        (&json!("draft"), &json!(sender.media))
    );
    // Told again, it is still done; more has no place.
    sender.finish(at).await.expect(204);
    sender.patch(at, b"more", &[]).await.problem(410);
    let head = sender.head().await.expect(200);
    assert_eq!(
        (head.header("upload-offset"), head.header("upload-length")),
        (at.to_string().as_str(), at.to_string().as_str())
    );
}

#[actix_web::test]
async fn a_recording_whose_page_never_came_back_is_finished_with_what_arrived_and_says_so() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let cut = whole.len() / 2;
    let (sender, silent) = (Sender::recording(&ada).await, Sender::recording(&ada).await);
    sender.send(0, &whole[..cut]).await;
    app.state.sweep().await.unwrap();
    assert_eq!(sender.media().await["state"], "uploading");
    app.state.clock.advance(HOUR + 1000);
    app.state.sweep().await.unwrap();
    app.jobs_done().await;
    let media = sender.media().await;
    assert_eq!(media["state"], "ready");
    assert!(media["broken_off_at"].is_string(), "{media}");
    assert!(
        (3_000..=7_000).contains(&media["duration_ms"].as_i64().unwrap()),
        "{media}"
    );
    assert!(sender.original().await == whole[..cut]);
    // Of one that nothing ever came of, nothing stays after a day.
    app.state.clock.advance(24 * HOUR);
    app.state.sweep().await.unwrap();
    ada.get(&format!("/updates/{}", silent.update))
        .await
        .problem(404);

    // The page comes back after all, with the rest: nothing is lost.
    assert_eq!(sender.offset().await, cut);
    sender.send(cut, &whole[cut..whole.len() - 10]).await;
    sender
        .patch(
            whole.len() - 10,
            &whole[whole.len() - 10..],
            &[("upload-length", &whole.len().to_string())],
        )
        .await
        .expect(204);
    app.jobs_done().await;
    let media = sender.media().await;
    assert_eq!(
        (&media["state"], &media["broken_off_at"]),
        (&json!("ready"), &Value::Null)
    );
    assert!(media["duration_ms"].as_i64().unwrap() > 9_000, "{media}");
    assert!(sender.original().await == whole);
    ada.delete(&format!("/media/{}", sender.media))
        .await
        .expect(204);
    app.jobs_done().await;
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn a_recording_that_was_finished_without_its_page_and_lacks_nothing_does_not_say_so_any_more()
{
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole).await;
    app.state.clock.advance(HOUR + 1000);
    app.state.sweep().await.unwrap();
    assert!(sender.media().await["broken_off_at"].is_string());
    for _ in 0..2 {
        sender
            .patch(
                whole.len(),
                b"",
                &[("upload-length", &whole.len().to_string())],
            )
            .await
            .expect(204);
        assert_eq!(sender.media().await["broken_off_at"], Value::Null);
    }
    app.jobs_done().await;
    assert_eq!(sender.media().await["state"], "ready");
    assert!(sender.original().await == whole);
}

#[actix_web::test]
async fn what_was_finished_without_its_page_and_sent_is_not_changed_any_more() {
    let app = TestApp::start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Bob").await);
    let whole = fixture("rec-vp9-opus-10s.webm");
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole[..200_000]).await;
    app.state.clock.advance(HOUR + 1000);
    app.state.sweep().await.unwrap();
    let path = format!("/updates/{}", sender.update);
    ada.patch(
        &path,
        json!({ "title": "As far as it came", "audience": [email("Bob")] }),
    )
    .await
    .expect(200);
    ada.put(&format!("{path}/publication")).await.expect(200);
    sender
        .patch(200_000, &whole[200_000..], &[])
        .await
        .problem(410);
    app.jobs_done().await;
    assert_eq!(sender.media().await["state"], "ready");
}

#[actix_web::test]
async fn a_recording_that_goes_on_after_it_was_finished_without_its_page_survives_whatever_happens_then()
 {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = long(10 * MIB);
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole[..9 * MIB]).await;
    app.state.clock.advance(HOUR + 1000);
    // Marked as ended, and not put together yet, when its page comes back.
    app.execute("UPDATE uploads SET length = received, broken_off_at = 1")
        .await;
    let at = sender.send(9 * MIB, &whole[9 * MIB..9 * MIB + 5000]).await;
    // A request that breaks off after that keeps what it brought, and the copy of what was there.
    let mut socket = raw_patch(&app, &sender, at, whole.len() - at).await;
    socket.write_all(&whole[at..at + 3000]).await.unwrap();
    drop(socket);
    app.until("what arrived is durable", async || {
        sender.offset().await == at + 3000
    })
    .await;
    assert_eq!(
        sender.media().await["state"],
        "processing",
        "what was finished is shown until the rest is there"
    );
    // It cannot be trimmed meanwhile, because the rest would bring back what was cut.
    ada.json(
        "PUT",
        &format!("/media/{}/trim", sender.media),
        &json!({ "from_ms": 0, "to_ms": 600 }),
    )
    .await
    .problem(409);
    sender.send(at + 3000, &whole[at + 3000..]).await;
    // A day later, when all that was left behind is cleared away.
    app.state.clock.advance(25 * HOUR);
    app.state.sweep().await.unwrap();
    app.jobs_done().await;
    assert!(sender.original().await == whole);
}

#[actix_web::test]
async fn discarding_a_recording_that_went_on_again_deletes_all_of_it() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole[..200_000]).await;
    app.state.clock.advance(HOUR + 1000);
    app.state.sweep().await.unwrap();
    sender.send(200_000, &whole[200_000..250_000]).await;
    Answer::of(with(ada.request("DELETE", &sender.path), &[]))
        .await
        .expect(204);
    ada.get(&format!("/media/{}", sender.media))
        .await
        .problem(404);
    app.state.clock.advance(25 * HOUR);
    app.jobs_done().await;
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn what_arrived_of_a_recording_is_not_thrown_away_for_its_age() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let sender = Sender::recording(&ada).await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    sender.send(0, &whole[..200_000]).await;
    // The server was off for more than a week, and comes back.
    app.state.clock.advance(9 * 24 * HOUR);
    app.state.sweep().await.unwrap();
    app.jobs_done().await;
    assert_eq!(sender.media().await["state"], "ready");
    assert!(sender.original().await == whole[..200_000]);
    // Too little to be anything waits for its page for a day.
    let short = Sender::recording(&ada).await;
    short.send(0, &whole[..1]).await;
    app.state.clock.advance(2 * HOUR);
    app.state.sweep().await.unwrap();
    assert_eq!(short.offset().await, 1);
    short.send(1, &whole[1..]).await;
    short.finish(whole.len()).await.expect(204);
    app.jobs_done().await;
}

#[actix_web::test]
async fn an_update_can_be_sent_while_its_recording_still_arrives() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let whole = fixture("rec-vp9-opus-10s.webm");
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole[..1000]).await;
    let path = format!("/updates/{}", sender.update);
    ada.patch(&path, json!({ "audience": [email("Bob")] }))
        .await
        .expect(200);
    ada.put(&format!("{path}/publication")).await.expect(200);
    let seen = bob.get(&path).await.expect(200).json();
    assert_eq!(
        (&seen["media"][0]["state"], &seen["media"][0]["renditions"]),
        (&json!("uploading"), &json!([]))
    );
    assert!(seen["title"].as_str().unwrap().starts_with("Recording, "));
    sender.send(1000, &whole[1000..]).await;
    sender.finish(whole.len()).await.expect(204);
    let seen = bob.get(&path).await.expect(200).json();
    let playable = &seen["media"][0]["renditions"][0];
    assert_eq!(playable["name"], "playable");
    assert!(
        bob.get(playable["url"].as_str().unwrap())
            .await
            .expect(200)
            .body
            .len()
            > 1000
    );
    app.jobs_done().await;
}
