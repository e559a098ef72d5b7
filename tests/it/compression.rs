//! Compressed responses: which are compressed, how, and for whom.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::app::{Client, Response, TestApp};

/// Requests a path with this `Accept-Encoding`. Returns the `Content-Encoding`, the number of bytes sent, and the body.
async fn fetch(client: &Client, path: &str, accepted: &'static str) -> (String, usize, Vec<u8>) {
    let client = client.clone().header("accept-encoding", accepted);
    decode(client.get(path).await.expect(200))
}

fn decode(response: Response) -> (String, usize, Vec<u8>) {
    let encoding = response.header("content-encoding").to_owned();
    let mut body = Vec::new();
    match encoding.as_str() {
        "br" => brotli::Decompressor::new(&response.body[..], 4096).read_to_end(&mut body),
        "gzip" => GzDecoder::new(&response.body[..]).read_to_end(&mut body),
        _ => Ok({
            body.clone_from(&response.body);
            body.len()
        }),
    }
    .unwrap();
    (encoding, response.body.len(), body)
}

#[actix_web::test]
async fn json_is_compressed_in_the_best_encoding_that_the_client_accepts() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = ada
        .update(serde_json::json!({ "title": "Plan", "notes": "All as before. ".repeat(400) }))
        .await;
    let (encoding, plain, body) = fetch(&ada, &path, "identity").await;
    assert_eq!((encoding.as_str(), plain), ("", body.len()));
    for (accepted, expected) in [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("br;q=0, gzip;q=0", ""),
        ("zstd", ""),
        ("rubbish;;q=x", ""),
        ("identity;q=0", ""),
    ] {
        let (encoding, sent, same) = fetch(&ada, &path, accepted).await;
        assert_eq!(encoding, expected, "{accepted}");
        assert_eq!(same, body, "{accepted}");
        assert!(
            expected.is_empty() || sent < plain / 4,
            "{accepted}: {sent} of {plain}"
        );
    }
    let client = ada.clone().header("accept-encoding", "br");
    let response = client.get(&path).await.expect(200);
    assert_eq!(response.header("vary"), "Accept, Accept-Encoding");
}

#[actix_web::test]
async fn pages_are_compressed_unless_another_site_requested_them() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let browser = app.browser("Ada").await;
    for (site, expected) in [
        ("none", "br"),
        ("same-origin", "br"),
        ("same-site", ""),
        ("cross-site", ""),
        ("rubbish", ""),
    ] {
        let browser = browser.clone().header("sec-fetch-site", site);
        let (encoding, _, body) = fetch(&browser, "/inbox", "gzip, br").await;
        assert_eq!(encoding, expected, "{site}");
        assert!(
            body.ends_with(b"</html>\n") || body.ends_with(b"</html>"),
            "{site}"
        );
    }
}

#[actix_web::test]
async fn short_responses_media_and_event_streams_are_not_compressed() {
    let app = TestApp::start().await;
    let ada = app
        .person("Ada")
        .await
        .header("accept-encoding", "gzip, br");
    let health = ada.get("/healthz").await.expect(200);
    assert_eq!(health.header("content-encoding"), "");
    let path = ada.update(serde_json::json!({ "title": "Plan" })).await;
    let stream = ada
        .request("GET", &format!("{path}/live"))
        .send()
        .await
        .unwrap();
    assert_eq!(stream.status(), 200);
    assert!(!stream.headers().contains_key("content-encoding"));
}

#[actix_web::test]
async fn assets_are_sent_in_the_form_that_the_build_compressed() {
    let app = TestApp::start().await;
    let visitor = app.client();
    let page = visitor
        .clone()
        .accept("text/html")
        .get("/session")
        .await
        .expect(200)
        .text();
    let mut checked = 0;
    for quoted in page.split('"').filter(|text| text.starts_with("/assets/")) {
        let address = quoted.split('#').next().unwrap();
        let (_, plain, body) = fetch(&visitor, address, "identity").await;
        for accepted in ["br", "gzip"] {
            let (encoding, sent, same) = fetch(&visitor, address, accepted).await;
            assert_eq!(same, body, "{address}");
            if plain >= 1024 {
                assert_eq!(encoding, accepted, "{address}");
                assert!(sent < plain / 2, "{address}: {sent} of {plain}");
            }
        }
        checked += 1;
    }
    assert!(checked >= 3, "{page}");
}
