//! The last request of an upload is held up on one node while the client continues the upload on another.

use super::{Interrupted, MAX_STEPS, PART, assert_only_finished_uploads_are_left, assert_waits};
use crate::app::{TestApp, postgres};
use crate::faults::{self, Fault, Reach};

/// Asserts that two nodes never mix their bytes in one upload. Sends the last request of an upload to one node, and
/// delays one of this node's storage requests. At the same time, sends different bytes to a second node. The second
/// node takes over the upload, unless the first node is already finishing it. Only the bytes of one node are
/// stored. Repeats this for each storage request.
async fn assert_never_merged(upload: Interrupted) {
    if !postgres() {
        return;
    }
    let (app, breaker) = faults::start().await;
    let other = TestApp::second_node_with(&app, |config| {
        config.ffmpeg = Some("/nonexistent/ffmpeg".into())
    })
    .await;
    let ada = app.person("Ada").await;
    app.wait_for_jobs().await;
    let mut waits = 0;
    for step in 0..MAX_STEPS {
        let sender = upload.begin(&ada).await;
        breaker.arm(step, Reach::Storage, Fault::Hold);
        let mut first = std::pin::pin!(upload.send_rest(&sender, upload.before));
        let answered = tokio::select! {
            answer = &mut first => Some(answer),
            () = breaker.tripped() => None,
        };
        if let Some(answer) = answered {
            assert!(!breaker.mend());
            answer.expect(204);
            upload.check(&sender).await;
            assert!(step > 2 && waits > 0, "{step} steps, {waits} waits");
            break;
        }
        let second_sender = sender.at(&other.base);
        let offset = second_sender.offset().await;
        let mut whole = upload.whole.clone();
        whole[offset..].iter_mut().for_each(|byte| *byte ^= 0xff);
        let second = Interrupted { whole, ..upload };
        let leases = "SELECT count(*) FROM uploads WHERE finisher IS NOT NULL";
        if app.count(leases).await == 1 {
            let answer = second.send_rest(&second_sender, offset);
            let answer = assert_waits(answer, &second_sender, async || {
                breaker.mend();
            });
            let (answer, first) = futures_util::future::join(answer, first).await;
            first.expect(204);
            let nothing_left = offset == upload.whole.len();
            assert_eq!(answer.status, if nothing_left { 204 } else { 409 });
            assert_eq!(second_sender.offset().await, upload.whole.len());
            upload.check(&second_sender).await;
            waits += 1;
            continue;
        }
        second.send_rest(&second_sender, offset).await.expect(204);
        breaker.mend();
        let refused = first.await.status.as_u16();
        assert!(
            [409, 503].contains(&refused),
            "the first writer got status {refused}"
        );
        second.check(&second_sender).await;
    }
    assert_only_finished_uploads_are_left(&app).await;
}

#[actix_web::test]
async fn late_request_to_one_node_never_changes_an_upload_that_another_node_finished() {
    assert_never_merged(Interrupted::file(PART, 2 * PART + 100_000)).await;
}

#[actix_web::test]
async fn late_request_to_one_node_never_changes_a_recording_that_another_node_finished() {
    assert_never_merged(Interrupted::recording(PART + 100_000)).await;
}
