//! Which requests count as an opening of an update.

use serde_json::json;

use super::{page, press_got_it, publish};
use crate::app::{Client, TestApp};
use crate::readbacks::receipt;

#[actix_web::test]
async fn answering_commenting_or_reacting_on_the_update_page_counts_as_opening_the_update() {
    let app = TestApp::start().await;
    let [ada, bob, cyd, dan, eve] = app.people(["Ada", "Bob", "Cyd", "Dan", "Eve"]).await;
    let path = publish(&ada, "acknowledge", &["Bob", "Cyd", "Dan", "Eve"]).await;
    let standing =
        async |person: &Client| receipt(&ada, &path, &person.id).await["standing"].clone();
    press_got_it(&app, "Bob", &path, true).await;
    assert_eq!(standing(&bob).await, "heard");

    let comments = format!("{path}/comments");
    let fields = [("body", "When?"), ("opened", "true")];
    let browser = app.browser("Cyd").await;
    browser.form("POST", &comments, &fields).await.expect(303);
    assert_eq!(standing(&cyd).await, "opened");

    let fields = [("_method", "PUT"), ("opened", "true")];
    let browser = app.browser("Eve").await;
    let reaction = format!("{path}/reactions/👍");
    browser.form("POST", &reaction, &fields).await.expect(303);
    assert_eq!(standing(&eve).await, "opened");

    // A program cannot send `opened` with a comment. It reports an opening with a separate request.
    dan.comment(&path, "From a script").await;
    let fields = json!({ "body": "Again", "opened": true });
    dan.post(&comments, fields).await.problem(422);
    assert_eq!(standing(&dan).await, "not_opened");
    let html = page(&app, "Dan", &path).await;
    assert_eq!(
        standing(&dan).await,
        "not_opened",
        "rendering is not opening"
    );
    assert!(html.matches("name=\"opened\" value=\"true\"").count() >= 3);
    let inbox = page(&app, "Dan", "/inbox").await;
    assert!(!inbox.contains("name=\"opened\""), "{inbox}");
}

/// Creates an update that asks this person for an acknowledgement. The person comments on the update and asks a
/// question, and the author answers the question. Returns the ids of the update, the comment, the question and the
/// answer.
async fn discussed_update(author: &Client, person: &Client, name: &str) -> [String; 4] {
    let path = publish(author, "acknowledge", &[name]).await;
    let comment = person.comment(&path, "A remark").await;
    let question = person.question(&path, "When?").await;
    let answer = author.reply(&path, &question, "On Monday").await;
    let update = path.trim_start_matches("/updates/").to_owned();
    [update, comment, question, answer]
}

#[actix_web::test]
async fn submitting_any_form_on_the_update_page_counts_as_opening_the_update() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let browser = app.browser("Bob").await;
    for (method, path, more) in [
        ("PUT", "/comments/{comment}/resolution", None),
        ("DELETE", "/comments/{comment}/resolution", None),
        ("PATCH", "/comments/{comment}", Some(("body", "Better"))),
        ("DELETE", "/comments/{comment}", None),
        ("PUT", "/comments/{answer}/acceptance", None),
        ("DELETE", "/comments/{question}/acceptance", None),
        ("PUT", "/comments/{answer}/reactions/👍", None),
        ("DELETE", "/updates/{update}/reactions/👍", None),
        ("DELETE", "/updates/{update}/acknowledgement", None),
        ("PUT", "/updates/{update}/mute", None),
        ("DELETE", "/updates/{update}/mute", None),
    ] {
        let [update, comment, question, answer] = discussed_update(&ada, &bob, "Bob").await;
        let standing = async || {
            let row = receipt(&ada, &format!("/updates/{update}"), &bob.id).await;
            row["standing"].clone()
        };
        let address = path
            .replace("{update}", &update)
            .replace("{comment}", &comment)
            .replace("{question}", &question)
            .replace("{answer}", &answer);
        let mut fields = vec![("_method", method)];
        fields.extend(more);
        browser.form("POST", &address, &fields).await.expect(303);
        assert_eq!(standing().await, "not_opened", "{method} {path}");
        fields.push(("opened", "true"));
        browser.form("POST", &address, &fields).await.expect(303);
        assert_eq!(standing().await, "opened", "{method} {path}");
    }
}

#[actix_web::test]
async fn submitting_a_form_that_is_refused_does_not_count_as_opening_the_update() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let path = publish(&ada, "acknowledge", &["Bob"]).await;
    let change = json!({ "notes": "On Tuesday", "change": "material" });
    ada.patch(&path, change).await.expect(200);
    let fields = [("_method", "PUT"), ("revision", "1"), ("opened", "true")];
    let answer = format!("{path}/acknowledgement");
    let browser = app.browser("Bob").await;
    browser.form("POST", &answer, &fields).await.expect(409);
    let row = receipt(&ada, &path, &bob.id).await;
    assert_eq!(row["standing"], "not_opened");
}
