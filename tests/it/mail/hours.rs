//! Emails wait for the recipient's working hours. One email then covers everything that is waiting for the recipient.

use hearback::infra::jobs;
use hearback::notification_emails::SendEmails;
use serde_json::{Value, json};

use super::{URL, advance, ask, headers, start};
use crate::app::{Client, TestApp, email};

/// Sets the clock and waits for the jobs that become due.
async fn advance_to(app: &TestApp, moment: &str) {
    app.set_clock(moment);
    app.wait_for_jobs().await;
}

/// Enqueues a job that is due now.
async fn enqueue(app: &TestApp, job: SendEmails) {
    let mut tx = app.state.db.begin().await.unwrap();
    jobs::enqueue(&mut tx, &app.state.clock, &job)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Publishes an update that asks Bob for an answer by `due`.
async fn ask_by(ada: &Client, title: &str, due: Value) -> String {
    ask(ada, json!({ "title": title, "due": due })).await
}

#[actix_web::test]
async fn one_email_at_the_start_of_the_working_day_lists_all_waiting_requests_sorted_by_due_time() {
    let (sink, app, ada, _) = start().await;
    // It is Friday, 20:00 in Berlin.
    app.set_clock("2030-01-11T19:00:00Z");
    let never = ask_by(&ada, "Never", Value::Null).await;
    let late = ask_by(&ada, "Late", json!("2030-01-18T12:00:00Z")).await;
    let soon = ask_by(&ada, "Soon", json!("2030-01-15T12:00:00Z")).await;
    advance(&app, 11).await;
    advance_to(&app, "2030-01-14T07:45:00Z").await;
    assert_eq!(sink.receivers(), [""; 0]);
    advance_to(&app, "2030-01-14T08:00:00Z").await;
    assert_eq!(sink.receivers(), [email("Bob")]);
    assert_eq!(
        headers(&sink, "Subject"),
        ["3 updates are waiting for you: “Soon” and 2 more"]
    );
    let text = sink.mails()[0].text();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains(" asks "))
        .collect();
    let zone = "(your time, Europe/Berlin)";
    assert_eq!(
        lines,
        [
            format!("Ada asks you to press “Got it” on “Soon” by Tue 13:00 {zone}: {URL}{soon}"),
            format!("Ada asks you to press “Got it” on “Late” by Fri 13:00 {zone}: {URL}{late}"),
            format!("Ada asks you to press “Got it” on “Never”: {URL}{never}"),
        ],
        "{text}"
    );
    let unsubscribe = sink.mails()[0].header("List-Unsubscribe");
    assert!(unsubscribe.starts_with(&format!("<{URL}/unsubscribe/")));
    advance_to(&app, "2030-01-16T09:00:00Z").await;
    assert_eq!(sink.mails().len(), 1);
}

#[actix_web::test]
async fn postponed_email_omits_updates_that_were_read_or_answered_in_the_meantime() {
    let (sink, app, ada, bob) = start().await;
    app.person("Cyd").await;
    app.set_clock("2030-01-11T19:00:00Z");
    let audience = json!([email("Bob"), email("Cyd")]);
    let read = ask(&ada, json!({ "title": "Read", "audience": audience })).await;
    let answered = ask(&ada, json!({ "title": "Answered", "audience": audience })).await;
    advance(&app, 11).await;
    bob.put(&format!("{read}/opening")).await.expect(204);
    bob.put(&format!("{answered}/acknowledgement"))
        .await
        .expect(200);
    advance_to(&app, "2030-01-14T08:00:00Z").await;
    assert_eq!(sink.receivers(), [email("Cyd")]);
    assert!(headers(&sink, "Subject")[0].starts_with("2 updates are waiting for you"));
}

#[actix_web::test]
async fn email_waits_until_the_absence_ends_or_the_person_returns_early() {
    for (returns, then) in [
        (false, "2030-01-16T12:00:00Z"),
        (true, "2030-01-15T12:00:11Z"),
    ] {
        let (sink, app, ada, bob) = start().await;
        let away = json!({ "away_until": "2030-01-16T12:00:00Z" });
        bob.patch("/me", away).await.expect(200);
        ask(&ada, json!({})).await;
        advance(&app, 11).await;
        advance_to(&app, "2030-01-15T12:00:00Z").await;
        assert_eq!(sink.receivers(), [""; 0], "returns: {returns}");
        if returns {
            let back = json!({ "away_until": null });
            bob.patch("/me", back).await.expect(200);
        } else {
            advance_to(&app, "2030-01-16T11:45:00Z").await;
            assert_eq!(sink.receivers(), [""; 0]);
        }
        advance_to(&app, then).await;
        assert_eq!(sink.receivers(), [email("Bob")], "returns: {returns}");
        advance_to(&app, "2030-01-17T12:00:00Z").await;
        assert_eq!(sink.mails().len(), 1, "returns: {returns}");
    }
}

#[actix_web::test]
async fn postponed_email_is_rescheduled_after_a_change_of_working_hours_or_time_zone() {
    for (change, early, then) in [
        (
            json!({ "working_hours": { "days": [3], "from": "13:00", "to": "17:00" } }),
            "2030-01-16T11:45:00Z",
            "2030-01-16T12:00:00Z",
        ),
        (
            json!({ "time_zone": "America/New_York" }),
            "2030-01-14T13:45:00Z",
            "2030-01-14T14:00:00Z",
        ),
    ] {
        let (sink, app, ada, bob) = start().await;
        app.set_clock("2030-01-11T19:00:00Z");
        ask(&ada, json!({})).await;
        advance(&app, 11).await;
        bob.patch("/me", change.clone()).await.expect(200);
        advance_to(&app, early).await;
        assert_eq!(sink.receivers(), [""; 0], "{change}");
        advance_to(&app, then).await;
        assert_eq!(sink.receivers(), [email("Bob")], "{change}");
    }
}

#[actix_web::test]
async fn email_is_postponed_when_its_job_runs_outside_working_hours() {
    let (sink, app, ada, bob) = start().await;
    // It is 16:59:55 in Berlin. Emails are sent after ten seconds, so this one becomes due after work.
    app.set_clock("2030-01-09T15:59:55Z");
    let path = ask(&ada, json!({})).await;
    advance(&app, 11).await;
    // Neither a job of an earlier version (`About`) nor a job of this version (`To`) may send the email after work.
    let update = path.trim_start_matches("/updates/").to_owned();
    enqueue(&app, SendEmails::About { update }).await;
    let people = vec![bob.id];
    enqueue(&app, SendEmails::To { people }).await;
    app.wait_for_jobs().await;
    assert_eq!(sink.receivers(), [""; 0]);
    assert_eq!(app.count("SELECT count(*) FROM jobs").await, 1);
    advance_to(&app, "2030-01-10T08:00:00Z").await;
    assert_eq!(sink.receivers(), [email("Bob")]);
}

#[actix_web::test]
async fn job_enqueued_by_an_earlier_version_sends_its_email_in_working_hours() {
    let (sink, app, ada, _) = start().await;
    let path = ask(&ada, json!({})).await;
    app.execute("DELETE FROM jobs WHERE kind = 'mail'").await;
    app.state.clock.advance(11_000);
    let update = path.trim_start_matches("/updates/").to_owned();
    enqueue(&app, SendEmails::About { update }).await;
    app.wait_for_jobs().await;
    assert_eq!(sink.receivers(), [email("Bob")]);
}

#[actix_web::test]
async fn email_about_many_updates_describes_the_first_twenty_and_counts_the_others() {
    let (sink, app, ada, _) = start().await;
    app.set_clock("2030-01-11T19:00:00Z");
    for n in 0..22 {
        let due = format!("2030-02-{:02}T12:00:00Z", 28 - n);
        ask_by(&ada, &format!("T{n}"), json!(due)).await;
    }
    assert_eq!(
        app.count("SELECT count(*) FROM jobs WHERE kind = 'mail'")
            .await,
        1,
        "people have one job for each beginning of work"
    );
    advance_to(&app, "2030-01-14T08:00:00Z").await;
    assert_eq!(
        headers(&sink, "Subject"),
        ["22 updates are waiting for you: “T21” and 21 more"]
    );
    let text = sink.mails()[0].text();
    assert_eq!(text.matches("asks you").count(), 20, "{text}");
    let rest = format!("\n\nSee 2 more in your inbox: {URL}/inbox\n");
    assert!(text.contains(&rest), "{text}");
    advance(&app, 3600).await;
    assert_eq!(sink.mails().len(), 1);
}
