//! Uploads by form: accepted files, rejected files, and nothing that remains of the rejected ones.

use std::process::Command;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::app::{Client, TestApp, email, fixture};

/// Posts files as one update. Returns its media after all jobs are done.
async fn upload_and_process(
    app: &TestApp,
    author: &Client,
    files: &[(&str, &str, Vec<u8>)],
) -> Vec<Value> {
    let update = author
        .upload("/updates", &[("title", "Files")], files)
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    author
        .get(&format!("/updates/{}", update["id"].as_str().unwrap()))
        .await
        .json()["media"]
        .as_array()
        .unwrap()
        .clone()
}

fn names(media: &Value) -> Vec<&str> {
    media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rendition| rendition["name"].as_str().unwrap())
        .collect()
}

fn rendition<'a>(media: &'a Value, name: &str) -> &'a Value {
    media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rendition| rendition["name"] == name)
        .unwrap_or_else(|| panic!("{name} of {media}"))
}

/// Converts a fixture with ffmpeg.
fn converted(input: &str, words: &[&str], output: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join(input), dir.path().join(output));
    std::fs::write(&from, fixture(input)).unwrap();
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(&from)
        .args(words)
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

/// Asserts that no object and no row remains, not even after a day.
async fn assert_nothing_remains(app: &TestApp) {
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0], "objects remain");
    // The key of an interrupted file is kept for a day, in case its bytes are stored late.
    app.state.clock.advance(25 * 3_600_000);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    for (table, rows) in [
        ("media", app.count("SELECT count(*) FROM media").await),
        (
            "renditions",
            app.count("SELECT count(*) FROM renditions").await,
        ),
        ("updates", app.count("SELECT count(*) FROM updates").await),
        (
            "loose objects",
            app.count("SELECT count(*) FROM loose_objects").await,
        ),
    ] {
        assert_eq!(rows, 0, "{table} remain");
    }
}

#[actix_web::test]
async fn picture_is_reencoded_and_ready_at_once() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let wanted = [
        ("shot-1280x800.png", 1280, 800, "image/png"),
        ("photo-exif6-gps.jpg", 800, 600, "image/jpeg"),
        ("lossy.webp", 640, 400, "image/jpeg"),
        ("lossless.webp", 640, 400, "image/png"),
        ("anim.gif", 320, 240, "image/gif"),
        ("anim.apng.png", 240, 180, "image/png"),
        ("alpha.png", 200, 120, "image/png"),
    ];
    let files: Vec<_> = wanted
        .iter()
        .map(|(name, ..)| ("media", *name, fixture(name)))
        .collect();
    let media = upload_and_process(&app, &ada, &files).await;
    for ((name, width, height, kind), media) in wanted.iter().zip(&media) {
        assert_eq!(
            (&media["state"], &media["kind"], &media["file_name"]),
            (&json!("ready"), &json!("image"), &json!(name))
        );
        assert_eq!(
            (&media["width"], &media["height"]),
            (&json!(width), &json!(height)),
            "{name}"
        );
        assert_eq!(
            (names(media), &rendition(media, "original")["type"]),
            (vec!["original", "thumbnail"], &json!(kind)),
            "{name}"
        );
        let bytes = ada
            .get(rendition(media, "original")["url"].as_str().unwrap())
            .await
            .expect(200);
        assert_eq!(
            (bytes.header("content-type"), bytes.body.len() as i64),
            (
                *kind,
                rendition(media, "original")["bytes"].as_i64().unwrap()
            )
        );
    }
    // The photo's metadata is removed, and the animation is kept.
    let photo = ada
        .get(rendition(&media[1], "original")["url"].as_str().unwrap())
        .await
        .body;
    for word in ["Exif", "GPS", "Photoshop", "http://ns.adobe.com"] {
        assert!(
            !photo
                .windows(word.len())
                .any(|window| window == word.as_bytes()),
            "{word}"
        );
    }
    let gif = ada
        .get(rendition(&media[4], "original")["url"].as_str().unwrap())
        .await
        .body;
    assert!(gif.windows(11).any(|window| window == b"NETSCAPE2.0"));
}

#[actix_web::test]
async fn recording_becomes_seekable_with_its_real_length_and_a_poster() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let copied = vec!["h264", "original", "playable", "poster", "thumbnail"];
    let plain = vec!["original", "playable", "poster", "thumbnail"];
    let wanted = [
        (
            "rec-vp8-opus-3s.webm",
            640,
            400,
            2_900..=3_000,
            "video/webm",
            &copied,
        ),
        (
            "rec-vp9-noaudio-4s.webm",
            1280,
            800,
            3_700..=4_100,
            "video/webm",
            &copied,
        ),
        (
            "rec-av1-opus-3s.webm",
            1280,
            800,
            2_400..=3_050,
            "video/webm",
            &copied,
        ),
        (
            "rec-mp4-avc1-opus-5s.mp4",
            1280,
            800,
            4_500..=5_500,
            "video/mp4",
            &copied,
        ),
        (
            "moov-at-end.mov",
            640,
            360,
            3_900..=4_150,
            "video/mp4",
            &plain,
        ),
        (
            "bad-truncated.webm",
            1280,
            800,
            5_600..=6_100,
            "video/webm",
            &copied,
        ),
    ];
    let files: Vec<_> = wanted
        .iter()
        .map(|(name, ..)| ("media", *name, fixture(name)))
        .collect();
    let media = upload_and_process(&app, &ada, &files).await;
    for ((name, width, height, length, kind, renditions), media) in wanted.iter().zip(&media) {
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
        assert!(
            length.contains(&media["duration_ms"].as_i64().unwrap()),
            "{name}: {}",
            media["duration_ms"]
        );
        assert_eq!(&names(media), *renditions, "{name}");
        assert_eq!(rendition(media, "playable")["type"], *kind, "{name}");
        assert_eq!(rendition(media, "poster")["type"], "image/jpeg", "{name}");
    }
    // The author's original is the uploaded file, byte for byte.
    let original = ada
        .get(rendition(&media[0], "original")["url"].as_str().unwrap())
        .await
        .body;
    assert!(original == fixture("rec-vp8-opus-3s.webm"));
}

#[actix_web::test]
async fn duration_is_measured_when_the_container_is_wrong() {
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
async fn hevc_gets_an_h264_copy_and_matroska_is_accepted() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let hevc = converted(
        "moov-at-end.mov",
        &[
            "-t",
            "1",
            "-c:v",
            "libx265",
            "-x265-params",
            "log-level=none",
            "-preset",
            "ultrafast",
            "-c:a",
            "copy",
        ],
        "x.mp4",
    );
    let matroska = converted("rec-vp8-opus-3s.webm", &["-c", "copy"], "x.mkv");
    let media = upload_and_process(
        &app,
        &ada,
        &[
            ("media", "phone.mp4", hevc),
            ("media", "screen.mkv", matroska),
        ],
    )
    .await;
    assert_eq!(
        (&media[0]["state"], &media[1]["state"]),
        (&json!("ready"), &json!("ready"))
    );
    assert_eq!(
        names(&media[0]),
        ["h264", "original", "playable", "poster", "thumbnail"]
    );
    let playable = rendition(&media[0], "playable");
    let bytes = ada
        .get(playable["url"].as_str().unwrap())
        .await
        .expect(200)
        .body;
    assert!(
        bytes.windows(4).any(|window| window == b"avc1")
            && !bytes.windows(4).any(|window| window == b"hvc1")
    );
    assert!((2_900..=3_000).contains(&media[1]["duration_ms"].as_i64().unwrap()));
    assert_eq!(rendition(&media[1], "playable")["type"], "video/webm");
}

#[actix_web::test]
async fn unsupported_file_is_rejected_by_its_content_and_leaves_nothing() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let bad = [
        ("bad-headerless.webm", "talk.webm", 415),
        ("bad-truncated.png", "shot.png", 415),
        ("bad-zero.png", "empty.png", 415),
        ("bad-onebyte.png", "one.png", 415),
        ("bad-crc-idat.png", "crc.png", 415),
        ("bad-bomb-30000x30000.png", "bomb.png", 413),
        ("bad-bomb-12000x12000-rgb.png", "bomb.png", 413),
        ("bad-gif-20000frames.gif", "long.gif", 413),
        ("bad-script.svg", "logo.svg", 415),
        ("bad-script.svg", "logo.png", 415),
        ("bad-html-named.png", "page.png", 415),
        ("bad-zip-named.mp4", "clip.mp4", 415),
        ("bad-hls-named.mp4", "clip.mp4", 415),
        ("bad-hls-named.mp4", "clip.webm", 415),
    ];
    for (name, as_name, status) in bad {
        let refused = ada
            .upload(
                "/updates",
                &[("title", "Bad")],
                &[("media", as_name, fixture(name))],
            )
            .await;
        let problem = refused.problem(status);
        assert!(
            problem["errors"]["media[0]"]
                .as_str()
                .is_some_and(|text| text.len() > 20),
            "{name}: {problem}"
        );
        assert!(!refused.header("x-request-id").is_empty());
    }
    assert_nothing_remains(&app).await;
}

#[actix_web::test]
async fn post_is_rejected_as_a_whole_when_one_file_is_invalid() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let files = [
        ("media", "shot.png", fixture("shot-1280x800.png")),
        ("media", "talk.webm", fixture("rec-vp8-opus-3s.webm")),
        ("media", "page.png", fixture("bad-html-named.png")),
        ("media", "alpha.png", fixture("alpha.png")),
    ];
    let problem = ada
        .upload("/updates", &[("title", "Four")], &files)
        .await
        .problem(415);
    assert_eq!(
        problem["errors"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["media[2]"]
    );
    assert_nothing_remains(&app).await;

    // The same applies to added files, and to an unknown field beside valid files.
    let update = ada
        .post("/updates", json!({ "title": "Empty" }))
        .await
        .expect(201)
        .json();
    let path = format!("/updates/{}/media", update["id"].as_str().unwrap());
    ada.upload(&path, &[], &files).await.problem(415);
    let problem = ada
        .upload(&path, &[("colour", "red")], &files[..2])
        .await
        .problem(422);
    assert!(problem["errors"]["colour"].is_string());
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
    assert_eq!(app.count("SELECT count(*) FROM media").await, 0);
}

#[actix_web::test]
async fn form_fields_can_follow_files_and_unknown_fields_are_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let part = |name: &str| {
        reqwest::multipart::Part::bytes(fixture("alpha.png")).file_name(name.to_owned())
    };
    let post = async |form| {
        crate::app::Response::fetch(ada.request("POST", "/updates").multipart(form)).await
    };
    let form = reqwest::multipart::Form::new()
        .part("media", part("a.png"))
        .text("title", "After")
        .part("media", part("b.png"));
    let update = post(form).await.expect(201).json();
    assert_eq!(
        (&update["title"], update["media"].as_array().unwrap().len()),
        (&json!("After"), 2)
    );

    let form = reqwest::multipart::Form::new()
        .part("media", part("a.png"))
        .text("title", "X")
        .text("titel", "X");
    assert!(post(form).await.problem(422)["errors"]["titel"].is_string());
    let form = reqwest::multipart::Form::new()
        .text("title", "X")
        .part("picture", part("a.png"));
    assert!(post(form).await.problem(422)["errors"]["picture"].is_string());
    // An empty file input, as browsers send it.
    let empty = reqwest::multipart::Part::bytes(Vec::new())
        .file_name("")
        .mime_str("application/octet-stream")
        .unwrap();
    let update = post(
        reqwest::multipart::Form::new()
            .text("title", "No file")
            .part("media", empty),
    )
    .await
    .expect(201)
    .json();
    assert_eq!(update["media"], json!([]));
    app.wait_for_jobs().await;
    assert_eq!(
        app.objects().await.len(),
        4,
        "two pictures with a thumbnail each"
    );
}

#[actix_web::test]
async fn update_accepts_at_most_fifty_files() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let picture = fixture("alpha.png");
    let files: Vec<_> = (0..51)
        .map(|_| ("media", "a.png", picture.clone()))
        .collect();
    let problem = ada
        .upload("/updates", &[("title", "Many")], &files)
        .await
        .problem(422);
    assert!(problem["errors"]["media[50]"].is_string(), "{problem}");
    assert_nothing_remains(&app).await;

    let update = ada
        .upload("/updates", &[("title", "Many")], &files[..50])
        .await
        .expect(201)
        .json();
    assert_eq!(update["media"].as_array().unwrap().len(), 50);
    let path = format!("/updates/{}/media", update["id"].as_str().unwrap());
    ada.upload(&path, &[], &files[..1]).await.problem(409);
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await.len(), 100);
}

/// Returns multipart parts as Chromium sends them for file names with paths, line breaks and direction marks. Each has a real
/// picture.
fn chromium_names() -> Vec<Vec<u8>> {
    let body = fixture("bad-filenames-chromium.multipart");
    let text = String::from_utf8_lossy(&body).replace("name=\"file\"", "name=\"media\"");
    let heads = text
        .split("------WebKitFormBoundaryFIkAsfGq5187nhAN")
        .filter_map(|part| part.split_once("\r\n\r\n"))
        .map(|(head, _)| head);
    heads
        .map(|head| {
            [
                b"------WebKitFormBoundaryFIkAsfGq5187nhAN",
                head.as_bytes(),
                b"\r\n\r\n",
                &fixture("alpha.png"),
                b"\r\n",
            ]
            .concat()
        })
        .collect()
}

async fn post_raw(client: &Client, parts: &[Vec<u8>]) -> crate::app::Response {
    let body = [
        parts.concat(),
        b"------WebKitFormBoundaryFIkAsfGq5187nhAN--\r\n".to_vec(),
    ]
    .concat();
    let request = client.request("POST", "/updates").header(
        "content-type",
        "multipart/form-data; boundary=----WebKitFormBoundaryFIkAsfGq5187nhAN",
    );
    crate::app::Response::fetch(request.body(body)).await
}

#[actix_web::test]
async fn file_names_with_paths_line_breaks_and_emoji_are_stored_safely() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let (nul, parts): (Vec<_>, Vec<_>) = chromium_names()
        .into_iter()
        .partition(|part| part[..200].windows(4).any(|window| window == b"nul\0"));
    let update = post_raw(&ada, &parts).await.expect(201).json();
    let names: Vec<&str> = update["media"]
        .as_array()
        .unwrap()
        .iter()
        .map(|media| media["file_name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 9);
    assert_eq!(
        (names[0], names[1], names[6]),
        ("evil.png", "..evil.png", "日本語 🎬.png")
    );
    for name in &names {
        let odd = |letter: char| letter.is_control() || matches!(letter, '/' | '\\' | '\u{202e}');
        assert!(
            !name.contains(odd) && name.chars().count() <= 255,
            "{name:?}"
        );
    }
    assert!(!std::path::Path::new("/tmp/evil.png").exists());
    for media in update["media"].as_array().unwrap() {
        let bytes = ada
            .get(&format!(
                "{}&download",
                rendition(media, "original")["url"].as_str().unwrap()
            ))
            .await
            .expect(200);
        let disposition = bytes.header("content-disposition");
        assert!(
            disposition.starts_with("attachment; filename*=UTF-8''") && disposition.is_ascii(),
            "{disposition}"
        );
        assert!(bytes.headers.get("x-injected").is_none());
    }
    // The page escapes the names.
    let page = app
        .browser("Ada")
        .await
        .get(&format!("/updates/{}", update["id"].as_str().unwrap()))
        .await
        .expect(200)
        .text();
    assert!(!page.contains("<img src=x"), "a file name became HTML");

    // A header with U+0000 is invalid (RFC 9110 §5.5).
    let refused = post_raw(&ada, &nul).await;
    assert!(
        [400, 422].contains(&refused.status.as_u16()),
        "{}",
        refused.text()
    );
    assert_eq!(app.count("SELECT count(*) FROM updates").await, 1);
}

#[actix_web::test]
async fn interrupted_upload_leaves_nothing_and_the_server_keeps_running() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let token = ada
        .post("/tokens", json!({ "name": "raw" }))
        .await
        .expect(201)
        .json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut socket = tokio::net::TcpStream::connect(app.base.trim_start_matches("http://"))
        .await
        .unwrap();
    let head = format!(
        "POST /updates HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 50000000\r\n\r\n\
         --b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nHalf\r\n--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"half.webm\"\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket
        .write_all(&fixture("rec-vp9-opus-10s.webm"))
        .await
        .unwrap();
    // More than one part, so that the bucket has an unfinished multipart upload.
    socket.write_all(&vec![0; 9 << 20]).await.unwrap();
    app.wait_until("the file is being written", async || {
        !app.objects().await.is_empty()
    })
    .await;
    drop(socket);
    app.wait_until("its objects are deleted", async || {
        app.objects().await.is_empty()
    })
    .await;
    assert_eq!(app.count("SELECT count(*) FROM updates").await, 0);
    upload_and_process(&app, &ada, &[("media", "a.png", fixture("alpha.png"))]).await;
    // The key is deleted after a day.
    app.state.clock.advance(25 * 3_600_000);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    assert_eq!(app.count("SELECT count(*) FROM loose_objects").await, 0);
}

#[actix_web::test]
async fn file_over_the_size_limit_is_rejected_with_a_problem() {
    let app = TestApp::start_with(|config| config.max_upload = 200_000).await;
    let ada = app.person("Ada").await;
    let files = [
        ("media", "shot.png", fixture("shot-1280x800.png")),
        ("media", "talk.webm", fixture("rec-vp9-opus-10s.webm")),
    ];
    let problem = ada
        .upload("/updates", &[("title", "Large")], &files)
        .await
        .problem(413);
    assert!(
        problem["errors"]["media[1]"]
            .as_str()
            .unwrap()
            .contains("200 kB"),
        "{problem}"
    );
    let mut huge = fixture("rec-vp8-opus-3s.webm");
    huge.resize(40 << 20, 0);
    ada.upload(
        "/updates",
        &[("title", "Huge")],
        &[("media", "huge.webm", huge)],
    )
    .await
    .problem(413);
    assert_nothing_remains(&app).await;
}

#[actix_web::test]
async fn full_disk_rejects_files_but_accepts_comments_and_acknowledgements() {
    let app = TestApp::start_with(|config| config.min_free_bytes = u64::MAX).await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let update = ada
        .post("/updates", json!({ "title": "T", "audience": [email("Bob")], "expectation": "acknowledge", "publish": true }))
        .await
        .expect(201)
        .json();
    let path = format!("/updates/{}", update["id"].as_str().unwrap());
    let refused = ada
        .upload(
            &format!("{path}/media"),
            &[],
            &[("media", "a.png", fixture("alpha.png"))],
        )
        .await;
    assert!(
        refused.problem(503)["detail"]
            .as_str()
            .unwrap()
            .contains("disk is nearly full")
    );
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
    bob.post(&format!("{path}/comments"), json!({ "body": "Seen." }))
        .await
        .expect(201);
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    let page = app
        .browser("Ada")
        .await
        .get("/updates/new")
        .await
        .expect(200)
        .text();
    assert!(page.contains("disk is nearly full"));
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn recording_plays_as_uploaded_with_a_reason_when_ffmpeg_is_missing() {
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
    let bytes = ada
        .get(rendition(&media[0], "playable")["url"].as_str().unwrap())
        .await
        .expect(200)
        .body;
    assert!(bytes == fixture("rec-vp8-opus-3s.webm"));
}

#[actix_web::test]
async fn recording_without_a_picture_fails_with_a_reason() {
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
            .contains("sound but no picture"),
        "{}",
        media[0]
    );
}

#[actix_web::test]
async fn form_keeps_its_text_when_its_file_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let fields = [("title", "Typed title"), ("notes", "Typed notes")];
    let files = [("media", "page.png", fixture("bad-html-named.png"))];
    let page = browser
        .upload("/updates", &fields, &files)
        .await
        .expect(415)
        .text();
    assert!(
        page.contains("Typed title")
            && page.contains("Typed notes")
            && page.contains("This is not a file we know"),
        "{page}"
    );

    let update = ada
        .post("/updates", json!({ "title": "T", "publish": true }))
        .await
        .expect(201)
        .json();
    let path = format!("/updates/{}/comments", update["id"].as_str().unwrap());
    // Fields after the rejected file are kept as well.
    let picture =
        reqwest::multipart::Part::bytes(fixture("bad-html-named.png")).file_name("page.png");
    let form = reqwest::multipart::Form::new()
        .part("pictures", picture)
        .text("body", "Typed words");
    let page = crate::app::Response::fetch(browser.request("POST", &path).multipart(form))
        .await
        .expect(415)
        .text();
    assert!(page.contains("Typed words"), "{page}");
    let listed = ada.get(&path).await.json();
    assert_eq!(listed["items"], json!([]));
}

#[actix_web::test]
async fn malformed_multipart_body_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for body in [
        "",
        "no boundary here",
        "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\ncut",
    ] {
        let request = ada
            .request("POST", "/updates")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(body);
        crate::app::Response::fetch(request).await.problem(400);
    }
    let request = ada
        .request("POST", "/updates")
        .header("content-type", "multipart/form-data")
        .body("x");
    crate::app::Response::fetch(request).await.problem(400);
    // A client without an account is rejected before its body is read.
    let mut socket = tokio::net::TcpStream::connect(app.base.trim_start_matches("http://"))
        .await
        .unwrap();
    socket
        .write_all(
            b"POST /updates HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 50000000\r\n\r\n",
        )
        .await
        .unwrap();
    let mut answer = vec![0; 12];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 401");
}

#[actix_web::test]
async fn failed_media_is_not_served_to_others() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    // Begins like an MP4 file, but the rest is HTML.
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
async fn form_with_too_many_parts_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let name = "n".repeat(3_000);
    let fields: Vec<(&str, &str)> = (0..400).map(|_| (name.as_str(), "")).collect();
    ada.upload("/updates", &fields, &[]).await.problem(413);
}
