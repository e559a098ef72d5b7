//! The author's verdicts on readbacks.

use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp};
use crate::readbacks::{
    inbox_count, my_state, publish, publish_for_two, read_back, reasons, receipt,
};

/// Gives a verdict on a person's readback.
pub async fn put_verdict(author: &Client, path: &str, person: &Client, verdict: Value) -> Response {
    author
        .json(
            "PUT",
            &format!("{path}/receipts/{}/confirmation", person.id),
            &verdict,
        )
        .await
}

async fn confirm(author: &Client, path: &str, person: &Client) -> Response {
    put_verdict(author, path, person, json!({ "verdict": "confirmed" })).await
}

async fn correct(author: &Client, path: &str, person: &Client, text: &str) -> Response {
    let verdict = json!({ "verdict": "corrected", "body": text });
    put_verdict(author, path, person, verdict).await
}

#[actix_web::test]
async fn confirmation_of_a_readback_is_shown_to_the_recipient_and_can_be_repeated() {
    let (_app, ada, bob, _cyd, path) = publish_for_two().await;
    read_back(&bob, &path, "I move the tests by Friday.").await;
    let heard = confirm(&ada, &path, &bob).await.expect(200).json();
    assert_eq!(
        (&heard["state"], &heard["owes"]),
        (&json!("confirmed"), &json!(false))
    );
    confirm(&ada, &path, &bob).await.expect(200);
    assert_eq!(reasons(&bob, "said_to_me").await, ["confirmed"]);
}

#[actix_web::test]
async fn correction_of_a_readback_asks_for_another_readback() {
    let (_app, ada, bob, cyd, path) = publish_for_two().await;
    read_back(&bob, &path, "I move the tests by Friday.").await;
    confirm(&ada, &path, &bob).await.expect(200);
    read_back(&cyd, &path, "I do nothing.").await;
    let corrected = correct(&ada, &path, &cyd, "You review it.").await;
    let corrected = corrected.expect(200).json();
    assert_eq!(
        (
            &corrected["state"],
            &corrected["owes"],
            &corrected["correction"]
        ),
        (
            &json!("needs_correction"),
            &json!(true),
            &json!("You review it.")
        )
    );
    assert_eq!(inbox_count(&ada, "owed_by_me").await, 0);
    assert_eq!(reasons(&cyd, "owed_by_me").await, ["corrected"]);
    assert_eq!(
        reasons(&cyd, "said_to_me").await,
        [""; 0],
        "a correction is listed once"
    );
    read_back(&cyd, &path, "I review it.").await;
    confirm(&ada, &path, &cyd).await.expect(200);
    assert_eq!(inbox_count(&ada, "owed_by_me").await, 0);
    assert_eq!(inbox_count(&ada, "owed_to_me").await, 0);
    assert_eq!(reasons(&ada, "said_to_me").await, ["all_heard"]);
    let receipt = receipt(&cyd, &path, &cyd.id).await;
    let exchange = receipt["exchange"].as_array().unwrap();
    let kinds: Vec<&str> = exchange
        .iter()
        .map(|message| message["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["readback", "corrected", "readback", "confirmed"]);
}

#[actix_web::test]
async fn verdict_is_accepted_only_from_the_author_and_only_on_a_readback() {
    let (app, ada, bob, cyd, path) = publish_for_two().await;
    let eve = app.person("Eve").await;
    read_back(&bob, &path, "Mine").await;
    let problem = confirm(&bob, &path, &bob).await.problem(403);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("Only Ada can confirm"), "{detail}");
    confirm(&cyd, &path, &bob).await.problem(403);
    confirm(&eve, &path, &bob).await.problem(404);
    confirm(&ada, &path, &ada).await.problem(403);
    confirm(&ada, &path, &eve).await.problem(404);
    let problem = confirm(&ada, &path, &cyd).await.problem(409);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("has not read this update back"), "{detail}");
    correct(&ada, &path, &bob, " ").await.problem(422);
    for invalid in [json!({ "verdict": "perhaps" }), json!({})] {
        put_verdict(&ada, &path, &bob, invalid).await.problem(422);
    }
    // A verdict on an earlier readback is rejected as a conflict.
    let outdated = json!({ "verdict": "confirmed", "said_at": "2020-01-01T00:00:00Z" });
    put_verdict(&ada, &path, &bob, outdated).await.problem(409);
    assert_eq!(my_state(&bob, &path).await, "read_back");
}

#[actix_web::test]
async fn readback_that_the_author_corrected_is_rejected_when_it_is_sent_again_unchanged() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, &["Bob"]).await;
    read_back(&bob, &path, "Wrong").await;
    correct(&ada, &path, &bob, "Right").await.expect(200);
    bob.json(
        "PUT",
        &format!("{path}/acknowledgement"),
        &json!({ "readback": "Wrong" }),
    )
    .await
    .problem(422);
    // The author can still change the verdict to a confirmation.
    let confirmed = confirm(&ada, &path, &bob).await.expect(200).json();
    assert_eq!(confirmed["state"], "confirmed");
}

/// Returns the kind of each message between the author and the recipient, and whether the message was withdrawn.
async fn messages(client: &Client, path: &str) -> Vec<(String, bool)> {
    let receipt = receipt(client, path, &client.id).await;
    let exchange = receipt["exchange"].as_array().unwrap().clone();
    exchange
        .iter()
        .map(|message| {
            let kind = message["kind"].as_str().unwrap().to_owned();
            (kind, message["taken_back_at"].is_string())
        })
        .collect()
}

#[actix_web::test]
async fn withdrawn_confirmation_leaves_the_readback_without_a_verdict() {
    let (app, ada, bob, _cyd, path) = publish_for_two().await;
    read_back(&bob, &path, "I move the tests.").await;
    confirm(&ada, &path, &bob).await.expect(200);
    let verdict = format!("{path}/receipts/{}/confirmation", bob.id);
    for _ in 0..2 {
        let receipt = ada.delete(&verdict).await.expect(200).json();
        assert_eq!(receipt["state"], "read_back");
    }
    assert_eq!(reasons(&ada, "owed_by_me").await, ["readbacks"]);
    assert_eq!(reasons(&bob, "said_to_me").await, [""; 0]);
    assert_eq!(
        messages(&bob, &path).await,
        [
            ("readback".to_owned(), false),
            ("confirmed".to_owned(), true)
        ]
    );
    // The page lists the readback only once, and does not repeat it as an earlier message.
    let page = app.browser("Ada").await;
    let page = page.get(&format!("{path}/receipts")).await.text();
    assert!(!page.contains("Before:"), "{page}");
    // The recipient can change the readback again.
    bob.delete(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
}

#[actix_web::test]
async fn confirmation_can_be_changed_to_a_correction() {
    let (_app, ada, bob, _cyd, path) = publish_for_two().await;
    read_back(&bob, &path, "I move the tests.").await;
    confirm(&ada, &path, &bob).await.expect(200);
    let corrected = correct(&ada, &path, &bob, "Only two of them.").await;
    let corrected = corrected.expect(200).json();
    assert_eq!(
        (&corrected["state"], &corrected["correction"]),
        (&json!("needs_correction"), &json!("Only two of them."))
    );
    assert_eq!(reasons(&bob, "owed_by_me").await, ["corrected"]);
    assert_eq!(reasons(&bob, "said_to_me").await, [""; 0]);
    assert_eq!(
        messages(&bob, &path).await,
        [
            ("readback".to_owned(), false),
            ("confirmed".to_owned(), true),
            ("corrected".to_owned(), false)
        ]
    );
}

#[actix_web::test]
async fn withdrawn_correction_no_longer_asks_for_a_readback() {
    let (_app, ada, bob, _cyd, path) = publish_for_two().await;
    read_back(&bob, &path, "I move the tests.").await;
    correct(&ada, &path, &bob, "No.").await.expect(200);
    // A correction must be withdrawn before another one can be given.
    correct(&ada, &path, &bob, "Not all.").await.problem(409);
    let verdict = format!("{path}/receipts/{}/confirmation", bob.id);
    let receipt = ada.delete(&verdict).await.expect(200).json();
    assert_eq!(
        (&receipt["state"], &receipt["owes"], &receipt["correction"]),
        (&json!("read_back"), &json!(false), &Value::Null)
    );
    assert_eq!(inbox_count(&bob, "owed_by_me").await, 0);
    correct(&ada, &path, &bob, "Not all.").await.expect(200);
    assert_eq!(reasons(&bob, "owed_by_me").await, ["corrected"]);
}

#[actix_web::test]
async fn author_can_withdraw_a_verdict_on_the_receipts_page_without_scripts() {
    let (app, ada, bob, _cyd, path) = publish_for_two().await;
    read_back(&bob, &path, "I move the tests.").await;
    confirm(&ada, &path, &bob).await.expect(200);
    let (author, reader) = (app.browser("Ada").await, app.browser("Bob").await);
    let receipts = format!("{path}/receipts");
    assert!(
        author
            .get(&receipts)
            .await
            .text()
            .contains("Change your verdict")
    );
    assert!(
        !reader
            .get(&receipts)
            .await
            .text()
            .contains("Change your verdict")
    );
    let verdict = format!("{path}/receipts/{}/confirmation", bob.id);
    author
        .form("POST", &verdict, &[("_method", "DELETE")])
        .await
        .expect(303);
    assert_eq!(my_state(&bob, &path).await, "read_back");
}

#[actix_web::test]
async fn answer_box_is_empty_and_the_earlier_answer_is_quoted_when_the_author_asks_again() {
    let (app, ada, bob, _cyd, path) = publish_for_two().await;
    read_back(&bob, &path, "I move the tests.").await;
    correct(&ada, &path, &bob, "Only two.").await.expect(200);
    // Earlier versions saved the sent text as a draft again. The box does not show this draft.
    let draft = format!("{path}/drafts/readback");
    let save = async |text: &str| {
        let body = json!({ "body": text });
        bob.json("PUT", &draft, &body).await.expect(204);
    };
    save("I move the tests.").await;
    let browser = app.browser("Bob").await;
    let quote = "<blockquote class=\"words small\" dir=\"auto\">I move the tests.</blockquote>";
    let page = browser.get(&path).await.text();
    assert!(page.contains(quote), "{page}");
    assert_eq!(answer_box(&page), "");
    save("I move two").await;
    assert_eq!(answer_box(&browser.get(&path).await.text()), "I move two");
    // The box is also empty after the update has changed.
    read_back(&bob, &path, "I move two tests.").await;
    let change = json!({ "notes": "All of them", "change": "material" });
    ada.patch(&path, change).await.expect(200);
    save("I move two tests.").await;
    let page = browser.get(&path).await.text();
    assert!(
        page.contains(
            "<blockquote class=\"words small\" dir=\"auto\">I move two tests.</blockquote>"
        ),
        "{page}"
    );
    assert_eq!(answer_box(&page), "");
}

#[actix_web::test]
async fn earlier_answer_of_a_guest_is_quoted_after_a_change() {
    let (app, ada, _bob, _cyd, path) = publish_for_two().await;
    let (_, token) = ada.share(&path, true).await;
    let fields = json!({ "name": "Gus", "readback": "We pay on Monday" });
    let guest = app.client().accept("text/html");
    guest.get(&format!("/s/{token}")).await.expect(200);
    let guest = guest.accept("application/json");
    guest
        .json("PUT", &format!("{path}/acknowledgement"), &fields)
        .await
        .expect(204);
    let change = json!({ "notes": "On Tuesday", "change": "material" });
    ada.patch(&path, change).await.expect(200);
    let page = guest.accept("text/html");
    let page = page.get(&format!("/s/{token}")).await.expect(200).text();
    assert!(page.contains("Changed since you answered"), "{page}");
    assert!(
        page.contains(
            "<blockquote class=\"words small\" dir=\"auto\">We pay on Monday</blockquote>"
        ),
        "{page}"
    );
    assert_eq!(answer_box(&page), "");
}

/// Returns the text in the box for a readback.
fn answer_box(page: &str) -> &str {
    let (_, rest) = page.split_once("name=\"readback\"").expect("a box");
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split_once("</textarea>").unwrap().0.trim()
}

#[actix_web::test]
async fn readback_and_verdict_forms_work_without_scripts() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = publish(&ada, &["Bob"]).await;
    let (author, reader) = (app.browser("Ada").await, app.browser("Bob").await);
    let answer = format!("{path}/acknowledgement");
    let verdict = format!("{path}/receipts/{}/confirmation", bob.id);
    let submit = async |client: &Client, path: &str, fields: &[(&str, &str)]| {
        let fields = [&[("_method", "PUT")], fields].concat();
        client.form("POST", path, &fields).await
    };
    let page = reader.get(&path).await.text();
    assert!(page.contains("What will you do, and by when?"));
    let fields = [("revision", "1"), ("readback", "I test it")];
    submit(&reader, &answer, &fields).await.expect(303);
    let receipts = author.get(&format!("{path}/receipts")).await;
    let receipts = receipts.expect(200).text();
    assert!(
        receipts.contains("I test it")
            && receipts.contains("Yes, that’s it")
            && receipts.contains("Waiting on you"),
        "{receipts}"
    );
    let fields = [("verdict", "corrected"), ("body", "Not that one")];
    submit(&author, &verdict, &fields).await.expect(303);
    let page = reader.get(&path).await.text();
    assert!(
        page.contains("not quite.") && page.contains("Not that one"),
        "{page}"
    );
    let fields = [("readback", "I test the other")];
    submit(&reader, &answer, &fields).await.expect(303);
    let fields = [("verdict", "confirmed")];
    submit(&author, &verdict, &fields).await.expect(303);
    assert!(
        reader
            .get(&path)
            .await
            .text()
            .contains("<bdi>Ada</bdi> confirmed it")
    );
}
