//! Compressed responses: which are compressed, how, and for whom.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::json;

use crate::app::{Client, PASSWORD, Response, TestApp, fixture, text};
use crate::sessions::{cookie_of, sign_in};

/// Requests a path with this `Accept-Encoding`.
async fn get(client: &Client, path: &str, accepted: &'static str) -> Response {
    let client = client.clone().header("accept-encoding", accepted);
    client.get(path).await.expect(200)
}

/// Returns the `Content-Encoding` and the decoded body.
fn decode(response: &Response) -> (String, Vec<u8>) {
    let encoding = response.header("content-encoding").to_owned();
    let sent = &response.body[..];
    let mut body = Vec::new();
    match encoding.as_str() {
        "br" => brotli::Decompressor::new(sent, 4096).read_to_end(&mut body),
        "gzip" => GzDecoder::new(sent).read_to_end(&mut body),
        _ => {
            body.extend_from_slice(sent);
            Ok(sent.len())
        }
    }
    .unwrap();
    (encoding, body)
}

#[actix_web::test]
async fn json_is_compressed_if_the_client_accepts_gzip() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    // The notes are longer than the bodies that are compressed on the thread of the request.
    let content = json!({ "title": "Plan", "notes": "All as before. ".repeat(1300) });
    let path = ada.update(content).await;
    let (encoding, body) = decode(&get(&ada, &path, "identity").await);
    assert_eq!(encoding, "");
    for (accepted, expected) in [
        ("gzip, deflate, br, zstd", "gzip"),
        ("gzip;q=0.1, br", "gzip"),
        ("*", ""),
        ("br", ""),
        ("gzip;q=0", ""),
        ("rubbish;;q=x", ""),
        ("identity;q=0", ""),
    ] {
        let response = get(&ada, &path, accepted).await;
        let (encoding, same) = decode(&response);
        assert_eq!(encoding, expected, "{accepted}");
        assert_eq!(same, body, "{accepted}");
        assert_eq!(response.header("vary"), "Accept, Accept-Encoding");
        let length: usize = response.header("content-length").parse().unwrap();
        assert_eq!(length, response.body.len(), "{accepted}");
        assert!(expected.is_empty() || length < body.len() / 10, "{length}");
    }
    let head = ada.clone().header("accept-encoding", "gzip");
    let head = Response::fetch(head.request("HEAD", &path)).await;
    assert_eq!(
        (head.header("content-encoding"), head.body.len()),
        ("", 0),
        "HEAD"
    );
}

#[actix_web::test]
async fn pages_are_compressed_only_for_requests_from_this_site_and_never_for_searches() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    for (site, path, expected) in [
        ("none", "/inbox", "gzip"),
        ("same-origin", "/inbox", "gzip"),
        ("same-origin", "/updates?author=x", "gzip"),
        ("same-origin", "/updates?q=plan", ""),
        ("same-origin", "/updates?limit=5&q=plan", ""),
        ("same-origin", "/updates?%71=plan", ""),
        ("same-site", "/inbox", ""),
        ("cross-site", "/inbox", ""),
        ("rubbish", "/inbox", ""),
    ] {
        let browser = browser.clone().header("sec-fetch-site", site);
        let (encoding, body) = decode(&get(&browser, path, "gzip").await);
        assert_eq!(encoding, expected, "{site} {path}");
        let page = String::from_utf8(body).unwrap();
        assert!(page.trim_end().ends_with("</html>"), "{site} {path}");
    }
    // A browser that sends a cookie but does not say which page sends the request.
    let cookie = cookie_of(&sign_in(&app.client(), "Ada", PASSWORD).await);
    let silent = app.client().header("cookie", &cookie);
    let page = silent.clone().header("accept", "text/html");
    assert_eq!(decode(&get(&page, "/inbox", "gzip").await).0, "");
    // A token decides alone, even beside a cookie.
    let both = silent.header("authorization", ada.authorization());
    assert_eq!(decode(&get(&both, "/people", "gzip").await).0, "");
    let path = "/openapi.json";
    assert_eq!(decode(&get(&both, path, "gzip").await).0, "gzip");
}

#[actix_web::test]
async fn repeated_compressed_responses_differ_in_length() {
    let app = TestApp::start().await;
    let visitor = app.client();
    let mut lengths = BTreeSet::new();
    for _ in 0..20 {
        let response = get(&visitor, "/openapi.json", "gzip").await;
        lengths.insert(response.body.len());
    }
    assert!(lengths.len() >= 3, "{lengths:?}");
}

#[actix_web::test]
async fn short_responses_media_and_event_streams_are_not_compressed() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = ada.update(json!({ "title": "Plan" })).await;
    let gzipping = ada.clone().header("accept-encoding", "gzip, br");
    let health = gzipping.get("/healthz").await.expect(200);
    assert_eq!(health.header("content-encoding"), "");
    let stream = gzipping
        .request("GET", &format!("{path}/live"))
        .send()
        .await
        .unwrap();
    assert_eq!(stream.status(), 200);
    assert!(!stream.headers().contains_key("content-encoding"));
    let picture = fixture("alpha.png");
    let update = ada
        .upload(
            "/updates",
            &[("title", "T")],
            &[("media", "a.png", picture)],
        )
        .await
        .expect(201)
        .json();
    let address = text(&update["media"][0]["renditions"][0]["url"]);
    for range in ["", "bytes=0-9"] {
        let mut client = gzipping.clone();
        if !range.is_empty() {
            client = client.header("range", range);
        }
        let bytes = client.get(address).await;
        assert_eq!(bytes.header("content-encoding"), "", "{range}");
        assert_eq!(bytes.status, if range.is_empty() { 200 } else { 206 });
    }
}

#[actix_web::test]
async fn assets_are_sent_as_compressed_at_build_time() {
    let app = TestApp::start().await;
    let visitor = app.client();
    let page = visitor.clone().accept("text/html");
    let page = page.get("/session").await.expect(200).text();
    let mut checked = 0;
    for quoted in page.split('"').filter(|part| part.starts_with("/assets/")) {
        let address = quoted.split('#').next().unwrap();
        let plain = get(&visitor, address, "identity").await;
        assert_eq!(plain.header("vary"), "Accept-Encoding");
        for accepted in ["br", "gzip"] {
            let response = get(&visitor, address, accepted).await;
            let (encoding, body) = decode(&response);
            assert_eq!(body, plain.body, "{address}");
            if body.len() >= 1024 && !address.ends_with(".woff2") {
                assert_eq!(encoding, accepted, "{address}: is browser/dist up to date?");
                assert!(response.body.len() < body.len() * 3 / 4, "{address}");
                checked += 1;
            }
        }
        visitor.get(&format!("{address}.br")).await.expect(404);
    }
    assert!(checked >= 6, "{page}");
}
