//! Metadata that a camera wrote into a video. People other than the author can get the original or
//! a copy of the video only if that file contains no metadata.

mod frame_messages;
mod inspection;

use std::process::Command;

use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp, email, fixture, postgres};
use crate::gate::{Gate, PREPARATION};

/// The title, artist and location in the videos' metadata.
const SECRETS: [&str; 3] = ["Kitchen at home", "Ada Lovelace", "+52.5200+013.4050/"];

/// ffmpeg options that keep all metadata tags in an MP4 file. Without these options, ffmpeg drops unknown tags.
const TAGS: &[&str] = &["-movflags", "use_metadata_tags"];

const COMING: &str = "Processing. This video will play here in a moment.";

const ONLY_AUTHOR: &str = "Only the author can play this video";

/// Copies a fixture into another container and adds the metadata in [`SECRETS`], as phones do.
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

/// Returns files with metadata as phones write it: MOV, MP4, fragmented MP4, WebM and Matroska.
fn phone_files() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let fragmented = &["-movflags", "frag_keyframe+empty_moov+use_metadata_tags"];
    #[rustfmt::skip]
    let files = vec![
        ("media", "IMG_0001.MOV", with_metadata("moov-at-end.mov", "a.mov", &[])),
        ("media", "phone.mp4", with_metadata("moov-at-end.mov", "a.mp4", TAGS)),
        ("media", "fragments.mp4", with_metadata("moov-at-end.mov", "a.mp4", fragmented)),
        // Browser recordings have this name. The server must not trust the name, because this file contains metadata.
        ("media", "Recording.webm", with_metadata("rec-vp8-opus-3s.webm", "a.webm", &[])),
        ("media", "talk.mkv", with_metadata("rec-vp8-opus-3s.webm", "a.mkv", &[])),
    ];
    files
}

struct Scene {
    ada: Client,
    path: String,
    /// The people other than the author who have access: a recipient, an admin and a guest.
    others: Vec<Client>,
    token: String,
}

/// Publishes an update by Ada with these files.
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

/// Returns the name and address of each rendition.
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

/// Returns the addresses at which other people could get the raw files if the files contained no
/// metadata.
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

/// Asserts that GET requests, HEAD requests, downloads and range requests for these addresses get status 404.
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

async fn download(app: &TestApp, address: &str) -> Vec<u8> {
    app.client().get(address).await.expect(200).body
}

#[actix_web::test]
async fn video_with_metadata_is_private_until_the_metadata_is_removed() {
    let mut gate = Gate::holding(&[PREPARATION]);
    let app = TestApp::start_with(|config| config.ffmpeg = Some(gate.ffmpeg())).await;
    let files = phone_files();
    let scene = publish(&app, &files).await;
    assert_author_plays_the_raw_files(&app, &scene, &files).await;
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
        let mut media = update["media"].as_array().unwrap().iter();
        media.all(|media| media["state"] == "ready")
    };
    app.wait_for(&scene.ada, &scene.path, ready).await;
    assert_others_get_no_metadata(&app, &scene).await;
    assert!(recipient.get(&scene.path).await.text().contains("<video"));
    assert_not_served(&app, &raw).await;
    for (media, (_, name, bytes)) in media_of(&scene.ada, &scene.path).await.iter().zip(&files) {
        assert!(
            download(&app, &url(media, "original")).await == *bytes,
            "{name}"
        );
    }
}

async fn assert_author_plays_the_raw_files(
    app: &TestApp,
    scene: &Scene,
    files: &[(&str, &str, Vec<u8>)],
) {
    let mine = media_of(&scene.ada, &scene.path).await;
    assert_eq!(mine.len(), files.len());
    for (media, (_, name, bytes)) in mine.iter().zip(files) {
        assert_eq!(
            (&media["state"], &media["file_name"]),
            (&json!("processing"), &json!(name))
        );
        for (rendition, url) in urls(media) {
            assert!(download(app, &url).await == *bytes, "{rendition} of {name}");
        }
        url(media, "original");
        assert_ne!(media["reason"], COMING, "the author can already play it");
    }
}

async fn assert_others_get_no_metadata(app: &TestApp, scene: &Scene) {
    for other in &scene.others {
        for media in media_of(other, &scene.path).await {
            assert_eq!(media["state"], "ready", "{media}");
            let renditions = urls(&media);
            assert!(
                renditions.iter().any(|(name, _)| name == "playable")
                    && renditions.iter().all(|(name, _)| name != "original"),
                "{media}"
            );
            for (name, url) in renditions {
                let bytes = download(app, &url).await;
                assert_eq!(secrets_in(&bytes), [""; 0], "{name} of {media}");
            }
        }
    }
}

#[actix_web::test]
async fn browser_recording_can_be_played_by_others_before_it_is_processed() {
    let mut gate = Gate::holding(&[PREPARATION]);
    let app = TestApp::start_with(|config| config.ffmpeg = Some(gate.ffmpeg())).await;
    let names = [
        "rec-vp8-opus-3s.webm",
        "rec-vp9-bubble-4s.webm",
        "rec-mp4-avc1-opus-5s.mp4",
    ];
    // Give each recording a misleading file name, because only the content matters.
    let files = names.map(|name| ("media", "IMG_0001.MOV", fixture(name)));
    let scene = publish(&app, &files).await;
    for other in &scene.others {
        for (media, (_, _, bytes)) in media_of(other, &scene.path).await.iter().zip(&files) {
            assert_eq!(media["state"], "processing");
            assert_ne!(media["reason"], COMING);
            assert_eq!(urls(media).len(), 1, "{media}");
            assert!(download(&app, &url(media, "playable")).await == *bytes);
        }
    }
    let page = app.browser("Bob").await.get(&scene.path).await;
    assert!(page.expect(200).text().contains("<video"));
    gate.open(PREPARATION);
}

#[actix_web::test]
async fn video_with_metadata_stays_private_when_ffmpeg_is_missing() {
    let app =
        TestApp::start_with(|config| config.ffmpeg = Some("/nonexistent/ffmpeg".into())).await;
    let phone = with_metadata("moov-at-end.mov", "a.mp4", TAGS);
    let recorded = fixture("rec-vp8-opus-3s.webm");
    let files = [
        ("media", "phone.mp4", phone.clone()),
        ("media", "talk.webm", recorded.clone()),
    ];
    let scene = publish(&app, &files).await;
    app.wait_for_jobs().await;
    let mine = media_of(&scene.ada, &scene.path).await;
    assert_eq!(
        (&mine[0]["state"], &mine[1]["state"]),
        (&json!("ready"), &json!("ready"))
    );
    let reason = mine[0]["reason"].as_str().unwrap();
    assert!(reason.starts_with(ONLY_AUTHOR), "{reason}");
    assert!(download(&app, &url(&mine[0], "playable")).await == phone);
    for other in &scene.others {
        let theirs = media_of(other, &scene.path).await;
        assert_eq!(
            (&theirs[0]["state"], &theirs[0]["renditions"]),
            (&json!("failed"), &json!([]))
        );
        let reason = theirs[0]["reason"].as_str().unwrap();
        assert!(
            reason.starts_with(ONLY_AUTHOR) && reason.contains("ffmpeg is not installed"),
            "{reason}"
        );
        assert_eq!(theirs[1]["state"], "ready");
        assert!(download(&app, &url(&theirs[1], "playable")).await == recorded);
    }
    for name in ["Ada", "Bob"] {
        let page = app.browser(name).await.get(&scene.path).await;
        let page = page.expect(200).text();
        assert!(page.contains(ONLY_AUTHOR), "{name}: {page}");
    }
    assert_not_served(&app, &raw_addresses(&app, &scene).await[..1]).await;
}

#[actix_web::test]
async fn only_the_author_is_redirected_to_an_uploaded_video_that_has_metadata() {
    if !postgres() {
        return;
    }
    let mut gate = Gate::holding(&[PREPARATION]);
    let app = TestApp::start_with(|config| {
        config.delivery = hearback::config::Delivery::Redirect;
        config.ffmpeg = Some(gate.ffmpeg());
    })
    .await;
    let phone = with_metadata("moov-at-end.mov", "a.mp4", TAGS);
    let scene = publish(&app, &[("media", "phone.mp4", phone)]).await;
    let raw = raw_addresses(&app, &scene).await;
    assert_eq!(raw.len(), scene.others.len());
    let playable = async |reader: &Client| url(&media_of(reader, &scene.path).await[0], "playable");
    assert_not_served(&app, &raw).await;
    let address = playable(&scene.ada).await;
    app.client().get(&address).await.expect(302);
    gate.open(PREPARATION);
    app.wait_for_jobs().await;
    assert_not_served(&app, &raw).await;
    let address = playable(&scene.others[0]).await;
    app.client().get(&address).await.expect(302);
}
