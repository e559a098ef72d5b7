//! What a file is, by its content: unusual beginnings of videos, and pictures that are not taken.

use std::process::Command;

use serde_json::json;

use crate::app::{Client, TestApp, fixture, text};
use crate::tus::Sender;

fn one_box(kind: &str, content: &[u8]) -> Vec<u8> {
    [
        &(8 + content.len() as u32).to_be_bytes(),
        kind.as_bytes(),
        content,
    ]
    .concat()
}

/// A second of H.264 in fragments, so that its samples are found wherever it begins.
fn fragments() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mp4");
    let words = "-v error -f lavfi -i testsrc2=s=160x120:d=1 -c:v libx264 -pix_fmt yuv420p -movflags frag_keyframe+empty_moov+default_base_moof";
    let done = Command::new("ffmpeg")
        .args(words.split(' '))
        .arg(&path)
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    std::fs::read(path).unwrap()
}

/// Videos that do not begin as most do.
fn unusual() -> Vec<(&'static str, Vec<u8>)> {
    let fragments = fragments();
    let behind = |before: &[Vec<u8>]| [before.concat(), fragments.clone()].concat();
    vec![
        ("void.webm", fixture("ebml-void-first.webm")),
        ("free.mp4", behind(&[one_box("free", &[0; 32])])),
        ("skip.mp4", behind(&[one_box("skip", b"words of a camera")])),
        ("uuid.mp4", behind(&[one_box("uuid", &[7; 600])])),
        (
            "styp.mp4",
            behind(&[one_box("styp", b"msdh\0\0\0\0msdhmsix")]),
        ),
        (
            "wide.mp4",
            behind(&[one_box("wide", b""), one_box("free", b"")]),
        ),
        ("long-free.mp4", behind(&[one_box("free", &[0; 6_000])])),
        ("long-uuid.mp4", behind(&[one_box("uuid", &[7; 6_000])])),
    ]
}

async fn draft(ada: &Client) -> String {
    ada.post("/updates", json!({ "title": "T" }))
        .await
        .expect(201)
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[actix_web::test]
async fn video_with_an_unusual_beginning_is_accepted() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = format!("/updates/{}", draft(&ada).await);
    let files: Vec<_> = unusual()
        .into_iter()
        .map(|(name, bytes)| ("media", name, bytes))
        .collect();
    ada.upload(&format!("{path}/media"), &[], &files)
        .await
        .expect(201);
    app.wait_for_jobs().await;
    let media = ada.get(&path).await.expect(200).json()["media"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(media.len(), files.len());
    for media in media {
        assert_eq!(media["state"], "ready", "{media}");
    }
}

#[actix_web::test]
async fn video_with_an_unusual_beginning_is_accepted_over_many_requests() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for (name, bytes) in unusual() {
        let sender = Sender::file(&ada, name, bytes.len()).await;
        let mut at = 0;
        for end in [1, 30, 4_000, 5_000, bytes.len()] {
            at = sender.send(at, &bytes[at..end]).await;
        }
        app.wait_for_jobs().await;
        assert_eq!(sender.media().await["state"], "ready", "{name}");
        assert!(sender.original().await == bytes, "{name}");
    }
}

#[actix_web::test]
async fn picture_in_a_format_that_is_not_taken_is_refused_with_what_to_do() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = format!("/updates/{}/media", draft(&ada).await);
    let avif = [
        one_box("ftyp", b"avif\0\0\0\0avifmif1miaf"),
        one_box("meta", &[0; 200]),
    ]
    .concat();
    let general = [
        one_box("ftyp", b"mif1\0\0\0\0mif1heic"),
        one_box("meta", &[0; 200]),
    ]
    .concat();
    for (name, bytes, format, advice) in [
        (
            "IMG_0001.HEIC",
            fixture("a.heic"),
            "HEIC",
            "Settings → Camera → Formats → Most Compatible",
        ),
        (
            "photo.jpg",
            general,
            "HEIC",
            "Settings → Camera → Formats → Most Compatible",
        ),
        ("photo.avif", avif, "AVIF", "Save it as PNG, JPEG or WebP"),
        (
            "photo.jxl",
            b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl ".to_vec(),
            "JPEG XL",
            "Save it as PNG, JPEG or WebP",
        ),
        (
            "bare.jxl",
            b"\xff\x0a\xfa\x1f".to_vec(),
            "JPEG XL",
            "Save it as PNG, JPEG or WebP",
        ),
    ] {
        let problem = ada
            .upload(&path, &[], &[("media", name, bytes.clone())])
            .await
            .problem(415);
        let detail = text(&problem["detail"]);
        assert!(
            detail.contains(format) && detail.contains(advice),
            "{name}: {detail}"
        );
        let sender = Sender::file(&ada, name, bytes.len()).await;
        let problem = sender.patch(0, &bytes, &[]).await.problem(415);
        assert!(
            detail.ends_with(text(&problem["detail"])),
            "{name}: {problem}"
        );
    }
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn video_and_sound_in_a_format_that_is_not_taken_are_refused_with_what_to_do() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = format!("/updates/{}/media", draft(&ada).await);
    let video = "Export it as H.264 (MP4) and upload it again.";
    let sound = "sound without a picture";
    let packets = [[b'G'].as_slice(), &[0xff; 187]].concat().repeat(3);
    for (name, bytes, format, advice) in [
        ("clip.avi", b"RIFF\x24\0\0\0AVI LIST".to_vec(), "AVI", video),
        ("clip.mp4", b"RIFF\x24\0\0\0AVI LIST".to_vec(), "AVI", video),
        (
            "clip.wmv",
            b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c".to_vec(),
            "Windows Media",
            video,
        ),
        (
            "clip.flv",
            b"FLV\x01\x05\0\0\0\x09".to_vec(),
            "Flash",
            video,
        ),
        (
            "clip.mpg",
            b"\0\0\x01\xba\x44\0\x04\0".to_vec(),
            "MPEG",
            video,
        ),
        ("clip.ts", packets, "MPEG", video),
        (
            "clip.ogv",
            b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x2a\x80theora".to_vec(),
            "Ogg",
            video,
        ),
        (
            "song.mp3",
            b"ID3\x03\0\0\0\0\x0f\x76TSSE".to_vec(),
            "MP3",
            sound,
        ),
        (
            "bare.mp3",
            b"\xff\xfb\x90\x64\0\0\0\0".to_vec(),
            "MP3",
            sound,
        ),
        ("song.wav", b"RIFF\x24\0\0\0WAVEfmt ".to_vec(), "WAV", sound),
        ("song.flac", b"fLaC\0\0\0\x22".to_vec(), "FLAC", sound),
        (
            "song.ogg",
            b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x1e\x01vorbis".to_vec(),
            "Ogg",
            sound,
        ),
    ] {
        let problem = ada
            .upload(&path, &[], &[("media", name, bytes.clone())])
            .await
            .problem(415);
        let detail = text(&problem["detail"]);
        assert!(
            detail.contains(format) && detail.contains(advice) && !detail.contains("damaged"),
            "{name}: {detail}"
        );
        let sender = Sender::file(&ada, name, bytes.len()).await;
        let problem = sender.patch(0, &bytes, &[]).await.problem(415);
        assert!(
            detail.ends_with(text(&problem["detail"])),
            "{name}: {problem}"
        );
    }
    // UTF-16 begins much like MP3.
    let problem = ada
        .upload(
            &path,
            &[],
            &[("media", "a.txt", b"\xff\xfeh\0i\0".to_vec())],
        )
        .await
        .problem(415);
    assert!(
        text(&problem["detail"]).contains("not a file we know"),
        "{problem}"
    );
}
