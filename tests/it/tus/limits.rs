//! Limits on the upload size, the number of open requests and the number of unfinished uploads.

use super::{Sender, create, draft, long, metadata, raw_patch};
use crate::app::TestApp;

#[actix_web::test]
async fn bytes_of_a_recording_beyond_the_size_limit_are_rejected_and_earlier_bytes_are_kept() {
    let app = TestApp::start_with(|config| config.max_upload = 100_000).await;
    let ada = app.person("Ada").await;
    let sender = Sender::recording(&ada).await;
    let whole = long(150_000);
    sender.send(0, &whole[..90_000]).await;
    sender
        .patch(90_000, &whole[90_000..], &[])
        .await
        .problem(413);
    assert_eq!(sender.offset().await, 90_000);
    sender
        .patch(90_000, b"", &[("upload-length", "80000")])
        .await
        .problem(400);
    sender.finish(90_000).await.expect(204);
    app.wait_for_jobs().await;
}

#[actix_web::test]
async fn upload_request_is_rejected_when_the_person_has_sixteen_open_requests() {
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
async fn upload_is_rejected_when_the_person_has_a_hundred_unfinished_uploads() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let drafts = [draft(&ada, "A draft").await, draft(&ada, "Another").await];
    let mut last = None;
    for n in 0..100 {
        let described = metadata(&[("update", &drafts[n / 50])]);
        let headers = [("upload-length", "5"), ("upload-metadata", &described)];
        last = Some(Sender::begin(&ada, &headers).await);
    }
    let problem = create(&ada, &[("upload-length", "5")]).await.problem(409);
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("Finish or remove some of them"),
        "{problem}"
    );
    // The message mentions recordings separately, because they end earlier than other uploads
    // expire.
    assert!(
        detail.contains("a recording is completed an hour after the last data"),
        "{problem}"
    );
    last.unwrap().terminate(&ada).await.expect(204);
    create(&ada, &[("upload-length", "5")]).await.expect(201);
}

#[actix_web::test]
async fn upload_is_rejected_when_the_disk_is_nearly_full() {
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
