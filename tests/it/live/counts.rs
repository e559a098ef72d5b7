//! The inbox counts of open pages change whenever the inbox does, even if no other event follows.

use serde_json::{Value, json};

use super::publish;
use super::stream::Stream;
use crate::app::{Client, TestApp, email};
use crate::readbacks::read_back;
use crate::verdicts::put_verdict;

/// An open page that shows nothing but the inbox counts.
struct Badge(Stream);

impl Badge {
    async fn open(client: &Client) -> Self {
        let mut badge = Self(Stream::open(client, "/inbox/live").await);
        badge.next().await;
        badge
    }

    async fn next(&mut self) -> Value {
        self.0.next().await.expect("the stream ended").data
    }

    /// Waits until the count has this value. Other changes may arrive first.
    async fn becomes(&mut self, section: &str, count: i64) {
        loop {
            if self.next().await[section] == count {
                return;
            }
        }
    }
}

#[actix_web::test]
async fn recipients_and_authors_see_publication_answer_and_withdrawal() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let (mut author, mut recipient) = (Badge::open(&ada).await, Badge::open(&bob).await);
    let path = publish(&ada, "T", &["Bob"]).await;
    author.becomes("owed_to_me", 1).await;
    recipient.becomes("owed_by_me", 1).await;
    let answer = format!("{path}/acknowledgement");
    bob.put(&answer).await.expect(200);
    author.becomes("owed_to_me", 0).await;
    recipient.becomes("owed_by_me", 0).await;
    bob.delete(&answer).await.expect(200);
    author.becomes("owed_to_me", 1).await;
    recipient.becomes("owed_by_me", 1).await;
    ada.delete(&format!("{path}/publication")).await.expect(200);
    author.becomes("owed_to_me", 0).await;
    recipient.becomes("owed_by_me", 0).await;
}

#[actix_web::test]
async fn recipients_see_when_an_update_is_trashed_restored_or_sent_to_others() {
    let app = TestApp::start().await;
    let [ada, bob, eve] = app.people(["Ada", "Bob", "Eve"]).await;
    let path = publish(&ada, "T", &["Bob"]).await;
    let (mut author, mut recipient, mut later) = (
        Badge::open(&ada).await,
        Badge::open(&bob).await,
        Badge::open(&eve).await,
    );
    ada.delete(&path).await.expect(204);
    author.becomes("owed_to_me", 0).await;
    recipient.becomes("owed_by_me", 0).await;
    ada.put(&format!("{path}/restoration")).await.expect(200);
    author.becomes("owed_to_me", 1).await;
    recipient.becomes("owed_by_me", 1).await;
    ada.patch(&path, json!({ "audience": [email("Eve")] }))
        .await
        .expect(200);
    recipient.becomes("owed_by_me", 0).await;
    later.becomes("owed_by_me", 1).await;
    ada.patch(&path, json!({ "expectation": "fyi" }))
        .await
        .expect(200);
    later.becomes("owed_by_me", 0).await;
    author.becomes("owed_to_me", 0).await;
}

#[actix_web::test]
async fn unread_notifications_disappear_when_they_are_retracted_read_or_muted() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = ada
        .update(json!({ "title": "T", "audience": [email("Bob")] }))
        .await;
    let mut badge = Badge::open(&ada).await;
    let comment = bob.comment(&path, "Hm").await;
    badge.becomes("said_to_me", 1).await;
    bob.delete(&format!("/comments/{comment}"))
        .await
        .expect(204);
    badge.becomes("said_to_me", 0).await;
    bob.comment(&path, "Hm").await;
    badge.becomes("said_to_me", 1).await;
    ada.put(&format!("{path}/opening")).await.expect(204);
    badge.becomes("said_to_me", 0).await;
    bob.comment(&path, "Hm").await;
    badge.becomes("said_to_me", 1).await;
    ada.put(&format!("{path}/mute")).await.expect(204);
    badge.becomes("said_to_me", 0).await;
}

#[actix_web::test]
async fn author_counts_change_when_questions_and_readbacks_arrive_and_end() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let mut badge = Badge::open(&ada).await;
    let fields = json!({ "title": "T", "audience": [email("Bob")], "expectation": "readback" });
    let path = ada.update(fields).await;
    badge.becomes("owed_to_me", 1).await;
    let question = bob.question(&path, "Why?").await;
    badge.becomes("owed_by_me", 1).await;
    bob.put(&format!("/comments/{question}/resolution"))
        .await
        .expect(200);
    badge.becomes("owed_by_me", 0).await;
    read_back(&bob, &path, "I do nothing.").await;
    badge.becomes("owed_by_me", 1).await;
    let verdict = json!({ "verdict": "confirmed" });
    put_verdict(&ada, &path, &bob, verdict).await.expect(200);
    badge.becomes("owed_by_me", 0).await;
}

#[actix_web::test]
async fn author_sees_when_a_recipient_is_deactivated() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    publish(&ada, "T", &["Bob"]).await;
    let mut badge = Badge::open(&ada).await;
    let root = app.admin("Root").await;
    let person = format!("/people/{}", bob.id);
    root.patch(&person, json!({ "active": false }))
        .await
        .expect(200);
    badge.becomes("owed_to_me", 0).await;
    root.patch(&person, json!({ "active": true }))
        .await
        .expect(200);
    badge.becomes("owed_to_me", 1).await;
}

#[actix_web::test]
async fn other_tabs_see_when_an_entry_is_snoozed() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    publish(&ada, "T", &["Bob"]).await;
    let mut badge = Badge::open(&bob).await;
    let entry = bob.get("/inbox").await.json()["owed_by_me"][0]["id"].clone();
    let snooze = format!("/inbox/{}/snooze", entry.as_str().unwrap());
    bob.json("PUT", &snooze, &json!({ "until": "tomorrow" }))
        .await
        .expect(204);
    badge.becomes("owed_by_me", 0).await;
    bob.delete(&snooze).await.expect(204);
    badge.becomes("owed_by_me", 1).await;
}

#[actix_web::test]
async fn counts_follow_the_end_of_a_snooze() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    publish(&ada, "T", &["Bob"]).await;
    let entry = bob.get("/inbox").await.json()["owed_by_me"][0]["id"].clone();
    let snooze = format!("/inbox/{}/snooze", entry.as_str().unwrap());
    bob.json("PUT", &snooze, &json!({ "until": "tomorrow" }))
        .await
        .expect(204);
    let mut badge = Badge::open(&bob).await;
    app.state.clock.advance(3 * 24 * 3_600_000);
    app.state.sweep().await.unwrap();
    badge.becomes("owed_by_me", 1).await;
}
