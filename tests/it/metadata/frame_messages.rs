//! SEI messages, which can contain metadata, between the frames of an H.264 video.

use std::process::Command;

use super::{media_of, urls};
use crate::app::{TestApp, email};

const MESSAGE: &str = "HOME-ADDRESS";

/// Copies a video into another container and adds [`MESSAGE`] between its frames.
fn with_message(output: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(output);
    let source = format!("{}/tests/fixtures/count.mp4", env!("CARGO_MANIFEST_DIR"));
    let filter =
        format!("h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+{MESSAGE}");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-i", &source, "-c", "copy", "-bsf:v"])
        .arg(filter)
        .arg(&file)
        .status()
        .unwrap();
    assert!(made.success());
    std::fs::read(&file).unwrap()
}

fn has_message(bytes: &[u8]) -> bool {
    bytes
        .windows(MESSAGE.len())
        .any(|part| part == MESSAGE.as_bytes())
}

#[actix_web::test]
async fn sei_messages_between_frames_are_removed_from_served_copies() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    for name in ["phone.mp4", "phone.mkv"] {
        let bytes = with_message(name);
        assert!(has_message(&bytes), "{name}");
        let update = ada
            .upload(
                "/updates",
                &[("title", name), ("audience", &email("Bob"))],
                &[("media", name, bytes)],
            )
            .await
            .expect(201)
            .json();
        app.wait_for_jobs().await;
        let path = format!("/updates/{}", update["id"].as_str().unwrap());
        let media = media_of(&bob, &path).await.remove(0);
        assert_eq!(media["state"], "ready", "{media}");
        for (rendition, url) in urls(&media) {
            let served = bob.get(&url).await.expect(200).body;
            assert!(!has_message(&served), "{name}: {rendition}");
        }
    }
}
