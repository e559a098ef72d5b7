//! Resumable uploads (tus 1.0): files over many requests, growing recordings, and durable offsets.

use std::time::Duration;

use data_encoding::BASE64;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::app::{Client, Response, TestApp, fixture, postgres};

const BYTES: &str = "application/offset+octet-stream";
pub const MIB: usize = 1 << 20;
pub const HOUR: i64 = 3_600_000;

/// An upload from its client's point of view.
pub struct Sender {
    pub client: Client,
    pub path: String,
    pub media: String,
    pub update: String,
}

/// Encodes the value of `Upload-Metadata`.
pub fn metadata(pairs: &[(&str, &str)]) -> String {
    pairs
        .iter()
        .map(|(name, value)| format!("{name} {}", BASE64.encode(value.as_bytes())))
        .collect::<Vec<_>>()
        .join(",")
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

    /// The same upload at another node.
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

    pub async fn media(&self) -> Value {
        self.client
            .get(&format!("/media/{}", self.media))
            .await
            .expect(200)
            .json()
    }

    /// Downloads the original as its author.
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

/// Adds headers, and `Tus-Resumable` if it is not among them.
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

/// Returns bytes that begin like a recording and continue with noise.
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

fn sha1(bytes: &[u8]) -> String {
    format!("sha1 {}", BASE64.encode(&Sha1::digest(bytes)))
}

#[actix_web::test]
async fn file_larger_than_a_part_is_intact_when_sent_in_pieces_of_any_size() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = long(21 * MIB + 12_345);
    for sizes in [
        vec![whole.len()],
        vec![3 * MIB; 8],
        vec![8 * MIB; 3],
        vec![100_000, 7 * MIB, 9 * MIB, 20 * MIB],
    ] {
        let sender = Sender::file(&ada, "long.webm", whole.len()).await;
        let (mut at, mut sizes) = (0, sizes.into_iter());
        while at < whole.len() {
            let end = (at + sizes.next().unwrap()).min(whole.len());
            at = sender.send(at, &whole[at..end]).await;
        }
        assert!(sender.original().await == whole, "the bytes differ");
    }
}

#[actix_web::test]
async fn creation_can_carry_bytes_and_name_a_draft() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let draft = ada
        .post("/updates", json!({ "title": "A draft" }))
        .await
        .expect(201)
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let whole = fixture("rec-vp8-opus-3s.webm");
    let described = metadata(&[("filename", "a.webm"), ("update", &draft)]);
    let length = whole.len().to_string();
    let headers = [
        ("upload-length", length.as_str()),
        ("upload-metadata", &described),
        ("content-type", BYTES),
    ];
    let made = Response::fetch(with(ada.request("POST", "/uploads"), &headers).body(whole.clone()))
        .await
        .expect(201);
    assert_eq!(
        (made.header("upload-offset"), made.header("hearback-update")),
        (length.as_str(), draft.as_str())
    );
    app.wait_for_jobs().await;
    let update = ada.get(&format!("/updates/{draft}")).await.json();
    assert_eq!(
        (&update["title"], &update["media"][0]["state"]),
        (&json!("A draft"), &json!("ready"))
    );
    // Another person's draft and a missing draft are not found.
    create(
        &bob,
        &[("upload-length", "5"), ("upload-metadata", &described)],
    )
    .await
    .problem(404);
    create(
        &ada,
        &[
            ("upload-length", "5"),
            ("upload-metadata", &metadata(&[("update", "none")])),
        ],
    )
    .await
    .problem(404);
}

#[actix_web::test]
async fn uploaded_picture_is_reencoded_without_metadata() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let picture = fixture("photo-exif6-gps.jpg");
    let described = metadata(&[("filename", "photo.jpg"), ("filetype", "image/jpeg")]);
    let sender = Sender::begin(
        &ada,
        &[
            ("upload-length", &picture.len().to_string()),
            ("upload-metadata", &described),
        ],
    )
    .await;
    assert_eq!(sender.media().await["kind"], "image");
    sender.send(0, &picture[..3000]).await;
    sender.patch(3000, &picture[3000..], &[]).await.expect(204);
    let media = sender.media().await;
    assert_eq!(
        (&media["state"], &media["kind"], &media["width"]),
        (&json!("ready"), &json!("image"), &json!(800))
    );
    assert!(
        !sender
            .original()
            .await
            .windows(4)
            .any(|window| window == b"Exif")
    );
    app.wait_for_jobs().await;
    // The uploaded file is deleted.
    assert_eq!(app.objects().await.len(), 2, "{:?}", app.objects().await);
}

#[actix_web::test]
async fn bytes_of_a_broken_request_are_kept() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = long(9 * MIB);
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole[..100]).await;
    let mut socket = raw_patch(&app, &sender, 100, whole.len() - 100).await;
    socket.write_all(&whole[100..5000]).await.unwrap();
    socket.shutdown().await.unwrap();
    drop(socket);
    app.wait_until("the received bytes are durable", async || {
        sender.offset().await == 5000
    })
    .await;
    sender.send(5000, &whole[5000..]).await;
    sender.finish(whole.len()).await.expect(204);
    assert!(sender.original().await == whole);
}

#[actix_web::test]
async fn stalled_request_gets_a_conflict_and_keeps_its_bytes() {
    let app =
        TestApp::start_with(|config| config.upload_idle_timeout = Duration::from_millis(50)).await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let sender = Sender::recording(&ada).await;
    let mut socket = raw_patch(&app, &sender, 0, whole.len()).await;
    socket.write_all(&whole[..7000]).await.unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 409");
    assert_eq!(sender.offset().await, 7000);
}

#[actix_web::test]
async fn older_of_two_writers_is_refused() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = long(MIB);
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole[..1000]).await;
    // The older request has sent only part of its announced body, with other bytes.
    let mut older = raw_patch(&app, &sender, 1000, 5000).await;
    older.write_all(&[7; 2000]).await.unwrap();
    app.wait_until("the older request writes", async || {
        app.count("SELECT generation FROM uploads").await == 2
    })
    .await;
    sender.send(1000, &whole[1000..2000]).await;
    older.write_all(&[7; 3000]).await.unwrap();
    let mut answer = [0; 12];
    older.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 409");
    assert_eq!(sender.offset().await, 2000);
    sender.send(2000, &whole[2000..]).await;
    sender.finish(whole.len()).await.expect(204);
    assert!(sender.original().await == whole);
}

#[actix_web::test]
async fn one_of_many_concurrent_writes_at_an_offset_is_kept() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let sender = Sender::recording(&ada).await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    sender.send(0, &whole[..5000]).await;
    let rest = &whole[5000..];
    let tries = futures_util::future::join_all((0..12).map(|n| {
        let mut bytes = rest.to_vec();
        bytes[0] = n;
        let sender = &sender;
        async move { sender.patch(5000, &bytes, &[]).await.status.as_u16() }
    }))
    .await;
    assert!(
        tries.iter().all(|status| [204, 409].contains(status)),
        "{tries:?}"
    );
    let winner = tries.iter().position(|status| *status == 204);
    assert_eq!(
        tries.iter().filter(|status| **status == 204).count(),
        1,
        "{tries:?}"
    );
    sender.finish(whole.len()).await.expect(204);
    let original = sender.original().await;
    assert_eq!(usize::from(original[5000]), winner.unwrap());
    assert!(original[5001..] == whole[5001..]);
}

#[actix_web::test]
async fn requests_of_single_bytes_do_not_make_an_object_each() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let sender = Sender::recording(&ada).await;
    let mut at = sender.send(0, &whole[..5000]).await;
    for _ in 0..200 {
        at = sender.send(at, &whole[at..=at]).await;
    }
    app.wait_for_jobs().await;
    let objects = app.objects().await.len();
    assert!(objects <= 64, "{objects} objects");
    sender.send(at, &whole[at..]).await;
    sender.finish(whole.len()).await.expect(204);
    assert!(sender.original().await == whole);
}

#[actix_web::test]
async fn bytes_are_kept_only_when_their_checksum_matches() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = long(17 * MIB);
    let sender = Sender::file(&ada, "long.webm", whole.len()).await;
    let first = &whole[..9 * MIB];
    sender
        .patch(0, first, &[("upload-checksum", &sha1(b"other"))])
        .await
        .problem(460);
    assert_eq!(sender.offset().await, 0);
    sender
        .patch(0, first, &[("upload-checksum", &sha1(first))])
        .await
        .expect(204);
    let rest = &whole[9 * MIB..];
    sender
        .patch(first.len(), rest, &[("upload-checksum", &sha1(b"other"))])
        .await
        .problem(460);
    assert_eq!(sender.offset().await, first.len());
    sender
        .patch(first.len(), rest, &[("upload-checksum", "crc7 AAAA")])
        .await
        .problem(400);
    sender
        .patch(first.len(), rest, &[("upload-checksum", "sha1 notbase64")])
        .await
        .problem(400);
    sender
        .patch(first.len(), rest, &[("upload-checksum", &sha1(rest))])
        .await
        .expect(204);
    assert!(sender.original().await == whole);
}

#[actix_web::test]
async fn protocol_errors_get_the_status_of_the_specification() {
    let app = TestApp::start_with(|config| config.max_upload = 100_000).await;
    let ada = app.person("Ada").await;
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
    for extension in [
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "checksum",
        "termination",
        "expiration",
    ] {
        assert!(
            options
                .header("tus-extension")
                .split(',')
                .any(|known| known == extension),
            "{extension}"
        );
    }
    let wrong = [
        (
            412,
            vec![("upload-length", "5"), ("tus-resumable", "0.2.2")],
        ),
        (400, vec![]),
        (400, vec![("upload-length", "-5")]),
        (400, vec![("upload-length", "five")]),
        (413, vec![("upload-length", "99999999999999999999")]),
        (400, vec![("upload-length", "5"), ("upload-length", "6")]),
        (
            400,
            vec![("upload-length", "5"), ("upload-concat", "partial")],
        ),
        (
            400,
            vec![("upload-length", "5"), ("upload-defer-length", "1")],
        ),
        (400, vec![("upload-defer-length", "2")]),
        (
            422,
            vec![("upload-length", "5"), ("upload-metadata", "filename YQBi")],
        ),
        (413, vec![("upload-length", "100001")]),
        (
            400,
            vec![
                ("upload-length", "5"),
                ("upload-metadata", "filename not*base64"),
            ],
        ),
        (
            400,
            vec![
                ("upload-length", "5"),
                ("upload-metadata", "filename YQ==,filename Yg=="),
            ],
        ),
        (
            400,
            vec![
                ("upload-length", "5"),
                ("upload-metadata", "filename YQ=="),
                ("upload-metadata", "filetype aW1hZ2UvcG5n"),
            ],
        ),
        (415, vec![("upload-length", "0")]),
    ];
    for (status, headers) in wrong {
        let answer = create(&ada, &headers).await;
        answer.problem(status);
        assert_eq!(
            (answer.header("tus-resumable"), answer.header("tus-version")),
            ("1.0.0", "1.0.0"),
            "{headers:?}"
        );
    }
    // A rejected creation with bytes leaves nothing behind, because its client has no address to delete it.
    let wrong = sha1(b"other");
    for (status, headers, body) in [
        (413, vec![("upload-defer-length", "1")], long(100_001)),
        (
            460,
            vec![
                ("upload-length", "90000"),
                ("upload-checksum", wrong.as_str()),
            ],
            long(90_000),
        ),
    ] {
        let request = ada
            .request("POST", "/uploads")
            .header("content-type", BYTES);
        Response::fetch(with(request, &headers).body(body))
            .await
            .problem(status);
    }
    assert_eq!(ada.get("/uploads").await.json()["items"], json!([]));
    assert_eq!(
        ada.get("/updates?state=draft").await.json()["items"],
        json!([])
    );

    // Empty metadata is valid.
    let sender = Sender::begin(&ada, &[("upload-length", "90000"), ("upload-metadata", "")]).await;
    let whole = &fixture("rec-vp8-opus-3s.webm")[..90_000];
    sender.patch(5, b"x", &[]).await.problem(409);
    sender
        .patch(0, b"x", &[("upload-offset", "5")])
        .await
        .problem(400);
    let request = ada
        .request("PATCH", &sender.path)
        .header("content-type", BYTES)
        .header("upload-offset", "99999999999999999999");
    Response::fetch(with(request, &[]).body(vec![1]))
        .await
        .problem(409);
    let request = ada
        .request("PATCH", &sender.path)
        .header("content-type", BYTES);
    Response::fetch(with(request, &[]).body(vec![1]))
        .await
        .problem(400);
    let request = ada
        .request("PATCH", &sender.path)
        .header("content-type", "text/plain")
        .header("upload-offset", "0");
    Response::fetch(with(request, &[]).body(vec![1]))
        .await
        .problem(415);
    sender
        .patch(0, b"x", &[("upload-length", "80000")])
        .await
        .problem(400);
    sender
        .patch(
            0,
            b"x",
            &[("upload-length", "90000"), ("upload-defer-length", "1")],
        )
        .await
        .problem(400);
    sender.send(0, &whole[..50_000]).await;
    sender
        .patch(50_000, &fixture("rec-vp8-opus-3s.webm")[50_000..], &[])
        .await
        .problem(413);
    assert_eq!(sender.offset().await, 50_000);
    // For proxies that pass only POST.
    let request = ada
        .request("POST", &sender.path)
        .header("x-http-method-override", "PATCH")
        .header("upload-offset", "50000");
    Response::fetch(
        with(request.header("content-type", BYTES), &[]).body(whole[50_000..].to_vec()),
    )
    .await
    .expect(204);

    // A recording is refused at the size limit and keeps the bytes before it.
    let endless = Sender::recording(&ada).await;
    let more = long(150_000);
    endless.send(0, &more[..90_000]).await;
    endless
        .patch(90_000, &more[90_000..], &[])
        .await
        .problem(413);
    assert_eq!(endless.offset().await, 90_000);
    endless
        .patch(90_000, b"", &[("upload-length", "80000")])
        .await
        .problem(400);
    endless.finish(90_000).await.expect(204);
    app.wait_for_jobs().await;
}

#[actix_web::test]
async fn unsupported_file_is_rejected_early_and_leaves_nothing() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for (name, bytes) in [
        ("a.mp4", fixture("bad-zip-named.mp4")),
        ("b.webm", vec![0; 10_000]),
        ("c.mp4", fixture("bad-hls-named.mp4")),
    ] {
        let sender = Sender::file(&ada, name, bytes.len()).await;
        assert!(
            sender.patch(0, &bytes, &[]).await.problem(415)["detail"]
                .as_str()
                .unwrap()
                .contains("not a file we know")
        );
        sender.head().await.expect(404);
    }
    // Rejected as soon as its type is clear, long before the end.
    let sender = Sender::file(&ada, "d.webm", 50 * MIB).await;
    sender.patch(0, &vec![0; 5000], &[]).await.problem(415);
    // Damage to a picture is detected at its end.
    let picture = fixture("bad-truncated.png");
    let sender = Sender::file(&ada, "e.png", picture.len()).await;
    sender.patch(0, &picture, &[]).await.problem(415);
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
    for (table, rows) in [
        ("uploads", app.count("SELECT count(*) FROM uploads").await),
        (
            "pieces",
            app.count("SELECT count(*) FROM upload_pieces").await,
        ),
        ("media", app.count("SELECT count(*) FROM media").await),
        (
            "drafts made for the uploads",
            app.count("SELECT count(*) FROM updates").await,
        ),
    ] {
        assert_eq!(rows, 0, "{table} remain");
    }
}

#[actix_web::test]
async fn terminated_upload_leaves_only_a_draft_that_was_edited() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let whole = long(10 * MIB);
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole[..9 * MIB]).await;
    sender.send(9 * MIB, &whole[9 * MIB..]).await;
    Response::fetch(with(bob.request("DELETE", &sender.path), &[]))
        .await
        .problem(404);
    Response::fetch(with(ada.request("DELETE", &sender.path), &[]))
        .await
        .expect(204);
    sender.head().await.expect(404);
    ada.get(&format!("/media/{}", sender.media))
        .await
        .problem(404);
    ada.get(&format!("/updates/{}", sender.update))
        .await
        .problem(404);
    let kept = Sender::recording(&ada).await;
    ada.patch(
        &format!("/updates/{}", kept.update),
        json!({ "title": "Already edited" }),
    )
    .await
    .expect(200);
    Response::fetch(with(ada.request("DELETE", &kept.path), &[]))
        .await
        .expect(204);
    assert_eq!(
        ada.get(&format!("/updates/{}", kept.update))
            .await
            .expect(200)
            .json()["media"],
        json!([])
    );
    // A completed upload is removed as media.
    let done = Sender::file(&ada, "a.webm", whole.len()).await;
    done.send(0, &whole).await;
    Response::fetch(with(ada.request("DELETE", &done.path), &[]))
        .await
        .problem(409);
    ada.delete(&format!("/media/{}", done.media))
        .await
        .expect(204);
    done.head().await.expect(410);
    app.wait_for_jobs().await;
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn upload_is_deleted_with_its_media() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let sender = Sender::recording(&ada).await;
    sender.send(0, &long(9 * MIB)).await;
    ada.delete(&format!("/media/{}", sender.media))
        .await
        .expect(204);
    sender.patch(9 * MIB, b"more", &[]).await.problem(410);
    assert_eq!(ada.get("/uploads").await.json()["items"], json!([]));
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
    sender.head().await.expect(404);
}

#[actix_web::test]
async fn repeated_creation_with_a_nonce_returns_the_same_upload() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let described = metadata(&[("filename", "a.webm"), ("nonce", "once")]);
    let whole = fixture("rec-vp8-opus-3s.webm");
    let length = whole.len().to_string();
    let headers = [
        ("upload-length", length.as_str()),
        ("upload-metadata", &described),
        ("content-type", BYTES),
    ];
    let again = || async {
        Response::fetch(with(ada.request("POST", "/uploads"), &headers).body(whole.clone()))
            .await
            .expect(201)
    };
    let (first, second) = (again().await, again().await);
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(second.header("upload-offset"), length);
    assert_eq!(app.count("SELECT count(*) FROM media").await, 1);
    // Another person can use the same nonce.
    create(
        &bob,
        &[("upload-length", "5"), ("upload-metadata", &described)],
    )
    .await
    .expect(201);
    assert_eq!(app.count("SELECT count(*) FROM media").await, 2);
    app.wait_for_jobs().await;
}

#[actix_web::test]
async fn request_is_rejected_when_sixteen_of_a_person_are_open() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let sender = Sender::recording(&ada).await;
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(raw_patch(&app, &sender, 0, 1000).await);
    }
    app.wait_until("all requests have begun", async || {
        app.count("SELECT generation FROM uploads").await == 16
    })
    .await;
    sender.patch(0, b"", &[]).await.problem(429);
    let other = Sender::recording(&bob).await;
    other.send(0, b"x").await;
    drop(open);
    app.wait_until("the connections are closed", async || {
        sender.patch(0, b"", &[]).await.status == 204
    })
    .await;
}

#[actix_web::test]
async fn expired_upload_is_deleted_and_its_media_fails() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let sender = Sender::file(&ada, "a.webm", 20 * MIB).await;
    sender.send(0, &long(9 * MIB)).await;
    app.state.clock.advance(8 * 24 * HOUR);
    sender.head().await.expect(410);
    sender.patch(9 * MIB, b"more", &[]).await.problem(410);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
    let media = sender.media().await;
    assert_eq!(media["state"], "failed");
    assert!(
        media["reason"]
            .as_str()
            .unwrap()
            .contains("send the file again")
    );
}

#[actix_web::test]
async fn upload_is_rejected_with_retry_after_when_the_disk_is_nearly_full() {
    let app = TestApp::start_with(|config| config.min_free_bytes = u64::MAX).await;
    let ada = app.person("Ada").await;
    let refused = create(&ada, &[("upload-length", "5")]).await;
    refused.problem(503);
    assert_ne!(refused.header("retry-after"), "");
    assert_eq!(
        app.count("SELECT count(*) FROM uploads").await
            + app.count("SELECT count(*) FROM updates").await,
        0
    );
}

#[actix_web::test]
async fn upload_is_rejected_when_a_hundred_of_a_person_are_unfinished() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let draft = ada
        .post("/updates", json!({ "title": "A draft" }))
        .await
        .expect(201)
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let other = ada
        .post("/updates", json!({ "title": "Another" }))
        .await
        .expect(201)
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut last = String::new();
    for n in 0..100 {
        let described = metadata(&[("update", if n < 50 { &draft } else { &other })]);
        last = create(
            &ada,
            &[("upload-length", "5"), ("upload-metadata", &described)],
        )
        .await
        .expect(201)
        .header("location")
        .to_owned();
    }
    let problem = create(&ada, &[("upload-length", "5")]).await.problem(409);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("Finish or remove some of them"),
        "{problem}"
    );

    let last = last.split_once("/uploads/").unwrap().1;
    Response::fetch(with(
        ada.request("DELETE", &format!("/uploads/{last}")),
        &[],
    ))
    .await
    .expect(204);
    create(&ada, &[("upload-length", "5")]).await.expect(201);
}

#[actix_web::test]
async fn upload_can_alternate_between_two_nodes() {
    if !postgres() {
        return;
    }
    let app = TestApp::start().await;
    let other = TestApp::second_node(&app).await;
    let ada = app.person("Ada").await;
    let whole = long(20 * MIB);
    let sender = Sender::recording(&ada).await;
    let there = sender.at(&other.base);
    let mut at = 0;
    for (n, piece) in whole.chunks(3 * MIB).enumerate() {
        at = if n % 2 == 0 {
            sender.send(at, piece).await
        } else {
            there.send(at, piece).await
        };
    }
    there.finish(at).await.expect(204);
    assert!(sender.original().await == whole);
}

/// Opens a PATCH request that announces `length` bytes and has sent none of them.
pub async fn raw_patch(
    app: &TestApp,
    sender: &Sender,
    offset: usize,
    length: usize,
) -> tokio::net::TcpStream {
    let mut socket = tokio::net::TcpStream::connect(app.base.trim_start_matches("http://"))
        .await
        .unwrap();
    let head = format!(
        "PATCH {} HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\nContent-Type: {BYTES}\r\nContent-Length: {length}\r\n\r\n",
        sender.path,
        sender.client.authorization(),
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket
}
