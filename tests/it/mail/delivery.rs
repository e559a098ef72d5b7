//! Email delivery: retries and failures of the mail server.

use hearback::infra::jobs;
use hearback::infra::smtp::{Failure, Mail, Mailer, Server, parse_sender};
use hearback::notification_emails::SendEmails;
use serde_json::json;

use super::{advance, ask, start};
use crate::app::{TestApp, email};
use crate::sink::Sink;

#[actix_web::test]
async fn email_is_sent_only_once_when_its_job_runs_repeatedly() {
    let (sink, app, ada, _) = start().await;
    let path = ask(&ada, json!({})).await;
    // Simulate a restart after `kill -9`. The job can then be enqueued several times, and two workers can run it at
    // once.
    let job = SendEmails::About {
        update: path.rsplit('/').next().unwrap().to_owned(),
    };
    for _ in 0..3 {
        let mut tx = app.state.db.begin().await.unwrap();
        for _ in 0..2 {
            jobs::enqueue(&mut tx, &app.state.clock, &job)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
        advance(&app, 11).await;
    }
    assert_eq!(sink.receivers(), [email("Bob")]);
}

#[actix_web::test]
async fn email_is_not_resent_when_the_connection_breaks_after_the_message_was_sent() {
    let (sink, app, ada, _) = start().await;
    ask(&ada, json!({})).await;
    sink.answer("END", "bob", "hang up");
    advance(&app, 11).await;
    advance(&app, 24 * 3600).await;
    assert_eq!(sink.receivers(), [email("Bob")]);
}

#[actix_web::test]
async fn temporarily_rejected_email_is_retried_without_delaying_other_recipients() {
    let (sink, app, ada, _) = start().await;
    app.person("Cleo").await;
    ask(&ada, json!({ "audience": [email("Bob"), email("Cleo")] })).await;
    app.wait_until("the update is indexed", async || {
        app.count("SELECT count(*) FROM jobs").await == 1
    })
    .await;
    sink.answer("RCPT", &email("Bob"), "450 4.2.1 busy");
    app.state.clock.advance(11_000);
    app.wait_until("one email has arrived", async || {
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
    app.wait_until("the job has failed again", async || {
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

/// Returns whether exactly one job has failed and is waiting for its retry.
async fn job_failed(app: &TestApp) -> bool {
    app.count("SELECT count(*) FROM jobs WHERE error IS NOT NULL AND lease IS NULL")
        .await
        == 1
}

#[actix_web::test]
async fn all_emails_wait_for_a_retry_when_the_mail_server_rejects_the_sender() {
    let (sink, app, ada, _) = start().await;
    app.person("Cleo").await;
    ask(&ada, json!({ "audience": [email("Bob"), email("Cleo")] })).await;
    sink.answer("MAIL", "", "550 5.7.1 not from you");
    app.state.clock.advance(11_000);
    app.wait_until("the job has failed", async || job_failed(&app).await)
        .await;
    assert_eq!((sink.mails().len(), sink.heard("MAIL")), (0, 1));
    advance(&app, 60).await;
    assert_eq!(sink.receivers(), [email("Bob"), email("Cleo")]);
}

#[actix_web::test]
async fn sender_is_blamed_only_if_the_mail_server_rejects_it_permanently() {
    let sink = Sink::start().await;
    let server = Server::parse(&sink.url).unwrap();
    let mailer = Mailer::new(server, parse_sender("hearback@example.org").unwrap());
    let mail = Mail {
        id: "1".into(),
        at: 0,
        name: "Bob".into(),
        address: email("Bob"),
        subject: "Subject".into(),
        text: "Text".into(),
        unsubscribe: "http://hearback.example.org/unsubscribe/1".into(),
    };
    for (reply, blames_sender) in [
        ("550 5.7.1 not from you", true),
        ("451 4.3.0 try again later", false),
        ("421 4.3.2 shutting down", false),
        ("hang up", false),
    ] {
        sink.answer("MAIL", "", reply);
        let mut session = mailer.session();
        let failure = session.send(&mail).await.unwrap_err();
        session.close().await;
        assert!(matches!(failure, Failure::Unavailable(_)), "{reply}");
        let text = failure.to_string();
        assert_eq!(text.contains("HEARBACK_MAIL_FROM"), blames_sender, "{text}");
    }
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
    // Hearback sends no email to addresses with non-ASCII letters.
    app.person("Zoë").await;
    ask(&ada, json!({ "audience": [email("Zoë")] })).await;
    advance(&app, 24 * 3600).await;
    assert_eq!(sink.heard("RCPT"), 2);
}
