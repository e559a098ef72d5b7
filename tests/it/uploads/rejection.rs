//! Rejected and interrupted uploads leave nothing behind.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{assert_nothing_remains, upload_and_process};
use crate::app::{Response, TestApp, email, fixture};

#[actix_web::test]
async fn unsupported_file_is_rejected_by_its_content_and_leaves_nothing_behind() {
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
async fn new_update_is_rejected_as_a_whole_when_one_of_its_files_is_invalid() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let problem = ada
        .upload(
            "/updates",
            &[("title", "Four")],
            &files_with_an_invalid_one(),
        )
        .await
        .problem(415);
    let errors = problem["errors"].as_object().unwrap();
    assert_eq!(errors.keys().collect::<Vec<_>>(), ["media[2]"]);
    assert_nothing_remains(&app).await;
}

#[actix_web::test]
async fn added_files_are_rejected_as_a_whole_when_a_file_or_field_is_invalid() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let update = ada
        .update(json!({ "title": "Empty", "publish": false }))
        .await;
    let (path, files) = (format!("{update}/media"), files_with_an_invalid_one());
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

fn files_with_an_invalid_one() -> [(&'static str, &'static str, Vec<u8>); 4] {
    [
        ("media", "shot.png", fixture("shot-1280x800.png")),
        ("media", "talk.webm", fixture("rec-vp8-opus-3s.webm")),
        ("media", "page.png", fixture("bad-html-named.png")),
        ("media", "alpha.png", fixture("alpha.png")),
    ]
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

#[actix_web::test]
async fn limit_for_pictures_is_not_reported_as_one_that_an_admin_can_raise() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let mut picture = fixture("shot-1280x800.png");
    picture.resize((64 << 20) + 1, 0);
    let files = [("media", "shot.png", picture)];
    let problem = ada
        .upload("/updates", &[("title", "Large")], &files)
        .await
        .problem(413);
    assert_eq!(
        problem["errors"]["media[0]"],
        "“shot.png”: The picture is larger than the maximum of 64 MiB. Send a smaller one."
    );
    assert_nothing_remains(&app).await;
}

#[actix_web::test]
async fn file_over_the_size_limit_is_rejected_and_the_error_states_the_limit() {
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
async fn files_are_rejected_when_the_disk_is_full_but_comments_and_acknowledgements_are_accepted() {
    let app = TestApp::start_with(|config| config.min_free_bytes = u64::MAX).await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let update = ada
        .post(
            "/updates",
            json!({
                "title": "T", "audience": [email("Bob")], "expectation": "acknowledge",
                "publish": true,
            }),
        )
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

/// The beginning of a form with a title and a video file. The content of the file is missing.
const HALF_A_FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nHalf\r\n\
                           --b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"half.webm\"\r\n\r\n";

#[actix_web::test]
async fn interrupted_upload_leaves_nothing_behind_and_the_server_keeps_running() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let authorization = format!("Authorization: {}\r\n", ada.authorization());
    let mut socket = post_multipart(&app, &authorization).await;
    socket.write_all(HALF_A_FORM.as_bytes()).await.unwrap();
    socket
        .write_all(&fixture("rec-vp9-opus-10s.webm"))
        .await
        .unwrap();
    // Send more than one part, so that the bucket contains an unfinished multipart upload when the connection closes.
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
    // The row that records the key of the deleted object is kept for a day.
    app.state.clock.advance(25 * 3_600_000);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    assert_eq!(app.count("SELECT count(*) FROM loose_objects").await, 0);
}

/// Begins a POST request with a large multipart body. `headers` contains additional header lines.
async fn post_multipart(app: &TestApp, headers: &str) -> TcpStream {
    let address = app.base.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /updates HTTP/1.1\r\nHost: x\r\n{headers}Content-Type: multipart/form-data; \
         boundary=b\r\nContent-Length: 50000000\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket
}

#[actix_web::test]
async fn malformed_multipart_body_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let post = |content_type: &str, body: &'static str| {
        let request = ada.request("POST", "/updates");
        Response::fetch(request.header("content-type", content_type).body(body))
    };
    for body in [
        "",
        "no boundary here",
        "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\ncut",
    ] {
        post("multipart/form-data; boundary=b", body)
            .await
            .problem(400);
    }
    post("multipart/form-data", "x").await.problem(400);
}

#[actix_web::test]
async fn multipart_body_from_a_client_without_an_account_is_rejected_before_it_is_read() {
    let app = TestApp::start().await;
    let mut socket = post_multipart(&app, "").await;
    let mut status_line = vec![0; 12];
    socket.read_exact(&mut status_line).await.unwrap();
    assert_eq!(status_line, b"HTTP/1.1 401");
}

#[actix_web::test]
async fn form_with_too_many_parts_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let name = "n".repeat(3_000);
    let fields: Vec<(&str, &str)> = (0..400).map(|_| (name.as_str(), "")).collect();
    ada.upload("/updates", &fields, &[]).await.problem(413);
}
