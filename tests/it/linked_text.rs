//! Web addresses in the texts that people write become links on the pages.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email};

/// Returns text that contains a URL with `subject` in its path.
fn words(subject: &str) -> String {
    format!("See https://e.org/{subject}_(1). <b>")
}

/// Asserts that the page at this path shows the text for this subject, and that the web address in it is a link.
async fn assert_linked(client: &Client, path: &str, subject: &str) {
    let url = format!("https://e.org/{subject}_(1)");
    let expected = format!(
        "See <a href=\"{url}\" rel=\"noopener noreferrer nofollow ugc\">{url}</a>. &lt;b&gt;"
    );
    let page = client.get(path).await.expect(200).text();
    assert!(page.contains(&expected), "{subject} at {path}: {page}");
}

async fn put(client: &Client, path: &str, fields: Value) {
    client.json("PUT", path, &fields).await.expect(200);
}

#[actix_web::test]
async fn web_addresses_in_answers_verdicts_and_promises_become_links() {
    let app = TestApp::start().await;
    let [ada, bob, cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    let path = ada
        .update(json!({
            "title": "Plan", "expectation": "readback", "audience": [email("Bob"), email("Cyd")],
            "otherwise": words("promise"), "prompt": words("prompt"),
        }))
        .await;
    let [ada_page, bob_page] = [app.browser("Ada").await, app.browser("Bob").await];
    let receipts = format!("{path}/receipts");
    for subject in ["promise", "prompt"] {
        assert_linked(&bob_page, &path, subject).await;
    }
    assert_linked(&ada_page, &receipts, "promise").await;

    let answer = json!({ "readback": words("readback") });
    put(&bob, &format!("{path}/acknowledgement"), answer).await;
    assert_linked(&ada_page, &receipts, "readback").await;
    assert_linked(&bob_page, &path, "readback").await;
    let correction = json!({ "verdict": "corrected", "body": words("correction") });
    put(
        &ada,
        &format!("{receipts}/{}/confirmation", bob.id),
        correction,
    )
    .await;
    assert_linked(&bob_page, &path, "correction").await;
    for subject in ["readback", "correction"] {
        assert_linked(&ada_page, &receipts, subject).await;
    }

    let objection = json!({ "reason": words("objection") });
    put(&cyd, &format!("{path}/decline"), objection).await;
    assert_linked(&ada_page, &receipts, "objection").await;
    assert_linked(&ada_page, "/inbox", "objection").await;
    assert_linked(&bob_page, &path, "objection").await;

    let edit = json!({ "notes": "New", "change": "material", "what_changed": words("change") });
    ada.patch(&path, edit).await.expect(200);
    assert_linked(&bob_page, &path, "change").await;
    assert_linked(&ada_page, &format!("{path}/versions"), "change").await;
}
