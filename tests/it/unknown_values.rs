//! Stored values that this version does not know. A row with such a value is left out of lists, but does not make the
//! whole list fail.

use serde_json::json;

use crate::app::{Client, TestApp, email, fixture};

async fn titles(client: &Client, address: &str) -> Vec<String> {
    let list = client.get(address).await.expect(200).json();
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["title"].as_str().unwrap().to_owned())
        .collect()
}

#[actix_web::test]
async fn update_with_an_unknown_expectation_is_left_out_of_lists() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for title in ["oldest", "older", "newer", "newest"] {
        ada.update(json!({ "title": title, "audience": ["everyone"] }))
            .await;
    }
    app.execute("UPDATE updates SET expectation = 'sing' WHERE title IN ('newest', 'older')")
        .await;

    assert_eq!(titles(&ada, "/updates").await, ["newer", "oldest"]);
    // The unreadable first row is left out. The page has the next readable row instead, and links to the next page.
    let page = ada.get("/updates?limit=1").await.expect(200).json();
    assert_eq!(page["items"][0]["title"], "newer");
    let next = page["next"].as_str().unwrap();
    assert_eq!(
        titles(&ada, &format!("/updates?limit=1&after={next}")).await,
        ["oldest"]
    );
}

#[actix_web::test]
async fn update_with_an_unknown_visibility_cannot_be_opened() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = ada
        .update(json!({ "title": "T", "audience": ["everyone"] }))
        .await;
    app.execute("UPDATE updates SET visibility = 'galaxy'")
        .await;
    ada.get(&path).await.expect(500);
}

#[actix_web::test]
async fn receipt_and_file_with_unknown_values_are_left_out_of_lists() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let made = ada
        .upload(
            "/updates",
            &[("title", "T"), ("audience", &email("Bob"))],
            &[("media", "a.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    let id = made["id"].as_str().unwrap();
    app.execute("UPDATE receipts SET answer = 'hummed'").await;
    app.execute("UPDATE media SET kind = 'hologram'").await;

    let update = ada.get(&format!("/updates/{id}")).await.expect(200).json();
    assert_eq!(update["media"], json!([]));
    let receipts = ada
        .get(&format!("/updates/{id}/receipts"))
        .await
        .expect(200)
        .json();
    assert_eq!(receipts["items"], json!([]));
}
