//! Requests that violate the tus protocol get the status that the specification requires.

use data_encoding::BASE64;
use serde_json::json;

use super::content::sha1;
use super::{BYTES, Sender, create, create_with, long, metadata, with};
use crate::app::{Client, Response, TestApp, fixture};

/// Invalid requests to create an upload. Each entry has the expected status and the headers of the request.
#[rustfmt::skip]
const INVALID_CREATIONS: [(u16, &[(&str, &str)]); 15] = [
    (412, &[("upload-length", "5"), ("tus-resumable", "0.2.2")]),
    (400, &[]),
    (400, &[("upload-length", "-5")]),
    (400, &[("upload-length", "five")]),
    (413, &[("upload-length", "99999999999999999999")]),
    (400, &[("upload-length", "5"), ("upload-length", "6")]),
    (400, &[("upload-length", "5"), ("upload-concat", "partial")]),
    (400, &[("upload-length", "5"), ("upload-defer-length", "1")]),
    (400, &[("upload-defer-length", "2")]),
    (422, &[("upload-length", "5"), ("upload-metadata", "filename YQBi")]),
    (413, &[("upload-length", "100001")]),
    (400, &[("upload-length", "5"), ("upload-metadata", "filename not*base64")]),
    (400, &[("upload-length", "5"), ("upload-metadata", "filename YQ==,filename Yg==")]),
    (400, &[("upload-length", "5"), ("upload-metadata", "filename YQ=="), ("upload-metadata", "filetype aW1hZ2UvcG5n")]),
    (415, &[("upload-length", "0")]),
];

/// Starts a server that accepts files of up to 100,000 bytes.
async fn start() -> (TestApp, Client) {
    let app = TestApp::start_with(|config| config.max_upload = 100_000).await;
    let ada = app.person("Ada").await;
    (app, ada)
}

/// Begins an upload of 90,000 bytes. Its metadata is empty, which is valid.
async fn begin(client: &Client) -> Sender {
    Sender::begin(
        client,
        &[("upload-length", "90000"), ("upload-metadata", "")],
    )
    .await
}

#[actix_web::test]
async fn options_response_describes_the_supported_protocol() {
    let (_app, ada) = start().await;
    let options = Response::fetch(ada.request("OPTIONS", "/uploads"))
        .await
        .expect(204);
    assert_eq!(
        (
            options.header("tus-version"),
            options.header("tus-max-size")
        ),
        ("1.0.0", "100000")
    );
    let extensions: Vec<&str> = options.header("tus-extension").split(',').collect();
    for extension in [
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "checksum",
        "termination",
        "expiration",
    ] {
        assert!(extensions.contains(&extension), "{extension}");
    }
}

#[actix_web::test]
async fn address_of_a_new_upload_is_relative() {
    let (_app, ada) = start().await;
    let made = create(&ada, &[("upload-length", "10")]).await.expect(201);
    let location = made.header("location");
    let id = location.strip_prefix("/uploads/");
    assert!(id.is_some_and(|id| !id.contains('/')), "{location}");
    let head = ada
        .request("HEAD", location)
        .header("tus-resumable", "1.0.0");
    Response::fetch(head).await.expect(200);
}

#[actix_web::test]
async fn invalid_upload_creation_is_rejected_and_leaves_nothing_behind() {
    let (_app, ada) = start().await;
    for (status, headers) in INVALID_CREATIONS {
        let response = create(&ada, headers).await;
        response.problem(status);
        assert_eq!(
            (
                response.header("tus-resumable"),
                response.header("tus-version")
            ),
            ("1.0.0", "1.0.0"),
            "{headers:?}"
        );
    }
    // A creation request with bytes must store nothing when it is rejected, because the client gets no address at
    // which to delete the upload.
    let recording = [("upload-defer-length", "1")];
    let checksum = sha1(b"other");
    let file = [
        ("upload-length", "90000"),
        ("upload-checksum", checksum.as_str()),
    ];
    for (status, headers, bytes) in [
        (413, &recording[..], long(100_001)),
        (460, &file[..], long(90_000)),
    ] {
        create_with(&ada, headers, bytes).await.problem(status);
    }
    for list in ["/uploads", "/updates?state=draft"] {
        assert_eq!(ada.get(list).await.json()["items"], json!([]));
    }
}

#[actix_web::test]
async fn invalid_patch_is_rejected() {
    let (_app, ada) = start().await;
    let sender = begin(&ada).await;
    sender.patch(5, b"x", &[]).await.problem(409);
    for (status, headers) in [
        (409, &[("upload-offset", "99999999999999999999")][..]),
        (400, &[]),
    ] {
        let request = ada
            .request("PATCH", &sender.path)
            .header("content-type", BYTES);
        Response::fetch(with(request, headers).body(vec![1]))
            .await
            .problem(status);
    }
    let request = ada
        .request("PATCH", &sender.path)
        .header("content-type", "text/plain")
        .header("upload-offset", "0");
    Response::fetch(with(request, &[]).body(vec![1]))
        .await
        .problem(415);
    for headers in [
        &[("upload-offset", "5")][..],
        &[("upload-length", "80000")],
        &[("upload-length", "90000"), ("upload-defer-length", "1")],
    ] {
        sender.patch(0, b"x", headers).await.problem(400);
    }
}

#[actix_web::test]
async fn patch_beyond_the_declared_length_is_rejected_and_keeps_the_offset() {
    let (app, ada) = start().await;
    let sender = begin(&ada).await;
    let recorded = fixture("rec-vp8-opus-3s.webm");
    sender.send(0, &recorded[..50_000]).await;
    sender
        .patch(50_000, &recorded[50_000..], &[])
        .await
        .problem(413);
    assert_eq!(sender.offset().await, 50_000);
    // Some proxies do not forward PATCH, so clients can send POST with this header instead.
    let request = ada
        .request("POST", &sender.path)
        .header("x-http-method-override", "PATCH")
        .header("upload-offset", "50000")
        .header("content-type", BYTES);
    Response::fetch(with(request, &[]).body(recorded[50_000..90_000].to_vec()))
        .await
        .expect(204);
    app.wait_for_jobs().await;
}

#[actix_web::test]
async fn file_name_in_latin1_is_accepted() {
    let (_app, ada) = start().await;
    let name = BASE64.encode(b"\xfcber-caf\xe9.webm");
    for metadata in [
        format!("filename {name}"),
        metadata(&[("filename", "über-café.webm")]),
    ] {
        let headers = [("upload-length", "90000"), ("upload-metadata", &metadata)];
        let sender = Sender::begin(&ada, &headers).await;
        assert_eq!(sender.media().await["file_name"], "über-café.webm");
        let head = sender.head().await.expect(200);
        assert_eq!(head.header("upload-metadata"), metadata);
    }
}
