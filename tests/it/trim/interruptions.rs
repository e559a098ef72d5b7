//! Trims during processing or publication, and trims during which the server is killed.

use hearback::people::{Grant, Person, Role, Viewer};
use serde_json::json;

use super::{names, numbers, trim, update_with_recording, url};
use crate::app::{Client, TestApp, email};

#[actix_web::test]
async fn trim_during_processing_supersedes_the_running_job() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (_, media, _) = update_with_recording(&app, &ada, true).await;
    // Each round starts processing again and trims at an arbitrary moment during processing.
    for (from, to) in [(1_000, 5_500), (0, 4_000), (1_000, 3_000), (0, 1_500)] {
        let id = media.trim_start_matches("/media/");
        let generation = app.count("SELECT max(generation) FROM media").await;
        let mut tx = app.state.db.begin().await.unwrap();
        let payload = json!({ "media": id, "generation": generation }).to_string();
        sqlx::query("INSERT INTO jobs (id, kind, payload, run_at, attempts) VALUES ($1, 'process', $2, 0, 0)")
            .bind(app.state.clock.id())
            .bind(payload)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        app.wait_until("processing has begun", async || {
            app.count("SELECT count(*) FROM jobs WHERE kind = 'process' AND lease IS NOT NULL")
                .await
                > 0
        })
        .await;
        trim(&ada, &media, from, to).await;
    }
    app.wait_for_jobs().await;
    let seen = bob.get(&media).await.json();
    assert_eq!(
        (&seen["state"], &seen["duration_ms"]),
        (&json!("ready"), &json!(1_500))
    );
    // Combined, the trims keep 1.5 s of the original recording, beginning at 2000 ms. Frame 50 is shown at 2000 ms.
    let numbers = numbers(&app, &url(&seen, "playable")).await;
    assert_eq!((numbers.first(), numbers.len()), (Some(&50), 37));
    assert_eq!(
        app.objects().await.len(),
        5,
        "the files of superseded jobs are deleted"
    );
}

/// Trims Ada's recording and leaves the trim job claimed, as if the server had been killed right after claiming it.
async fn trim_and_lose_the_worker(app: &TestApp, ada: &Client, media: &str) {
    let person = Person {
        id: ada.id.clone(),
        name: "Ada".into(),
        email: email("Ada"),
        role: Role::Member,
        time_zone: "UTC".into(),
        grant: Grant::Token(String::new()),
    };
    let mut tx = app.state.db.begin().await.unwrap();
    hearback::media::trim(
        &mut tx,
        &app.state.clock,
        &Viewer::Person(person),
        media.trim_start_matches("/media/"),
        (2_000, 4_000),
        None,
    )
    .await
    .unwrap();
    sqlx::query("UPDATE jobs SET lease = 'theirs', leased_until = 99999999999999, attempts = 1 WHERE kind = 'process'")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[actix_web::test]
async fn trim_job_of_a_killed_server_is_completed_by_another_server() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, media, _) = update_with_recording(&app, &ada, true).await;
    trim_and_lose_the_worker(&app, &ada, &media).await;
    // Bob gets no file until the trim is complete. Ada can already play the kept part of the original.
    assert_eq!(names(&bob.get(&media).await.json()), [""; 0]);
    assert_eq!(names(&ada.get(&media).await.json()), ["original"]);
    let page = app.browser("Ada").await.get(&path).await.text();
    assert!(
        page.contains("#t=2.000,4.000") && page.contains("data-from=\"2000\""),
        "{page}"
    );
    let page = app.browser("Bob").await.get(&path).await.text();
    assert!(
        page.contains("Being trimmed") && !page.contains("<video"),
        "{page}"
    );
    app.execute("UPDATE jobs SET leased_until = 1 WHERE kind = 'process'")
        .await;
    app.wait_for_jobs().await;
    let playable = url(&bob.get(&media).await.json(), "playable");
    let wanted: Vec<usize> = (50..=99).collect();
    assert_eq!(numbers(&app, &playable).await, wanted);
}

#[actix_web::test]
async fn draft_published_during_a_trim_never_serves_the_removed_parts() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, media, _) = update_with_recording(&app, &ada, false).await;
    trim(&ada, &media, 2_000, 4_000).await;
    ada.put(&format!("{path}/publication")).await.expect(200);
    let wanted: Vec<usize> = (50..=99).collect();
    let seen = app.wait_for(&bob, &media, |media| {
        let names = names(media);
        assert!(!names.contains(&"original"), "{media}");
        names.contains(&"playable")
    });
    assert_eq!(numbers(&app, &url(&seen.await, "playable")).await, wanted);
}
