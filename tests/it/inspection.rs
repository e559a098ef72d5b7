//! Videos with extra streams are accepted, and videos with an unsupported codec fail with a reason.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::app::{TestApp, array, fixture, media_path, text};

/// Uploads a video. Returns its JSON after it has been processed.
async fn upload(app: &TestApp, name: &str, bytes: Vec<u8>) -> Value {
    let ada = app.person(&format!("Ada {name}")).await;
    let update = ada
        .upload("/updates", &[("title", "T")], &[("media", name, bytes)])
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    ada.get(&media_path(&update["media"][0]))
        .await
        .expect(200)
        .json()
}

/// Returns the codecs of the `playable` rendition, sorted.
async fn codecs(app: &TestApp, media: &Value) -> Vec<String> {
    let found = array(&media["renditions"])
        .iter()
        .find(|one| one["name"] == "playable")
        .unwrap();
    let path = app.dir.path().join("playable");
    std::fs::write(
        &path,
        app.client().get(text(&found["url"])).await.expect(200).body,
    )
    .unwrap();
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-show_entries",
            "stream=codec_name",
            "-of",
            "csv=p=0",
        ])
        .arg(&path)
        .output()
        .unwrap();
    let mut codecs: Vec<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.trim().to_owned())
        .collect();
    codecs.sort();
    codecs
}

/// Creates a file with ffmpeg and returns its bytes.
fn generate(dir: &Path, name: &str, args: &[&str]) -> Vec<u8> {
    let path = dir.join(name);
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(args)
        .arg(&path)
        .status()
        .unwrap();
    assert!(done.success(), "{name}");
    std::fs::read(path).unwrap()
}

#[actix_web::test]
async fn video_with_extra_streams_becomes_ready() {
    let app = TestApp::start().await;
    for (name, expected) in [
        ("movtext.mp4", ["aac", "h264"]),
        ("mkv-srt.mkv", ["aac", "h264"]),
        ("iphone-9streams.mov", ["aac", "h264"]),
        ("apac-first.mov", ["aac", "h264"]),
        ("pcm-only.mov", ["aac", "h264"]),
        ("vp8-vorbis.webm", ["opus", "vp8"]),
    ] {
        let media = upload(&app, name, fixture(name)).await;
        assert_eq!(
            (&media["state"], &media["reason"]),
            (&json!("ready"), &Value::Null),
            "{name}: {media}"
        );
        assert_eq!(codecs(&app, &media).await, expected, "{name}");
    }
}

#[actix_web::test]
async fn video_with_an_unsupported_codec_fails_and_the_reason_suggests_exporting_it_as_h264() {
    let app = TestApp::start().await;
    let dir = tempfile::tempdir().unwrap();
    let picture = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=1"];
    for (name, codec, label) in [
        ("a.mov", "prores", "ProRes"),
        ("b.mp4", "mpeg4", "MPEG-4 Part 2"),
        ("c.mkv", "mpeg2video", "MPEG-2"),
    ] {
        let bytes = generate(dir.path(), name, &[&picture[..], &["-c:v", codec]].concat());
        let media = upload(&app, name, bytes).await;
        let reason = text(&media["reason"]);
        assert_eq!(media["state"], "failed", "{name}");
        assert!(
            reason.contains(label)
                && reason.contains("Export it as H.264 (MP4)")
                && !reason.contains("damaged"),
            "{name}: {reason}"
        );
    }
}

#[actix_web::test]
async fn video_with_an_unreadable_audio_track_plays_without_sound() {
    let app = TestApp::start().await;
    let mut bytes = fixture("pcm-only.mov");
    let at = bytes.windows(4).rposition(|word| word == b"sowt").unwrap();
    bytes[at..at + 4].copy_from_slice(b"zz9k");
    let media = upload(&app, "unknown.mov", bytes).await;
    assert_eq!(media["state"], "ready", "{media}");
    assert!(text(&media["reason"]).contains("without sound"), "{media}");
    assert_eq!(codecs(&app, &media).await, ["h264"]);
}
