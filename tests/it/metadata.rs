//! Metadata that a camera wrote into a video: other people get the bytes only once it is removed, or if there is none.

use std::process::Command;

use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp, email, fixture, postgres};
use crate::gate::{Gate, PREPARATION};
use crate::tus::{HOUR, MIB, Sender};

const SECRETS: [&str; 3] = ["Kitchen at home", "Ada Lovelace", "+52.5200+013.4050/"];
/// Makes ffmpeg keep every tag in an MP4 file.
const TAGS: &[&str] = &["-movflags", "use_metadata_tags"];
const COMING: &str = "Processing. It will play here in a moment.";

/// Copies a fixture into another file with a title, an artist and a location, as phones write them.
fn with_metadata(input: &str, output: &str, more: &[&str]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join(input), dir.path().join(output));
    std::fs::write(&from, fixture(input)).unwrap();
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg
        .args(["-v", "error", "-i"])
        .arg(&from)
        .args(["-c", "copy"])
        .args(more);
    for (name, value) in ["title", "artist", "location"].iter().zip(SECRETS) {
        ffmpeg.arg("-metadata").arg(format!("{name}={value}"));
    }
    let done = ffmpeg.arg(&to).output().unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let bytes = std::fs::read(to).unwrap();
    assert_eq!(secrets_in(&bytes), SECRETS, "{output}");
    bytes
}

fn secrets_in(bytes: &[u8]) -> Vec<&'static str> {
    SECRETS
        .into_iter()
        .filter(|secret| {
            bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        })
        .collect()
}

fn phone_files() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    vec![
        (
            "media",
            "IMG_0001.MOV",
            with_metadata("moov-at-end.mov", "a.mov", &[]),
        ),
        (
            "media",
            "phone.mp4",
            with_metadata("moov-at-end.mov", "a.mp4", TAGS),
        ),
        (
            "media",
            "fragments.mp4",
            with_metadata(
                "moov-at-end.mov",
                "a.mp4",
                &["-movflags", "frag_keyframe+empty_moov+use_metadata_tags"],
            ),
        ),
        // Named like a recording of ours. The content decides, not the name.
        (
            "media",
            "Recording.webm",
            with_metadata("rec-vp8-opus-3s.webm", "a.webm", &[]),
        ),
        (
            "media",
            "talk.mkv",
            with_metadata("rec-vp8-opus-3s.webm", "a.mkv", &[]),
        ),
    ]
}

struct Scene {
    ada: Client,
    path: String,
    /// The other readers with access: a recipient, an admin and a guest.
    others: Vec<Client>,
    token: String,
}

async fn publish(app: &TestApp, files: &[(&str, &str, Vec<u8>)]) -> Scene {
    let (ada, bob, root) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.admin("Root").await,
    );
    let fields = [
        ("title", "T"),
        ("audience", &*email("Bob")),
        ("visibility", "workspace"),
    ];
    let update = ada
        .upload("/updates", &fields, files)
        .await
        .expect(201)
        .json();
    let path = format!("/updates/{}", update["id"].as_str().unwrap());
    let (_, token) = ada.share(&path, false).await;
    let guest = app.client().bearer(&token);
    Scene {
        ada,
        path,
        others: vec![bob, root, guest],
        token,
    }
}

async fn media_of(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).await.expect(200).json()["media"]
        .as_array()
        .unwrap()
        .clone()
}

fn urls(media: &Value) -> Vec<(String, String)> {
    let renditions = media["renditions"].as_array().unwrap();
    renditions
        .iter()
        .map(|one| {
            (
                one["name"].as_str().unwrap().to_owned(),
                one["url"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn url(media: &Value, name: &str) -> String {
    urls(media)
        .into_iter()
        .find(|(one, _)| one == name)
        .unwrap_or_else(|| panic!("{name} of {media}"))
        .1
}

/// Returns the addresses of the raw files that the other readers would get if they had no metadata.
async fn raw_addresses(app: &TestApp, scene: &Scene) -> Vec<String> {
    app.execute("UPDATE media SET original_metadata = 'none'")
        .await;
    let mut found = Vec::new();
    for other in &scene.others {
        for media in media_of(other, &scene.path).await {
            found.extend(urls(&media).into_iter().map(|(_, url)| url));
        }
    }
    app.execute("UPDATE media SET original_metadata = 'possible'")
        .await;
    found
}

async fn assert_not_served(app: &TestApp, addresses: &[String]) {
    for address in addresses {
        app.client().get(address).await.problem(404);
        app.client()
            .get(&format!("{address}&download=1"))
            .await
            .problem(404);
        Response::fetch(app.client().request("HEAD", address))
            .await
            .expect(404);
        Response::fetch(
            app.client()
                .request("GET", address)
                .header("range", "bytes=0-99"),
        )
        .await
        .problem(404);
    }
}

#[actix_web::test]
async fn video_with_metadata_is_private_until_the_metadata_is_removed() {
    let mut gate = Gate::holding(&[PREPARATION]);
    let app = TestApp::start_with(|config| config.ffmpeg = Some(gate.ffmpeg())).await;
    let files = phone_files();
    let scene = publish(&app, &files).await;
    let mine = media_of(&scene.ada, &scene.path).await;
    assert_eq!(mine.len(), files.len());
    for (media, (_, name, bytes)) in mine.iter().zip(&files) {
        assert_eq!(
            (&media["state"], &media["file_name"]),
            (&json!("processing"), &json!(name))
        );
        for (rendition, url) in urls(media) {
            assert!(
                app.client().get(&url).await.expect(200).body == *bytes,
                "{rendition} of {name}"
            );
        }
        url(media, "original");
        assert_ne!(media["reason"], COMING, "the author can already play it");
    }
    for other in &scene.others {
        for media in media_of(other, &scene.path).await {
            assert_eq!(
                (&media["state"], &media["reason"], &media["renditions"]),
                (&json!("processing"), &json!(COMING), &json!([]))
            );
        }
    }
    let (recipient, guest) = (app.browser("Bob").await, app.client().accept("text/html"));
    for page in [
        recipient.get(&scene.path).await,
        guest.get(&format!("/s/{}", scene.token)).await,
    ] {
        let page = page.expect(200).text();
        assert!(
            page.contains(COMING) && !page.contains("/m/") && !page.contains("<video"),
            "{page}"
        );
    }
    let raw = raw_addresses(&app, &scene).await;
    assert_eq!(raw.len(), scene.others.len() * 3, "MP4 and WebM");
    assert_not_served(&app, &raw).await;

    gate.open(PREPARATION);
    let ready = |update: &Value| {
        update["media"]
            .as_array()
            .unwrap()
            .iter()
            .all(|media| media["state"] == "ready")
    };
    app.wait_for(&scene.ada, &scene.path, ready).await;
    for other in &scene.others {
        for media in media_of(other, &scene.path).await {
            assert_eq!(media["state"], "ready", "{media}");
            let fetched = urls(&media);
            assert!(
                fetched.iter().any(|(name, _)| name == "playable")
                    && fetched.iter().all(|(name, _)| name != "original"),
                "{media}"
            );
            for (name, url) in fetched {
                let bytes = app.client().get(&url).await.expect(200).body;
                assert_eq!(secrets_in(&bytes), [""; 0], "{name} of {media}");
            }
        }
    }
    assert!(recipient.get(&scene.path).await.text().contains("<video"));
    assert_not_served(&app, &raw).await;
    for (media, (_, name, bytes)) in media_of(&scene.ada, &scene.path).await.iter().zip(&files) {
        assert!(
            app.client()
                .get(&url(media, "original"))
                .await
                .expect(200)
                .body
                == *bytes,
            "{name}"
        );
    }
}

#[actix_web::test]
async fn browser_recording_plays_for_others_before_processing() {
    let mut gate = Gate::holding(&[PREPARATION]);
    let app = TestApp::start_with(|config| config.ffmpeg = Some(gate.ffmpeg())).await;
    let names = [
        "rec-vp8-opus-3s.webm",
        "rec-vp9-bubble-4s.webm",
        "rec-mp4-avc1-opus-5s.mp4",
    ];
    // The claimed name and type do not matter.
    let files = names.map(|name| ("media", "IMG_0001.MOV", fixture(name)));
    let scene = publish(&app, &files).await;
    for other in &scene.others {
        for (media, (_, _, bytes)) in media_of(other, &scene.path).await.iter().zip(&files) {
            assert_eq!(media["state"], "processing");
            assert_ne!(media["reason"], COMING);
            assert_eq!(urls(media).len(), 1, "{media}");
            assert!(
                app.client()
                    .get(&url(media, "playable"))
                    .await
                    .expect(200)
                    .body
                    == *bytes
            );
        }
    }
    assert!(
        app.browser("Bob")
            .await
            .get(&scene.path)
            .await
            .expect(200)
            .text()
            .contains("<video")
    );
    gate.open(PREPARATION);
}

#[actix_web::test]
async fn video_is_inspected_as_a_whole_when_sent_in_many_requests() {
    let mut gate = Gate::holding(&[PREPARATION]);
    let app = TestApp::start_with(|config| config.ffmpeg = Some(gate.ffmpeg())).await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let recorded = fixture("rec-vp8-opus-3s.webm");
    let with_title = with_metadata("rec-vp8-opus-3s.webm", "a.webm", &[]);
    // A recording with tags after its last cluster.
    let tagged = [
        &recorded[..],
        &[0x12, 0x54, 0xc3, 0x67, 0x86],
        &b"secret"[..],
    ]
    .concat();
    for (whole, plays) in [(&recorded, true), (&with_title, false), (&tagged, false)] {
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
                "still arriving"
            );
        }
        sender.finish(at).await.expect(204);
        let media = media_of(&bob, &path).await.remove(0);
        assert_eq!(media["state"], "processing");
        if plays {
            assert!(
                app.client()
                    .get(&url(&media, "playable"))
                    .await
                    .expect(200)
                    .body
                    == *whole
            );
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
async fn long_recording_is_inspected_in_pieces_of_any_size() {
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
        assert_eq!(
            app.count("SELECT count(*) FROM media WHERE original_metadata = 'none'")
                .await,
            sent
        );
    }
}

#[actix_web::test]
async fn recording_is_inspected_again_when_resumed_after_being_abandoned() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let recorded = fixture("rec-vp8-opus-3s.webm");
    let tagged = [
        &recorded[..],
        &[0x12, 0x54, 0xc3, 0x67, 0x86],
        &b"secret"[..],
    ]
    .concat();
    let half = recorded.len() / 2;
    for (whole, clean) in [(&tagged, 0), (&recorded, 1)] {
        let sender = Sender::recording(&ada).await;
        sender.send(0, &whole[..half]).await;
        app.state.clock.advance(HOUR + 1000);
        app.state.sweep().await.unwrap();
        assert_eq!(
            app.count("SELECT count(*) FROM media WHERE original_metadata = 'none'")
                .await,
            1
        );
        let at = sender.send(half, &whole[half..]).await;
        sender.finish(at).await.expect(204);
        assert_eq!(
            app.count("SELECT count(*) FROM media WHERE original_metadata = 'none'")
                .await,
            clean
        );
    }
}

#[actix_web::test]
async fn video_with_metadata_stays_private_when_ffmpeg_is_missing() {
    let app =
        TestApp::start_with(|config| config.ffmpeg = Some("/nonexistent/ffmpeg".into())).await;
    let phone = with_metadata("moov-at-end.mov", "a.mp4", TAGS);
    let recorded = fixture("rec-vp8-opus-3s.webm");
    let scene = publish(
        &app,
        &[
            ("media", "phone.mp4", phone.clone()),
            ("media", "talk.webm", recorded.clone()),
        ],
    )
    .await;
    app.wait_for_jobs().await;
    let mine = media_of(&scene.ada, &scene.path).await;
    assert_eq!(
        (&mine[0]["state"], &mine[1]["state"]),
        (&json!("ready"), &json!("ready"))
    );
    assert!(
        mine[0]["reason"]
            .as_str()
            .unwrap()
            .starts_with("Only its author can play it"),
        "{}",
        mine[0]
    );
    assert!(
        app.client()
            .get(&url(&mine[0], "playable"))
            .await
            .expect(200)
            .body
            == phone
    );
    for other in &scene.others {
        let theirs = media_of(other, &scene.path).await;
        assert_eq!(
            (&theirs[0]["state"], &theirs[0]["renditions"]),
            (&json!("failed"), &json!([]))
        );
        let reason = theirs[0]["reason"].as_str().unwrap();
        assert!(
            reason.starts_with("Only its author can play it")
                && reason.contains("ffmpeg is not installed"),
            "{reason}"
        );
        assert_eq!(theirs[1]["state"], "ready");
        assert!(
            app.client()
                .get(&url(&theirs[1], "playable"))
                .await
                .expect(200)
                .body
                == recorded
        );
    }
    for name in ["Ada", "Bob"] {
        let page = app
            .browser(name)
            .await
            .get(&scene.path)
            .await
            .expect(200)
            .text();
        assert!(
            page.contains("Only its author can play it"),
            "{name}: {page}"
        );
    }
    assert_not_served(&app, &raw_addresses(&app, &scene).await[..1]).await;
}

#[actix_web::test]
async fn unprocessed_video_is_inspected_after_an_upgrade() {
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
    // As an earlier version left it.
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
    let migration = include_str!("../../migrations/0009_original_metadata.sql");
    let insert = &migration[migration.find("INSERT").unwrap()..];
    assert_eq!(app.execute(insert).await, 2);
    app.wait_for_jobs().await;
    for other in &scene.others {
        let theirs = media_of(other, &scene.path).await;
        assert_eq!((urls(&theirs[0]).len(), urls(&theirs[1]).len()), (0, 1));
    }
}

#[actix_web::test]
async fn only_the_author_is_redirected_to_a_video_with_metadata() {
    if !postgres() {
        return;
    }
    let mut gate = Gate::holding(&[PREPARATION]);
    let app = TestApp::start_with(|config| {
        config.delivery = hearback::config::Delivery::Redirect;
        config.ffmpeg = Some(gate.ffmpeg());
    })
    .await;
    let scene = publish(
        &app,
        &[(
            "media",
            "phone.mp4",
            with_metadata("moov-at-end.mov", "a.mp4", TAGS),
        )],
    )
    .await;
    let raw = raw_addresses(&app, &scene).await;
    assert_eq!(raw.len(), scene.others.len());
    assert_not_served(&app, &raw).await;
    app.client()
        .get(&url(
            &media_of(&scene.ada, &scene.path).await[0],
            "playable",
        ))
        .await
        .expect(302);
    gate.open(PREPARATION);
    app.wait_for_jobs().await;
    assert_not_served(&app, &raw).await;
    app.client()
        .get(&url(
            &media_of(&scene.others[0], &scene.path).await[0],
            "playable",
        ))
        .await
        .expect(302);
}

#[actix_web::test]
async fn messages_between_frames_are_removed_from_served_copies() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let dir = tempfile::tempdir().unwrap();
    let source = format!("{}/tests/fixtures/count.mp4", env!("CARGO_MANIFEST_DIR"));
    let message = "h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+HOME-ADDRESS";
    for name in ["phone.mp4", "phone.mkv"] {
        let file = dir.path().join(name);
        let made = Command::new("ffmpeg")
            .args([
                "-v", "error", "-i", &source, "-c", "copy", "-bsf:v", message,
            ])
            .arg(&file)
            .status()
            .unwrap();
        assert!(made.success());
        let bytes = std::fs::read(&file).unwrap();
        let has_message = |bytes: &[u8]| bytes.windows(12).any(|part| part == b"HOME-ADDRESS");
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
        let media = bob.get(&path).await.expect(200).json()["media"][0].clone();
        assert_eq!(media["state"], "ready", "{media}");
        for rendition in media["renditions"].as_array().unwrap() {
            let served = bob
                .get(rendition["url"].as_str().unwrap())
                .await
                .expect(200)
                .body;
            assert!(!has_message(&served), "{name}: {}", rendition["name"]);
        }
    }
}
