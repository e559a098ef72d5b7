//! Videos are inspected for metadata even if they are sent in many requests, resumed after a pause or uploaded before
//! an upgrade.

use serde_json::json;

use super::{COMING, TAGS, download, media_of, publish, url, urls, with_metadata};
use crate::app::{TestApp, email, fixture};
use crate::gate::{Gate, PREPARATION};
use crate::tus::{HOUR, MIB, Sender};

/// Returns a WebM recording whose metadata tags follow its last cluster.
fn recording_with_tags() -> Vec<u8> {
    let mut bytes = fixture("rec-vp8-opus-3s.webm");
    bytes.extend([0x12, 0x54, 0xc3, 0x67, 0x86]);
    bytes.extend(b"secret");
    bytes
}

/// Counts the media that were inspected and contain no metadata.
async fn without_metadata(app: &TestApp) -> i64 {
    app.count("SELECT count(*) FROM media WHERE original_metadata = 'none'")
        .await
}

#[actix_web::test]
async fn video_is_inspected_as_a_whole_when_sent_in_many_requests() {
    let mut gate = Gate::holding(&[PREPARATION]);
    let app = TestApp::start_with(|config| config.ffmpeg = Some(gate.ffmpeg())).await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let with_title = with_metadata("rec-vp8-opus-3s.webm", "a.webm", &[]);
    for (whole, plays) in [
        (fixture("rec-vp8-opus-3s.webm"), true),
        (with_title, false),
        (recording_with_tags(), false),
    ] {
        let sender = Sender::recording(&ada).await;
        let path = format!("/updates/{}", sender.update);
        ada.patch(&path, json!({ "audience": [email("Bob")] }))
            .await
            .expect(200);
        ada.put(&format!("{path}/publication")).await.expect(200);
        let mut at = 0;
        for end in [1, 40, 1_000, 100_000, 100_001, whole.len()] {
            at = sender.send(at, &whole[at..end]).await;
            assert_eq!(
                media_of(&bob, &path).await[0]["renditions"],
                json!([]),
                "the recording is still being uploaded"
            );
        }
        sender.finish(at).await.expect(204);
        let media = media_of(&bob, &path).await.remove(0);
        assert_eq!(media["state"], "processing");
        if plays {
            assert!(download(&app, &url(&media, "playable")).await == whole);
        } else {
            assert_eq!(
                (&media["renditions"], &media["reason"]),
                (&json!([]), &json!(COMING))
            );
        }
    }
    gate.open(PREPARATION);
}

#[actix_web::test]
async fn long_recording_is_inspected_correctly_when_sent_in_pieces_of_any_size() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let recorded = fixture("rec-vp9-opus-10s.webm");
    let clusters = recorded
        .windows(4)
        .position(|id| id == [0x1f, 0x43, 0xb6, 0x75])
        .unwrap();
    let mut whole = recorded.clone();
    while whole.len() < 21 * MIB {
        whole.extend_from_slice(&recorded[clusters..]);
    }
    let mut sent = 0;
    for sizes in [
        vec![whole.len()],
        vec![3 * MIB; 8],
        vec![8 * MIB; 3],
        vec![100_000, 7 * MIB, 9 * MIB, 20 * MIB],
    ] {
        let sender = Sender::file(&ada, "long.webm", whole.len()).await;
        let mut at = 0;
        for size in sizes {
            at = sender
                .send(at, &whole[at..whole.len().min(at + size)])
                .await;
        }
        sent += 1;
        assert_eq!(without_metadata(&app).await, sent);
    }
}

#[actix_web::test]
async fn abandoned_recording_is_inspected_for_metadata_again_when_it_is_resumed() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let recorded = fixture("rec-vp8-opus-3s.webm");
    let tagged = recording_with_tags();
    let half = recorded.len() / 2;
    for (whole, clean) in [(&tagged, 0), (&recorded, 1)] {
        let sender = Sender::recording(&ada).await;
        sender.send(0, &whole[..half]).await;
        app.state.clock.advance(HOUR + 1000);
        app.state.sweep().await.unwrap();
        assert_eq!(without_metadata(&app).await, 1);
        let at = sender.send(half, &whole[half..]).await;
        sender.finish(at).await.expect(204);
        assert_eq!(without_metadata(&app).await, clean);
    }
}

#[actix_web::test]
async fn unprocessed_video_is_inspected_for_metadata_after_an_upgrade() {
    let app =
        TestApp::start_with(|config| config.ffmpeg = Some("/nonexistent/ffmpeg".into())).await;
    let files = [
        (
            "media",
            "phone.mp4",
            with_metadata("moov-at-end.mov", "a.mp4", TAGS),
        ),
        ("media", "talk.webm", fixture("rec-vp8-opus-3s.webm")),
    ];
    let scene = publish(&app, &files).await;
    app.wait_for_jobs().await;
    // Earlier versions did not inspect videos, so the column has no value after an upgrade.
    app.execute("UPDATE media SET original_metadata = NULL")
        .await;
    for other in &scene.others {
        assert!(
            media_of(other, &scene.path)
                .await
                .iter()
                .all(|media| media["renditions"] == json!([])),
            "a video that was not inspected is not served"
        );
    }
    let migration = include_str!("../../../migrations/0009_original_metadata.sql");
    let insert = &migration[migration.find("INSERT").unwrap()..];
    assert_eq!(app.execute(insert).await, 2);
    app.wait_for_jobs().await;
    for other in &scene.others {
        let theirs = media_of(other, &scene.path).await;
        assert_eq!((urls(&theirs[0]).len(), urls(&theirs[1]).len()), (0, 1));
    }
}
