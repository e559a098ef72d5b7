//! Jobs survive a killed server, are retried after a failure, and report their last failure.

use hearback::clock;
use hearback::ids;
use hearback::infra::db::Db;
use hearback::infra::jobs::{Counts, Kinds};
use hearback::object_deletion::DeleteObjects;
use serde_json::json;

use crate::app::{TestApp, fixture, media_path, text, update_path};

const HOUR: i64 = 3_600_000;

#[actix_web::test]
async fn job_claimed_by_a_killed_server_is_completed_by_another_server() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let update = ada
        .post(
            "/updates",
            json!({ "title": "T", "notes": "findable", "publish": true }),
        )
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    // Simulate a server that was killed before its job stored the search document. The job is still claimed, but its
    // lease has expired.
    app.execute("DELETE FROM said").await;
    let mut tx = app.state.db.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO jobs (id, kind, payload, run_at, attempts, lease, leased_until) VALUES ('killed', 'index', \
         $1, 0, 1, 'theirs', 1)",
    )
    .bind(json!({ "update": update["id"], "subject": update["id"] }).to_string())
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    app.wait_for_jobs().await;
    assert_eq!(app.count("SELECT count(*) FROM said").await, 1);
    assert_eq!(
        ada.get("/updates?q=findable").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[actix_web::test]
async fn job_with_a_valid_lease_is_not_claimed() {
    let app = TestApp::start().await;
    app.execute("INSERT INTO jobs (id, kind, payload, run_at, attempts, lease, leased_until) VALUES ('held', \
                 'no such kind', '{}', 0, 1, 'theirs', 99999999999999)")
        .await;
    // Workers claim jobs in the order of `run_at`, and this job comes after the leased job. When this job is done, the
    // workers must therefore have skipped the leased job.
    app.execute(
        "INSERT INTO jobs (id, kind, payload, run_at, attempts) VALUES ('free', 'purge', \
         '{\"keys\":[]}', 1, 0)",
    )
    .await;
    app.wait_until("the unleased job is done", async || {
        app.count("SELECT count(*) FROM jobs").await == 1
    })
    .await;
    assert_eq!(
        app.count("SELECT attempts FROM jobs WHERE id = 'held'")
            .await,
        1
    );
    let every_kind = Kinds::Except(Vec::new());
    assert_eq!(
        hearback::infra::jobs::claim(&app.state.db, &app.state.clock, "test", &every_kind)
            .await
            .unwrap()
            .map(|job| job.id),
        None
    );
}

#[actix_web::test]
async fn failing_job_is_retried_and_its_recording_is_marked_failed_after_the_last_attempt() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let update = ada
        .upload(
            "/updates",
            &[("title", "T")],
            &[("media", "a.webm", fixture("rec-vp8-opus-3s.webm"))],
        )
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    // Delete the stored files, so that processing fails when it runs again.
    let path = media_path(&update["media"][0]);
    for key in app.objects().await {
        let key = key[key.find("media/").unwrap()..].to_owned();
        // The storage keeps files in subfolders of the media folder. An object's key does not contain the subfolder, so
        // build the key from the file name alone.
        let last = key.rsplit('/').next().unwrap();
        app.state
            .uploads
            .media
            .storage
            .delete(&format!("media/{last}"))
            .await
            .unwrap();
    }
    app.execute("UPDATE media SET state = 'processing'").await;
    let mut tx = app.state.db.begin().await.unwrap();
    sqlx::query("INSERT INTO jobs (id, kind, payload, run_at, attempts) VALUES ('again', 'process', $1, 0, 0)")
        .bind(json!({ "media": update["media"][0]["id"], "generation": 1 }).to_string())
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for tries in 1..=6 {
        app.wait_until("the job has failed", async || {
            app.count("SELECT count(*) FROM jobs WHERE error IS NOT NULL AND lease IS NULL")
                .await
                == 1
        })
        .await;
        assert_eq!(app.count("SELECT attempts FROM jobs").await, tries);
        if tries < 6 {
            assert!(
                app.count("SELECT run_at FROM jobs").await > 0,
                "the retry is delayed"
            );
            assert_eq!(ada.get(&path).await.json()["state"], "processing");
            app.execute("UPDATE jobs SET run_at = 0, error = NULL")
                .await;
        }
    }
    let media = app
        .wait_for(&ada, &path, |media| media["state"] == "failed")
        .await;
    assert!(
        text(&media["reason"]).contains("even after several attempts"),
        "{media}"
    );
    assert_eq!(
        hearback::infra::jobs::counts(
            &mut app.state.db.read().await.unwrap(),
            app.state.clock.now()
        )
        .await
        .unwrap(),
        Counts {
            waiting: 0,
            due: 0,
            dead: 1
        }
    );
}

#[actix_web::test]
async fn job_result_is_discarded_when_its_recording_was_removed() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let update = ada
        .post("/updates", json!({ "title": "T" }))
        .await
        .expect(201)
        .json();
    let path = format!("/updates/{}/media", text(&update["id"]));
    let added = ada
        .upload(
            &path,
            &[],
            &[("media", "a.webm", fixture("rec-vp9-opus-10s.webm"))],
        )
        .await
        .expect(201)
        .json();
    let id = text(&added["items"][0]["id"]);
    app.wait_for(&ada, &format!("/media/{id}"), |media| {
        media["reason"] != "Processing. You can already play this video."
    })
    .await;
    ada.delete(&format!("/media/{id}")).await.expect(204);
    app.wait_for_jobs().await;
    assert_eq!(
        app.count("SELECT count(*) FROM loose_objects").await,
        app.objects().await.len() as i64,
        "every remaining object is recorded for deletion"
    );
    app.state.clock.advance(25 * 3_600_000);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn update_in_the_trash_is_deleted_with_its_stored_bytes_after_thirty_days() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let update = ada
        .upload(
            "/updates",
            &[("title", "T")],
            &[("media", "a.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    let path = update_path(&update);
    ada.delete(&path).await.expect(204);
    app.state.clock.advance(29 * 24 * 3_600_000);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    ada.get(&path).await.expect(200);
    app.state.clock.advance(2 * 24 * 3_600_000);
    app.state.sweep().await.unwrap();
    app.wait_for_jobs().await;
    ada.get(&path).await.problem(404);
    assert_eq!(app.objects().await, [""; 0]);
}

/// Inserts a job that deletes nothing and is leased for an hour.
async fn leased(db: &Db, id: &str, lease: &str) {
    let mut tx = db.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO jobs (id, kind, payload, run_at, attempts, lease, leased_until) VALUES ($1, 'purge', \
         '{\"keys\":[]}', 0, 1, $2, $3)",
    )
    .bind(id)
    .bind(lease)
    .bind(clock::real_now() + HOUR)
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

#[actix_web::test]
async fn restarting_a_node_ends_the_leases_of_its_previous_process() {
    let (earlier, another) = (ids::secret(), ids::secret());
    let prepared = (earlier.clone(), another.clone());
    let app = TestApp::start_prepared(
        |_| {},
        async move |config| {
            let db = Db::open(&config.database_url).await.unwrap();
            leased(&db, "mine", &format!("{}.x", prepared.0)).await;
            leased(&db, "another-nodes", &format!("{}.x", prepared.1)).await;
            db.close().await;
            std::fs::write(config.data_dir.join("node"), &prepared.0).unwrap();
        },
    )
    .await;
    app.wait_until("the job is done", async || {
        app.count("SELECT count(*) FROM jobs WHERE id = 'mine'")
            .await
            == 0
    })
    .await;
    assert_eq!(
        app.count("SELECT count(*) FROM jobs WHERE id = 'another-nodes' AND lease IS NOT NULL")
            .await,
        1
    );
    let now = std::fs::read_to_string(app.dir.path().join("node")).unwrap();
    assert!(now.len() == 32 && now != earlier && now != another, "{now}");
}

#[actix_web::test]
async fn leases_of_a_running_process_are_kept_when_another_process_starts_in_the_same_folder() {
    let app = TestApp::start().await;
    let first = std::fs::read_to_string(app.dir.path().join("node")).unwrap();
    leased(&app.state.db, "first", &format!("{first}.x")).await;
    let _second =
        hearback::app::App::build(app.state.config.clone(), hearback::clock::Clock::default())
            .await
            .unwrap();
    assert_eq!(
        app.count("SELECT count(*) FROM jobs WHERE id = 'first' AND lease IS NOT NULL")
            .await,
        1
    );
    assert_eq!(
        std::fs::read_to_string(app.dir.path().join("node")).unwrap(),
        first
    );
}

#[actix_web::test]
async fn leases_are_kept_when_the_file_with_the_node_id_is_invalid() {
    for nonsense in [
        "",
        "%",
        "%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%",
        "________________________________",
        "more than an id is long, and then some",
    ] {
        let lease = format!("{}.x", ids::secret());
        let app = TestApp::start_prepared(
            |_| {},
            async |config| {
                let db = Db::open(&config.database_url).await.unwrap();
                leased(&db, "another-nodes", &lease).await;
                db.close().await;
                std::fs::write(config.data_dir.join("node"), nonsense).unwrap();
            },
        )
        .await;
        assert_eq!(
            app.count("SELECT count(*) FROM jobs WHERE lease IS NOT NULL")
                .await,
            1,
            "{nonsense:?}"
        );
    }
}

#[actix_web::test]
async fn setting_the_clock_back_does_not_delay_jobs() {
    let app = TestApp::start().await;
    let enqueue = async |pause: i64| {
        let mut tx = app.state.db.begin().await.unwrap();
        let at = app.state.clock.now() + pause;
        let job = DeleteObjects { keys: Vec::new() };
        hearback::infra::jobs::enqueue_at(&mut tx, &app.state.clock, &job, at)
            .await
            .unwrap();
        tx
    };
    // Set the clock back twice: before the first job is committed, and after the second job is
    // committed.
    let immediate = enqueue(0).await;
    app.state.clock.advance(-HOUR);
    immediate.commit().await.unwrap();
    app.wait_for_jobs().await;
    let delayed = enqueue(60_000).await;
    delayed.commit().await.unwrap();
    app.state.clock.advance(-HOUR);
    app.wait_until("the job is rescheduled", async || {
        let run_at = app.count("SELECT run_at FROM jobs").await;
        (0..=60_000).contains(&(run_at - app.state.clock.now()))
    })
    .await;
    assert_eq!(
        app.count("SELECT attempts FROM jobs").await,
        0,
        "the job keeps its own delay"
    );
    app.state.clock.advance(60_000);
    app.wait_for_jobs().await;
}

#[actix_web::test]
async fn setting_the_clock_back_does_not_delay_retries() {
    let app = TestApp::start().await;
    app.execute(
        "INSERT INTO jobs (id, kind, payload, run_at, attempts) VALUES ('failing', 'no such kind', \
         '{}', 0, 0)",
    )
    .await;
    let failed =
        "SELECT count(*) FROM jobs WHERE error IS NOT NULL AND lease IS NULL AND attempts = 1";
    app.wait_until("the job has failed once", async || {
        app.count(failed).await == 1
    })
    .await;
    app.state.clock.advance(-HOUR);
    app.wait_until("the job is rescheduled", async || {
        app.count("SELECT run_at FROM jobs").await <= app.state.clock.now() + 5000
    })
    .await;
    app.state.clock.advance(5000);
    app.wait_until("the job has failed twice", async || {
        app.count("SELECT attempts FROM jobs").await == 2
    })
    .await;
}

#[actix_web::test]
async fn lease_that_ends_too_far_in_the_future_is_shortened_to_the_normal_duration() {
    let app = TestApp::start().await;
    leased(&app.state.db, "dead-nodes", "theirs").await;
    app.wait_until("the lease is shortened", async || {
        let until = app.count("SELECT leased_until FROM jobs").await;
        (0..=60_000).contains(&(until - clock::real_now()))
    })
    .await;
    assert_eq!(
        app.count("SELECT count(*) FROM jobs WHERE lease = 'theirs' AND attempts = 1")
            .await,
        1,
        "the lease holder may still be running"
    );
}
