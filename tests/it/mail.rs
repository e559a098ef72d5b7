//! Mail: one message for each request and each reminder, to each recipient who still owes an answer.

use hearback::config::Config;
use hearback::infra::jobs;
use hearback::infra::smtp::{Mailer, Server, parse_sender};
use serde_json::json;

use crate::app::{Client, TestApp, email};
use crate::sink::Sink;

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

async fn start() -> (Sink, TestApp, Client, Client) {
    let sink = Sink::start().await;
    let app = TestApp::start_with(with_mail_server(&sink)).await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    (sink, app, ada, bob)
}

/// Publishes an update that asks Bob for an acknowledgement. `more` adds or replaces fields.
async fn ask(ada: &Client, more: serde_json::Value) -> String {
    let mut fields = json!({ "title": "The new flow", "expectation": "acknowledge", "audience": [email("Bob")] });
    fields
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    ada.update(fields).await
}

/// Moves the clock and waits for the jobs that become due.
async fn advance(app: &TestApp, seconds: i64) {
    app.state.clock.advance(seconds * 1000);
    app.wait_for_jobs().await;
}

#[actix_web::test]
async fn request_is_mailed_once_with_text_and_unsubscribe_link() {
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
    assert_eq!(mail.header("Subject"), "Ada asks: “The new flow”");
    assert_eq!(mail.header("From"), "Hearback <hearback@example.org>");
    assert_eq!(mail.header("To"), format!("Bob <{}>", email("Bob")));
    assert_eq!(mail.header("MIME-Version"), "1.0");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert_eq!(
        mail.header("List-Unsubscribe-Post"),
        "List-Unsubscribe=One-Click"
    );
    assert!(
        mail.header("Date").ends_with("+0000")
            && mail.header("Message-ID").ends_with("@example.org>")
    );
    let text = mail.text();
    let rows = ada
        .get(&format!("{path}/receipts"))
        .await
        .expect(200)
        .json();
    let row = rows["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["person"]["name"] == "Bob")
        .unwrap();
    let due = hearback::share_message::due_text(
        hearback::clock::parse_rfc3339(row["due"].as_str().unwrap()).unwrap(),
        app.state.clock.now(),
        "Europe/Berlin",
    );
    assert_eq!(
        text.lines().next().unwrap(),
        format!(
            "Ada asks for your Got it on “The new flow” {due} (your time, Europe/Berlin): {URL}{path}"
        )
    );
    assert!(
        text.contains(
            "\n\nIf nothing is heard by then, Ada will: ship it Got it: https://evil.example.org\n"
        ),
        "{text}"
    );
    let unsubscribe = mail.header("List-Unsubscribe");
    assert!(
        unsubscribe.starts_with(&format!("<{URL}/unsubscribe/")),
        "{unsubscribe}"
    );
    assert!(
        text.trim_end()
            .ends_with(unsubscribe.trim_matches(['<', '>'])),
        "{text}"
    );
    assert_ne!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    // Both mails used one connection.
    assert_eq!(sink.heard("EHLO"), 1);
    advance(&app, 24 * 3600).await;
    assert_eq!(sink.mails().len(), 2);
}

#[actix_web::test]
async fn reminder_correction_and_change_are_each_mailed_once() {
    let (sink, app, ada, bob) = start().await;
    let path = ask(&ada, json!({ "expectation": "readback" })).await;
    advance(&app, 11).await;
    for _ in 0..2 {
        ada.post(&format!("{path}/reminders"), json!({}))
            .await
            .expect(200);
        advance(&app, 5 * 3600).await;
    }
    bob.json(
        "PUT",
        &format!("{path}/acknowledgement"),
        &json!({ "readback": "I ship it" }),
    )
    .await
    .expect(200);
    let verdict = json!({ "verdict": "corrected", "body": "On Monday" });
    ada.json(
        "PUT",
        &format!("{path}/receipts/{}/confirmation", bob.id),
        &verdict,
    )
    .await
    .expect(200);
    advance(&app, 11).await;
    bob.json(
        "PUT",
        &format!("{path}/acknowledgement"),
        &json!({ "readback": "I ship it on Monday" }),
    )
    .await
    .expect(200);
    ada.patch(
        &path,
        json!({ "notes": "No, on Tuesday", "change": "material", "what_changed": "The\nday" }),
    )
    .await
    .expect(200);
    advance(&app, 11).await;
    // A cosmetic edit and a comment ask for nothing.
    ada.patch(&path, json!({ "notes": "No: on Tuesday" }))
        .await
        .expect(200);
    ada.comment(&path, "Thanks").await;
    advance(&app, 11).await;
    let subjects: Vec<String> = sink
        .mails()
        .iter()
        .map(|mail| mail.header("Subject"))
        .collect();
    assert_eq!(
        subjects,
        [
            "Ada asks: “The new flow”",
            "Reminder: “The new flow”",
            "Reminder: “The new flow”",
            "Ada asks again: “The new flow”",
            "Changed: “The new flow”",
        ]
    );
    let mut ids: Vec<String> = sink
        .mails()
        .iter()
        .map(|mail| mail.header("Message-ID"))
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5, "every mail has its own Message-ID");
    let text = sink.mails()[4].text();
    assert!(
        text.starts_with("Ada asks you to say it back: “The new flow”")
            && text.contains("\nWhat changed: The day\n"),
        "{text}"
    );
    // Readbacks and corrections are private and never mailed.
    assert!(
        !sink
            .mails()
            .iter()
            .any(|mail| mail.text().contains("Monday"))
    );
}

#[actix_web::test]
async fn recipient_added_later_is_mailed_alone() {
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
async fn only_the_reminder_is_mailed_when_the_request_is_still_unsent() {
    let (sink, app, ada, _) = start().await;
    let path = ask(&ada, json!({})).await;
    ada.post(&format!("{path}/reminders"), json!({}))
        .await
        .expect(200);
    advance(&app, 11).await;
    assert_eq!(
        sink.mails()
            .iter()
            .map(|mail| mail.header("Subject"))
            .collect::<Vec<_>>(),
        ["Reminder: “The new flow”"]
    );
}

#[actix_web::test]
async fn request_is_not_mailed_when_unpublished_within_ten_seconds() {
    let (sink, app, ada, _) = start().await;
    let path = ask(&ada, json!({})).await;
    app.state.clock.advance(9_000);
    // Running the job early does not send the mail early.
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
async fn nothing_is_mailed_when_opened_answered_trashed_or_deactivated() {
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
async fn mail_is_sent_once_when_its_job_runs_again() {
    let (sink, app, ada, _) = start().await;
    let path = ask(&ada, json!({})).await;
    // As after `kill -9`: the job is enqueued several times and two workers run it at once.
    let payload = json!({ "update": path.rsplit('/').next().unwrap() });
    for _ in 0..3 {
        let mut tx = app.state.db.begin().await.unwrap();
        for _ in 0..2 {
            jobs::enqueue(&mut tx, &app.state.clock, "mail", &payload)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
        advance(&app, 11).await;
    }
    assert_eq!(sink.receivers(), [email("Bob")]);
}

#[actix_web::test]
async fn mail_is_not_resent_when_the_connection_breaks_after_its_data() {
    let (sink, app, ada, _) = start().await;
    ask(&ada, json!({})).await;
    sink.answer("END", "bob", "hang up");
    advance(&app, 11).await;
    advance(&app, 24 * 3600).await;
    assert_eq!(sink.receivers(), [email("Bob")]);
}

#[actix_web::test]
async fn deferred_mail_is_retried_and_other_recipients_get_theirs() {
    let (sink, app, ada, _) = start().await;
    app.person("Cleo").await;
    ask(&ada, json!({ "audience": [email("Bob"), email("Cleo")] })).await;
    app.wait_until("the update is indexed", async || {
        app.count("SELECT count(*) FROM jobs").await == 1
    })
    .await;
    sink.answer("RCPT", &email("Bob"), "450 4.2.1 busy");
    app.state.clock.advance(11_000);
    app.wait_until("one mail arrived", async || {
        sink.receivers() == [email("Cleo")] && job_failed(&app).await
    })
    .await;
    assert_eq!(
        app.count("SELECT count(*) FROM notices WHERE mailed_at IS NULL")
            .await,
        1
    );
    sink.answer("END", "", "451 4.3.0 no room");
    app.state.clock.advance(6_000);
    app.wait_until("the job failed again", async || {
        app.count("SELECT count(*) FROM jobs WHERE lease IS NULL AND attempts = 2")
            .await
            == 1
    })
    .await;
    let error: String = sqlx::query_scalar("SELECT error FROM jobs")
        .fetch_one(&mut *app.state.db.read().await.unwrap())
        .await
        .unwrap();
    assert!(
        !error.contains("bob") && !error.contains("example.org"),
        "{error}"
    );
    advance(&app, 60).await;
    assert_eq!(sink.receivers(), [email("Bob"), email("Cleo")]);
}

async fn job_failed(app: &TestApp) -> bool {
    app.count("SELECT count(*) FROM jobs WHERE error IS NOT NULL AND lease IS NULL")
        .await
        == 1
}

#[actix_web::test]
async fn batch_stops_at_a_rejecting_server_and_is_sent_on_retry() {
    let (sink, app, ada, _) = start().await;
    app.person("Cleo").await;
    ask(&ada, json!({ "audience": [email("Bob"), email("Cleo")] })).await;
    sink.answer("MAIL", "", "550 5.7.1 not from you");
    app.state.clock.advance(11_000);
    app.wait_until("the job failed", async || job_failed(&app).await)
        .await;
    assert_eq!((sink.mails().len(), sink.heard("MAIL")), (0, 1));
    advance(&app, 60).await;
    assert_eq!(sink.receivers(), [email("Bob"), email("Cleo")]);
}

#[actix_web::test]
async fn permanently_rejected_address_is_not_retried() {
    let (sink, app, ada, _) = start().await;
    app.person("Cleo").await;
    ask(&ada, json!({ "audience": [email("Bob"), email("Cleo")] })).await;
    sink.answer("RCPT", &email("Bob"), "550 5.1.1 no such user");
    advance(&app, 11).await;
    advance(&app, 24 * 3600).await;
    assert_eq!(
        (sink.receivers(), sink.heard("RCPT")),
        (vec![email("Cleo")], 2)
    );
    // An address with non-ASCII letters is not tried at all.
    app.person("Zoë").await;
    ask(&ada, json!({ "audience": [email("Zoë")] })).await;
    advance(&app, 24 * 3600).await;
    assert_eq!(sink.heard("RCPT"), 2);
}

#[actix_web::test]
async fn unsubscribing_takes_one_post_without_cookies_from_any_site() {
    let (sink, app, ada, bob) = start().await;
    ask(&ada, json!({})).await;
    advance(&app, 11).await;
    let link = sink.mails()[0].header("List-Unsubscribe");
    let path = link
        .trim_matches(['<', '>'])
        .strip_prefix(URL)
        .unwrap()
        .to_owned();

    // Opening the link changes nothing, because virus scanners open links.
    let page = app
        .client()
        .accept("text/html")
        .get(&path)
        .await
        .expect(200)
        .text();
    assert!(
        page.contains(&email("Bob")) && page.contains("Send no more mail"),
        "{page}"
    );
    assert_eq!(
        app.client().get(&path).await.expect(200).json()["mail"],
        true
    );
    // Forged links and links of other people are not found.
    let (_, signature) = path.rsplit_once('.').unwrap();
    for wrong in [
        format!("/unsubscribe/{}.{signature}", ada.id),
        format!("/unsubscribe/{}", bob.id),
        format!("{path}0"),
    ] {
        app.client().get(&wrong).await.problem(404);
        app.client()
            .form("POST", &wrong, &[("List-Unsubscribe", "One-Click")])
            .await
            .problem(404);
    }

    let provider = app
        .client()
        .header("origin", "https://mail.example.com")
        .header("sec-fetch-site", "cross-site");
    provider
        .form("POST", &path, &[("List-Unsubscribe", "One-Click")])
        .await
        .expect(204);
    provider
        .form("POST", &path, &[("List-Unsubscribe", "One-Click")])
        .await
        .expect(204);
    ask(&ada, json!({})).await;
    advance(&app, 11).await;
    assert_eq!(sink.mails().len(), 1);

    // The form of the page works as well.
    app.execute("UPDATE people SET mail_off_at = NULL").await;
    let browser = app.client().accept("text/html");
    assert_eq!(
        browser
            .form("POST", &path, &[])
            .await
            .expect(303)
            .header("location"),
        path
    );
    assert!(
        browser
            .get(&path)
            .await
            .expect(200)
            .text()
            .contains("No more mail comes")
    );
    // A multipart body works too (RFC 8058 §3.2). The link gives access to nothing else.
    app.client()
        .upload(&path, &[("List-Unsubscribe", "One-Click")], &[])
        .await
        .expect(204);
    app.client().get("/inbox").await.problem(401);
}

#[actix_web::test]
async fn names_and_titles_cannot_inject_mail_headers() {
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
async fn no_job_is_enqueued_without_a_mail_server() {
    let app = TestApp::start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Bob").await);
    ask(&ada, json!({})).await;
    app.wait_for_jobs().await;
    assert_eq!(app.count("SELECT count(*) FROM jobs").await, 0);
    assert!(!app.state.sends_mail());
}
