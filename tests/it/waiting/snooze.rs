//! Snoozing inbox entries.

use serde_json::{Value, json};

use super::{owed, publish_request, remind, titles};
use crate::app::{Client, Response, TestApp, email};

/// Snoozes an inbox entry. `until` is a time or an event.
async fn snooze(client: &Client, entry: &str, until: Value) -> Response {
    let path = format!("/inbox/{entry}/snooze");
    client.json("PUT", &path, &json!({ "until": until })).await
}

/// Returns the id of the first inbox entry in a section.
async fn first_entry(client: &Client, section: &str) -> String {
    let inbox = client.get("/inbox").await.json();
    inbox[section][0]["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn snooze_with_an_invalid_time_or_entry_is_rejected() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    publish_request(&ada, "Later", &["Bob"]).await;
    let entry = first_entry(&bob, "owed_by_me").await;
    for until in [
        json!("2020-01-01T00:00:00Z"),
        json!("soon"),
        json!(null),
        json!(""),
    ] {
        snooze(&bob, &entry, until).await.problem(422);
    }
    for (client, entry) in [(&bob, "bnothing"), (&ada, "xnothing")] {
        snooze(client, entry, json!("tomorrow")).await.problem(404);
    }
}

#[actix_web::test]
async fn snoozed_inbox_entry_returns_at_the_chosen_time_or_after_a_reminder() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish_request(&ada, "Later", &["Bob"]).await;
    let entry = first_entry(&bob, "owed_by_me").await;
    snooze(&bob, &entry, json!("tomorrow")).await.expect(204);
    let inbox = bob.get("/inbox").await.json();
    assert_eq!(
        (
            &inbox["owed_by_me"],
            &inbox["counts"]["owed_by_me"],
            &inbox["snoozed"][0]["id"]
        ),
        (&json!([]), &json!(0), &json!(entry))
    );
    app.state.clock.advance(36 * 3_600_000);
    assert_eq!(titles(&owed(&bob).await), ["Later"]);

    snooze(&bob, &entry, json!("monday")).await.expect(204);
    assert_eq!(owed(&bob).await, json!([]));
    bob.delete(&format!("/inbox/{entry}/snooze"))
        .await
        .expect(204);
    assert_eq!(titles(&owed(&bob).await), ["Later"]);
    snooze(&bob, &entry, json!("monday")).await.expect(204);
    remind(&ada, &path).await.expect(200);
    assert_eq!(titles(&owed(&bob).await), ["Later"]);
}

#[actix_web::test]
async fn inbox_entry_snoozed_until_answered_returns_after_an_answer() {
    let app = TestApp::start().await;
    let (ada, cyd) = (app.person("Ada").await, app.person("Cyd").await);
    app.person("Bob").await;
    let path = publish_request(&ada, "Later", &["Bob"]).await;
    let waiting = async || ada.get("/inbox").await.json()["counts"]["owed_to_me"].clone();
    let entry = first_entry(&ada, "owed_to_me").await;
    snooze(&ada, &entry, json!("answered")).await.expect(204);
    assert_eq!(waiting().await, 0);
    ada.patch(&path, json!({ "audience": [email("Bob"), email("Cyd")] }))
        .await
        .expect(200);
    assert_eq!(waiting().await, 0);
    cyd.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    assert_eq!(waiting().await, 1, "a recipient has answered");
}
