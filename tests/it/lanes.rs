//! Job lanes: slow jobs never delay jobs in other lanes.

use hearback::infra::smtp::{Mailer, Server, parse_sender};
use serde_json::json;

use crate::app::{Client, TestApp, array, email, fixture, media_path, text};
use crate::gate::{ENCODING, Gate, PREPARATION};
use crate::sink::Sink;

async fn upload(ada: &Client, title: &str, video: &str) -> String {
    let update = ada
        .upload(
            "/updates",
            &[("title", title)],
            &[("media", video, fixture(video))],
        )
        .await
        .expect(201)
        .json();
    media_path(&update["media"][0])
}

async fn running(app: &TestApp, kind: &str) -> i64 {
    let count =
        sqlx::query_scalar("SELECT count(*) FROM jobs WHERE kind = $1 AND lease IS NOT NULL")
            .bind(kind);
    count
        .fetch_one(&mut *app.state.db.read().await.unwrap())
        .await
        .unwrap()
}

/// Starts a deletion, an indexing job and an email, and waits until all three are done.
async fn everything_else_is_done(app: &TestApp, sink: &Sink, ada: &Client) {
    let files = [("media", "a.png", fixture("alpha.png"))];
    let update = ada
        .upload("/updates", &[("title", "Findable")], &files)
        .await
        .expect(201)
        .json();
    let picture = text(&update["media"][0]["id"]);
    let keys: Vec<String> = sqlx::query_scalar("SELECT key FROM renditions WHERE media_id = $1")
        .bind(picture)
        .fetch_all(&mut *app.state.db.read().await.unwrap())
        .await
        .unwrap();
    let stored = async || {
        app.objects()
            .await
            .iter()
            .filter(|object| {
                keys.iter()
                    .any(|key| object.ends_with(&key["media/".len()..]))
            })
            .count()
    };
    assert!(stored().await > 0);
    ada.delete(&format!("/media/{picture}")).await.expect(204);
    // Emails wait for working hours. Set the clock to Wednesday, 10:00 in Berlin, when Bob works.
    app.set_clock("2030-01-09T09:00:00Z");
    ada.update(json!({
        "title": "Asked", "notes": "searchable", "expectation": "acknowledge",
        "audience": [email("Bob")],
    }))
    .await;
    app.state.clock.advance(11_000);
    app.wait_until("the email is sent", async || {
        sink.receivers() == [email("Bob")]
    })
    .await;
    app.wait_until("the notes are found by search", async || {
        ada.get("/updates?q=searchable").await.expect(200).json()["items"]
            .as_array()
            .unwrap()
            .len()
            == 1
    })
    .await;
    app.wait_until("the stored files are deleted", async || stored().await == 0)
        .await;
}

async fn start(gate: &Gate, sink: &Sink) -> TestApp {
    let (server, ffmpeg) = (Server::parse(&sink.url).unwrap(), gate.ffmpeg());
    TestApp::start_with(|config| {
        config.url = Some("http://hearback.example.org".into());
        config.mail = Some(Mailer::new(
            server,
            parse_sender("Hearback <hearback@example.org>").unwrap(),
        ));
        config.ffmpeg = Some(ffmpeg);
    })
    .await
}

#[actix_web::test]
async fn slow_conversions_do_not_delay_other_kinds_of_jobs_or_new_recordings() {
    let (mut gate, sink) = (Gate::holding(&[ENCODING]), Sink::start().await);
    let app = start(&gate, &sink).await;
    let [ada, _] = app.people(["Ada", "Bob"]).await;
    let mut recordings = Vec::new();
    for n in 0..2 {
        recordings.push(upload(&ada, &format!("Recording {n}"), "count.webm").await);
    }
    app.wait_until("two conversions are running", async || {
        running(&app, "convert").await == 2
    })
    .await;
    everything_else_is_done(&app, &sink, &ada).await;
    recordings.push(upload(&ada, "One more", "count.webm").await);
    for recording in &recordings {
        app.wait_for(&ada, recording, |media| media["state"] == "ready")
            .await;
    }
    app.wait_until("all conversions are pending or running", async || {
        app.count("SELECT count(*) FROM jobs WHERE kind = 'convert'")
            .await
            == 3
    })
    .await;
    assert_eq!(
        running(&app, "convert").await,
        2,
        "at most two conversions run at once"
    );
    gate.open(ENCODING);
    app.wait_for_jobs().await;
    for recording in &recordings {
        let media = ada.get(recording).await.expect(200).json();
        assert!(
            array(&media["renditions"])
                .iter()
                .any(|rendition| rendition["name"] == "h264"),
            "{media}"
        );
    }
}

#[actix_web::test]
async fn slow_preparations_do_not_delay_other_kinds_of_jobs() {
    let (mut gate, sink) = (Gate::holding(&[PREPARATION]), Sink::start().await);
    let app = start(&gate, &sink).await;
    let [ada, _] = app.people(["Ada", "Bob"]).await;
    let mut recordings = Vec::new();
    for n in 0..4 {
        recordings.push(upload(&ada, &format!("Recording {n}"), "count.mp4").await);
    }
    app.wait_until("two preparations are running", async || {
        running(&app, "process").await >= 2
    })
    .await;
    everything_else_is_done(&app, &sink, &ada).await;
    gate.open(PREPARATION);
    app.wait_for_jobs().await;
    for recording in &recordings {
        assert_eq!(
            ada.get(recording).await.expect(200).json()["state"],
            "ready"
        );
    }
}
