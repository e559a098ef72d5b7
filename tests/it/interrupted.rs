//! The last request of an upload fails at each of its steps in turn. A step is a use of the database or the storage.
//! The client then resumes at the offset that HEAD returns, and the stored bytes equal the sent bytes.

mod stuck;
mod two_nodes;

use crate::app::{Client, Response, TestApp, postgres};
use crate::cable::DetachableStorage;
use crate::faults::{self, Breaker, Fault, Reach};
use crate::tus::{HOUR, MIB, Sender, long};

/// The size of a part of a multipart upload, in bytes.
const PART: usize = 8 * MIB;
/// The last request of an upload may use the database and the storage at most this many times.
const MAX_STEPS: usize = 200;

/// An upload whose last request a test interrupts.
pub struct Interrupted {
    pub whole: Vec<u8>,
    /// How many bytes are sent before the last request.
    pub before: usize,
    /// Whether the upload is a recording, whose length only the last request declares.
    recording: bool,
}

impl Interrupted {
    pub fn file(before: usize, length: usize) -> Self {
        Self {
            whole: long(length),
            before,
            recording: false,
        }
    }

    /// Returns a recording whose last request has no bytes and only declares the length.
    fn recording(length: usize) -> Self {
        Self {
            whole: long(length),
            before: length,
            recording: true,
        }
    }

    pub async fn begin(&self, client: &Client) -> Sender {
        let sender = if self.recording {
            Sender::recording(client).await
        } else {
            Sender::file(client, "long.webm", self.whole.len()).await
        };
        if self.before > 0 {
            sender.send(0, &self.whole[..self.before]).await;
        }
        sender
    }

    /// Sends the last request, which contains all bytes from `offset` to the end.
    pub async fn send_rest(&self, sender: &Sender, offset: usize) -> Response {
        let length = self.whole.len().to_string();
        let headers = [("upload-length", length.as_str())];
        sender
            .patch(
                offset,
                &self.whole[offset..],
                if self.recording { &headers } else { &[] },
            )
            .await
    }

    /// Continues like a tus client that got no response to its last request: requests the offset
    /// with HEAD and sends the rest.
    pub async fn resume(&self, sender: &Sender) {
        let head = sender.head().await.expect(200);
        let offset: usize = head.header("upload-offset").parse().unwrap();
        assert!(
            offset >= self.before,
            "only {offset} of {} bytes are still stored",
            self.before
        );
        // The server knows the length of a recording only after it has committed the last request.
        if offset == self.whole.len()
            && head.header("upload-length") == self.whole.len().to_string()
        {
            assert_eq!(
                head.header("hearback-media"),
                sender.media,
                "HEAD returns the media id of a complete upload"
            );
        }
        let done = self.send_rest(sender, offset).await.expect(204);
        assert_eq!(
            (done.header("upload-offset"), done.header("hearback-media")),
            (&*self.whole.len().to_string(), &*sender.media)
        );
    }

    /// Asserts that the stored bytes equal the sent bytes.
    pub async fn check(&self, sender: &Sender) {
        assert!(
            sender.original().await == self.whole,
            "the stored bytes differ from the sent bytes"
        );
    }

    /// Interrupts the last request with this fault at its first step, then at its second step, and so on. Each
    /// attempt uses a new upload. Returns the number of steps.
    async fn try_each_step(
        &self,
        app: &TestApp,
        breaker: &Breaker,
        client: &Client,
        reach: Reach,
        fault: Fault,
    ) -> usize {
        for step in 0..MAX_STEPS {
            let sender = self.begin(client).await;
            breaker.arm(step, reach, fault);
            let answer = self.send_rest(&sender, self.before).await;
            let tripped = breaker.mend();
            // A worker that lost its connection could not release its lease on a job. End all leases now instead of
            // waiting a minute.
            app.execute("UPDATE jobs SET leased_until = 0 WHERE leased_until IS NOT NULL")
                .await;
            if !tripped {
                answer.expect(204);
                self.check(&sender).await;
                return step;
            }
            self.resume(&sender).await;
            self.check(&sender).await;
        }
        panic!("the last request has more than {MAX_STEPS} steps");
    }
}

/// Advances the clock by 25 hours and runs the cleanup. Asserts that only finished uploads and
/// their objects remain.
pub async fn assert_only_finished_uploads_are_left(app: &TestApp) {
    app.state.clock.advance(25 * HOUR);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    assert_eq!(app.multipart_uploads().await, [""; 0]);
    let uploads = app
        .count("SELECT count(*) FROM uploads WHERE finished_at IS NOT NULL")
        .await;
    assert_eq!(app.count("SELECT count(*) FROM uploads").await, uploads);
    assert_eq!(
        app.objects().await.len(),
        usize::try_from(uploads).unwrap(),
        "{:?}",
        app.objects().await
    );
}

/// Asserts that the upload survives each of these faults at each step of its last request. Does nothing on SQLite.
async fn assert_survives(upload: Interrupted, faults: &[(Reach, Fault)]) {
    if !postgres() {
        return;
    }
    let (app, breaker) = faults::start().await;
    let ada = app.person("Ada").await;
    app.wait_for_jobs().await;
    for (reach, fault) in faults {
        let steps = upload
            .try_each_step(&app, &breaker, &ada, *reach, *fault)
            .await;
        assert!(
            steps > 1,
            "only {steps} steps were tried with {fault:?} of {reach:?}"
        );
    }
    assert_only_finished_uploads_are_left(&app).await;
}

/// A fault that cuts all connections after a step, which has the same effect as killing the
/// process.
const DEATH: [(Reach, Fault); 1] = [(Reach::Both, Fault::CutAfter)];
const EACH_FAULT: [(Reach, Fault); 5] = [
    DEATH[0],
    (Reach::Database, Fault::CutBefore),
    (Reach::Database, Fault::CutAfter),
    (Reach::Storage, Fault::CutBefore),
    (Reach::Storage, Fault::CutAfter),
];

#[actix_web::test]
async fn upload_of_twenty_million_bytes_survives_a_lost_connection_at_every_step() {
    assert_survives(Interrupted::file(2 * PART, 20_000_000), &DEATH).await;
}

#[actix_web::test]
async fn upload_one_byte_shorter_than_two_parts_survives_a_lost_connection_at_every_step() {
    assert_survives(Interrupted::file(PART, 2 * PART - 1), &DEATH).await;
}

#[actix_web::test]
async fn upload_of_exactly_two_parts_survives_a_lost_connection_at_every_step() {
    assert_survives(Interrupted::file(PART, 2 * PART), &DEATH).await;
}

#[actix_web::test]
async fn upload_one_byte_longer_than_two_parts_survives_a_lost_connection_at_every_step() {
    assert_survives(Interrupted::file(PART, 2 * PART + 1), &DEATH).await;
}

#[actix_web::test]
async fn upload_in_one_request_survives_a_lost_connection_at_every_step() {
    assert_survives(Interrupted::file(0, PART + 1), &DEATH).await;
}

#[actix_web::test]
async fn small_upload_survives_every_kind_of_fault_at_every_step() {
    assert_survives(Interrupted::file(100_000, 500_000), &EACH_FAULT).await;
}

#[actix_web::test]
async fn recording_survives_every_kind_of_fault_at_every_step_of_its_empty_last_request() {
    assert_survives(Interrupted::recording(PART + 100_000), &EACH_FAULT).await;
}

#[actix_web::test]
async fn fully_received_upload_is_reported_by_head_and_completed_by_patch_after_a_storage_outage() {
    let (app, storage) = DetachableStorage::start().await;
    let ada = app.person("Ada").await;
    let recording = Interrupted::recording(100_000);
    let sender = recording.begin(&ada).await;
    // Simulate a last request that loses its database connection after it declares the length, but
    // before it finishes the upload.
    app.execute("UPDATE uploads SET length = received").await;
    storage.detach();
    let head = sender.head().await.expect(200);
    assert_eq!(
        (head.header("upload-offset"), head.header("upload-length")),
        ("100000", "100000")
    );
    assert_eq!(
        (
            head.header("hearback-media"),
            head.header("hearback-update")
        ),
        (&*sender.media, &*sender.update)
    );
    recording.send_rest(&sender, 100_000).await.problem(503);
    assert_eq!(sender.offset().await, 100_000);
    storage.attach();
    assert_eq!(sender.offset().await, 100_000);
    assert_eq!(
        sender.media().await["state"],
        "uploading",
        "HEAD does not finish an upload"
    );
    sender.patch(100_000, b"more", &[]).await.problem(413);
    recording.send_rest(&sender, 100_000).await.expect(204);
    recording.check(&sender).await;
    recording.send_rest(&sender, 100_000).await.expect(204);
}

#[actix_web::test]
async fn fully_received_upload_is_completed_in_the_background_when_its_client_is_gone() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let recording = Interrupted::recording(100_000);
    let sender = recording.begin(&ada).await;
    app.execute("UPDATE uploads SET length = received").await;
    app.state.sweep().await.unwrap();
    assert_eq!(
        sender.media().await["state"],
        "uploading",
        "its last request may still be finishing it"
    );
    app.state.clock.advance(61_000);
    app.state.sweep().await.unwrap();
    recording.check(&sender).await;
}

/// Asserts that a request stays unanswered while other requests of the same sender are answered.
/// Then calls `end_wait` and returns the response to the waiting request.
pub async fn assert_waits(
    answer: impl Future<Output = Response>,
    sender: &Sender,
    end_wait: impl AsyncFnOnce(),
) -> Response {
    let mut answer = std::pin::pin!(answer);
    let others = async {
        for _ in 0..20 {
            sender.head().await.expect(200);
        }
    };
    tokio::select! {
        answer = &mut answer => panic!("the request did not wait: {}", answer.status),
        () = others => {}
    }
    end_wait().await;
    answer.await
}

/// SQLite triggers. Each trigger makes a different step of the last request fail.
const FAILING: [&str; 6] = [
    "CREATE TRIGGER fault BEFORE UPDATE OF generation ON uploads BEGIN SELECT RAISE(ABORT, 'fault'); END",
    "CREATE TRIGGER fault BEFORE UPDATE OF received ON uploads BEGIN SELECT RAISE(ABORT, 'fault'); END",
    "CREATE TRIGGER fault BEFORE UPDATE OF finished_at ON uploads WHEN NEW.finished_at IS NOT NULL BEGIN SELECT \
     RAISE(ABORT, 'fault'); END",
    "CREATE TRIGGER fault BEFORE UPDATE ON media BEGIN SELECT RAISE(ABORT, 'fault'); END",
    "CREATE TRIGGER fault BEFORE INSERT ON renditions BEGIN SELECT RAISE(ABORT, 'fault'); END",
    "CREATE TRIGGER fault BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'fault'); END",
];

#[actix_web::test]
async fn upload_to_disk_survives_a_failure_at_any_step_of_its_last_request() {
    if postgres() {
        return;
    }
    let app =
        TestApp::start_with(|config| config.ffmpeg = Some("/nonexistent/ffmpeg".into())).await;
    let ada = app.person("Ada").await;
    let uploads = [
        Interrupted::file(0, 300_000),
        Interrupted::file(MIB, 2 * MIB - 1),
        Interrupted::file(MIB, 2 * MIB),
        Interrupted::file(MIB, 2 * MIB + 1),
        Interrupted::recording(300_000),
    ];
    for upload in &uploads {
        for trigger in FAILING {
            let sender = upload.begin(&ada).await;
            app.wait_for_jobs().await;
            app.execute(trigger).await;
            let failed = upload.send_rest(&sender, upload.before).await.status;
            app.execute("DROP TRIGGER fault").await;
            assert!(failed.is_server_error(), "{failed}: {trigger}");
            upload.resume(&sender).await;
            upload.check(&sender).await;
        }
    }
    assert_only_finished_uploads_are_left(&app).await;
}
