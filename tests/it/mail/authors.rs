//! Emails to authors: questions, mentions, objections, readbacks and overdue answers.

use serde_json::{Value, json};

use super::{Sink, URL, advance, ask, headers, start};
use crate::app::{Client, email};

async fn comment(client: &Client, update: &str, fields: Value) {
    client
        .post(&format!("{update}/comments"), fields)
        .await
        .expect(201);
}

async fn put(client: &Client, path: &str, fields: Value) {
    client.json("PUT", path, &fields).await.expect(200);
}

/// Sets Ada's working hours to 21:00–23:00 in Berlin, so that her emails wait until the evening.
async fn work_at_night(ada: &Client) {
    let hours = json!({ "days": [1, 2, 3, 4, 5], "from": "21:00", "to": "23:00" });
    let change = json!({ "working_hours": hours });
    ada.patch("/me", change).await.expect(200);
}

/// Returns the number of emails to Ada.
fn count_to_ada(sink: &Sink) -> usize {
    let receivers = sink.receivers();
    receivers.iter().filter(|to| **to == email("Ada")).count()
}

#[actix_web::test]
async fn author_gets_one_email_in_their_working_hours_about_everything_that_is_waiting_for_them() {
    let (sink, app, ada, bob) = start().await;
    let [cyd, dan] = app.people(["Cyd", "Dan"]).await;
    work_at_night(&ada).await;
    let audience = json!([email("Bob"), email("Cyd"), email("Dan")]);
    let path = ask(
        &ada,
        json!({ "expectation": "readback", "audience": audience }),
    )
    .await;
    for client in [&bob, &cyd, &dan] {
        client.put(&format!("{path}/opening")).await.expect(204);
    }
    let question = json!({ "kind": "question", "body": "Which day?" });
    comment(&bob, &path, question.clone()).await;
    comment(&cyd, &path, question).await;
    comment(
        &cyd,
        &path,
        json!({ "body": format!("@{} look", email("Ada")) }),
    )
    .await;
    let readback = json!({ "readback": "We ship it" });
    put(&bob, &format!("{path}/acknowledgement"), readback).await;
    let objection = json!({ "reason": "Too early" });
    put(&dan, &format!("{path}/decline"), objection).await;
    // A plain comment is shown in Ada's inbox, but is not emailed.
    comment(&dan, &path, json!({ "body": "Hm" })).await;
    advance(&app, 11).await;
    app.set_clock("2030-01-09T19:45:00Z");
    app.wait_for_jobs().await;
    assert_eq!(sink.receivers(), [""; 0]);
    app.set_clock("2030-01-09T20:00:00Z");
    app.wait_for_jobs().await;
    assert_eq!(sink.receivers(), [email("Ada")]);
    assert_eq!(headers(&sink, "Subject"), ["Dan objects: “The new flow”"]);
    let text = sink.mails()[0].text();
    let expected = format!(
        "Your update “The new flow”: {URL}{path}
Dan objects.
Bob and Cyd asked questions.
Bob said it back. Confirm or correct it.
Cyd mentioned you.

-- 
Unsubscribe"
    );
    assert!(text.starts_with(&expected), "{text}");
    advance(&app, 3600).await;
    assert_eq!(sink.mails().len(), 1);
}

#[actix_web::test]
async fn author_gets_no_email_about_things_that_were_already_read_handled_or_withdrawn() {
    let (sink, app, ada, bob) = start().await;
    let [cyd] = app.people(["Cyd"]).await;
    work_at_night(&ada).await;
    let ask_both = json!({ "expectation": "readback", "audience": [email("Bob"), email("Cyd")] });
    let path = ask(&ada, ask_both.clone()).await;
    for client in [&bob, &cyd] {
        client.put(&format!("{path}/opening")).await.expect(204);
    }
    let asked = json!({ "kind": "question", "body": "Which day?" });
    let question = bob.post(&format!("{path}/comments"), asked).await;
    let question = question.expect(201).json()["id"].clone();
    let reply = json!({ "body": "On Monday", "parent_id": question });
    comment(&ada, &path, reply).await;
    let answer = format!("{path}/acknowledgement");
    put(&bob, &answer, json!({ "readback": "We ship it" })).await;
    let confirmation = format!("{path}/receipts/{}/confirmation", bob.id);
    put(&ada, &confirmation, json!({ "verdict": "confirmed" })).await;
    let objection = json!({ "reason": "Too early" });
    put(&cyd, &format!("{path}/decline"), objection).await;
    cyd.delete(&answer).await.expect(200);
    let read = ask(&ada, ask_both).await;
    comment(&bob, &read, json!({ "kind": "question", "body": "Why?" })).await;
    ada.put(&format!("{read}/opening")).await.expect(204);
    app.set_clock("2030-01-09T20:00:00Z");
    app.wait_for_jobs().await;
    assert_eq!(count_to_ada(&sink), 0);
}

#[actix_web::test]
async fn email_about_overdue_answers_quotes_the_promise_of_the_author() {
    let (sink, app, ada, bob) = start().await;
    app.person("Cyd").await;
    let fields = json!({
        "audience": [email("Bob"), email("Cyd")],
        "due": "2030-01-10T12:00:00Z",
        "otherwise": "ship it\non Monday",
    });
    let path = ask(&ada, fields).await;
    advance(&app, 11).await;
    app.set_clock("2030-01-10T12:00:00Z");
    app.state.notify_overdue().await.unwrap();
    advance(&app, 11).await;
    let mails = sink.mails();
    let mail = mails.iter().find(|mail| mail.to == email("Ada")).unwrap();
    assert_eq!(mail.header("Subject"), "Past due: “The new flow”");
    let text = mail.text();
    let expected = format!(
        "Your update “The new flow”: {URL}{path}
Past due: Bob and Cyd have not answered.
You said you would: ship it on Monday

"
    );
    assert!(text.starts_with(&expected), "{text}");
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    app.state.notify_overdue().await.unwrap();
    advance(&app, 24 * 3600).await;
    assert_eq!(sink.mails().len(), 3, "Bob, Cyd and Ada each got one email");
}

#[actix_web::test]
async fn author_gets_no_email_about_an_overdue_answer_that_arrives_before_working_hours_begin() {
    let (sink, app, ada, bob) = start().await;
    work_at_night(&ada).await;
    let path = ask(&ada, json!({ "due": "2030-01-09T12:00:00Z" })).await;
    app.set_clock("2030-01-09T12:00:00Z");
    app.state.notify_overdue().await.unwrap();
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    app.set_clock("2030-01-09T20:00:00Z");
    app.wait_for_jobs().await;
    assert_eq!(count_to_ada(&sink), 0);
}

#[actix_web::test]
async fn author_gets_only_one_email_when_answers_become_overdue_one_after_another() {
    let (sink, app, ada, _bob) = start().await;
    let [cyd] = app.people(["Cyd"]).await;
    let zone = json!({ "time_zone": "Asia/Tokyo" });
    cyd.patch("/me", zone).await.expect(200);
    let audience = json!([email("Bob"), email("Cyd")]);
    let due = json!({ "working_days": 1 });
    let path = ask(&ada, json!({ "audience": audience, "due": due })).await;
    // Cyd's answer is due at 17:00 in Tokyo, and Bob's answer is due at 17:00 in Berlin.
    for late in ["2030-01-10T08:00:01Z", "2030-01-10T16:00:01Z"] {
        app.set_clock(late);
        app.state.notify_overdue().await.unwrap();
        advance(&app, 11).await;
    }
    app.set_clock("2030-01-11T08:00:00Z");
    app.wait_for_jobs().await;
    assert_eq!(count_to_ada(&sink), 1);
    let said = ada.get("/inbox").await.json()["said_to_me"].clone();
    assert_eq!(
        (&said[0]["missing"], &said[1]),
        (&json!(["Bob", "Cyd"]), &Value::Null)
    );
    // The inbox entry has the time at which the last of the answers became overdue.
    assert!(
        said[0]["at"].as_str() >= Some("2030-01-10T16:00:01"),
        "{said}"
    );
    // When a new due time passes, the author gets another email.
    let change = json!({ "due": "2030-01-11T12:00:00Z" });
    ada.patch(&path, change).await.expect(200);
    app.set_clock("2030-01-11T12:00:01Z");
    app.state.notify_overdue().await.unwrap();
    advance(&app, 11).await;
    assert_eq!(count_to_ada(&sink), 2);
}
