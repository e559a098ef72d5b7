//! Groups in the audience of an update.

use serde_json::{Value, json};

use super::{create, group_path};
use crate::app::{Client, TestApp, array, email};

#[actix_web::test]
async fn recipients_remain_when_their_group_is_deleted() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    app.person("Cy").await;
    let group = create(&ada, "design", &["Bob", "Cy"]).await;
    let update = ada
        .update(json!({ "title": "T", "audience": ["@design"], "expectation": "acknowledge" }))
        .await;
    ada.patch(&group_path(&group), json!({ "members": [] }))
        .await
        .expect(200);
    ada.delete(&group_path(&group)).await.expect(204);
    let seen = ada.get(&update).await.expect(200).json();
    assert_eq!(
        (
            &seen["audience"]["groups"],
            array(&seen["audience"]["people"]).len()
        ),
        (&json!([]), 2)
    );
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 1);
    assert!(
        app.browser("Ada")
            .await
            .get(&format!("{update}/edit"))
            .await
            .expect(200)
            .text()
            .contains("bob@example.org")
    );
    ada.patch(
        &update,
        json!({ "audience": [email("Bob"), email("Cy")], "notes": "More" }),
    )
    .await
    .expect(200);
    assert_eq!(ada.get(&update).await.json()["counts"]["owing"], 2);
}

#[actix_web::test]
async fn recipients_keep_their_answers_when_the_audience_changes_to_groups_that_contain_them() {
    let app = TestApp::start().await;
    let [ada, bob, cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    create(&ada, "pair", &["Bob", "Cyd"]).await;
    create(&ada, "other", &["Cyd"]).await;
    let path = ada
        .update(json!({
            "title": "x", "audience": [email("Bob"), email("Cyd")], "expectation": "acknowledge",
        }))
        .await;
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    for audience in [
        json!(["@pair"]),
        json!(["@pair", "@other"]),
        json!(["everyone"]),
        json!(["@pair"]),
    ] {
        set_audience(&ada, &path, audience.clone()).await;
        let counts = ada.get(&path).await.json()["counts"].clone();
        assert_eq!(
            (&counts["recipients"], &counts["owing"]),
            (&json!(2), &json!(1)),
            "{audience}"
        );
    }
    set_audience(&ada, &path, json!(["@pair", "@other"])).await;
    set_audience(&ada, &path, json!(["@other"])).await;
    cyd.get(&path).await.expect(200);
    bob.get(&path).await.problem(404);
}

async fn set_audience(author: &Client, path: &str, audience: Value) {
    author
        .patch(path, json!({ "audience": audience }))
        .await
        .expect(200);
}

#[actix_web::test]
async fn person_who_joins_a_group_later_is_not_a_recipient_until_the_author_adds_the_group_again() {
    let app = TestApp::start().await;
    let [ada, _, dan] = app.people(["Ada", "Cyd", "Dan"]).await;
    let group = create(&ada, "other", &["Cyd"]).await;
    let path = ada
        .update(json!({ "title": "x", "audience": ["@other"], "expectation": "acknowledge" }))
        .await;
    let members = json!({ "members": [email("Cyd"), email("Dan")] });
    ada.patch(&group_path(&group), members).await.expect(200);
    dan.get(&path).await.problem(404);
    ada.patch(&path, json!({ "title": "y" })).await.expect(200);
    dan.get(&path).await.problem(404);
    set_audience(&ada, &path, json!([email("Cyd")])).await;
    set_audience(&ada, &path, json!(["@other"])).await;
    assert_eq!(
        dan.get(&path).await.expect(200).json()["my_receipt"]["state"],
        "waiting"
    );
}
