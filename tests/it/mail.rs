//! Emails that tell people what is waiting for them. Each person gets them only during their own working hours.

mod authors;
mod delivery;
mod hours;
mod requests;
mod unsubscribing;

use std::collections::BTreeSet;

use hearback::config::Config;
use hearback::infra::smtp::{Mailer, Server, parse_sender};
use serde_json::json;

use crate::app::{Client, TestApp, email};
use crate::sink::{ReceivedMail, Sink};

const URL: &str = "http://hearback.example.org";

fn with_mail_server(sink: &Sink) -> impl FnOnce(&mut Config) {
    let server = Server::parse(&sink.url).unwrap();
    move |config| {
        config.url = Some(URL.into());
        config.mail = Some(Mailer::new(
            server,
            parse_sender("Hearback <hearback@example.org>").unwrap(),
        ));
    }
}

/// Starts an SMTP server and a Hearback server that uses it. Ada and Bob have accounts. It is Wednesday, 10:00 in
/// Berlin, where everybody works from 9:00 to 17:00.
async fn start() -> (Sink, TestApp, Client, Client) {
    let sink = Sink::start().await;
    let app = TestApp::start_with(with_mail_server(&sink)).await;
    app.set_clock("2030-01-09T09:00:00Z");
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    (sink, app, ada, bob)
}

/// Publishes an update that asks Bob for an acknowledgement. `more` adds or replaces fields of the update.
async fn ask(ada: &Client, more: serde_json::Value) -> String {
    let mut fields = json!({ "title": "The new flow", "expectation": "acknowledge", "audience": [email("Bob")] });
    fields
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    ada.update(fields).await
}

/// Advances the clock and waits for the jobs that become due.
async fn advance(app: &TestApp, seconds: i64) {
    app.state.clock.advance(seconds * 1000);
    app.wait_for_jobs().await;
}

#[actix_web::test]
async fn request_is_emailed_once_with_its_text_and_an_unsubscribe_link() {
    let (sink, app, ada, _) = start().await;
    app.person("Zoe").await;
    let due = hearback::clock::rfc3339(app.state.clock.now() + 3 * 24 * 3_600_000);
    let otherwise = "ship it\r\n\r\nGot it: https://evil.example.org";
    let path = ask(
        &ada,
        json!({ "due": due, "otherwise": otherwise, "audience": [email("Bob"), email("Zoe")] }),
    )
    .await;
    advance(&app, 11).await;
    assert_eq!(sink.receivers(), [email("Bob"), email("Zoe")]);
    let mails = sink.mails();
    let mail = mails.iter().find(|mail| mail.to == email("Bob")).unwrap();
    assert_headers(mail);
    assert_ne!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    let text = mail.text();
    let due = due_for_bob(&app, &ada, &path).await;
    assert_eq!(
        text.lines().next().unwrap(),
        format!(
            "Ada asks you to press “Got it” on “The new flow” {due} (your time, Europe/Berlin): {URL}{path}"
        )
    );
    assert!(
        text.contains(
            "\n\nIf Ada doesn’t hear back by then, they’ll: ship it Got it: https://evil.example.org\n"
        ),
        "{text}"
    );
    let unsubscribe = mail.header("List-Unsubscribe");
    assert!(
        text.trim_end()
            .ends_with(unsubscribe.trim_matches(['<', '>'])),
        "{text}"
    );
    // The server sent both emails over one SMTP connection.
    assert_eq!(sink.heard("EHLO"), 1);
    advance(&app, 24 * 3600).await;
    assert_eq!(sink.mails().len(), 2);
}

fn assert_headers(mail: &ReceivedMail) {
    for (name, value) in [
        ("Subject", "Ada asks for your answer: “The new flow”"),
        ("From", "Hearback <hearback@example.org>"),
        ("To", &format!("Bob <{}>", email("Bob"))),
        ("MIME-Version", "1.0"),
        ("Auto-Submitted", "auto-generated"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ] {
        assert_eq!(mail.header(name), value);
    }
    assert!(
        mail.header("Date").ends_with("+0000")
            && mail.header("Message-ID").ends_with("@example.org>")
    );
    let unsubscribe = mail.header("List-Unsubscribe");
    assert!(
        unsubscribe.starts_with(&format!("<{URL}/unsubscribe/")),
        "{unsubscribe}"
    );
}

/// Returns Bob's due time, formatted as in the email.
async fn due_for_bob(app: &TestApp, ada: &Client, update: &str) -> String {
    let receipts = ada.get(&format!("{update}/receipts")).await;
    let receipts = receipts.expect(200).json();
    let receipt = receipts["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|receipt| receipt["person"]["name"] == "Bob")
        .unwrap();
    hearback::share_message::due_text(
        hearback::clock::parse_rfc3339(receipt["due"].as_str().unwrap()).unwrap(),
        app.state.clock.now(),
        "Europe/Berlin",
    )
}

#[actix_web::test]
async fn correction_that_is_withdrawn_within_ten_seconds_is_not_emailed() {
    let (sink, app, ada, bob) = start().await;
    let path = ask(&ada, json!({ "expectation": "readback" })).await;
    advance(&app, 11).await;
    let readback = json!({ "readback": "I ship it" });
    bob.json("PUT", &format!("{path}/acknowledgement"), &readback)
        .await
        .expect(200);
    let confirmation = format!("{path}/receipts/{}/confirmation", bob.id);
    let correction = json!({ "verdict": "corrected", "body": "On Monday" });
    ada.json("PUT", &confirmation, &correction)
        .await
        .expect(200);
    ada.delete(&confirmation).await.expect(200);
    advance(&app, 11).await;
    // The readback is waiting for Ada again, but nothing is waiting for Bob.
    assert_eq!(
        headers(&sink, "Subject"),
        [
            "Ada asks for your answer: “The new flow”",
            "Bob said it back: “The new flow”"
        ]
    );
}

#[actix_web::test]
async fn each_reminder_and_each_new_request_is_emailed_once() {
    let (sink, app, ada, bob) = start().await;
    let path = ask(&ada, json!({ "expectation": "readback" })).await;
    advance(&app, 11).await;
    for _ in 0..2 {
        ada.post(&format!("{path}/reminders"), json!({}))
            .await
            .expect(200);
        advance(&app, 11).await;
        advance(&app, 24 * 3600).await;
    }
    let answer = format!("{path}/acknowledgement");
    let confirmation = format!("{path}/receipts/{}/confirmation", bob.id);
    let put = async |client: &Client, path: &str, fields: serde_json::Value| {
        client.json("PUT", path, &fields).await.expect(200);
    };
    put(&bob, &answer, json!({ "readback": "I ship it" })).await;
    let correction = json!({ "verdict": "corrected", "body": "On Monday" });
    put(&ada, &confirmation, correction).await;
    advance(&app, 11).await;
    let readback = json!({ "readback": "I ship it on Monday" });
    put(&bob, &answer, readback).await;
    let change =
        json!({ "notes": "No, on Tuesday", "change": "material", "what_changed": "The\nday" });
    ada.patch(&path, change).await.expect(200);
    advance(&app, 11).await;
    // No email is sent about a cosmetic edit or a comment.
    ada.patch(&path, json!({ "notes": "No: on Tuesday" }))
        .await
        .expect(200);
    ada.comment(&path, "Thanks").await;
    advance(&app, 11).await;
    assert_eq!(
        headers(&sink, "Subject"),
        [
            "Ada asks for your answer: “The new flow”",
            "Reminder: “The new flow”",
            "Reminder: “The new flow”",
            "Ada asks for your answer again: “The new flow”",
            "Changed: “The new flow”",
        ]
    );
    let ids: BTreeSet<String> = headers(&sink, "Message-ID").into_iter().collect();
    assert_eq!(ids.len(), 5, "every email has its own Message-ID");
    let text = sink.mails()[4].text();
    assert!(
        text.starts_with("Ada asks you to open “The new flow” and say back in your own words")
            && text.contains("\nWhat changed: The day\n"),
        "{text}"
    );
    // Readbacks and corrections are private, so no email contains their text.
    let mut mails = sink.mails().into_iter();
    assert!(!mails.any(|mail| mail.text().contains("Monday")));
}

/// Returns one header of every email, in order of arrival.
fn headers(sink: &Sink, name: &str) -> Vec<String> {
    let mails = sink.mails();
    mails.iter().map(|mail| mail.header(name)).collect()
}

#[actix_web::test]
async fn adding_a_recipient_sends_an_email_only_to_that_recipient() {
    let (sink, app, ada, _) = start().await;
    let cleo = app.person("Cleo").await;
    let path = ask(&ada, json!({})).await;
    advance(&app, 60).await;
    ada.put(&format!("{path}/audience/{}", cleo.id))
        .await
        .expect(200);
    advance(&app, 60).await;
    assert_eq!(sink.receivers(), [email("Bob"), email("Cleo")]);
    assert_eq!(sink.mails().len(), 2);
}

#[actix_web::test]
async fn reminder_that_is_sent_within_ten_seconds_is_emailed_instead_of_the_request() {
    let (sink, app, ada, _) = start().await;
    let path = ask(&ada, json!({})).await;
    ada.post(&format!("{path}/reminders"), json!({}))
        .await
        .expect(200);
    advance(&app, 11).await;
    assert_eq!(headers(&sink, "Subject"), ["Reminder: “The new flow”"]);
}

#[actix_web::test]
async fn request_is_not_emailed_when_the_update_is_unpublished_within_ten_seconds() {
    let (sink, app, ada, _) = start().await;
    let path = ask(&ada, json!({})).await;
    app.state.clock.advance(2_000);
    // Make the job due now. The email is still not sent, because ten seconds have not passed.
    app.execute("UPDATE jobs SET run_at = 0 WHERE kind = 'mail'")
        .await;
    app.wait_for_jobs().await;
    let mut tx = app.state.db.begin().await.unwrap();
    app.state
        .enqueue_mail(&mut tx, path.rsplit('/').next().unwrap())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        app.count("SELECT count(*) FROM jobs WHERE kind = 'mail'")
            .await,
        1
    );
    ada.delete(&format!("{path}/publication")).await.expect(200);
    advance(&app, 3600).await;
    assert_eq!((sink.mails().len(), sink.heard("EHLO")), (0, 0));
    ada.put(&format!("{path}/publication")).await.expect(200);
    advance(&app, 11).await;
    assert_eq!(sink.receivers(), [email("Bob")]);
}

#[actix_web::test]
async fn email_is_not_sent_when_its_recipient_no_longer_needs_it() {
    let (sink, app, ada, bob) = start().await;
    let read = ask(&ada, json!({ "title": "Read" })).await;
    bob.put(&format!("{read}/opening")).await.expect(204);
    let trashed = ask(&ada, json!({ "title": "Trashed" })).await;
    ada.delete(&trashed).await.expect(204);
    let answered = ask(&ada, json!({ "title": "Answered" })).await;
    bob.put(&format!("{answered}/acknowledgement"))
        .await
        .expect(200);
    advance(&app, 11).await;
    ask(&ada, json!({ "title": "Gone" })).await;
    let admin = app.admin("Root").await;
    admin
        .patch(&format!("/people/{}", bob.id), json!({ "active": false }))
        .await
        .expect(200);
    advance(&app, 11).await;
    assert_eq!(sink.receivers(), [""; 0]);
}

#[actix_web::test]
async fn names_and_titles_cannot_inject_email_headers() {
    let (sink, app, ada, _) = start().await;
    ada.patch("/me", json!({ "name": "Ada\r\nBcc: eve@example.org 🎉" }))
        .await;
    let title = "שלום “Hi”\u{202e} =?utf-8?q?x?= 🎉 ".to_owned() + &"very long ".repeat(12);
    let path = ask(&ada, json!({ "title": title, "otherwise": ".\n..\nQUIT" })).await;
    advance(&app, 11).await;
    let mail = &sink.mails()[0];
    assert_eq!(sink.receivers(), [email("Bob")]);
    assert!(
        !mail.raw.contains("\r\nBcc:") && mail.raw.is_ascii(),
        "{}",
        mail.raw
    );
    assert!(
        mail.header("Subject")
            .contains("שלום “Hi” =?utf-8?q?x?= 🎉 very long"),
        "{}",
        mail.header("Subject")
    );
    assert!(mail.text().contains(&format!("{URL}{path}")));
}

#[actix_web::test]
async fn no_email_job_is_enqueued_without_a_mail_server() {
    let app = TestApp::start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Bob").await);
    ask(&ada, json!({})).await;
    app.wait_for_jobs().await;
    assert_eq!(app.count("SELECT count(*) FROM jobs").await, 0);
    assert!(!app.state.sends_mail());
}
