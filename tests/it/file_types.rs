//! Detection of file types by content: videos with unusual first bytes, and unsupported formats.

use std::process::Command;

use serde_json::json;

use crate::app::{Client, TestApp, fixture, text};
use crate::tus::Sender;

/// Returns an MP4 box.
fn mp4_box(kind: &str, content: &[u8]) -> Vec<u8> {
    [
        &(8 + content.len() as u32).to_be_bytes(),
        kind.as_bytes(),
        content,
    ]
    .concat()
}

/// Returns one second of H.264 video in a fragmented MP4 file, which stays valid when boxes are
/// inserted at its beginning.
fn fragmented_mp4() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mp4");
    let options = "-v error -f lavfi -i testsrc2=s=160x120:d=1 -c:v libx264 -pix_fmt yuv420p -movflags \
                   frag_keyframe+empty_moov+default_base_moof";
    let done = Command::new("ffmpeg")
        .args(options.split(' '))
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

/// Returns the names and contents of videos with unusual first bytes.
fn unusual_videos() -> Vec<(&'static str, Vec<u8>)> {
    let fragments = fragmented_mp4();
    let prefixed = |before: &[Vec<u8>]| [before.concat(), fragments.clone()].concat();
    vec![
        ("void.webm", fixture("ebml-void-first.webm")),
        ("free.mp4", prefixed(&[mp4_box("free", &[0; 32])])),
        (
            "skip.mp4",
            prefixed(&[mp4_box("skip", b"words of a camera")]),
        ),
        ("uuid.mp4", prefixed(&[mp4_box("uuid", &[7; 600])])),
        (
            "styp.mp4",
            prefixed(&[mp4_box("styp", b"msdh\0\0\0\0msdhmsix")]),
        ),
        (
            "wide.mp4",
            prefixed(&[mp4_box("wide", b""), mp4_box("free", b"")]),
        ),
        ("long-free.mp4", prefixed(&[mp4_box("free", &[0; 6_000])])),
        ("long-uuid.mp4", prefixed(&[mp4_box("uuid", &[7; 6_000])])),
    ]
}

#[actix_web::test]
async fn video_with_unusual_first_bytes_is_accepted() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = ada.update(json!({ "title": "T", "publish": false })).await;
    let files: Vec<_> = unusual_videos()
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
async fn video_with_unusual_first_bytes_is_accepted_when_sent_in_small_requests() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for (name, bytes) in unusual_videos() {
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

/// Uploads the file with a form and with tus. Asserts that both uploads are rejected, and that the error names this
/// format and gives this advice.
async fn assert_unsupported(
    ada: &Client,
    path: &str,
    (name, bytes): (&str, Vec<u8>),
    format: &str,
    advice: &str,
) {
    let file = ("media", name, bytes.clone());
    let problem = ada.upload(path, &[], &[file]).await.problem(415);
    let detail = text(&problem["detail"]);
    assert!(
        detail.contains(format) && detail.contains(advice) && !detail.contains("damaged"),
        "{name}: {detail}"
    );
    let sender = Sender::file(ada, name, bytes.len()).await;
    let problem = sender.patch(0, &bytes, &[]).await.problem(415);
    assert!(
        detail.ends_with(text(&problem["detail"])),
        "{name}: {problem}"
    );
}

#[actix_web::test]
async fn picture_in_an_unsupported_format_is_rejected_with_advice() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let draft = ada.update(json!({ "title": "T", "publish": false })).await;
    let path = format!("{draft}/media");
    let camera = "Settings → Camera → Formats → Most Compatible";
    let save = "Save it as PNG, JPEG or WebP";
    let avif = [
        mp4_box("ftyp", b"avif\0\0\0\0avifmif1miaf"),
        mp4_box("meta", &[0; 200]),
    ]
    .concat();
    let heic_in_mif1 = [
        mp4_box("ftyp", b"mif1\0\0\0\0mif1heic"),
        mp4_box("meta", &[0; 200]),
    ]
    .concat();
    for (name, bytes, format, advice) in [
        ("IMG_0001.HEIC", fixture("a.heic"), "HEIC", camera),
        ("photo.jpg", heic_in_mif1, "HEIC", camera),
        ("photo.avif", avif, "AVIF", save),
        (
            "photo.jxl",
            b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl ".to_vec(),
            "JPEG XL",
            save,
        ),
        ("bare.jxl", b"\xff\x0a\xfa\x1f".to_vec(), "JPEG XL", save),
    ] {
        assert_unsupported(&ada, &path, (name, bytes), format, advice).await;
    }
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn video_or_audio_in_an_unsupported_format_is_rejected_with_advice() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let draft = ada.update(json!({ "title": "T", "publish": false })).await;
    let path = format!("{draft}/media");
    for (name, bytes, format, advice) in unsupported_videos() {
        assert_unsupported(&ada, &path, (name, bytes), format, advice).await;
    }
}

/// Returns the name and first bytes of each unsupported file, and the format and advice that its
/// error must contain.
fn unsupported_videos() -> Vec<(&'static str, Vec<u8>, &'static str, &'static str)> {
    let video = "Export it as H.264 (MP4) and upload it again.";
    let sound = "contains only sound";
    let packets = [[b'G'].as_slice(), &[0xff; 187]].concat().repeat(3);
    vec![
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
    ]
}

#[actix_web::test]
async fn utf_16_text_is_not_mistaken_for_mp3() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let draft = ada.update(json!({ "title": "T", "publish": false })).await;
    // The byte order mark of UTF-16 begins with the same bits as the sync word of MP3.
    let file = ("media", "a.txt", b"\xff\xfeh\0i\0".to_vec());
    let problem = ada
        .upload(&format!("{draft}/media"), &[], &[file])
        .await
        .problem(415);
    assert!(
        text(&problem["detail"]).contains("not in a supported format"),
        "{problem}"
    );
}
