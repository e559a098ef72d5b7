//! Upload requests that are interrupted, stall or overlap.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{MIB, Sender, create_with, long, metadata, raw_patch};
use crate::app::{TestApp, fixture, postgres};
use crate::interrupted::assert_waits;

#[actix_web::test]
async fn bytes_of_an_interrupted_request_are_kept() {
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
async fn stalled_upload_request_is_rejected_with_a_conflict_and_its_bytes_are_kept() {
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
async fn older_of_two_concurrent_upload_requests_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = long(MIB);
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole[..1000]).await;
    // The older request sends its body in two parts. Its bytes differ from those of the newer request.
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
async fn bytes_are_persisted_while_the_sender_pauses_so_that_another_request_can_continue() {
    // In a bucket, bytes are stored only when they fill a part or when the request ends.
    if postgres() {
        return;
    }
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = long(9 * MIB);
    let sender = Sender::recording(&ada).await;
    let mut older = raw_patch(&app, &sender, 0, whole.len()).await;
    older.write_all(&whole[..4 * MIB + 5]).await.unwrap();
    app.wait_until("all full buffers are durable", async || {
        sender.offset().await == 4 * MIB
    })
    .await;
    sender.send(4 * MIB, &whole[4 * MIB..8 * MIB]).await;
    older.write_all(&whole[4 * MIB + 5..6 * MIB]).await.unwrap();
    let mut answer = [0; 12];
    older.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 409");
    sender.send(8 * MIB, &whole[8 * MIB..]).await;
    sender.finish(whole.len()).await.expect(204);
    assert!(sender.original().await == whole);
}

#[actix_web::test]
async fn long_upload_request_stores_every_byte() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = long(37 * MIB + 11);
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole).await;
    sender.finish(whole.len()).await.expect(204);
    assert!(sender.original().await == whole);
}

#[actix_web::test]
async fn only_one_of_many_concurrent_writes_at_the_same_offset_is_kept() {
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

#[actix_web::test]
async fn request_waits_while_another_process_is_finishing_the_upload() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let sender = Sender::recording(&ada).await;
    sender.send(0, &whole).await;
    let end = hearback::clock::real_now() + 30_000;
    let mut tx = app.state.db.begin().await.unwrap();
    sqlx::query("UPDATE uploads SET finisher = 'another', finisher_until = $1")
        .bind(end)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let release = async || {
        let release = "UPDATE uploads SET finisher = NULL, finisher_until = NULL";
        app.execute(release).await;
    };
    assert_waits(sender.finish(whole.len()), &sender, release)
        .await
        .expect(204);
    assert!(sender.original().await == whole);
}

#[actix_web::test]
async fn repeated_creation_waits_while_another_process_is_finishing_the_upload() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    let length = whole.len().to_string();
    let described = metadata(&[("filename", "a.webm"), ("nonce", "once")]);
    let headers = [
        ("upload-length", length.as_str()),
        ("upload-metadata", &described),
    ];
    let sender = Sender::begin(&ada, &headers).await;
    sender.send(0, &whole).await;
    // Simulate another process that is finishing the upload but has not stored the offset yet.
    let mut tx = app.state.db.begin().await.unwrap();
    sqlx::query(
        "UPDATE uploads SET received = 0, finished_at = NULL, finisher = 'another', finisher_until = $1",
    )
    .bind(hearback::clock::real_now() + 30_000)
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let finish = async || {
        let finish = "UPDATE uploads SET received = length, finished_at = created_at, finisher = NULL, \
                      finisher_until = NULL";
        app.execute(finish).await;
    };
    let again = create_with(&ada, &headers, whole.clone());
    let answer = assert_waits(again, &sender, finish).await.expect(201);
    assert_eq!(answer.header("upload-offset"), length);
    assert_eq!(answer.header("hearback-media"), sender.media);
    assert!(sender.original().await == whole);
}

#[actix_web::test]
async fn expired_or_implausibly_long_lease_does_not_block_an_upload() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let whole = fixture("rec-vp9-opus-10s.webm");
    for lease in [
        // The process that held the lease was killed.
        "UPDATE uploads SET finisher = 'another', finisher_until = 1 WHERE finished_at IS NULL",
        // The clock was set back by years after the lease was taken.
        "UPDATE uploads SET finisher = 'another', finisher_until = 9000000000000 WHERE finished_at IS NULL",
    ] {
        let sender = Sender::recording(&ada).await;
        sender.send(0, &whole).await;
        app.execute(lease).await;
        sender.finish(whole.len()).await.expect(204);
        assert!(sender.original().await == whole);
    }
}
