//! Going through the inbox one update after another.

use serde_json::{Value, json};

use super::publish_request;
use crate::app::{Client, TestApp, email};

#[actix_web::test]
async fn next_update_follows_the_order_of_the_inbox() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let [first, second, third] = publish_three(&app, &ada).await;
    let id = |path: &str| path.trim_start_matches("/updates/").to_owned();
    let next = async |query: &str| {
        let next = bob.get(&format!("/inbox/next{query}")).await;
        next.expect(200).json()["id"].clone()
    };
    let after = |path: &str| format!("?after={}", id(path));
    assert_eq!(next("").await, id(&first));
    assert_eq!(next(&after(&first)).await, id(&second));
    assert_eq!(next(&after(&second)).await, id(&third));
    let skip = format!("{}&skip={},{}", after(&third), id(&first), id(&second));
    assert_eq!(next(&skip).await, Value::Null);
}

#[actix_web::test]
async fn inbox_next_redirects_browsers_to_the_next_update_and_finally_to_the_inbox() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let [first, second, third] = publish_three(&app, &ada).await;
    let browser = app.browser("Bob").await;
    let next = async |query: &str| {
        let next = browser.get(&format!("/inbox/next{query}")).await;
        next.expect(303).header("location").to_owned()
    };
    let after = first.trim_start_matches("/updates/");
    assert_eq!(next(&format!("?after={after}")).await, second);
    for path in [&first, &second] {
        bob.put(&format!("{path}/acknowledgement"))
            .await
            .expect(200);
    }
    bob.put(&format!("{third}/opening")).await.expect(204);
    assert_eq!(next("").await, "/inbox");
    let page = browser.get("/inbox").await.text();
    assert!(page.contains("You’re all caught up."));
}

/// Publishes two updates that ask Bob for an acknowledgement and one that asks for nothing. Returns their paths in the
/// order of Bob's inbox.
async fn publish_three(app: &TestApp, ada: &Client) -> [String; 3] {
    let first = publish_request(ada, "One", &["Bob"]).await;
    app.state.clock.advance(1000);
    let second = publish_request(ada, "Two", &["Bob"]).await;
    let third = ada
        .update(json!({ "title": "Three", "audience": [email("Bob")] }))
        .await;
    [first, second, third]
}
