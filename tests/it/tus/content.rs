//! Uploaded bytes arrive unchanged, and unsupported files are rejected.

use data_encoding::BASE64;
use serde_json::json;
use sha1::{Digest, Sha1};

use super::{MIB, Sender, create, create_with, draft, long, metadata};
use crate::app::{TestApp, fixture};

/// Encodes the value of `Upload-Checksum`.
pub fn sha1(bytes: &[u8]) -> String {
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
async fn upload_creation_request_can_contain_file_bytes_and_refer_to_a_draft() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let draft = draft(&ada, "A draft").await;
    let whole = fixture("rec-vp8-opus-3s.webm");
    let described = metadata(&[("filename", "a.webm"), ("update", &draft)]);
    let length = whole.len().to_string();
    let headers = [
        ("upload-length", length.as_str()),
        ("upload-metadata", &described),
    ];
    let made = create_with(&ada, &headers, whole).await.expect(201);
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
}

#[actix_web::test]
async fn upload_creation_is_rejected_when_the_draft_is_missing_or_belongs_to_another_person() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let draft = draft(&ada, "A draft").await;
    for (client, update) in [(&bob, draft.as_str()), (&ada, "none")] {
        let described = metadata(&[("filename", "a.webm"), ("update", update)]);
        let headers = [("upload-length", "5"), ("upload-metadata", &described)];
        create(client, &headers).await.problem(404);
    }
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
    // The renditions remain, but the uploaded file is deleted.
    assert_eq!(app.objects().await.len(), 2, "{:?}", app.objects().await);
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
async fn many_upload_requests_of_one_byte_do_not_create_a_storage_object_for_each_byte() {
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
async fn unsupported_file_is_rejected_early_and_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for (name, bytes) in [
        ("a.mp4", fixture("bad-zip-named.mp4")),
        ("b.webm", vec![0; 10_000]),
        ("c.mp4", fixture("bad-hls-named.mp4")),
    ] {
        let sender = Sender::file(&ada, name, bytes.len()).await;
        let problem = sender.patch(0, &bytes, &[]).await.problem(415);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("not in a supported format"), "{detail}");
        sender.head().await.expect(404);
    }
    // The server rejects the file as soon as it knows the type, without waiting for the rest.
    let sender = Sender::file(&ada, "d.webm", 50 * MIB).await;
    sender.patch(0, &vec![0; 5000], &[]).await.problem(415);
    // The server can reject a damaged picture only after its last byte.
    let picture = fixture("bad-truncated.png");
    let sender = Sender::file(&ada, "e.png", picture.len()).await;
    sender.patch(0, &picture, &[]).await.problem(415);
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
    for statement in [
        "SELECT count(*) FROM uploads",
        "SELECT count(*) FROM upload_pieces",
        "SELECT count(*) FROM media",
        // Each upload created a draft, which must be deleted as well.
        "SELECT count(*) FROM updates",
    ] {
        assert_eq!(app.count(statement).await, 0, "{statement}");
    }
}

#[actix_web::test]
async fn repeated_upload_creation_with_the_same_nonce_returns_the_same_upload() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let described = metadata(&[("filename", "a.webm"), ("nonce", "once")]);
    let whole = fixture("rec-vp8-opus-3s.webm");
    let length = whole.len().to_string();
    let headers = [
        ("upload-length", length.as_str()),
        ("upload-metadata", &described),
    ];
    let again = async || create_with(&ada, &headers, whole.clone()).await.expect(201);
    let (first, second) = (again().await, again().await);
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(second.header("upload-offset"), length);
    assert_eq!(app.count("SELECT count(*) FROM media").await, 1);
    // Different people can use the same nonce.
    create(
        &bob,
        &[("upload-length", "5"), ("upload-metadata", &described)],
    )
    .await
    .expect(201);
    assert_eq!(app.count("SELECT count(*) FROM media").await, 2);
    app.wait_for_jobs().await;
}
