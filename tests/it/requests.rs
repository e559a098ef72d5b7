//! Requests in general: unknown addresses, methods, unreadable bodies, edit conflicts and the metrics.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::app::{Client, Response, TestApp};

#[actix_web::test]
async fn second_edit_based_on_the_same_version_is_rejected_and_keeps_the_typed_text() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = ada.update(json!({ "title": "T" })).await;
    let version = ada.get(&path).await.json()["version"].clone();
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
async fn unknown_address_returns_not_found_as_json_and_as_a_page() {
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
}

#[actix_web::test]
async fn id_or_query_with_invalid_characters_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
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
async fn unsupported_method_is_rejected() {
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
async fn head_response_matches_the_get_response_without_its_body() {
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

async fn post(client: &Client, content_type: &str, body: Vec<u8>) -> Response {
    let request = client
        .request("POST", "/updates")
        .header("content-type", content_type)
        .body(body);
    Response::fetch(request).await
}

#[actix_web::test]
async fn unreadable_body_is_rejected_with_the_matching_status() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for broken in [
        "{\"title\":",
        "[]",
        "\"title\"",
        "nonsense",
        "{\"title\": \"\u{fffd}",
    ] {
        post(&ada, "application/json", broken.into())
            .await
            .problem(400);
    }
    post(
        &ada,
        "application/json",
        vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}'],
    )
    .await
    .problem(400);
    for kind in ["text/plain", "application/xml", "image/png"] {
        post(&ada, kind, b"title=x".to_vec()).await.problem(415);
    }
    let problem = post(
        &ada,
        "application/json",
        br#"{"titel":"x","title":5}"#.to_vec(),
    )
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
    assert_eq!(app.count("SELECT count(*) FROM updates").await, 0);
}

#[actix_web::test]
async fn body_that_is_too_large_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let large = format!("{{\"title\":\"{}\"}}", "x".repeat(3 << 20));
    post(&ada, "application/json", large.into_bytes())
        .await
        .problem(413);
    let large = format!("title={}", "x".repeat(3 << 20));
    let refused = post(
        &ada,
        "application/x-www-form-urlencoded",
        large.into_bytes(),
    )
    .await;
    refused.problem(413);
    assert!(!refused.header("x-request-id").is_empty());
    assert_eq!(app.count("SELECT count(*) FROM updates").await, 0);
}

#[actix_web::test]
async fn bytes_that_are_not_http_are_rejected() {
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
        let mut response = Vec::new();
        let _ = socket.read_to_end(&mut response).await;
        assert!(
            response.is_empty() || response.starts_with(b"HTTP/1.1 4"),
            "{}",
            String::from_utf8_lossy(&response)
        );
    }
    app.client().get("/healthz").await.expect(200);
}

#[actix_web::test]
async fn metrics_endpoint_requires_its_token() {
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
    let without_token = TestApp::start().await;
    without_token.client().get("/metrics").await.problem(404);
    assert_eq!(
        without_token
            .client()
            .get("/healthz")
            .await
            .expect(200)
            .json(),
        json!({ "status": "alive" })
    );
}

#[actix_web::test]
async fn fields_are_rejected_by_routes_that_accept_no_fields() {
    let app = TestApp::start().await;
    let (root, bob) = (app.admin("Root").await, app.person("Bob").await);
    let update = root.update(json!({ "title": "T" })).await;
    let question = root.question(&update, "When?").await;
    for (method, path) in [
        ("PUT", format!("{update}/audience/{}", bob.id)),
        ("PUT", format!("{update}/publication")),
        ("PUT", format!("{update}/restoration")),
        ("PUT", format!("{update}/opening")),
        ("PUT", format!("{update}/mute")),
        ("PUT", format!("{update}/receipts/{}/disclosure", bob.id)),
        ("POST", format!("{update}/reminders")),
        ("PUT", format!("/comments/{question}/resolution")),
        ("PUT", format!("/comments/{question}/acceptance")),
        ("POST", format!("/people/{}/reset", bob.id)),
    ] {
        let refused = root.json(method, &path, &json!({ "note": "x" })).await;
        let problem = refused.problem(422);
        assert!(problem["errors"]["note"].is_string(), "{path}: {problem}");
        let refused = root.form(method, &path, &[("note", "x")]).await;
        assert!(refused.problem(422)["errors"]["note"].is_string(), "{path}");
    }
    let added = format!("{update}/audience/{}", bob.id);
    root.json("PUT", &added, &json!({})).await.expect(200);
    bob.get(&update).await.expect(200);
}
