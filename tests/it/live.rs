//! Event streams of open pages. Events arrive in order, without gaps or duplicates. Only people with access receive
//! them.

mod access;
mod counts;
mod statements;
mod stream;

use serde_json::json;

use self::stream::Stream;
use crate::app::{Client, TestApp, email, fixture, postgres};
use crate::readbacks::{publish_for_two, read_back};
use crate::verdicts::put_verdict;

/// Publishes an update to this audience. If the audience is not empty, the update asks for an acknowledgement.
async fn publish(ada: &Client, title: &str, audience: &[&str]) -> String {
    let audience: Vec<String> = audience.iter().map(|name| email(name)).collect();
    let expectation = if audience.is_empty() {
        "fyi"
    } else {
        "acknowledge"
    };
    ada.update(json!({ "title": title, "audience": audience, "expectation": expectation }))
        .await
}

#[actix_web::test]
async fn update_events_arrive_in_order() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, "T", &["Bob"]).await;
    let mut stream = Stream::open(&ada, &format!("{path}/live")).await;
    let first = stream.next().await.unwrap();
    assert_eq!(
        (first.kind.as_str(), first.id, &first.data["owed_to_me"]),
        ("inbox", None, &json!(1))
    );

    let comment = bob.comment(&path, "Hm").await;
    bob.put(&format!("/comments/{comment}/reactions/👍"))
        .await
        .expect(204);
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    ada.patch(&path, json!({ "title": "T2" })).await.expect(200);
    let files = [("media", "a.png", fixture("alpha.png"))];
    ada.upload(&format!("{path}/media"), &[], &files)
        .await
        .expect(201);
    let (mut kinds, mut last) = (Vec::new(), 0);
    for _ in 0..5 {
        let event = stream.next_of_update().await;
        assert!(event.id.unwrap() > last, "{event:?} arrived after {last}");
        last = event.id.unwrap();
        if event.kind == "comment" {
            assert_eq!(event.data, json!({ "kind": "comment", "id": comment }));
        }
        kinds.push(event.kind);
    }
    assert_eq!(kinds, ["comment", "reaction", "receipt", "update", "media"]);
}

#[actix_web::test]
async fn events_of_unknown_kinds_do_not_hold_up_the_stream() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = publish(&ada, "T", &[]).await;
    let mut stream = Stream::open(&ada, &format!("{path}/live")).await;
    // A newer version may have recorded events of unknown kinds. Add 501 of them, because the stream reads at most 500
    // events at once.
    app.execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 501)
         INSERT INTO events (n, kind, update_id, subject_id, actor_id, at)
         SELECT c.n + numbers.n, 'levitation', u.id, u.id, '', 0 FROM numbers, event_counter c, updates u
         WHERE u.title = 'T'",
    )
    .await;
    app.execute("UPDATE event_counter SET n = n + 501").await;
    ada.comment(&path, "Hm").await;
    assert_eq!(stream.next_of_update().await.kind, "comment");
}

#[actix_web::test]
async fn inbox_counts_arrive_when_they_change() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let mut inbox = Stream::open(&bob, "/inbox/live").await;
    assert_eq!(inbox.next().await.unwrap().data["owed_by_me"], 0);
    let path = publish(&ada, "T", &["Bob"]).await;
    assert_eq!(inbox.next().await.unwrap().data["owed_by_me"], 1);
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    assert_eq!(inbox.next().await.unwrap().data["owed_by_me"], 0);
}

#[actix_web::test]
async fn media_events_arrive_while_a_recording_is_processed() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = publish(&ada, "T", &[]).await;
    let mut stream = Stream::open(&ada, &format!("{path}/live")).await;
    let files = [("media", "a.webm", fixture("rec-vp8-opus-3s.webm"))];
    let added = ada.upload(&format!("{path}/media"), &[], &files).await;
    let id = added.expect(201).json()["items"][0]["id"].clone();
    let media = format!("/media/{}", id.as_str().unwrap());
    loop {
        let event = stream.next_of_update().await;
        assert_eq!(event.kind, "media");
        if event.data["id"] == id && ada.get(&media).await.json()["state"] == "ready" {
            return;
        }
    }
}

#[actix_web::test]
async fn missed_events_are_delivered_once_after_reconnecting() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, "T", &["Bob"]).await;
    let mut stream = Stream::open(&bob, &format!("{path}/live")).await;
    let mut comments = vec![ada.comment(&path, "0").await];
    let first = stream.next_of_update().await;
    assert_eq!(first.data["id"], comments[0]);
    drop(stream);
    for n in 1..=3 {
        comments.push(ada.comment(&path, &n.to_string()).await);
    }
    let last_seen = first.id.unwrap().to_string();
    let get = |query: &str| bob.request("GET", &format!("{path}/live{query}"));
    for request in [
        get(&format!("?after={last_seen}")),
        get("").header("last-event-id", &last_seen),
        get("?after=0").header("last-event-id", &last_seen),
    ] {
        let mut stream = Stream::with(request).await;
        for comment in &comments[1..4] {
            assert_eq!(stream.next_of_update().await.data["id"], *comment);
        }
    }
    // An event that occurs while the stream is sending the missed events arrives exactly once, after them.
    let mut stream = Stream::with(get(&format!("?after={last_seen}"))).await;
    comments.push(ada.comment(&path, "4").await);
    for comment in &comments[1..] {
        assert_eq!(stream.next_of_update().await.data["id"], *comment);
    }
    let invalid = bob.get(&format!("{path}/live?after=soon")).await;
    assert_eq!(invalid.status.as_u16(), 400);
}

#[actix_web::test]
async fn every_event_reaches_all_open_pages() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, "T", &["Bob"]).await;
    let mut streams = Vec::new();
    for _ in 0..24 {
        streams.push(Stream::open(&bob, &format!("{path}/live")).await);
    }
    for round in 0..5 {
        let comment = ada.comment(&path, &round.to_string()).await;
        for stream in &mut streams {
            assert_eq!(stream.next_of_update().await.data["id"], comment);
        }
    }
}

#[actix_web::test]
async fn events_are_hidden_from_readers_without_access() {
    let app = TestApp::start().await;
    let (ada, bob, eve) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Eve").await,
    );
    let path = publish(&ada, "T", &["Bob"]).await;
    let other = publish(&ada, "Other", &["Eve"]).await;
    eve.get(&format!("{path}/live")).await.problem(404);
    app.client().get(&format!("{path}/live")).await.problem(401);
    app.client().get("/inbox/live").await.problem(401);
    let mut stream = Stream::open(&eve, &format!("{other}/live")).await;
    bob.comment(&path, "between us").await;
    let comment = ada.comment(&other, "for Eve").await;
    assert_eq!(stream.next_of_update().await.data["id"], comment);
}

#[actix_web::test]
async fn guest_receives_only_events_for_threads_of_their_own_link() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, "T", &["Bob"]).await;
    let (_, token) = ada.share(&path, true).await;
    let guest = app.client().bearer(&token);
    let mut stream = Stream::open(&guest, &format!("{path}/live")).await;
    let inside = ada.comment(&path, "inside").await;
    bob.put(&format!("{path}/opening")).await.expect(204);
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    ada.put(&format!("/comments/{inside}/reactions/👍"))
        .await
        .expect(204);
    ada.share(&path, false).await;
    let fields = json!({ "body": "Hello", "name": "Gus" });
    let comment = guest.post(&format!("{path}/comments"), fields).await;
    let comment = comment.expect(201).json()["id"].clone();
    let event = stream.next_of_update().await;
    assert_eq!(
        (event.kind.as_str(), &event.data["id"]),
        ("comment", &comment)
    );
    let reply = ada.reply(&path, comment.as_str().unwrap(), "Hi").await;
    assert_eq!(stream.next_of_update().await.data["id"], reply);
}

#[actix_web::test]
async fn only_the_author_gets_an_event_when_a_recipient_opens_an_update() {
    let app = TestApp::start().await;
    let (ada, bob, eve) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Eve").await,
    );
    let path = publish(&ada, "Third", &["Bob", "Eve"]).await;
    let live = format!("{path}/live");
    let (mut author, mut other) = (
        Stream::open(&ada, &live).await,
        Stream::open(&eve, &live).await,
    );
    bob.put(&format!("{path}/opening")).await.expect(204);
    let opened = author.next_of_update().await;
    assert_eq!(
        (opened.kind.as_str(), &opened.data["id"]),
        ("receipt", &json!(bob.id))
    );
    let comment = ada.comment(&path, "next").await;
    assert_eq!(other.next_of_update().await.data["id"], comment);
}

#[actix_web::test]
async fn other_recipients_get_events_about_a_verdict_only_after_the_author_shared_the_exchange() {
    let (_app, ada, bob, eve, path) = publish_for_two().await;
    read_back(&bob, &path, "I do nothing.").await;
    let live = format!("{path}/live");
    let (mut own, mut other) = (
        Stream::open(&bob, &live).await,
        Stream::open(&eve, &live).await,
    );
    let verdict = json!({ "verdict": "confirmed" });
    put_verdict(&ada, &path, &bob, verdict).await.expect(200);
    let given = own.next_of_update().await;
    assert_eq!(
        (given.kind.as_str(), &given.data["id"]),
        ("receipt", &json!(bob.id))
    );
    let comment = ada.comment(&path, "next").await;
    assert_eq!(other.next_of_update().await.data["id"], comment);
    let receipt = format!("{path}/receipts/{}", bob.id);
    ada.put(&format!("{receipt}/disclosure")).await.expect(200);
    ada.delete(&format!("{receipt}/confirmation"))
        .await
        .expect(200);
    for _ in ["disclosure", "withdrawal"] {
        assert_eq!(other.next_of_update().await.data["id"], json!(bob.id));
    }
}

#[actix_web::test]
async fn events_reach_readers_on_another_node() {
    if !postgres() {
        return;
    }
    let one = TestApp::start().await;
    let two = TestApp::second_node(&one).await;
    let (ada, bob) = (one.person("Ada").await, one.person("Bob").await);
    let path = publish(&ada, "T", &["Bob"]).await;
    let mut stream = Stream::open(&bob, &format!("{}{path}/live", two.base)).await;
    for n in 0..3 {
        let comment = ada.comment(&path, &n.to_string()).await;
        assert_eq!(stream.next_of_update().await.data["id"], comment);
    }
    // The second node also serves a file that the first node has just stored.
    let added = ada
        .upload(
            &format!("{path}/media"),
            &[],
            &[("media", "a.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    let url = added["items"][0]["renditions"][0]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    two.client()
        .get(&url.replace(&one.base, &two.base))
        .await
        .expect(200);
}

#[actix_web::test]
async fn event_stream_without_events_is_kept_alive_while_other_updates_change() {
    let app =
        TestApp::start_with(|config| config.keep_alive = std::time::Duration::from_secs(1)).await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (quiet, busy) = (
        publish(&ada, "Quiet", &[]).await,
        publish(&ada, "Busy", &[]).await,
    );
    let mut streams = Vec::new();
    for (client, path) in [
        (&ada, format!("{quiet}/live")),
        (&bob, "/inbox/live".to_owned()),
    ] {
        let mut stream = Stream::open(client, &path).await;
        assert_eq!(stream.next().await.unwrap().kind, "inbox");
        streams.push(stream);
    }
    // Add comments to the other update without a pause, so that the time between its events is much shorter than the
    // keep-alive interval.
    let talk = async {
        loop {
            ada.comment(&busy, "again").await;
        }
    };
    let kept = async {
        for stream in &mut streams {
            stream.keep_alive().await;
            stream.keep_alive().await;
        }
    };
    tokio::select! {
        () = talk => {}
        () = kept => {}
    }
}
