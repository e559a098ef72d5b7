//! Recordings whose length is unknown at first. If the page that sends a recording disappears, the server finishes the
//! recording. If the page returns, it can still send the rest.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::app::{Client, TestApp, email, fixture};
use crate::tus::{HOUR, MIB, Sender, long, metadata, raw_patch, raw_patch_with};

#[actix_web::test]
async fn head_response_describes_a_new_recording() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
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
    let media = sender.media().await;
    assert_eq!(
        (&media["state"], &media["kind"]),
        (&json!("uploading"), &json!("video"))
    );
}

#[actix_web::test]
async fn finished_recording_can_be_played_immediately_and_becomes_ready() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let sender = Sender::recording(&ada).await;
    // Send pieces as a browser's MediaRecorder does: the first one has one byte, and later ones can be empty.
    let mut at = 0;
    for piece in [&whole[..1], &[], &whole[1..40_000], &whole[40_000..]] {
        at = sender.send(at, piece).await;
        assert_eq!(sender.offset().await, at);
    }
    let uploads = ada.get("/uploads").await.expect(200).json();
    let upload = &uploads["items"][0];
    assert_eq!(
        (&upload["received"], &upload["length"], &upload["recording"]),
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
    let mut renditions = media["renditions"].as_array().unwrap().iter();
    assert!(
        renditions.any(|rendition| rendition["name"] == "playable"),
        "the recording can be played immediately: {media}"
    );
    app.wait_for_jobs().await;
    assert_eq!(sender.media().await["state"], "ready");
    assert_eq!(sender.original().await, whole);
    assert_recording_is_finished(&ada, &sender, at).await;
}

/// Asserts that the recording is complete: it belongs to a draft, is not listed as an upload and accepts no more
/// bytes.
async fn assert_recording_is_finished(ada: &Client, sender: &Sender, length: usize) {
    assert_eq!(ada.get("/uploads").await.json()["items"], json!([]));
    let update = ada.get(&format!("/updates/{}", sender.update)).await;
    let update = update.expect(200).json();
    assert_eq!(
        (&update["state"], &update["media"][0]["id"]),
        (&json!("draft"), &json!(sender.media))
    );
    // Finishing a second time succeeds, but more bytes are rejected.
    sender.finish(length).await.expect(204);
    sender.patch(length, b"more", &[]).await.problem(410);
    let head = sender.head().await.expect(200);
    let length = length.to_string();
    assert_eq!(
        (head.header("upload-offset"), head.header("upload-length")),
        (length.as_str(), length.as_str())
    );
}

/// Advances the clock by more than an hour and runs the cleanup, which finishes abandoned recordings.
async fn abandon(app: &TestApp) {
    app.state.clock.advance(HOUR + 1000);
    app.state.sweep().await.unwrap();
}

#[actix_web::test]
async fn abandoned_recording_is_finished_and_marked_incomplete_until_it_resumes() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let cut = whole.len() / 2;
    let (sender, empty) = (Sender::recording(&ada).await, Sender::recording(&ada).await);
    sender.send(0, &whole[..cut]).await;
    app.state.sweep().await.unwrap();
    assert_eq!(sender.media().await["state"], "uploading");
    abandon(&app).await;
    app.wait_for_jobs().await;
    let media = sender.media().await;
    assert_eq!(media["state"], "ready");
    assert!(media["broken_off_at"].is_string(), "{media}");
    let length = media["duration_ms"].as_i64().unwrap();
    assert!((3_000..=7_000).contains(&length), "{media}");
    assert!(sender.original().await == whole[..cut]);
    // A day later, the cleanup deletes an upload that has no bytes.
    app.state.clock.advance(24 * HOUR);
    app.state.sweep().await.unwrap();
    ada.get(&format!("/updates/{}", empty.update))
        .await
        .problem(404);

    // The page returns and sends the remaining bytes. No byte is lost.
    assert_eq!(sender.offset().await, cut);
    let last = whole.len() - 10;
    sender.send(cut, &whole[cut..last]).await;
    let length = whole.len().to_string();
    sender
        .patch(last, &whole[last..], &[("upload-length", &length)])
        .await
        .expect(204);
    app.wait_for_jobs().await;
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
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn abandoned_recording_is_no_longer_marked_incomplete_when_its_client_confirms_its_length() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole).await;
    abandon(&app).await;
    assert!(sender.media().await["broken_off_at"].is_string());
    for _ in 0..2 {
        sender.finish(whole.len()).await.expect(204);
        assert_eq!(sender.media().await["broken_off_at"], Value::Null);
    }
    app.wait_for_jobs().await;
    assert_eq!(sender.media().await["state"], "ready");
    assert!(sender.original().await == whole);
}

#[actix_web::test]
async fn recording_is_finished_if_its_page_disappears_during_the_last_request() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole[..100_000]).await;
    // The request states the length of the recording but delivers only a part of the missing bytes.
    let rest = whole.len() - 100_000;
    let length = format!("Upload-Length: {}\r\n", whole.len());
    let mut socket = raw_patch_with(&app, &sender, 100_000, rest, &length).await;
    socket.write_all(&whole[100_000..200_000]).await.unwrap();
    drop(socket);
    app.wait_until("the received bytes are durable", async || {
        sender.offset().await == 200_000
    })
    .await;
    let head = sender.head().await;
    assert_eq!(head.header("upload-length"), whole.len().to_string());
    abandon(&app).await;
    app.wait_for_jobs().await;
    let media = sender.media().await;
    assert_eq!(media["state"], "ready");
    assert!(media["broken_off_at"].is_string(), "{media}");
    assert!(sender.original().await == whole[..200_000]);

    // The page returns and sends the remaining bytes.
    let length = whole.len().to_string();
    sender
        .patch(
            200_000,
            &whole[200_000..],
            &[("upload-length", length.as_str())],
        )
        .await
        .expect(204);
    assert!(sender.original().await == whole);
}

#[actix_web::test]
async fn abandoned_recording_cannot_resume_after_its_update_is_published() {
    let app = TestApp::start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Bob").await);
    let whole = fixture("rec-vp9-opus-10s.webm");
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole[..200_000]).await;
    abandon(&app).await;
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
    app.wait_for_jobs().await;
    assert_eq!(sender.media().await["state"], "ready");
}

#[actix_web::test]
async fn resumed_recording_survives_an_interrupted_request_and_the_cleanup() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = long(10 * MIB);
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole[..9 * MIB]).await;
    app.state.clock.advance(HOUR + 1000);
    // Simulate a page that returns after the recording was marked as finished, but before its file was assembled.
    app.execute("UPDATE uploads SET length = received, broken_off_at = 1")
        .await;
    let at = sender.send(9 * MIB, &whole[9 * MIB..9 * MIB + 5000]).await;
    // An interrupted request loses neither its own bytes nor the part of the recording that is already finished.
    let mut socket = raw_patch(&app, &sender, at, whole.len() - at).await;
    socket.write_all(&whole[at..at + 3000]).await.unwrap();
    drop(socket);
    app.wait_until("the received bytes are durable", async || {
        sender.offset().await == at + 3000
    })
    .await;
    assert_eq!(
        sender.media().await["state"],
        "processing",
        "the finished part stays visible until the rest arrives"
    );
    // An incomplete recording cannot be trimmed, because resuming it would restore the parts that
    // were cut off.
    ada.json(
        "PUT",
        &format!("/media/{}/trim", sender.media),
        &json!({ "from_ms": 0, "to_ms": 600 }),
    )
    .await
    .problem(409);
    sender.send(at + 3000, &whole[at + 3000..]).await;
    // A day later, the cleanup deletes leftovers but not the recording.
    app.state.clock.advance(25 * HOUR);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    assert!(sender.original().await == whole);
}

#[actix_web::test]
async fn discarding_a_resumed_recording_deletes_all_of_its_bytes() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole[..200_000]).await;
    abandon(&app).await;
    sender.send(200_000, &whole[200_000..250_000]).await;
    sender.terminate(&ada).await.expect(204);
    ada.get(&format!("/media/{}", sender.media))
        .await
        .problem(404);
    app.state.clock.advance(25 * HOUR);
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn unfinished_recording_is_kept_when_the_server_was_down_for_days() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let sender = Sender::recording(&ada).await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    sender.send(0, &whole[..200_000]).await;
    // The server was down for nine days.
    app.state.clock.advance(9 * 24 * HOUR);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    assert_eq!(sender.media().await["state"], "ready");
    assert!(sender.original().await == whole[..200_000]);
    // A recording that is too short to play is kept for a day, because its page may return.
    let short = Sender::recording(&ada).await;
    short.send(0, &whole[..1]).await;
    app.state.clock.advance(2 * HOUR);
    app.state.sweep().await.unwrap();
    assert_eq!(short.offset().await, 1);
    short.send(1, &whole[1..]).await;
    short.finish(whole.len()).await.expect(204);
    app.wait_for_jobs().await;
}

#[actix_web::test]
async fn update_can_be_published_while_its_recording_is_uploading() {
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
    app.wait_for_jobs().await;
}
