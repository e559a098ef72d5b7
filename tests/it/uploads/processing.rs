//! Processing of accepted files: pictures are re-encoded, and recordings are converted and
//! measured.

use std::ops::RangeInclusive;
use std::process::Command;

use serde_json::{Value, json};

use super::{download, names, rendition, upload_and_process};
use crate::app::{TestApp, email, fixture, media_path};
use crate::gate::{Gate, POSTER};

/// Converts a fixture with ffmpeg.
fn convert(input: &str, arguments: &[&str], output: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join(input), dir.path().join(output));
    std::fs::write(&from, fixture(input)).unwrap();
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(&from)
        .args(arguments)
        .arg(&to)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    std::fs::read(to).unwrap()
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes
        .windows(word.len())
        .any(|window| window == word.as_bytes())
}

/// Picture fixtures, each with the width, height and type of its stored picture.
const PICTURES: [(&str, u32, u32, &str); 7] = [
    ("shot-1280x800.png", 1280, 800, "image/png"),
    ("photo-exif6-gps.jpg", 800, 600, "image/jpeg"),
    ("lossy.webp", 640, 400, "image/jpeg"),
    ("lossless.webp", 640, 400, "image/png"),
    ("anim.gif", 320, 240, "image/gif"),
    ("anim.apng.png", 240, 180, "image/png"),
    ("alpha.png", 200, 120, "image/png"),
];

#[actix_web::test]
async fn picture_is_reencoded_and_ready_immediately() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let files = PICTURES.map(|(name, ..)| ("media", name, fixture(name)));
    let media = upload_and_process(&app, &ada, &files).await;
    for ((name, width, height, media_type), media) in PICTURES.iter().zip(&media) {
        assert_eq!(
            (&media["state"], &media["kind"], &media["file_name"]),
            (&json!("ready"), &json!("image"), &json!(name))
        );
        assert_eq!(
            (&media["width"], &media["height"]),
            (&json!(width), &json!(height)),
            "{name}"
        );
        let original = rendition(media, "original");
        assert_eq!(
            (names(media), &original["type"]),
            (vec!["original", "thumbnail"], &json!(media_type)),
            "{name}"
        );
        let response = download(&ada, media, "original").await;
        assert_eq!(
            (response.header("content-type"), response.body.len() as i64),
            (*media_type, original["bytes"].as_i64().unwrap())
        );
    }
    let photo = download(&ada, &media[1], "original").await.body;
    for word in ["Exif", "GPS", "Photoshop", "http://ns.adobe.com"] {
        assert!(!contains(&photo, word), "the photo still has {word}");
    }
    let animation = download(&ada, &media[4], "original").await.body;
    assert!(
        contains(&animation, "NETSCAPE2.0"),
        "the animation is not kept"
    );
}

const ALL: &[&str] = &["h264", "original", "playable", "poster", "thumbnail"];
/// The renditions of a video whose playable copy is already H.264, so that the video needs no separate H.264 copy.
const WITHOUT_H264: &[&str] = &["original", "playable", "poster", "thumbnail"];

/// A video fixture with its expected width, height, duration in milliseconds, type and renditions.
type Recording = (
    &'static str,
    u32,
    u32,
    RangeInclusive<i64>,
    &'static str,
    &'static [&'static str],
);

#[rustfmt::skip]
const RECORDINGS: [Recording; 7] = [
    ("rec-vp8-opus-3s.webm", 640, 400, 2_900..=3_000, "video/webm", ALL),
    ("rec-vp9-noaudio-4s.webm", 1280, 800, 3_700..=4_100, "video/webm", ALL),
    ("rec-av1-opus-3s.webm", 1280, 800, 2_400..=3_050, "video/webm", ALL),
    ("rec-mp4-avc1-opus-5s.mp4", 1280, 800, 4_500..=5_500, "video/mp4", ALL),
    ("moov-at-end.mov", 640, 360, 3_900..=4_150, "video/mp4", WITHOUT_H264),
    ("bad-truncated.webm", 1280, 800, 5_600..=6_100, "video/webm", ALL),
    ("odd-3x2000.webm", 3, 2000, 0..=20_000, "video/webm", ALL),
];

#[actix_web::test]
async fn recording_becomes_seekable_and_gets_its_actual_length_and_a_poster() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let files = RECORDINGS.map(|(name, ..)| ("media", name, fixture(name)));
    let media = upload_and_process(&app, &ada, &files).await;
    for ((name, width, height, lengths, media_type, renditions), media) in
        RECORDINGS.iter().zip(&media)
    {
        assert_eq!(
            (&media["state"], &media["reason"]),
            (&json!("ready"), &Value::Null),
            "{name}"
        );
        assert_eq!(
            (&media["width"], &media["height"]),
            (&json!(width), &json!(height)),
            "{name}"
        );
        let length = media["duration_ms"].as_i64().unwrap();
        assert!(lengths.contains(&length), "{name}: {length}");
        assert_eq!(names(media), *renditions, "{name}");
        assert_eq!(rendition(media, "playable")["type"], *media_type, "{name}");
        assert_eq!(rendition(media, "poster")["type"], "image/jpeg", "{name}");
    }
    // The author can download the uploaded file unchanged.
    let original = download(&ada, &media[0], "original").await.body;
    assert!(original == fixture("rec-vp8-opus-3s.webm"));
}

#[actix_web::test]
async fn duration_is_measured_when_the_container_states_a_wrong_duration() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let media = upload_and_process(
        &app,
        &ada,
        &[("media", "day.mp4", fixture("bad-claims-10h.mp4"))],
    )
    .await;
    assert_eq!(media[0]["state"], "ready");
    assert!(
        (900..=1_100).contains(&media[0]["duration_ms"].as_i64().unwrap()),
        "{}",
        media[0]
    );
}

#[actix_web::test]
async fn hevc_video_gets_an_h264_copy() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    #[rustfmt::skip]
    let arguments = [
        "-t", "1", "-c:v", "libx265", "-x265-params", "log-level=none", "-preset", "ultrafast",
        "-c:a", "copy",
    ];
    let hevc = convert("moov-at-end.mov", &arguments, "x.mp4");
    let media = upload_and_process(&app, &ada, &[("media", "phone.mp4", hevc)]).await;
    assert_eq!(media[0]["state"], "ready");
    assert_eq!(names(&media[0]), ALL);
    let bytes = download(&ada, &media[0], "playable").await.body;
    assert!(contains(&bytes, "avc1") && !contains(&bytes, "hvc1"));
}

#[actix_web::test]
async fn matroska_video_is_converted_to_webm() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let matroska = convert("rec-vp8-opus-3s.webm", &["-c", "copy"], "x.mkv");
    let media = upload_and_process(&app, &ada, &[("media", "screen.mkv", matroska)]).await;
    assert_eq!(media[0]["state"], "ready");
    assert!((2_900..=3_000).contains(&media[0]["duration_ms"].as_i64().unwrap()));
    assert_eq!(rendition(&media[0], "playable")["type"], "video/webm");
}

#[actix_web::test]
async fn recording_is_served_unconverted_with_an_explanation_when_ffmpeg_is_missing() {
    let app =
        TestApp::start_with(|config| config.ffmpeg = Some("/nonexistent/ffmpeg".into())).await;
    let ada = app.person("Ada").await;
    let media = upload_and_process(
        &app,
        &ada,
        &[("media", "talk.webm", fixture("rec-vp8-opus-3s.webm"))],
    )
    .await;
    assert_eq!(media[0]["state"], "ready");
    assert!(
        media[0]["reason"]
            .as_str()
            .unwrap()
            .contains("ffmpeg is not installed")
    );
    assert_eq!(names(&media[0]), ["original", "playable"]);
    let bytes = download(&ada, &media[0], "playable").await.body;
    assert!(bytes == fixture("rec-vp8-opus-3s.webm"));
}

#[actix_web::test]
async fn recording_without_a_video_track_fails_with_a_reason() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let media = upload_and_process(
        &app,
        &ada,
        &[("media", "voice.webm", fixture("rec-audio-only-3s.webm"))],
    )
    .await;
    assert_eq!(media[0]["state"], "failed");
    assert!(
        media[0]["reason"]
            .as_str()
            .unwrap()
            .contains("contains only sound"),
        "{}",
        media[0]
    );
}

#[actix_web::test]
async fn failed_media_is_not_served_to_others() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    // The file begins like an MP4 file, but continues with HTML.
    let mut file = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom".to_vec();
    file.extend(b"<script>alert(1)</script>".repeat(200));
    let fields = [("title", "T"), ("audience", &*email("Bob"))];
    let update = ada
        .upload("/updates", &fields, &[("media", "a.mp4", file)])
        .await
        .expect(201)
        .json();
    let path = format!("/updates/{}", update["id"].as_str().unwrap());
    let raw = bob.get(&path).await.json()["media"][0]["renditions"][0]["url"]
        .as_str()
        .map(str::to_owned);
    let failed = app
        .wait_for(&bob, &path, |update| {
            update["media"][0]["state"] == "failed"
        })
        .await;
    assert_eq!(failed["media"][0]["renditions"], json!([]));
    if let Some(raw) = raw {
        app.client().get(&raw).await.problem(404);
    }
    assert_eq!(
        ada.get(&path).await.json()["media"][0]["renditions"][0]["name"],
        "original",
        "the author still has the original"
    );
}

#[actix_web::test]
async fn video_can_be_played_before_its_poster_exists() {
    let mut gate = Gate::holding(&[POSTER]);
    let app = TestApp::start_with(|config| config.ffmpeg = Some(gate.ffmpeg())).await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let fields = [("title", "Video"), ("audience", &*email("Bob"))];
    let file = fixture("moov-at-end.mov");
    let update = ada
        .upload("/updates", &fields, &[("media", "a.mov", file.clone())])
        .await
        .expect(201)
        .json();
    let media = media_path(&update["media"][0]);
    // The state is read before the renditions, so an older state can come with newer renditions, but not the reverse.
    let has_copy = |media: &Value| media["reason"] == "Creating a preview picture";
    let playing = app.wait_for(&bob, &media, has_copy).await;
    assert_eq!(
        (&playing["state"], &playing["duration_ms"]),
        (&json!("processing"), &json!(4_000))
    );
    assert_eq!(names(&playing), ["playable"]);
    let copy = download(&bob, &playing, "playable").await.body;
    let [index, frames] = [b"moov", b"mdat"].map(|name| copy.windows(4).position(|at| at == name));
    assert!(index < frames && copy != file);

    gate.open(POSTER);
    app.wait_for_jobs().await;
    let ready = bob.get(&media).await.expect(200).json();
    assert_eq!(
        (&ready["state"], &ready["reason"]),
        (&json!("ready"), &json!(null))
    );
    assert_eq!(names(&ready), ["playable", "poster", "thumbnail"]);
    assert!(download(&bob, &ready, "playable").await.body == copy);
}
