//! Mail: one for each ask and each reminder, to who still owes it.

use hearback::config::Config;
use hearback::infra::jobs;
use hearback::infra::smtp::{Mailer, Server, sender};
use serde_json::json;

use crate::app::{Client, TestApp, email};
use crate::sink::Sink;

const URL: &str = "http://hearback.example.org";

fn mailing(sink: &Sink) -> impl FnOnce(&mut Config) {
    let server = Server::parse(&sink.url).unwrap();
    move |config| {
        config.url = Some(URL.into());
        config.mail = Some(Mailer::new(
            server,
            sender("Hearback <hearback@example.org>").unwrap(),
        ));
    }
}

async fn world() -> (Sink, TestApp, Client, Client) {
    let sink = Sink::start().await;
    let app = TestApp::start_with(mailing(&sink)).await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    (sink, app, ada, bob)
}

/// Asks Bob, and whoever else, for an answer.
async fn ask(ada: &Client, more: serde_json::Value) -> String {
    let mut fields = json!({ "title": "The new flow", "expectation": "acknowledge", "audience": [email("Bob")] });
    fields
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    ada.update(fields).await
}

async fn later(app: &TestApp, seconds: i64) {
    app.state.clock.advance(seconds * 1000);
    app.jobs_done().await;
}

#[actix_web::test]
async fn an_ask_is_mailed_once_in_words_and_with_a_way_out() {
    let (sink, app, ada, _) = world().await;
    app.person("Zoe").await;
    let due = hearback::clock::rfc3339(app.state.clock.now() + 3 * 24 * 3_600_000);
    let otherwise = "ship it\r\n\r\nGot it: https://evil.example.org";
    let path = ask(
        &ada,
        json!({ "due": due, "otherwise": otherwise, "audience": [email("Bob"), email("Zoe")] }),
    )
    .await;
    later(&app, 11).await;
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
    let due = hearback::share_message::by(
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
    let way_out = mail.header("List-Unsubscribe");
    assert!(
        way_out.starts_with(&format!("<{URL}/unsubscribe/")),
        "{way_out}"
    );
    assert!(
        text.trim_end().ends_with(way_out.trim_matches(['<', '>'])),
        "{text}"
    );
    assert_ne!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    // Both went over one connection.
    assert_eq!(sink.heard("EHLO"), 1);
    later(&app, 24 * 3600).await;
    assert_eq!(sink.mails().len(), 2);
}

#[actix_web::test]
async fn a_reminder_a_change_and_a_correction_are_mailed_once_each() {
    let (sink, app, ada, bob) = world().await;
    let path = ask(&ada, json!({ "expectation": "readback" })).await;
    later(&app, 11).await;
    for _ in 0..2 {
        ada.post(&format!("{path}/reminders"), json!({}))
            .await
            .expect(200);
        later(&app, 5 * 3600).await;
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
    later(&app, 11).await;
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
    later(&app, 11).await;
    // A cosmetic edit and a comment are no ask.
    ada.patch(&path, json!({ "notes": "No: on Tuesday" }))
        .await
        .expect(200);
    ada.comment(&path, "Thanks").await;
    later(&app, 11).await;
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
    assert_eq!(ids.len(), 5, "each is another mail");
    let text = sink.mails()[4].text();
    assert!(
        text.starts_with("Ada asks you to say it back: “The new flow”")
            && text.contains("\nWhat changed: The day\n"),
        "{text}"
    );
    // What the two say to each other stays between them and this house.
    assert!(
        !sink
            .mails()
            .iter()
            .any(|mail| mail.text().contains("Monday"))
    );
}

#[actix_web::test]
async fn who_is_added_later_is_mailed_and_the_others_are_not_again() {
    let (sink, app, ada, _) = world().await;
    let cleo = app.person("Cleo").await;
    let path = ask(&ada, json!({})).await;
    later(&app, 60).await;
    ada.put(&format!("{path}/audience/{}", cleo.id))
        .await
        .expect(200);
    later(&app, 60).await;
    assert_eq!(sink.receivers(), [email("Bob"), email("Cleo")]);
    assert_eq!(sink.mails().len(), 2);
}

#[actix_web::test]
async fn who_was_asked_and_reminded_while_mail_stood_still_gets_the_reminder_alone() {
    let (sink, app, ada, _) = world().await;
    let path = ask(&ada, json!({})).await;
    ada.post(&format!("{path}/reminders"), json!({}))
        .await
        .expect(200);
    later(&app, 11).await;
    assert_eq!(
        sink.mails()
            .iter()
            .map(|mail| mail.header("Subject"))
            .collect::<Vec<_>>(),
        ["Reminder: “The new flow”"]
    );
}

#[actix_web::test]
async fn nothing_is_mailed_within_ten_seconds_and_nothing_after_it_was_taken_back() {
    let (sink, app, ada, _) = world().await;
    let path = ask(&ada, json!({})).await;
    app.state.clock.advance(9_000);
    // Whatever hurries the work does not hurry the mail.
    app.execute("UPDATE jobs SET run_at = 0 WHERE kind = 'mail'")
        .await;
    app.jobs_done().await;
    let mut tx = app.state.db.begin().await.unwrap();
    app.state
        .mail(&mut tx, path.rsplit('/').next().unwrap())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        app.count("SELECT count(*) FROM jobs WHERE kind = 'mail'")
            .await,
        1
    );
    ada.delete(&format!("{path}/publication")).await.expect(200);
    later(&app, 3600).await;
    assert_eq!((sink.mails().len(), sink.heard("EHLO")), (0, 0));
    ada.put(&format!("{path}/publication")).await.expect(200);
    later(&app, 11).await;
    assert_eq!(sink.receivers(), [email("Bob")]);
}

#[actix_web::test]
async fn nothing_is_mailed_of_what_was_read_answered_trashed_or_to_who_left() {
    let (sink, app, ada, bob) = world().await;
    let read = ask(&ada, json!({ "title": "Read" })).await;
    bob.put(&format!("{read}/opening")).await.expect(204);
    let trashed = ask(&ada, json!({ "title": "Trashed" })).await;
    ada.delete(&trashed).await.expect(204);
    let answered = ask(&ada, json!({ "title": "Answered" })).await;
    bob.put(&format!("{answered}/acknowledgement"))
        .await
        .expect(200);
    later(&app, 11).await;
    ask(&ada, json!({ "title": "Gone" })).await;
    let admin = app.admin("Root").await;
    admin
        .patch(&format!("/people/{}", bob.id), json!({ "active": false }))
        .await
        .expect(200);
    later(&app, 11).await;
    assert_eq!(sink.receivers(), [""; 0]);
}

#[actix_web::test]
async fn it_never_comes_twice_whoever_does_the_work_again() {
    let (sink, app, ada, _) = world().await;
    let path = ask(&ada, json!({})).await;
    // As after `kill -9`: the same work is there again and again, and done by two workers at once.
    let payload = json!({ "update": path.rsplit('/').next().unwrap() });
    for _ in 0..3 {
        let mut tx = app.state.db.begin().await.unwrap();
        for _ in 0..2 {
            jobs::enqueue(&mut tx, &app.state.clock, "mail", &payload)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
        later(&app, 11).await;
    }
    assert_eq!(sink.receivers(), [email("Bob")]);
}

#[actix_web::test]
async fn it_does_not_come_again_when_the_connection_broke_after_all_was_handed_over() {
    let (sink, app, ada, _) = world().await;
    ask(&ada, json!({})).await;
    sink.answer("END", "bob", "hang up");
    later(&app, 11).await;
    later(&app, 24 * 3600).await;
    assert_eq!(sink.receivers(), [email("Bob")]);
}

#[actix_web::test]
async fn what_the_server_puts_off_is_tried_again_and_the_others_get_theirs() {
    let (sink, app, ada, _) = world().await;
    app.person("Cleo").await;
    ask(&ada, json!({ "audience": [email("Bob"), email("Cleo")] })).await;
    app.until("it is indexed", async || {
        app.count("SELECT count(*) FROM jobs").await == 1
    })
    .await;
    sink.answer("RCPT", &email("Bob"), "450 4.2.1 busy");
    app.state.clock.advance(11_000);
    app.until("one came", async || {
        sink.receivers() == [email("Cleo")] && failed(&app).await
    })
    .await;
    assert_eq!(
        app.count("SELECT count(*) FROM notices WHERE mailed_at IS NULL")
            .await,
        1
    );
    sink.answer("END", "", "451 4.3.0 no room");
    app.state.clock.advance(6_000);
    app.until("it was put off again", async || {
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
    later(&app, 60).await;
    assert_eq!(sink.receivers(), [email("Bob"), email("Cleo")]);
}

async fn failed(app: &TestApp) -> bool {
    app.count("SELECT count(*) FROM jobs WHERE error IS NOT NULL AND lease IS NULL")
        .await
        == 1
}

#[actix_web::test]
async fn a_server_that_takes_nothing_is_not_asked_for_each_and_then_all_of_it_goes_out() {
    let (sink, app, ada, _) = world().await;
    app.person("Cleo").await;
    ask(&ada, json!({ "audience": [email("Bob"), email("Cleo")] })).await;
    sink.answer("MAIL", "", "550 5.7.1 not from you");
    app.state.clock.advance(11_000);
    app.until("it was put off", async || failed(&app).await)
        .await;
    assert_eq!((sink.mails().len(), sink.heard("MAIL")), (0, 1));
    later(&app, 60).await;
    assert_eq!(sink.receivers(), [email("Bob"), email("Cleo")]);
}

#[actix_web::test]
async fn an_address_that_is_refused_for_good_is_not_tried_again() {
    let (sink, app, ada, _) = world().await;
    app.person("Cleo").await;
    ask(&ada, json!({ "audience": [email("Bob"), email("Cleo")] })).await;
    sink.answer("RCPT", &email("Bob"), "550 5.1.1 no such user");
    later(&app, 11).await;
    later(&app, 24 * 3600).await;
    assert_eq!(
        (sink.receivers(), sink.heard("RCPT")),
        (vec![email("Cleo")], 2)
    );
    // Neither is one that the server cannot write.
    app.person("Zoë").await;
    ask(&ada, json!({ "audience": [email("Zoë")] })).await;
    later(&app, 24 * 3600).await;
    assert_eq!(sink.heard("RCPT"), 2);
}

#[actix_web::test]
async fn mail_ends_by_one_press_without_cookies_and_from_anywhere() {
    let (sink, app, ada, bob) = world().await;
    ask(&ada, json!({})).await;
    later(&app, 11).await;
    let link = sink.mails()[0].header("List-Unsubscribe");
    let path = link
        .trim_matches(['<', '>'])
        .strip_prefix(URL)
        .unwrap()
        .to_owned();

    // Looking at it ends nothing: programs that look for viruses do.
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
    // Neither does an address that somebody made up, nor one made for somebody else.
    let (_, seal) = path.rsplit_once('.').unwrap();
    for wrong in [
        format!("/unsubscribe/{}.{seal}", ada.id),
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
    later(&app, 11).await;
    assert_eq!(sink.mails().len(), 1);

    // By its page, for who follows the link.
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
    // As multipart too (RFC 8058 §3.2 allows both), and nothing else is opened by it.
    app.client()
        .upload(&path, &[("List-Unsubscribe", "One-Click")], &[])
        .await
        .expect(204);
    app.client().get("/inbox").await.problem(401);
}

#[actix_web::test]
async fn names_and_titles_of_any_kind_stay_where_they_belong() {
    let (sink, app, ada, _) = world().await;
    ada.patch("/me", json!({ "name": "Ada\r\nBcc: eve@example.org 🎉" }))
        .await;
    let title = "שלום “Hi”\u{202e} =?utf-8?q?x?= 🎉 ".to_owned() + &"very long ".repeat(12);
    let path = ask(&ada, json!({ "title": title, "otherwise": ".\n..\nQUIT" })).await;
    later(&app, 11).await;
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
async fn without_a_server_no_job_is_made() {
    let app = TestApp::start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Bob").await);
    ask(&ada, json!({})).await;
    app.jobs_done().await;
    assert_eq!(app.count("SELECT count(*) FROM jobs").await, 0);
    assert!(!app.state.mails());
}
