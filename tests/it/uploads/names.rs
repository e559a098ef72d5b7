//! Hostile file names.

use serde_json::Value;

use super::rendition;
use crate::app::{Client, Response, TestApp, fixture};

const BOUNDARY: &str = "------WebKitFormBoundaryFIkAsfGq5187nhAN";

/// Returns multipart parts as Chromium sends them for file names with paths, line breaks or direction marks. The
/// content of each part is a real picture.
fn chromium_parts() -> Vec<Vec<u8>> {
    let body = fixture("bad-filenames-chromium.multipart");
    let text = String::from_utf8_lossy(&body).replace("name=\"file\"", "name=\"media\"");
    let picture = fixture("alpha.png");
    text.split(BOUNDARY)
        .filter_map(|part| part.split_once("\r\n\r\n"))
        .map(|(head, _)| {
            [
                BOUNDARY.as_bytes(),
                head.as_bytes(),
                b"\r\n\r\n",
                &picture,
                b"\r\n",
            ]
            .concat()
        })
        .collect()
}

async fn post(client: &Client, parts: &[Vec<u8>]) -> Response {
    let body = [parts.concat(), format!("{BOUNDARY}--\r\n").into_bytes()].concat();
    let content_type = format!("multipart/form-data; boundary={}", &BOUNDARY[2..]);
    let request = client
        .request("POST", "/updates")
        .header("content-type", content_type);
    Response::fetch(request.body(body)).await
}

fn has_null_character(part: &[u8]) -> bool {
    part[..200].windows(4).any(|window| window == b"nul\0")
}

#[actix_web::test]
async fn unusual_file_names_are_stored_safely() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let mut parts = chromium_parts();
    parts.retain(|part| !has_null_character(part));
    let update = post(&ada, &parts).await.expect(201).json();
    let media = update["media"].as_array().unwrap();
    let names: Vec<&str> = media
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
    for media in media {
        assert_downloads_safely(&ada, media).await;
    }
    let path = format!("/updates/{}", update["id"].as_str().unwrap());
    let page = app.browser("Ada").await.get(&path).await.expect(200).text();
    assert!(!page.contains("<img src=x"), "a file name became HTML");
}

async fn assert_downloads_safely(client: &Client, media: &Value) {
    let url = rendition(media, "original")["url"].as_str().unwrap();
    let response = client.get(&format!("{url}&download")).await.expect(200);
    let disposition = response.header("content-disposition");
    assert!(
        disposition.starts_with("attachment; filename*=UTF-8''") && disposition.is_ascii(),
        "{disposition}"
    );
    assert!(response.headers.get("x-injected").is_none());
}

#[actix_web::test]
async fn file_name_with_a_null_character_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let mut parts = chromium_parts();
    parts.retain(|part| has_null_character(part));
    // A null character is not allowed in a header (RFC 9110 §5.5).
    let rejected = post(&ada, &parts).await;
    assert!(
        [400, 422].contains(&rejected.status.as_u16()),
        "{}",
        rejected.text()
    );
    assert_eq!(app.count("SELECT count(*) FROM updates").await, 0);
}

#[actix_web::test]
async fn file_name_that_is_not_utf8_is_accepted() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let part = |file_name: &[u8]| {
        [
            BOUNDARY.as_bytes(),
            b"\r\nContent-Disposition: form-data; name=\"media\"; ",
            file_name,
            b"\r\nContent-Type: image/png\r\n\r\n",
            &fixture("alpha.png"),
            b"\r\n",
        ]
        .concat()
    };
    let parts = [
        part(b"filename=\"\xfcber-caf\xe9.png\""),
        part("filename=\"über-café.png\"".as_bytes()),
        part(b"filename*=UTF-8''%C3%BCber-caf%C3%A9.png"),
        part(b"filename*=iso-8859-1''%FCber-caf%E9.png"),
    ];
    let update = post(&ada, &parts).await.expect(201).json();
    let media = update["media"].as_array().unwrap();
    let names: Vec<_> = media.iter().map(|media| &media["file_name"]).collect();
    assert_eq!(names, ["über-café.png"; 4]);
}
