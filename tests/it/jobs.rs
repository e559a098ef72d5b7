//! Durable work: it survives who began it, is tried again, and in the end says that it could not be done.

use serde_json::json;

use crate::app::{TestApp, fixture};

#[actix_web::test]
async fn work_that_a_killed_server_had_begun_is_done_by_another() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let update = ada.post("/updates", json!({ "title": "T", "notes": "findable", "publish": true })).await.expect(201).json();
    app.jobs_done().await;
    // What a server that was killed leaves: claimed work whose lease nobody renews, here an index that was never made.
    app.execute("DELETE FROM said").await;
    let mut tx = app.state.db.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO jobs (id, kind, payload, run_at, attempts, lease, leased_until) VALUES ('killed', 'index', $1, 0, 1, 'theirs', 1)",
    )
    .bind(json!({ "update": update["id"], "subject": update["id"] }).to_string())
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    app.jobs_done().await;
    assert_eq!(app.count("SELECT count(*) FROM said").await, 1);
    assert_eq!(ada.get("/updates?q=findable").await.json()["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn work_under_a_lease_that_holds_is_left_alone() {
    let app = TestApp::start().await;
    app.execute("INSERT INTO jobs (id, kind, payload, run_at, attempts, lease, leased_until) VALUES ('held', 'no such kind', '{}', 0, 1, 'theirs', 99999999999999)")
        .await;
    // Work that is added later is done meanwhile, so the workers have looked.
    app.execute("INSERT INTO jobs (id, kind, payload, run_at, attempts) VALUES ('free', 'purge', '{\"keys\":[]}', 1, 0)").await;
    app.until("the free one is done", async || app.count("SELECT count(*) FROM jobs").await == 1).await;
    assert_eq!(app.count("SELECT attempts FROM jobs WHERE id = 'held'").await, 1);
    assert_eq!(hearback::jobs::claim(&app.state.db, &app.state.clock).await.unwrap().map(|job| job.id), None);
}

#[actix_web::test]
async fn what_fails_is_tried_again_and_after_the_last_try_the_recording_says_so() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let update =
        ada.upload("/updates", &[("title", "T")], &[("media", "a.webm", fixture("rec-vp8-opus-3s.webm"))]).await.expect(201).json();
    app.jobs_done().await;
    // The work is begun anew, and finds that its file is gone.
    let path = format!("/media/{}", update["media"][0]["id"].as_str().unwrap());
    for key in app.objects().await {
        let key = key[key.find("media/").unwrap()..].to_owned();
        // On a disk a key lies in a folder of its first letters.
        let last = key.rsplit('/').next().unwrap();
        app.state.intake.shop.storage.delete(&format!("media/{last}")).await.unwrap();
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
        app.until("it was tried", async || app.count("SELECT count(*) FROM jobs WHERE error IS NOT NULL AND lease IS NULL").await == 1)
            .await;
        assert_eq!(app.count("SELECT attempts FROM jobs").await, tries);
        if tries < 6 {
            assert!(app.count("SELECT run_at FROM jobs").await > 0, "there is a pause");
            assert_eq!(ada.get(&path).await.json()["state"], "processing");
            app.execute("UPDATE jobs SET run_at = 0, error = NULL").await;
        }
    }
    let media = app.wait_for(&ada, &path, |media| media["state"] == "failed").await;
    assert!(media["reason"].as_str().unwrap().contains("tried several times"), "{media}");
    assert_eq!(hearback::jobs::counts(&mut app.state.db.read().await.unwrap()).await.unwrap(), (0, 1));
}

#[actix_web::test]
async fn a_result_for_a_recording_that_was_removed_meanwhile_is_thrown_away() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let update = ada.post("/updates", json!({ "title": "T" })).await.expect(201).json();
    let path = format!("/updates/{}/media", update["id"].as_str().unwrap());
    let added = ada.upload(&path, &[], &[("media", "a.webm", fixture("rec-vp9-opus-10s.webm"))]).await.expect(201).json();
    let id = added["items"][0]["id"].as_str().unwrap();
    app.wait_for(&ada, &format!("/media/{id}"), |media| {
        media["reason"] != "Processing. You can already play it."
    })
    .await;
    ada.delete(&format!("/media/{id}")).await.expect(204);
    app.jobs_done().await;
    assert_eq!(app.count("SELECT count(*) FROM loose_objects").await, app.objects().await.len() as i64, "what is left is known");
    app.state.clock.advance(25 * 3_600_000);
    app.state.sweep().await.unwrap();
    app.jobs_done().await;
    assert_eq!(app.objects().await, [""; 0]);
}

#[actix_web::test]
async fn the_trash_is_emptied_after_thirty_days_bytes_included() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let update = ada.upload("/updates", &[("title", "T")], &[("media", "a.png", fixture("alpha.png"))]).await.expect(201).json();
    let path = format!("/updates/{}", update["id"].as_str().unwrap());
    ada.delete(&path).await.expect(204);
    app.state.clock.advance(29 * 24 * 3_600_000);
    app.state.sweep().await.unwrap();
    app.jobs_done().await;
    ada.get(&path).await.expect(200);
    app.state.clock.advance(2 * 24 * 3_600_000);
    app.state.sweep().await.unwrap();
    app.jobs_done().await;
    ada.get(&path).await.problem(404);
    assert_eq!(app.objects().await, [""; 0]);
}
