//! Event streams of open pages: events arrive in order, without gaps or duplicates, and only for readers with access.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email, fixture, postgres};

/// An open event stream.
struct Stream {
    answer: reqwest::Response,
    unread: String,
}

#[derive(Debug)]
struct Event {
    id: Option<i64>,
    kind: String,
    data: Value,
}

impl Stream {
    async fn open(client: &Client, path: &str) -> Self {
        Self::with(client.request("GET", path)).await
    }

    async fn with(request: reqwest::RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            answer,
            unread: String::new(),
        }
    }

    /// Returns the next event, or `None` at the end of the stream. Panics after a minute without data.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let fields: Vec<(String, String)> = block
                    .lines()
                    .filter_map(|line| line.split_once(": "))
                    .map(|(name, value)| (name.into(), value.into()))
                    .collect();
                let field = |wanted: &str| {
                    fields
                        .iter()
                        .find(|(name, _)| name == wanted)
                        .map(|(_, value)| value.clone())
                };
                let event = field("event").map(|kind| Event {
                    id: field("id").map(|id| id.parse().unwrap()),
                    kind,
                    data: serde_json::from_str(&field("data").unwrap()).unwrap(),
                });
                self.unread = rest.to_owned();
                match event {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let waited =
                tokio::time::timeout(std::time::Duration::from_secs(60), self.answer.chunk())
                    .await
                    .expect("no data arrived for a minute");
            match waited {
                Ok(Some(bytes)) => self.unread.push_str(std::str::from_utf8(&bytes).unwrap()),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Waits for a keep-alive comment. Panics if an event arrives first.
    async fn keep_alive(&mut self) {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let (comment, block) = (block.starts_with(':'), block.to_owned());
                self.unread = rest.to_owned();
                assert!(comment || block.is_empty(), "{block}");
                return;
            }
            let waited =
                tokio::time::timeout(std::time::Duration::from_secs(60), self.answer.chunk())
                    .await
                    .expect("no data arrived for a minute");
            self.unread.push_str(
                std::str::from_utf8(&waited.unwrap().expect("the stream ended")).unwrap(),
            );
        }
    }

    /// Returns the next event that is not about the inbox.
    async fn next_of_update(&mut self) -> Event {
        loop {
            let event = self.next().await.expect("the stream ended");
            if event.kind != "inbox" {
                return event;
            }
        }
    }

    /// Reads until the end of the stream. Returns the kinds of the remaining events.
    async fn remaining_kinds(&mut self) -> Vec<String> {
        let mut kinds = Vec::new();
        while let Some(event) = self.next().await {
            kinds.push(event.kind);
        }
        kinds
    }
}

async fn update(ada: &Client, title: &str, audience: &[&str]) -> String {
    let audience: Vec<String> = audience.iter().map(|name| email(name)).collect();
    let expectation = if audience.is_empty() {
        "fyi"
    } else {
        "acknowledge"
    };
    let update = json!({ "title": title, "audience": audience, "expectation": expectation, "publish": true });
    format!(
        "/updates/{}",
        ada.post("/updates", update).await.expect(201).json()["id"]
            .as_str()
            .unwrap()
    )
}

async fn say(client: &Client, path: &str, body: &str) -> String {
    client
        .post(&format!("{path}/comments"), json!({ "body": body }))
        .await
        .expect(201)
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[actix_web::test]
async fn events_of_an_update_arrive_in_order_with_inbox_counts() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = update(&ada, "T", &["Bob"]).await;
    let mut stream = Stream::open(&ada, &format!("{path}/live")).await;
    let first = stream.next().await.unwrap();
    assert_eq!(
        (first.kind.as_str(), first.id, &first.data["owed_to_me"]),
        ("inbox", None, &json!(1))
    );

    let comment = say(&bob, &path, "Hm").await;
    bob.put(&format!("/comments/{comment}/reactions/👍"))
        .await
        .expect(204);
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    ada.patch(&path, json!({ "title": "T2" })).await.expect(200);
    ada.upload(
        &format!("{path}/media"),
        &[],
        &[("media", "a.png", fixture("alpha.png"))],
    )
    .await
    .expect(201);
    let (mut kinds, mut last) = (Vec::new(), 0);
    for _ in 0..5 {
        let event = stream.next_of_update().await;
        assert!(event.id.unwrap() > last, "{event:?} came after {last}");
        last = event.id.unwrap();
        if event.kind == "comment" {
            assert_eq!(event.data, json!({ "kind": "comment", "id": comment }));
        }
        kinds.push(event.kind);
    }
    assert_eq!(kinds, ["comment", "reaction", "receipt", "update", "media"]);
    // The counts changed with the acknowledgement.
    let mut inbox = Stream::open(&bob, "/inbox/live").await;
    assert_eq!(inbox.next().await.unwrap().data["owed_by_me"], 0);
    let other = update(&ada, "Other", &["Bob"]).await;
    assert_eq!(inbox.next().await.unwrap().data["owed_by_me"], 1);
    bob.put(&format!("{other}/acknowledgement"))
        .await
        .expect(200);
    assert_eq!(inbox.next().await.unwrap().data["owed_by_me"], 0);
}

#[actix_web::test]
async fn media_events_arrive_while_a_recording_is_processed() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = update(&ada, "T", &[]).await;
    let mut stream = Stream::open(&ada, &format!("{path}/live")).await;
    let added = ada
        .upload(
            &format!("{path}/media"),
            &[],
            &[("media", "a.webm", fixture("rec-vp8-opus-3s.webm"))],
        )
        .await
        .expect(201)
        .json();
    let id = added["items"][0]["id"].clone();
    loop {
        let event = stream.next_of_update().await;
        assert_eq!(event.kind, "media");
        if event.data["id"] == id
            && ada
                .get(&format!("/media/{}", id.as_str().unwrap()))
                .await
                .json()["state"]
                == "ready"
        {
            return;
        }
    }
}

#[actix_web::test]
async fn missed_events_are_delivered_once_after_reconnecting() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = update(&ada, "T", &["Bob"]).await;
    let mut stream = Stream::open(&bob, &format!("{path}/live")).await;
    let mut said = vec![say(&ada, &path, "0").await];
    let first = stream.next_of_update().await;
    assert_eq!(first.data["id"], said[0]);
    drop(stream);
    for n in 1..=3 {
        said.push(say(&ada, &path, &n.to_string()).await);
    }
    let seen = first.id.unwrap().to_string();
    for request in [
        bob.request("GET", &format!("{path}/live?after={seen}")),
        bob.request("GET", &format!("{path}/live"))
            .header("last-event-id", &seen),
        bob.request("GET", &format!("{path}/live?after=0"))
            .header("last-event-id", &seen),
    ] {
        let mut stream = Stream::with(request).await;
        let mut heard = Vec::new();
        for _ in 0..3 {
            heard.push(
                stream.next_of_update().await.data["id"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
        }
        assert_eq!(heard, said[1..4]);
    }
    // An event that occurs while the page catches up arrives once, after the missed ones.
    let mut stream = Stream::open(&bob, &format!("{path}/live?after={seen}")).await;
    said.push(say(&ada, &path, "4").await);
    for comment in &said[1..] {
        assert_eq!(stream.next_of_update().await.data["id"], *comment);
    }
    assert_eq!(
        bob.get(&format!("{path}/live?after=soon"))
            .await
            .status
            .as_u16(),
        400
    );
}

#[actix_web::test]
async fn every_event_reaches_all_of_many_open_pages() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = update(&ada, "T", &["Bob"]).await;
    let mut streams = Vec::new();
    for _ in 0..24 {
        streams.push(Stream::open(&bob, &format!("{path}/live")).await);
    }
    for round in 0..5 {
        let comment = say(&ada, &path, &round.to_string()).await;
        for stream in &mut streams {
            assert_eq!(stream.next_of_update().await.data["id"], comment);
        }
    }
}

#[actix_web::test]
async fn stream_ends_when_access_is_revoked() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = update(&ada, "T", &["Bob"]).await;

    let mut removed = Stream::open(&bob, &format!("{path}/live")).await;
    removed.next().await.unwrap();
    ada.patch(&path, json!({ "audience": [], "expectation": "fyi" }))
        .await
        .expect(200);
    assert!(
        !removed
            .remaining_kinds()
            .await
            .contains(&"update".to_owned()),
        "events after the loss of access are not delivered"
    );

    let link = ada
        .post(&format!("{path}/links"), json!({ "name": "out" }))
        .await
        .expect(201)
        .json();
    let guest = app
        .client()
        .bearer(link["url"].as_str().unwrap().rsplit('/').next().unwrap());
    let mut revoked = Stream::open(&guest, &format!("{path}/live")).await;
    ada.delete(&format!("/links/{}", link["id"].as_str().unwrap()))
        .await
        .expect(204);
    assert_eq!(revoked.remaining_kinds().await, [""; 0]);

    // An inbox stream ends with its session.
    let browser = app.browser("Bob").await;
    let mut inbox = Stream::open(&browser, "/inbox/live").await;
    inbox.next().await.unwrap();
    assert_eq!(browser.delete("/session").await.status.as_u16(), 303);
    update(&ada, "Later", &["Bob"]).await;
    assert_eq!(inbox.remaining_kinds().await, [""; 0]);
}

#[actix_web::test]
async fn events_are_hidden_from_readers_without_access() {
    let app = TestApp::start().await;
    let (ada, bob, eve) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Eve").await,
    );
    let (path, other) = (
        update(&ada, "T", &["Bob"]).await,
        update(&ada, "Other", &["Eve"]).await,
    );
    eve.get(&format!("{path}/live")).await.problem(404);
    app.client().get(&format!("{path}/live")).await.problem(401);
    app.client().get("/inbox/live").await.problem(401);
    let mut stream = Stream::open(&eve, &format!("{other}/live")).await;
    say(&bob, &path, "between us").await;
    let comment = say(&ada, &other, "for Eve").await;
    assert_eq!(stream.next_of_update().await.data["id"], comment);

    // A guest gets the events of their own link's threads, and none about receipts, links or people.
    let link = ada
        .post(
            &format!("{path}/links"),
            json!({ "name": "out", "comments": true }),
        )
        .await
        .expect(201)
        .json();
    let guest = app
        .client()
        .bearer(link["url"].as_str().unwrap().rsplit('/').next().unwrap());
    let mut stream = Stream::open(&guest, &format!("{path}/live")).await;
    let inside = say(&ada, &path, "inside").await;
    bob.put(&format!("{path}/opening")).await.expect(204);
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    ada.put(&format!("/comments/{inside}/reactions/👍"))
        .await
        .expect(204);
    ada.post(&format!("{path}/links"), json!({ "name": "second" }))
        .await
        .expect(201);
    let mine = guest
        .post(
            &format!("{path}/comments"),
            json!({ "body": "Hello", "name": "Gus" }),
        )
        .await
        .expect(201)
        .json()["id"]
        .clone();
    let heard = stream.next_of_update().await;
    assert_eq!((heard.kind.as_str(), &heard.data["id"]), ("comment", &mine));
    let reply = ada
        .post(
            &format!("{path}/comments"),
            json!({ "body": "Hi", "parent_id": mine }),
        )
        .await
        .expect(201)
        .json()["id"]
        .clone();
    assert_eq!(stream.next_of_update().await.data["id"], reply);

    // An opening is sent to the author and not to another recipient.
    let third = update(&ada, "Third", &["Bob", "Eve"]).await;
    let (mut author, mut stranger) = (
        Stream::open(&ada, &format!("{third}/live")).await,
        Stream::open(&eve, &format!("{third}/live")).await,
    );
    bob.put(&format!("{third}/opening")).await.expect(204);
    let opened = author.next_of_update().await;
    assert_eq!(
        (opened.kind.as_str(), &opened.data["id"]),
        ("receipt", &json!(bob.id))
    );
    let comment = say(&ada, &third, "next").await;
    assert_eq!(stranger.next_of_update().await.data["id"], comment);
}

#[actix_web::test]
async fn events_reach_readers_on_another_node() {
    if !postgres() {
        return;
    }
    let one = TestApp::start().await;
    let two = TestApp::second_node(&one).await;
    let (ada, bob) = (one.person("Ada").await, one.person("Bob").await);
    let path = update(&ada, "T", &["Bob"]).await;
    let mut stream = Stream::open(&bob, &format!("{}{path}/live", two.base)).await;
    for n in 0..3 {
        let comment = say(&ada, &path, &n.to_string()).await;
        assert_eq!(stream.next_of_update().await.data["id"], comment);
    }
    // One node serves what the other has stored.
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
async fn stream_is_kept_alive_while_other_updates_change() {
    let app =
        TestApp::start_with(|config| config.keep_alive = std::time::Duration::from_secs(1)).await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (quiet, busy) = (
        update(&ada, "Quiet", &[]).await,
        update(&ada, "Busy", &[]).await,
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
    // Comments on the other update arrive far more often than the keep-alive interval.
    let talk = async {
        loop {
            say(&ada, &busy, "again").await;
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
