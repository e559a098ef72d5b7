//! Uploads that an earlier version could not complete, because a part before the last one was too short.

use super::{Interrupted, PART, assert_only_finished_uploads_are_left};
use crate::app::{Client, TestApp, postgres, s3};
use crate::faults;
use crate::tus::Sender;

/// An upload that an earlier version left unfinished because the database connection was lost.
struct Stuck {
    upload: Interrupted,
    sender: Sender,
    key: String,
    multipart: String,
}

impl Stuck {
    /// Starts an upload and sends two full parts. The tail, which is shorter than a part, is not sent.
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

    /// Stores the tail as a part with this number, as the earlier version did. Returns the ETag of the part.
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

    /// Stores the tail as a part with this number and records it in the database. The database then states that all
    /// bytes were received.
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
async fn upload_that_an_earlier_version_left_unfinished_is_completed() {
    if !postgres() {
        return;
    }
    let (app, _) = faults::start().await;
    let ada = app.person("Ada").await;

    // The earlier version stored the tail as part 3 but did not record it. The client resumes.
    let uncommitted = Stuck::begin(&app, &ada).await;
    uncommitted.send_tail(&app, 3).await;
    uncommitted.upload.resume(&uncommitted.sender).await;
    uncommitted.upload.check(&uncommitted.sender).await;

    // The earlier version stored the tail as part 3 and again as part 4, and recorded only part 4. It could not
    // complete the upload, because part 3 was too short. The client resumes.
    let committed = Stuck::begin(&app, &ada).await;
    committed.send_tail(&app, 3).await;
    committed.commit_tail(&app, 4).await;
    committed.upload.resume(&committed.sender).await;
    committed.upload.check(&committed.sender).await;

    // The earlier version stored the tail as parts 3, 4 and 5, and recorded only part 5. The client does not resume,
    // so the cleanup finishes the upload.
    let abandoned = Stuck::begin(&app, &ada).await;
    abandoned.send_tail(&app, 3).await;
    abandoned.send_tail(&app, 4).await;
    abandoned.commit_tail(&app, 5).await;
    app.execute("UPDATE uploads SET stretches = '[[0,8388608],[8388608,16777216],[23222784,26445568]]' WHERE \
                 finished_at IS NULL").await;
    app.state.clock.advance(2 * 60_000);
    app.state.sweep().await.unwrap();
    abandoned.upload.check(&abandoned.sender).await;

    assert_only_finished_uploads_are_left(&app).await;
}
