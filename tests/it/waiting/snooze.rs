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
    app.set_clock("2030-01-10T12:00:00Z"); // a Thursday
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

/// Returns when the snooze of the only snoozed entry ends.
async fn snoozed_until(client: &Client) -> Value {
    client.get("/inbox").await.json()["snoozed"][0]["until"].clone()
}

#[actix_web::test]
async fn snooze_until_tomorrow_ends_when_the_next_working_day_begins() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    publish_request(&ada, "Later", &["Bob"]).await;
    let entry = first_entry(&bob, "owed_by_me").await;
    // Bob is in Berlin. 2030-01-10 is a Thursday.
    for (hours, now, word, until) in [
        (
            None,
            "2030-01-10T12:00:00Z",
            "tomorrow",
            "2030-01-11T08:00:00.000Z",
        ),
        (
            None,
            "2030-01-10T12:00:00Z",
            "monday",
            "2030-01-14T08:00:00.000Z",
        ),
        (
            None,
            "2030-01-11T12:00:00Z",
            "tomorrow",
            "2030-01-14T08:00:00.000Z",
        ),
        (
            Some(&[2, 3]),
            "2030-01-13T12:00:00Z",
            "tomorrow",
            "2030-01-15T05:30:00.000Z",
        ),
        (
            Some(&[2, 3]),
            "2030-01-13T12:00:00Z",
            "monday",
            "2030-01-15T05:30:00.000Z",
        ),
        (
            Some(&[2, 3]),
            "2030-01-15T12:00:00Z",
            "monday",
            "2030-01-22T05:30:00.000Z",
        ),
    ] {
        if let Some(days) = hours {
            let hours = json!({ "days": days, "from": "06:30", "to": "14:00" });
            bob.patch("/me", json!({ "working_hours": hours }))
                .await
                .expect(200);
        }
        app.set_clock(now);
        snooze(&bob, &entry, json!(word)).await.expect(204);
        assert_eq!(snoozed_until(&bob).await, until, "{word} at {now}");
    }
}

#[actix_web::test]
async fn snooze_until_tomorrow_ends_after_an_absence() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    publish_request(&ada, "Later", &["Bob"]).await;
    let entry = first_entry(&bob, "owed_by_me").await;
    app.set_clock("2030-01-10T12:00:00Z");
    bob.patch("/me", json!({ "away_until": "2030-01-15T11:00:00Z" }))
        .await
        .expect(200);
    snooze(&bob, &entry, json!("tomorrow")).await.expect(204);
    assert_eq!(snoozed_until(&bob).await, "2030-01-16T08:00:00.000Z");
}

#[actix_web::test]
async fn inbox_page_offers_no_two_snoozes_that_end_at_the_same_time() {
    let app = TestApp::start().await;
    let (ada, _bob) = (app.person("Ada").await, app.person("Bob").await);
    publish_request(&ada, "Later", &["Bob"]).await;
    app.set_clock("2030-01-10T11:00:00Z");
    let browser = app.browser("Bob").await;
    for (now, offered, other) in [
        (
            "2030-01-10T12:00:00Z",
            ["Tomorrow morning", "Fri 09:00"],
            Some("Next week"),
        ),
        (
            "2030-01-11T12:00:00Z",
            ["Monday morning", "Mon 09:00"],
            None,
        ),
    ] {
        app.set_clock(now);
        let page = browser.get("/inbox").await.expect(200).text();
        for words in offered {
            assert!(page.contains(words), "{words} at {now}: {page}");
        }
        assert_eq!(page.contains("Next week"), other.is_some(), "{now}: {page}");
    }
}
