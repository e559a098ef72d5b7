//! Files that hold more than Hearback uses are accepted; what cannot be shown is rejected by name.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::app::{TestApp, fixture};

/// What became of a video that Ada uploads.
async fn uploaded(app: &TestApp, name: &str, bytes: Vec<u8>) -> Value {
    let ada = app.person(&format!("Ada {name}")).await;
    let update = ada
        .upload("/updates", &[("title", "T")], &[("media", name, bytes)])
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    ada.get(&format!(
        "/media/{}",
        update["media"][0]["id"].as_str().unwrap()
    ))
    .await
    .expect(200)
    .json()
}

/// Type and codec of each stream that is served as `playable`.
async fn streams(app: &TestApp, media: &Value) -> Vec<String> {
    let found = media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "playable")
        .unwrap();
    let path = app.dir.path().join("playable");
    std::fs::write(
        &path,
        app.client()
            .get(found["url"].as_str().unwrap())
            .await
            .expect(200)
            .body,
    )
    .unwrap();
    let told = Command::new("ffprobe")
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
    let mut codecs: Vec<String> = String::from_utf8(told.stdout)
        .unwrap()
        .lines()
        .map(|line| line.trim().to_owned())
        .collect();
    codecs.sort();
    codecs
}

fn made(dir: &Path, name: &str, args: &[&str]) -> Vec<u8> {
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
async fn valid_files_are_ready_whatever_else_they_hold() {
    let app = TestApp::start().await;
    for (name, codecs) in [
        ("movtext.mp4", ["aac", "h264"]),
        ("mkv-srt.mkv", ["aac", "h264"]),
        ("iphone-9streams.mov", ["aac", "h264"]),
        ("apac-first.mov", ["aac", "h264"]),
        ("pcm-only.mov", ["aac", "h264"]),
        ("vp8-vorbis.webm", ["opus", "vp8"]),
    ] {
        let media = uploaded(&app, name, fixture(name)).await;
        assert_eq!(
            (&media["state"], &media["reason"]),
            (&json!("ready"), &Value::Null),
            "{name}: {media}"
        );
        assert_eq!(streams(&app, &media).await, codecs, "{name}");
    }
}

#[actix_web::test]
async fn rejected_video_says_its_codec_and_what_to_do() {
    let app = TestApp::start().await;
    let dir = tempfile::tempdir().unwrap();
    let picture = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=1"];
    for (name, codec, label) in [
        ("a.mov", "prores", "ProRes"),
        ("b.mp4", "mpeg4", "MPEG-4 Part 2"),
        ("c.mkv", "mpeg2video", "MPEG-2"),
    ] {
        let bytes = made(dir.path(), name, &[&picture[..], &["-c:v", codec]].concat());
        let media = uploaded(&app, name, bytes).await;
        let reason = media["reason"].as_str().unwrap();
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
async fn video_whose_sound_cannot_be_read_plays_without_it_and_says_so() {
    let app = TestApp::start().await;
    let mut bytes = fixture("pcm-only.mov");
    let at = bytes.windows(4).rposition(|word| word == b"sowt").unwrap();
    bytes[at..at + 4].copy_from_slice(b"zz9k");
    let media = uploaded(&app, "unknown.mov", bytes).await;
    assert_eq!(media["state"], "ready", "{media}");
    assert!(
        media["reason"].as_str().unwrap().contains("without sound"),
        "{media}"
    );
    assert_eq!(streams(&app, &media).await, ["h264"]);
}
