//! Resumable uploads (tus 1.0): uploads in many requests, recordings of unknown length, and durable offsets.
//!
//! This module contains an upload client, and its submodules contain the tests.

mod cleanup;
mod concurrency;
mod content;
mod limits;
mod protocol;

use data_encoding::BASE64;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::app::{Client, Response, TestApp, fixture};

const BYTES: &str = "application/offset+octet-stream";

pub const MIB: usize = 1 << 20;

pub const HOUR: i64 = 3_600_000;

/// An upload and the client that sends it.
pub struct Sender {
    pub client: Client,
    pub path: String,
    pub media: String,
    pub update: String,
}

impl Sender {
    /// Creates an upload with these headers.
    pub async fn begin(client: &Client, headers: &[(&str, &str)]) -> Self {
        let made = create(client, headers).await.expect(201);
        let path = made.header("location").split_once("/uploads/").unwrap().1;
        assert_eq!(made.header("upload-offset"), "0");
        Self {
            client: client.clone(),
            path: format!("/uploads/{path}"),
            media: made.header("hearback-media").to_owned(),
            update: made.header("hearback-update").to_owned(),
        }
    }

    /// Begins a recording, whose length is unknown.
    pub async fn recording(client: &Client) -> Self {
        let described = metadata(&[("filename", "Recording.webm"), ("filetype", "video/webm")]);
        Self::begin(
            client,
            &[
                ("upload-defer-length", "1"),
                ("upload-metadata", &described),
            ],
        )
        .await
    }

    /// Begins an upload of a file with this length.
    pub async fn file(client: &Client, name: &str, length: usize) -> Self {
        Self::begin(
            client,
            &[
                ("upload-length", &length.to_string()),
                ("upload-metadata", &metadata(&[("filename", name)])),
            ],
        )
        .await
    }

    /// Returns a sender that continues this upload at another node.
    pub fn at(&self, base: &str) -> Self {
        let (client, path) = (self.client.with_base(base), self.path.clone());
        Self {
            client,
            path,
            media: self.media.clone(),
            update: self.update.clone(),
        }
    }

    pub async fn patch(&self, offset: usize, bytes: &[u8], headers: &[(&str, &str)]) -> Response {
        let request = self
            .client
            .request("PATCH", &self.path)
            .header("upload-offset", offset.to_string())
            .header("content-type", BYTES);
        Response::fetch(with(request, headers).body(bytes.to_vec())).await
    }

    /// Sends bytes at an offset. Returns the next offset.
    pub async fn send(&self, offset: usize, bytes: &[u8]) -> usize {
        let answer = self.patch(offset, bytes, &[]).await.expect(204);
        assert_eq!(
            answer.header("upload-offset"),
            (offset + bytes.len()).to_string()
        );
        offset + bytes.len()
    }

    pub async fn head(&self) -> Response {
        Response::fetch(with(self.client.request("HEAD", &self.path), &[])).await
    }

    pub async fn offset(&self) -> usize {
        self.head()
            .await
            .expect(200)
            .header("upload-offset")
            .parse()
            .unwrap()
    }

    /// Declares the final length.
    pub async fn finish(&self, length: usize) -> Response {
        self.patch(length, b"", &[("upload-length", &length.to_string())])
            .await
    }

    /// Terminates the upload as `client`.
    pub async fn terminate(&self, client: &Client) -> Response {
        Response::fetch(with(client.request("DELETE", &self.path), &[])).await
    }

    pub async fn media(&self) -> Value {
        self.client
            .get(&format!("/media/{}", self.media))
            .await
            .expect(200)
            .json()
    }

    /// Downloads the uploaded file as its author.
    pub async fn original(&self) -> Vec<u8> {
        let media = self.media().await;
        let original = media["renditions"]
            .as_array()
            .unwrap()
            .iter()
            .find(|rendition| rendition["name"] == "original")
            .unwrap();
        self.client
            .get(original["url"].as_str().unwrap())
            .await
            .expect(200)
            .body
    }
}

/// Encodes the value of `Upload-Metadata`.
pub fn metadata(pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .map(|(name, value)| format!("{name} {}", BASE64.encode(value.as_bytes())))
        .collect::<Vec<_>>()
        .join(",")
}

/// Adds these headers to the request. Also adds a `Tus-Resumable` header if they do not include
/// one.
pub fn with(request: reqwest::RequestBuilder, headers: &[(&str, &str)]) -> reqwest::RequestBuilder {
    let given = headers.iter().any(|(name, _)| *name == "tus-resumable");
    let request = if given {
        request
    } else {
        request.header("tus-resumable", "1.0.0")
    };
    headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    })
}

pub async fn create(client: &Client, headers: &[(&str, &str)]) -> Response {
    Response::fetch(with(client.request("POST", "/uploads"), headers)).await
}

/// Returns a file of this many bytes. It begins with a recording and continues with pseudo-random bytes.
pub fn long(bytes: usize) -> Vec<u8> {
    let mut all = fixture("rec-vp9-opus-10s.webm");
    let mut next = 1_u64;
    while all.len() < bytes {
        next = next
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        all.extend_from_slice(&next.to_be_bytes());
    }
    all.truncate(bytes);
    all
}

/// Opens a PATCH request that announces a body of `length` bytes. The caller sends the body.
pub async fn raw_patch(
    app: &TestApp,
    sender: &Sender,
    offset: usize,
    length: usize,
) -> tokio::net::TcpStream {
    raw_patch_with(app, sender, offset, length, "").await
}

/// Opens a PATCH request as `raw_patch` does, with more header lines.
pub async fn raw_patch_with(
    app: &TestApp,
    sender: &Sender,
    offset: usize,
    length: usize,
    more: &str,
) -> tokio::net::TcpStream {
    let mut socket = tokio::net::TcpStream::connect(app.base.trim_start_matches("http://"))
        .await
        .unwrap();
    let head = format!(
        "PATCH {} HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: \
         {offset}\r\nContent-Type: {BYTES}\r\nContent-Length: {length}\r\n{more}\r\n",
        sender.path,
        sender.client.authorization(),
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket
}

/// Sends a request that creates an upload and contains its first bytes.
async fn create_with(client: &Client, headers: &[(&str, &str)], bytes: Vec<u8>) -> Response {
    let request = client
        .request("POST", "/uploads")
        .header("content-type", BYTES);
    Response::fetch(with(request, headers).body(bytes)).await
}

/// Creates a draft and returns its id.
async fn draft(author: &Client, title: &str) -> String {
    let path = author.update(json!({ "title": title, "publish": false }));
    path.await.trim_start_matches("/updates/").to_owned()
}
