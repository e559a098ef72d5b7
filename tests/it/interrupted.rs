//! Uploads whose last request breaks off at any of its steps: whatever is cut, the sender goes on from HEAD, and what is
//! stored is what was sent.

use crate::app::{Client, Response, TestApp, postgres, s3};
use crate::failures::with_detachable_storage;
use crate::faults::{self, Breaker, Fault, Reach};
use crate::tus::{HOUR, MIB, Sender, long};

/// The length of a part in a bucket.
const PART: usize = 8 * MIB;
/// More steps than any last request has.
const MOST: usize = 200;

/// An upload up to its last request.
pub struct Interrupted {
    pub whole: Vec<u8>,
    /// How much is there before the last request.
    pub before: usize,
    /// Its length becomes known with the last request.
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

    /// A recording whose last request brings no bytes.
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

    /// Sends what is left from an offset on, which may be nothing.
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

    /// What a client of tus does after an answer that it did not get: asks with HEAD, and sends the rest.
    pub async fn resume(&self, sender: &Sender) {
        let head = sender.head().await.expect(200);
        let offset: usize = head.header("upload-offset").parse().unwrap();
        assert!(
            offset >= self.before,
            "{offset} of {} bytes are left",
            self.before
        );
        // The length of a recording is known once its last request was committed.
        if offset == self.whole.len()
            && head.header("upload-length") == self.whole.len().to_string()
        {
            assert_eq!(
                head.header("hearback-media"),
                sender.media,
                "once all bytes are there, HEAD names the media"
            );
        }
        let done = self.send_rest(sender, offset).await.expect(204);
        assert_eq!(
            (done.header("upload-offset"), done.header("hearback-media")),
            (&*self.whole.len().to_string(), &*sender.media)
        );
    }

    pub async fn check(&self, sender: &Sender) {
        assert!(
            sender.original().await == self.whole,
            "other bytes are stored than were sent"
        );
    }

    /// Lets the fault happen at each step of the last request in turn, until none is left. Answers how many steps there were.
    async fn try_each_step(
        &self,
        app: &TestApp,
        breaker: &Breaker,
        client: &Client,
        reach: Reach,
        fault: Fault,
    ) -> usize {
        for step in 0..MOST {
            let sender = self.begin(client).await;
            breaker.arm(step, reach, fault);
            let answer = self.send_rest(&sender, self.before).await;
            let tripped = breaker.mend();
            // A worker that was cut off leaves a lease of a minute behind.
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
        panic!("the last request has more than {MOST} steps");
    }
}

/// Asserts that nothing but finished uploads is left in the bucket once what is over was thrown away.
pub async fn only_finished_uploads_are_left(app: &TestApp) {
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

/// Tries every step of one upload with each of these faults.
async fn survives(upload: Interrupted, faults: &[(Reach, Fault)]) {
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
            "{steps} steps were tried with {fault:?} of {reach:?}"
        );
    }
    only_finished_uploads_are_left(&app).await;
}

/// After this the process might as well be dead. Cut before the next step, it would leave the same behind.
const DEATH: [(Reach, Fault); 1] = [(Reach::Both, Fault::CutAfter)];
const EACH: [(Reach, Fault); 5] = [
    DEATH[0],
    (Reach::Database, Fault::CutBefore),
    (Reach::Database, Fault::CutAfter),
    (Reach::Storage, Fault::CutBefore),
    (Reach::Storage, Fault::CutAfter),
];

#[actix_web::test]
async fn upload_of_twenty_million_bytes_survives_a_cut_at_every_step() {
    survives(Interrupted::file(2 * PART, 20_000_000), &DEATH).await;
}

#[actix_web::test]
async fn upload_one_byte_shorter_than_two_parts_survives_a_cut_at_every_step() {
    survives(Interrupted::file(PART, 2 * PART - 1), &DEATH).await;
}

#[actix_web::test]
async fn upload_of_exactly_two_parts_survives_a_cut_at_every_step() {
    survives(Interrupted::file(PART, 2 * PART), &DEATH).await;
}

#[actix_web::test]
async fn upload_one_byte_longer_than_two_parts_survives_a_cut_at_every_step() {
    survives(Interrupted::file(PART, 2 * PART + 1), &DEATH).await;
}

#[actix_web::test]
async fn upload_of_one_part_and_a_byte_survives_a_cut_at_every_step_of_its_only_request() {
    survives(Interrupted::file(0, PART + 1), &DEATH).await;
}

#[actix_web::test]
async fn small_upload_survives_a_cut_at_every_step() {
    survives(Interrupted::file(100_000, 500_000), &EACH).await;
}

#[actix_web::test]
async fn recording_survives_a_cut_at_every_step_of_its_empty_last_request() {
    survives(Interrupted::recording(PART + 100_000), &EACH).await;
}

/// An upload in the state that an earlier version left behind when it lost its database.
struct Stuck {
    upload: Interrupted,
    sender: Sender,
    key: String,
    multipart: String,
}

impl Stuck {
    /// An upload of two whole parts, and of a tail that is still to come.
    async fn begin(app: &TestApp, client: &Client) -> Self {
        let upload = Interrupted::file(2 * PART, 20_000_000);
        let sender = upload.begin(client).await;
        let row = sqlx::query_as("SELECT key, multipart FROM uploads WHERE id = $1")
            .bind(sender.path.trim_start_matches("/uploads/"));
        let (key, multipart): (String, String) = row
            .fetch_one(&mut *app.state.db.read().await.unwrap())
            .await
            .unwrap();
        Self {
            upload,
            sender,
            key,
            multipart,
        }
    }

    /// Sends the tail as a part with this number, as versions before this one did.
    async fn send_tail(&self, app: &TestApp, number: i64) -> String {
        let tail = self.upload.whole[2 * PART..].to_vec();
        let sent = s3()
            .upload_part()
            .bucket("hearback-test")
            .key(format!("{}/{}", app.storage_prefix(), self.key))
            .upload_id(&self.multipart);
        let sent = sent
            .part_number(i32::try_from(number).unwrap())
            .body(tail.into())
            .send()
            .await
            .unwrap();
        self.change(
            app,
            "UPDATE uploads SET parts = $1 WHERE multipart = $2",
            number,
            &self.multipart,
        )
        .await;
        sent.e_tag.unwrap()
    }

    /// Writes down that the tail is the part with this number, and all bytes with it.
    async fn commit_tail(&self, app: &TestApp, number: i64) {
        let etag = self.send_tail(app, number).await;
        let insert = "INSERT INTO upload_pieces (upload_id, start, bytes, part, etag)
             SELECT id, received, length - received, $1, $2 FROM uploads WHERE received < length";
        self.change(app, insert, number, &etag).await;
        let commit = "UPDATE uploads SET received = length, parts = $1 WHERE multipart = $2";
        self.change(app, commit, number, &self.multipart).await;
    }

    async fn change(&self, app: &TestApp, statement: &'static str, number: i64, text: &str) {
        let mut tx = app.state.db.begin().await.unwrap();
        let changed = sqlx::query(statement)
            .bind(number)
            .bind(text)
            .execute(&mut *tx)
            .await
            .unwrap();
        assert_eq!(changed.rows_affected(), 1, "{statement}");
        tx.commit().await.unwrap();
    }
}

#[actix_web::test]
async fn upload_that_an_earlier_version_left_stuck_is_finished_after_the_upgrade() {
    if !postgres() {
        return;
    }
    let (app, _) = faults::start().await;
    let ada = app.person("Ada").await;

    // The tail was sent as part 3 and not committed. Its sender comes back.
    let sent_again = Stuck::begin(&app, &ada).await;
    sent_again.send_tail(&app, 3).await;
    sent_again.upload.resume(&sent_again.sender).await;
    sent_again.upload.check(&sent_again.sender).await;

    // Sent again as part 4 and committed: it could not be completed, because part 3 is too short.
    let asked = Stuck::begin(&app, &ada).await;
    asked.send_tail(&app, 3).await;
    asked.commit_tail(&app, 4).await;
    asked.upload.resume(&asked.sender).await;
    asked.upload.check(&asked.sender).await;

    // The same twice over, by then with the ranges that were to be copied out of all parts. Nobody comes back.
    let left = Stuck::begin(&app, &ada).await;
    left.send_tail(&app, 3).await;
    left.send_tail(&app, 4).await;
    left.commit_tail(&app, 5).await;
    app.execute("UPDATE uploads SET stretches = '[[0,8388608],[8388608,16777216],[23222784,26445568]]' WHERE finished_at IS NULL").await;
    app.state.clock.advance(2 * 60_000);
    app.state.sweep().await.unwrap();
    left.upload.check(&left.sender).await;

    only_finished_uploads_are_left(&app).await;
}

#[actix_web::test]
async fn whole_upload_is_reported_by_head_and_finished_by_patch_while_storage_comes_and_goes() {
    let (app, away, back) = with_detachable_storage().await;
    let ada = app.person("Ada").await;
    let recording = Interrupted::recording(100_000);
    let sender = recording.begin(&ada).await;
    // As if the connection to the database had been lost when the last request was about to finish it.
    app.execute("UPDATE uploads SET length = received").await;
    away(&app);
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
    back(&app);
    assert_eq!(sender.offset().await, 100_000);
    assert_eq!(
        sender.media().await["state"],
        "uploading",
        "HEAD finishes nothing"
    );
    sender.patch(100_000, b"more", &[]).await.problem(413);
    recording.send_rest(&sender, 100_000).await.expect(204);
    recording.check(&sender).await;
    recording.send_rest(&sender, 100_000).await.expect(204);
}

#[actix_web::test]
async fn whole_upload_that_nobody_asks_for_is_finished_in_the_background() {
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

/// Sends the last request to one node, which is held up at each of its requests to the storage in turn. Meanwhile another node takes
/// the upload over, with other bytes.
async fn is_never_merged(upload: Interrupted) {
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
    for step in 0..MOST {
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
            assert!(step > 2, "{step} steps were tried");
            break;
        }
        let second_sender = sender.at(&other.base);
        let offset = second_sender.offset().await;
        let mut whole = upload.whole.clone();
        whole[offset..].iter_mut().for_each(|byte| *byte ^= 0xff);
        let second = Interrupted { whole, ..upload };
        second.send_rest(&second_sender, offset).await.expect(204);
        breaker.mend();
        let refused = first.await.status.as_u16();
        assert!(
            [409, 503].contains(&refused),
            "the first writer got {refused}"
        );
        second.check(&second_sender).await;
    }
    only_finished_uploads_are_left(&app).await;
}

#[actix_web::test]
async fn upload_is_never_merged_when_another_node_overtakes_its_last_request() {
    is_never_merged(Interrupted::file(PART, 2 * PART + 100_000)).await;
}

#[actix_web::test]
async fn recording_is_never_merged_when_another_node_overtakes_its_last_request() {
    is_never_merged(Interrupted::recording(PART + 100_000)).await;
}

/// Statements that let a step of the last request fail on SQLite.
const FAILING: [&str; 6] = [
    "CREATE TRIGGER fault BEFORE UPDATE OF generation ON uploads BEGIN SELECT RAISE(ABORT, 'fault'); END",
    "CREATE TRIGGER fault BEFORE UPDATE OF received ON uploads BEGIN SELECT RAISE(ABORT, 'fault'); END",
    "CREATE TRIGGER fault BEFORE UPDATE OF finished_at ON uploads WHEN NEW.finished_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'fault'); END",
    "CREATE TRIGGER fault BEFORE UPDATE ON media BEGIN SELECT RAISE(ABORT, 'fault'); END",
    "CREATE TRIGGER fault BEFORE INSERT ON renditions BEGIN SELECT RAISE(ABORT, 'fault'); END",
    "CREATE TRIGGER fault BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'fault'); END",
];

#[actix_web::test]
async fn upload_on_a_disk_survives_a_failure_at_every_step_of_its_last_request() {
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
        for fault in FAILING {
            let sender = upload.begin(&ada).await;
            app.wait_for_jobs().await;
            app.execute(fault).await;
            let failed = upload.send_rest(&sender, upload.before).await.status;
            app.execute("DROP TRIGGER fault").await;
            assert!(failed.is_server_error(), "{failed}: {fault}");
            upload.resume(&sender).await;
            upload.check(&sender).await;
        }
    }
    only_finished_uploads_are_left(&app).await;
}
