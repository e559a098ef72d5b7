//! Emails that ask recipients for an answer after a correction, despite a mute, and after the
//! reactivation of an account.

use serde_json::json;

use super::{advance, ask, headers, start};
use crate::app::email;
use crate::readbacks::read_back;
use crate::verdicts::put_verdict;

#[actix_web::test]
async fn reminder_after_a_correction_says_that_the_readback_was_not_quite_right() {
    let (sink, app, ada, bob) = start().await;
    let path = ask(&ada, json!({ "expectation": "readback" })).await;
    bob.put(&format!("{path}/opening")).await.expect(204);
    read_back(&bob, &path, "I do nothing.").await;
    let verdict = json!({ "verdict": "corrected", "body": "You review it." });
    put_verdict(&ada, &path, &bob, verdict).await.expect(200);
    advance(&app, 11).await;
    let reminders = format!("{path}/reminders");
    ada.post(&reminders, json!({})).await.expect(200);
    advance(&app, 11).await;
    let mails = sink.mails();
    let last = mails.last().unwrap();
    assert_eq!(last.header("Subject"), "Reminder: “The new flow”");
    let reason = "What you said back wasn’t quite right. Ada explains why.";
    assert!(last.text().contains(reason), "{}", last.text());
}

#[actix_web::test]
async fn request_is_emailed_to_a_recipient_who_muted_the_update() {
    let (sink, app, ada, bob) = start().await;
    let path = ask(&ada, json!({})).await;
    bob.put(&format!("{path}/mute")).await.expect(204);
    advance(&app, 11).await;
    assert_eq!(
        headers(&sink, "Subject"),
        ["Ada asks for your answer: “The new flow”"]
    );
}

#[actix_web::test]
async fn request_is_emailed_after_the_account_of_its_recipient_is_reactivated() {
    let (sink, app, ada, bob) = start().await;
    let root = app.admin("Root").await;
    ask(&ada, json!({})).await;
    let account = format!("/people/{}", bob.id);
    let change = |active: bool| json!({ "active": active });
    root.patch(&account, change(false)).await.expect(200);
    advance(&app, 11).await;
    assert_eq!(sink.receivers(), [""; 0]);
    root.patch(&account, change(true)).await.expect(200);
    advance(&app, 11).await;
    assert_eq!(sink.receivers(), [email("Bob")]);
}
