//! A stream ends as soon as its viewer has no access anymore, without waiting for another event.

use serde_json::json;

use super::publish;
use super::stream::Stream;
use crate::app::{Client, PASSWORD, TestApp, email, postgres};

/// Opens the stream of this address and reads the counts, which every signed-in person gets first.
async fn open(client: &Client, path: &str) -> Stream {
    let mut stream = Stream::open(client, path).await;
    assert_eq!(stream.next().await.unwrap().kind, "inbox");
    stream
}

/// Fails if the stream delivers anything about the update before it ends, or if it does not end.
async fn assert_ends(stream: &mut Stream) {
    let mut kinds = stream.remaining_kinds().await;
    kinds.retain(|kind| kind != "inbox");
    assert_eq!(kinds, [""; 0]);
}

#[actix_web::test]
async fn event_stream_ends_when_a_recipient_is_removed_or_a_link_is_revoked() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, "T", &["Bob"]).await;
    let mut removed = open(&bob, &format!("{path}/live")).await;
    ada.patch(&path, json!({ "audience": [], "expectation": "fyi" }))
        .await
        .expect(200);
    assert_ends(&mut removed).await;

    let (link, token) = ada.share(&path, false).await;
    let guest = app.client().bearer(&token);
    let mut revoked = Stream::open(&guest, &format!("{path}/live")).await;
    ada.delete(&format!("/links/{link}")).await.expect(204);
    assert_ends(&mut revoked).await;
}

#[actix_web::test]
async fn event_streams_end_when_the_update_is_trashed() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, "T", &["Bob"]).await;
    let (_, token) = ada.share(&path, false).await;
    let mut person = open(&bob, &format!("{path}/live")).await;
    let mut guest = Stream::open(&app.client().bearer(&token), &format!("{path}/live")).await;
    ada.delete(&path).await.expect(204);
    assert_ends(&mut person).await;
    assert_ends(&mut guest).await;
}

#[actix_web::test]
async fn event_streams_end_with_their_session_or_token() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = publish(&ada, "T", &[]).await;
    let live = format!("{path}/live");

    let browser = app.browser("Ada").await;
    let (mut page, mut inbox) = (
        open(&browser, &live).await,
        open(&browser, "/inbox/live").await,
    );
    assert_eq!(browser.delete("/session").await.status.as_u16(), 303);
    assert_ends(&mut page).await;
    assert_ends(&mut inbox).await;

    // Another browser of the same person ends the session.
    let (one, two) = (app.browser("Ada").await, app.browser("Ada").await);
    let (mut ended, mut kept) = (open(&one, &live).await, open(&two, &live).await);
    let sessions = two.get("/sessions").await.json();
    let other = sessions["items"].as_array().unwrap().iter();
    let other = other.filter(|one| one["current"] != json!(true));
    for session in other {
        let path = format!("/sessions/{}", session["id"].as_str().unwrap());
        two.delete(&path).await.expect(303);
    }
    assert_ends(&mut ended).await;
    let comment = ada.comment(&path, "still here").await;
    assert_eq!(kept.next_of_update().await.data["id"], comment);

    let created = ada.post("/tokens", json!({ "name": "CI" })).await;
    let created = created.expect(201).json();
    let program = app.client().bearer(created["token"].as_str().unwrap());
    let mut stream = open(&program, &live).await;
    ada.delete(&format!("/tokens/{}", created["id"].as_str().unwrap()))
        .await
        .expect(204);
    assert_ends(&mut stream).await;
}

#[actix_web::test]
async fn event_streams_of_other_sessions_end_when_the_password_changes() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = publish(&ada, "T", &[]).await;
    let live = format!("{path}/live");
    let (one, two) = (app.browser("Ada").await, app.browser("Ada").await);
    let (mut ended, mut kept) = (open(&one, &live).await, open(&two, &live).await);
    let passwords = [("current", PASSWORD), ("password", "another horse battery")];
    two.form("PUT", "/me/password", &passwords)
        .await
        .expect(303);
    assert_ends(&mut ended).await;
    let comment = ada.comment(&path, "still here").await;
    assert_eq!(kept.next_of_update().await.data["id"], comment);

    let reset = app
        .admin("Root")
        .await
        .post(&format!("/people/{}/reset", ada.id), json!({}))
        .await
        .expect(201)
        .json();
    let url = reset["url"].as_str().unwrap();
    let secret = url.rsplit_once('/').unwrap().1;
    app.client()
        .post(
            &format!("/resets/{secret}"),
            json!({ "password": "a third horse battery" }),
        )
        .await
        .expect(204);
    assert_ends(&mut kept).await;
}

#[actix_web::test]
async fn event_streams_end_when_the_session_expires() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let mut stream = open(&app.browser("Ada").await, "/inbox/live").await;
    app.state.clock.advance(31 * 24 * 3_600_000);
    app.state.sweep().await.unwrap();
    assert_ends(&mut stream).await;
}

#[actix_web::test]
async fn event_streams_of_a_person_and_their_guests_end_when_the_person_is_deactivated() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = publish(&ada, "T", &["Bob"]).await;
    let live = format!("{path}/live");
    let (_, token) = ada.share(&path, false).await;
    let mut author = open(&ada, &live).await;
    let mut guest = Stream::open(&app.client().bearer(&token), &live).await;
    let mut reader = open(&bob, &live).await;
    app.admin("Root")
        .await
        .patch(&format!("/people/{}", ada.id), json!({ "active": false }))
        .await
        .expect(200);
    assert_ends(&mut author).await;
    assert_ends(&mut guest).await;
    let comment = bob.comment(&path, "still here").await;
    loop {
        let event = reader.next_of_update().await;
        if event.kind == "comment" {
            assert_eq!(event.data["id"], comment);
            return;
        }
    }
}

#[actix_web::test]
async fn event_streams_of_later_members_end_when_they_leave_or_the_group_is_deleted() {
    let app = TestApp::start().await;
    let [ada, bob, cem, dan, eve] = app.people(["Ada", "Bob", "Cem", "Dan", "Eve"]).await;
    let members = json!({ "name": "ops", "members": [email("Bob")] });
    let group = ada.post("/groups", members).await.expect(201).json();
    let group = format!("/groups/{}", group["id"].as_str().unwrap());
    let fields = json!({ "title": "T", "audience": ["@ops"], "later_members": true });
    let path = ada.update(fields).await;
    let all = ["Bob", "Cem", "Dan", "Eve"].map(email);
    ada.patch(&group, json!({ "members": all }))
        .await
        .expect(200);
    let live = format!("{path}/live");
    let mut streams = Vec::new();
    for person in [&cem, &dan, &eve] {
        streams.push(open(person, &live).await);
    }
    let mut recipient = open(&bob, &live).await;

    dan.delete(&format!("{group}/members/{}", dan.id))
        .await
        .expect(204);
    assert_ends(&mut streams[1]).await;
    ada.patch(&group, json!({ "members": [email("Bob"), email("Eve")] }))
        .await
        .expect(200);
    assert_ends(&mut streams[0]).await;
    ada.delete(&group).await.expect(204);
    assert_ends(&mut streams[2]).await;
    let comment = ada.comment(&path, "still here").await;
    assert_eq!(recipient.next_of_update().await.data["id"], comment);
}

#[actix_web::test]
async fn event_streams_check_access_after_an_event_of_an_earlier_version() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let mut stream = open(&app.browser("Ada").await, "/inbox/live").await;
    // Earlier versions record no event when a session ends, and do not say whose rights an access event is about.
    app.execute("DELETE FROM sessions").await;
    app.execute("UPDATE event_counter SET n = n + 1").await;
    app.execute(
        "INSERT INTO events (n, kind, update_id, subject_id, actor_id, at) SELECT n, 'access', '', 'group', '', 0
         FROM event_counter",
    )
    .await;
    assert_ends(&mut stream).await;
}

#[actix_web::test]
async fn event_stream_on_another_node_ends_when_access_is_revoked() {
    if !postgres() {
        return;
    }
    let one = TestApp::start().await;
    let two = TestApp::second_node(&one).await;
    let (ada, bob) = (one.person("Ada").await, one.person("Bob").await);
    let path = publish(&ada, "T", &["Bob"]).await;
    let mut removed = open(&bob, &format!("{}{path}/live", two.base)).await;
    let mut signed_out = open(&bob, &format!("{}/inbox/live", two.base)).await;
    ada.patch(&path, json!({ "audience": [], "expectation": "fyi" }))
        .await
        .expect(200);
    assert_ends(&mut removed).await;
    one.admin("Root")
        .await
        .patch(&format!("/people/{}", bob.id), json!({ "active": false }))
        .await
        .expect(200);
    assert_ends(&mut signed_out).await;
}
