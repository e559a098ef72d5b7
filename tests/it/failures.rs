//! Parts that are away, and requests that are wrong: a clear answer, nothing stored, nothing lost.

use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::app::{Response, TestApp, array, authority, fixture, postgres, text, update_path};

/// A cable between Hearback and one of its parts, that a test can cut.
struct Cable {
    address: SocketAddr,
    whole: watch::Sender<bool>,
}

impl Cable {
    async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, whole) = (listener.local_addr().unwrap(), watch::Sender::new(true));
        let state = whole.subscribe();
        actix_web::rt::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let (mut state, target) = (state.clone(), target.clone());
                if !*state.borrow() {
                    continue;
                }
                actix_web::rt::spawn(async move {
                    let mut far = TcpStream::connect(target).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = state.wait_for(|whole| !whole) => {}
                    }
                });
            }
        });
        Self { address, whole }
    }

    fn cut(&self) {
        self.whole.send_replace(false);
    }

    fn mend(&self) {
        self.whole.send_replace(true);
    }
}

/// A Hearback whose storage can be taken away: a bucket by its cable, a folder by its name.
pub async fn with_detachable_storage() -> (TestApp, impl Fn(&TestApp), impl Fn(&TestApp)) {
    let cable = if postgres() {
        Some(
            Cable::to(authority(
                &std::env::var("HEARBACK_TEST_S3_ENDPOINT").unwrap(),
            ))
            .await,
        )
    } else {
        None
    };
    let near = cable
        .as_ref()
        .map(|cable| format!("http://{}", cable.address));
    let app = TestApp::start_with(|config| config.s3_endpoint = near).await;
    let cable = std::rc::Rc::new(cable);
    let folder = |app: &TestApp| {
        (
            app.dir.path().join("media"),
            app.dir.path().join("elsewhere"),
        )
    };
    let other = cable.clone();
    let away = move |app: &TestApp| match &*cable {
        Some(cable) => cable.cut(),
        None => std::fs::rename(folder(app).0, folder(app).1).unwrap(),
    };
    let back = move |app: &TestApp| match &*other {
        Some(cable) => cable.mend(),
        None => std::fs::rename(folder(app).1, folder(app).0).unwrap(),
    };
    (app, away, back)
}

#[actix_web::test]
async fn while_storage_is_away_pages_are_read_and_files_are_refused_until_it_is_back() {
    let (app, away, back) = with_detachable_storage().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let files = [("media", "a.png", fixture("alpha.png"))];
    let update = ada
        .upload("/updates", &[("title", "Before")], &files)
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    let path = update_path(&update);
    let media = text(&update["media"][0]["renditions"][0]["url"]).to_owned();
    assert_eq!(
        ada.get("/readyz").await.expect(200).json()["status"],
        "ready"
    );

    away(&app);
    let refused = ada.upload("/updates", &[("title", "During")], &files).await;
    assert!(
        refused.problem(503)["errors"]["media[0]"]
            .as_str()
            .unwrap()
            .contains("storage"),
        "{}",
        refused.text()
    );
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
    let video = [("media", "a.webm", fixture("rec-vp8-opus-3s.webm"))];
    ada.upload(&format!("{path}/media"), &[], &video)
        .await
        .problem(503);
    let page = browser
        .upload("/updates", &[("title", "Typed during")], &files)
        .await
        .expect(503)
        .text();
    assert!(page.contains("Typed during"), "{page}");
    let page = browser
        .upload(
            &format!("{path}/comments"),
            &[("body", "Said during")],
            &[("pictures", "a.png", fixture("alpha.png"))],
        )
        .await;
    assert!(
        page.status == 503 && page.text().contains("Said during"),
        "{}",
        page.text()
    );

    let ready = ada.get("/readyz").await;
    assert!(
        ready.problem(503)["detail"]
            .as_str()
            .unwrap()
            .contains("storage"),
        "{}",
        ready.text()
    );
    ada.get("/healthz").await.expect(200);
    browser.get(&path).await.expect(200);
    ada.post(&format!("{path}/comments"), json!({ "body": "Still here" }))
        .await
        .expect(201);
    let bytes = app.client().get(&media).await;
    assert!(
        matches!(bytes.status.as_u16(), 404 | 503),
        "{}",
        bytes.text()
    );

    back(&app);
    app.wait_until("storage is back", async || {
        ada.get("/readyz").await.status == 200
    })
    .await;
    ada.upload("/updates", &[("title", "After")], &files)
        .await
        .expect(201);
    app.client().get(&media).await.expect(200);
    assert_eq!(
        ada.get("/updates").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        2,
        "nothing of the refused was stored"
    );
}

#[actix_web::test]
async fn while_storage_is_away_an_upload_stands_still_and_goes_on_when_it_is_back() {
    let (app, away, back) = with_detachable_storage().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let tus = |method: &str, path: &str, headers: &[(&'static str, String)], body: &[u8]| {
        let request = ada
            .request(method, path)
            .header("tus-resumable", "1.0.0")
            .header("content-type", "application/offset+octet-stream");
        Response::fetch(
            headers
                .iter()
                .fold(request, |request, (name, value)| {
                    request.header(*name, value)
                })
                .body(body.to_vec()),
        )
    };
    let made = tus(
        "POST",
        "/uploads",
        &[("upload-defer-length", "1".into())],
        &whole[..100_000],
    )
    .await
    .expect(201);
    let path = format!(
        "/uploads/{}",
        made.header("location").rsplit_once('/').unwrap().1
    );
    away(&app);
    let refused = tus(
        "PATCH",
        &path,
        &[("upload-offset", "100000".into())],
        &whole[100_000..200_000],
    )
    .await;
    refused.problem(503);
    assert_ne!(refused.header("retry-after"), "");
    assert_eq!(
        tus("HEAD", &path, &[], b"")
            .await
            .expect(200)
            .header("upload-offset"),
        "100000"
    );
    back(&app);
    tus(
        "PATCH",
        &path,
        &[("upload-offset", "100000".into())],
        &whole[100_000..200_000],
    )
    .await
    .expect(204);
    // Away at the very end, when all that is missing is the last word.
    away(&app);
    let last = [
        ("upload-offset", "200000".into()),
        ("upload-length", whole.len().to_string()),
    ];
    tus("PATCH", &path, &last, &whole[200_000..])
        .await
        .problem(503);
    back(&app);
    let at: usize = tus("HEAD", &path, &[], b"")
        .await
        .expect(200)
        .header("upload-offset")
        .parse()
        .unwrap();
    assert!([200_000, whole.len()].contains(&at), "{at}");
    let last = [
        ("upload-offset", at.to_string()),
        ("upload-length", whole.len().to_string()),
    ];
    tus("PATCH", &path, &last, &whole[at..]).await.expect(204);
    let media = ada
        .get(&format!("/media/{}", made.header("hearback-media")))
        .await
        .expect(200)
        .json();
    let original = array(&media["renditions"])
        .iter()
        .find(|rendition| rendition["name"] == "original")
        .unwrap();
    assert!(ada.get(text(&original["url"])).await.expect(200).body == whole);
}

#[actix_web::test]
async fn while_the_database_is_away_nothing_is_lost_and_all_goes_on_when_it_is_back() {
    if !postgres() {
        return;
    }
    let cable = Cable::to(authority(&std::env::var("HEARBACK_TEST_POSTGRES").unwrap())).await;
    let near = cable.address.to_string();
    let app = TestApp::start_with(|config| {
        config.database_url = config
            .database_url
            .replace(&authority(&config.database_url), &near)
    })
    .await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let update = ada
        .post("/updates", json!({ "title": "T", "publish": true }))
        .await
        .expect(201)
        .json();
    let path = update_path(&update);

    // Work whose end is lost is done again only when its lease is over.
    app.wait_for_jobs().await;
    cable.cut();
    let refused = ada.get(&path).await;
    refused.problem(503);
    assert!(
        refused.header("retry-after").parse::<u64>().is_ok()
            && !refused.header("x-request-id").is_empty()
    );
    let ready = app.client().get("/readyz").await;
    assert!(
        ready.problem(503)["detail"]
            .as_str()
            .unwrap()
            .contains("database"),
        "{}",
        ready.text()
    );
    app.client().get("/healthz").await.expect(200);
    let typed = [("title", "Typed while away"), ("notes", "Many words")];
    for page in [
        browser
            .upload(
                "/updates",
                &typed,
                &[("media", "a.png", fixture("alpha.png"))],
            )
            .await
            .expect(503)
            .text(),
        browser
            .form("POST", &format!("{path}?_method=PATCH"), &typed)
            .await
            .expect(503)
            .text(),
    ] {
        assert!(
            page.contains("Typed while away") && page.contains("Many words"),
            "{page}"
        );
    }
    let page = browser
        .upload(
            &format!("{path}/comments"),
            &[("body", "Said while away")],
            &[],
        )
        .await
        .expect(503)
        .text();
    assert!(page.contains("Said while away"), "{page}");

    cable.mend();
    app.wait_until("the database is back", async || {
        ada.get("/readyz").await.status == 200
    })
    .await;
    assert_eq!(
        browser
            .upload("/updates", &typed, &[])
            .await
            .status
            .as_u16(),
        303
    );
    app.wait_for_jobs().await;
    assert_eq!(
        ada.get("/updates?q=words").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1,
        "jobs go on"
    );
}

#[actix_web::test]
async fn a_database_that_somebody_else_holds_is_said_to_be_busy() {
    if postgres() {
        return;
    }
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let mut held = <sqlx::SqliteConnection as sqlx::Connection>::connect(&format!(
        "sqlite://{}/hearback.db",
        app.dir.path().display()
    ))
    .await
    .unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut held)
        .await
        .unwrap();
    let refused = ada.post("/updates", json!({ "title": "T" })).await;
    refused.problem(503);
    assert!(refused.header("retry-after").parse::<u64>().is_ok());
    ada.get("/updates").await.expect(200);
    sqlx::query("ROLLBACK").execute(&mut held).await.unwrap();
    ada.post("/updates", json!({ "title": "T" }))
        .await
        .expect(201);
}

#[actix_web::test]
async fn of_two_edits_on_one_version_the_second_is_told_and_keeps_its_words() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let update = ada
        .post("/updates", json!({ "title": "T", "publish": true }))
        .await
        .expect(201)
        .json();
    let path = update_path(&update);
    let version = update["version"].clone();
    ada.patch(&path, json!({ "title": "First", "version": version }))
        .await
        .expect(200);
    ada.patch(&path, json!({ "title": "Second", "version": version }))
        .await
        .problem(409);
    let browser = app.browser("Ada").await;
    let page = browser
        .form(
            "PATCH",
            &path,
            &[("title", "My own words"), ("version", &version.to_string())],
        )
        .await
        .expect(409)
        .text();
    assert!(
        page.contains("My own words") && page.contains("edited elsewhere"),
        "{page}"
    );
    assert_eq!(ada.get(&path).await.json()["title"], "First");
}

#[actix_web::test]
async fn what_is_not_there_looks_alike_on_both_faces() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    for path in [
        "/nothing",
        "/updates/none",
        "/media/none",
        "/comments/none",
        "/m/none",
        "/s/none",
        "/assets/none.js",
        "/updates/none/receipts",
    ] {
        let refused = ada.get(path).await;
        refused.problem(404);
        assert!(!refused.header("x-request-id").is_empty());
        let page = browser.get(path).await.expect(404);
        assert!(
            page.header("content-type").starts_with("text/html"),
            "{path}"
        );
        assert!(!page.header("x-request-id").is_empty());
    }
    // Ids that no database takes.
    for path in [
        "/updates/%00",
        "/media/a%00b",
        "/comments/%00",
        "/s/%00",
        "/invitations/%00",
        "/resets/%00",
        "/updates/%FF",
        "/m/%00",
    ] {
        let refused = ada.get(path).await;
        assert_eq!(refused.problem(404)["status"], 404, "{path}");
    }
    for path in [
        "/updates?q=%00",
        "/updates?after=%00",
        "/updates?author=%00",
        "/search?q=a%00b",
    ] {
        let refused = ada.get(path).await;
        refused.problem(422);
    }
}

#[actix_web::test]
async fn a_method_an_address_does_not_have_is_refused_and_says_so() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for (method, path) in [
        ("DELETE", "/updates"),
        ("PATCH", "/inbox"),
        ("PUT", "/updates"),
        ("POST", "/healthz"),
        ("PUT", "/people"),
    ] {
        let refused = Response::fetch(ada.request(method, path)).await;
        refused.problem(405);
        assert!(!refused.header("x-request-id").is_empty());
    }
    let page = Response::fetch(app.browser("Ada").await.request("PUT", "/people"))
        .await
        .expect(405);
    assert!(page.header("content-type").starts_with("text/html"));
}

#[actix_web::test]
async fn a_head_is_a_get_without_its_body() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for path in ["/healthz", "/updates", "/openapi.json"] {
        let (head, get) = (
            Response::fetch(ada.request("HEAD", path)).await.expect(200),
            ada.get(path).await,
        );
        assert_eq!(
            (head.body.len(), head.header("content-length")),
            (0, get.header("content-length")),
            "{path}"
        );
    }
    Response::fetch(ada.request("HEAD", "/nothing"))
        .await
        .expect(404);
}

#[actix_web::test]
async fn bodies_that_cannot_be_read_are_told_apart() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let post = async |kind: &str, body: Vec<u8>| {
        Response::fetch(
            ada.request("POST", "/updates")
                .header("content-type", kind)
                .body(body),
        )
        .await
    };
    for broken in [
        "{\"title\":",
        "[]",
        "\"title\"",
        "nonsense",
        "{\"title\": \"\u{fffd}",
    ] {
        post("application/json", broken.into()).await.problem(400);
    }
    post(
        "application/json",
        vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}'],
    )
    .await
    .problem(400);
    for kind in ["text/plain", "application/xml", "image/png"] {
        post(kind, b"title=x".to_vec()).await.problem(415);
    }
    let problem = post("application/json", br#"{"titel":"x","title":5}"#.to_vec())
        .await
        .problem(422);
    assert_eq!(
        problem["errors"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["titel", "title"]
    );
    let large = format!("{{\"title\":\"{}\"}}", "x".repeat(3 << 20));
    post("application/json", large.into_bytes())
        .await
        .problem(413);
    let large = format!("title={}", "x".repeat(3 << 20));
    let refused = post("application/x-www-form-urlencoded", large.into_bytes()).await;
    refused.problem(413);
    assert!(!refused.header("x-request-id").is_empty());
    assert_eq!(app.count("SELECT count(*) FROM updates").await, 0);
}

#[actix_web::test]
async fn a_request_that_is_no_http_harms_nobody() {
    let app = TestApp::start().await;
    let address = app.base.trim_start_matches("http://");
    for nonsense in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"[..],
        b"GET\r\n\r\n",
        b"POST /updates HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    ] {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(nonsense).await.unwrap();
        socket.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    app.client().get("/healthz").await.expect(200);
}

#[actix_web::test]
async fn metrics_are_for_who_has_their_token() {
    let app = TestApp::start_with(|config| config.metrics_token = Some("m3trics".into())).await;
    app.client().get("/metrics").await.problem(401);
    app.client()
        .bearer("wrong")
        .get("/metrics")
        .await
        .problem(401);
    app.person("Ada").await.get("/metrics").await.problem(401);
    let text = app
        .client()
        .bearer("m3trics")
        .get("/metrics")
        .await
        .expect(200)
        .text();
    assert!(
        text.contains("hearback_jobs{state=\"waiting\"} 0")
            && text.contains("hearback_live_pages 0"),
        "{text}"
    );
    let hidden = TestApp::start().await;
    hidden.client().get("/metrics").await.problem(404);
    assert_eq!(
        hidden.client().get("/healthz").await.expect(200).json(),
        json!({ "status": "alive" })
    );
}
