//! People who join a group can open updates that were sent to the group earlier only if the author allows it.

use serde_json::{Value, json};

use super::{create_group, publish_picture, set_members};
use crate::app::{Client, TestApp, array, email, media_path, text, update_path};

async fn library_size(client: &Client, query: &str) -> usize {
    let list = client
        .get(&format!("/updates{query}"))
        .await
        .expect(200)
        .json();
    array(&list["items"]).len()
}

/// Returns the author's inbox entries about people who joined a group. Each entry has the name of one person and the
/// number of people who joined.
async fn joined(author: &Client) -> Vec<(String, i64)> {
    let inbox = author.get("/inbox").await.expect(200).json();
    array(&inbox["said_to_me"])
        .iter()
        .filter(|entry| entry["why"] == "joined")
        .map(|entry| {
            (
                text(&entry["by"]).to_owned(),
                entry["joined"].as_i64().unwrap(),
            )
        })
        .collect()
}

async fn said_to_me(client: &Client) -> i64 {
    client.get("/inbox").await.json()["counts"]["said_to_me"]
        .as_i64()
        .unwrap()
}

async fn allow_later_members(author: &Client, path: &str, allowed: bool) {
    author
        .patch(path, json!({ "later_members": allowed }))
        .await
        .expect(200);
}

#[actix_web::test]
async fn group_owner_who_joins_later_cannot_see_earlier_updates() {
    let app = TestApp::start().await;
    let [ada, bob, eve] = app.people(["Ada", "Bob", "Eve"]).await;
    let design = create_group(&eve, "design", &["Bob"]).await;
    let fields = [
        ("title", "Salaries"),
        ("notes", "confidential"),
        ("audience", "@design"),
    ];
    let update = publish_picture(&ada, &fields).await;
    let path = update_path(&update);
    assert_eq!(update["later_members"], false);

    set_members(&eve, &design, &["Bob", "Eve"]).await;
    app.wait_for_jobs().await;
    assert_sees_nothing(&eve, &path, &media_path(&update["media"][0])).await;
    bob.get(&path).await.expect(200);
    ada.comment(&path, "@design please look").await;
    assert_eq!(said_to_me(&bob).await, 1);
    assert_eq!(said_to_me(&eve).await, 0);
    assert_eq!(joined(&ada).await, []);
    // Editing the title and sending the same audience again does not give Eve access.
    let edit = json!({ "title": "Salaries 2027", "audience": ["@design"] });
    ada.patch(&path, edit).await.expect(200);
    eve.get(&path).await.problem(404);
    // Eve receives updates published after she joined.
    let next = ada
        .update(json!({ "title": "Next", "audience": ["@design"] }))
        .await;
    eve.get(&next).await.expect(200);
}

/// Asserts that this person can neither open the update nor find it in a list or a search. The text
/// of the update must contain "confidential".
async fn assert_sees_nothing(client: &Client, path: &str, media: &str) {
    for address in [
        path,
        media,
        &format!("{path}/live"),
        &format!("{path}/comments"),
        &format!("{path}/receipts"),
    ] {
        client.get(address).await.problem(404);
    }
    assert_eq!(
        (
            library_size(client, "").await,
            library_size(client, "?q=confidential").await
        ),
        (0, 0)
    );
    let found = client.get("/search?q=confidential").await.expect(200);
    assert_eq!(found.json()["items"], json!([]));
}

#[actix_web::test]
async fn later_members_get_access_if_the_author_allows_it_and_the_author_is_notified() {
    let app = TestApp::start().await;
    let [ada, bob, dan] = app.people(["Ada", "Bob", "Dan"]).await;
    app.person("Cyd").await;
    let design = create_group(&bob, "design", &["Bob"]).await;
    let path = ada.update(json!({
        "title": "T", "audience": ["@design"], "expectation": "acknowledge", "later_members": true,
    })).await;
    assert_eq!(ada.get(&path).await.json()["later_members"], true);
    dan.get(&path).await.problem(404);

    set_members(&bob, &design, &["Bob", "Dan"]).await;
    let seen = dan.get(&path).await.expect(200).json();
    assert_eq!(seen["my_receipt"], Value::Null);
    assert_eq!(dan.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
    assert_eq!(
        (
            library_size(&dan, "").await,
            library_size(&dan, "?audience=me").await
        ),
        (1, 0)
    );
    assert_eq!(joined(&ada).await, [("Dan".to_owned(), 1)]);
    let browser = app.browser("Ada").await;
    let page = browser.get("/inbox").await.expect(200).text();
    assert!(
        page.contains("<bdi>Dan</bdi> joined a group this went to"),
        "{page}"
    );
    set_members(&bob, &design, &["Bob", "Dan"]).await;
    set_members(&bob, &design, &["Bob", "Dan", "Cyd"]).await;
    let counts: Vec<i64> = joined(&ada).await.iter().map(|(_, count)| *count).collect();
    assert_eq!(counts, [2]);
    ada.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(joined(&ada).await, []);
}

#[actix_web::test]
async fn later_members_lose_access_when_they_leave_or_the_author_revokes_it() {
    let app = TestApp::start().await;
    let [ada, bob, dan, cyd] = app.people(["Ada", "Bob", "Dan", "Cyd"]).await;
    let design = create_group(&bob, "design", &["Bob"]).await;
    let path = ada.update(json!({
        "title": "T", "audience": ["@design"], "expectation": "acknowledge", "later_members": true,
    })).await;
    set_members(&bob, &design, &["Bob", "Dan", "Cyd"]).await;
    ada.put(&format!("{path}/opening")).await.expect(204);

    // Bob leaves the group as well, but keeps access because he is a recipient.
    set_members(&bob, &design, &["Cyd"]).await;
    dan.get(&path).await.problem(404);
    bob.get(&path).await.expect(200);
    cyd.get(&path).await.expect(200);
    allow_later_members(&ada, &path, false).await;
    cyd.get(&path).await.problem(404);
    assert_eq!(joined(&ada).await, []);
    allow_later_members(&ada, &path, true).await;
    cyd.get(&path).await.expect(200);
    assert_eq!(
        joined(&ada).await,
        [("Cyd".to_owned(), 1)],
        "people who joined before the author allowed it are named as well"
    );
    // Removing the group from the audience also turns `later_members` off.
    let changed = ada
        .patch(&path, json!({ "audience": [email("Bob")] }))
        .await
        .expect(200)
        .json();
    assert_eq!(changed["later_members"], false);
    cyd.get(&path).await.problem(404);
}

#[actix_web::test]
async fn notification_about_later_members_is_retracted_while_they_have_no_access() {
    let app = TestApp::start().await;
    let [ada, bob, dan] = app.people(["Ada", "Bob", "Dan"]).await;
    let root = app.admin("Root").await;
    app.person("Cyd").await;
    let design = create_group(&bob, "design", &[]).await;
    let path = ada
        .update(json!({ "title": "T", "audience": ["@design"], "later_members": true }))
        .await;
    set_members(&bob, &design, &["Cyd", "Dan"]).await;
    assert_eq!((joined(&ada).await.len(), said_to_me(&ada).await), (1, 1));
    dan.delete(&format!("{design}/members/{}", dan.id))
        .await
        .expect(204);
    assert_eq!(joined(&ada).await, [("Cyd".to_owned(), 1)]);
    set_members(&bob, &design, &[]).await;
    assert_eq!((joined(&ada).await, said_to_me(&ada).await), (vec![], 0));
    set_members(&bob, &design, &["Dan"]).await;
    assert_eq!(joined(&ada).await, [("Dan".to_owned(), 1)]);
    allow_later_members(&ada, &path, false).await;
    assert_eq!(joined(&ada).await, []);
    allow_later_members(&ada, &path, true).await;
    assert_eq!(joined(&ada).await, [("Dan".to_owned(), 1)]);
    ada.delete(&path).await.expect(204);
    assert_eq!(joined(&ada).await, []);
    ada.put(&format!("{path}/restoration")).await.expect(200);
    assert_eq!(joined(&ada).await, [("Dan".to_owned(), 1)]);
    let account = format!("/people/{}", dan.id);
    let deactivated = root.patch(&account, json!({ "active": false })).await;
    deactivated.expect(200);
    assert_eq!((joined(&ada).await, said_to_me(&ada).await), (vec![], 0));
    let activated = root.patch(&account, json!({ "active": true })).await;
    activated.expect(200);
    assert_eq!(joined(&ada).await, [("Dan".to_owned(), 1)]);
    bob.delete(&design).await.expect(204);
    assert_eq!((joined(&ada).await, said_to_me(&ada).await), (vec![], 0));
}

#[actix_web::test]
async fn notification_about_later_members_counts_each_person_once_across_groups() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    app.people(["Cyd", "Dan", "Eve"]).await;
    let design = create_group(&bob, "design", &[]).await;
    let docs = create_group(&bob, "docs", &[]).await;
    let path = ada
        .update(json!({ "title": "T", "audience": ["@design", "@docs"] }))
        .await;
    set_members(&bob, &design, &["Cyd", "Dan"]).await;
    set_members(&bob, &docs, &["Dan", "Eve"]).await;
    assert_eq!(joined(&ada).await, []);
    allow_later_members(&ada, &path, true).await;
    let counts: Vec<i64> = joined(&ada).await.iter().map(|(_, count)| *count).collect();
    assert_eq!(counts, [3]);
    // Cyd already has access, so Ada gets no notification when he joins another group of the audience.
    ada.put(&format!("{path}/opening")).await.expect(204);
    set_members(&bob, &docs, &["Cyd", "Dan", "Eve"]).await;
    assert_eq!(joined(&ada).await, []);
}

#[actix_web::test]
async fn later_members_lose_access_when_the_group_is_deleted_but_recipients_keep_access() {
    let app = TestApp::start().await;
    let [ada, bob, dan] = app.people(["Ada", "Bob", "Dan"]).await;
    let design = create_group(&ada, "design", &["Bob"]).await;
    let path = ada
        .update(json!({ "title": "T", "audience": ["@design"], "later_members": true }))
        .await;
    set_members(&ada, &design, &["Bob", "Dan"]).await;
    ada.delete(&path).await.expect(204);
    dan.get(&path).await.problem(404);
    ada.put(&format!("{path}/restoration")).await.expect(200);
    dan.get(&path).await.expect(200);
    ada.delete(&design).await.expect(204);
    dan.get(&path).await.problem(404);
    bob.get(&path).await.expect(200);
}

#[actix_web::test]
async fn later_members_field_is_accepted_with_an_upload_and_must_be_a_boolean() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    create_group(&ada, "design", &[]).await;
    let created = ada
        .upload("/updates", &DRAFT_FIELDS, &[])
        .await
        .expect(201)
        .json();
    assert_eq!(created["later_members"], true);
    let problem = ada
        .patch(
            &update_path(&created),
            json!({ "later_members": "perhaps" }),
        )
        .await
        .problem(422);
    assert!(problem["errors"]["later_members"].is_string());
}

const DRAFT_FIELDS: [(&str, &str); 4] = [
    ("title", "T"),
    ("audience", "@design"),
    ("later_members", "true"),
    ("publish", "false"),
];

#[actix_web::test]
async fn later_members_checkbox_keeps_its_state_and_is_off_by_default() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    create_group(&ada, "design", &[]).await;
    let created = ada
        .upload("/updates", &DRAFT_FIELDS, &[])
        .await
        .expect(201)
        .json();
    let path = update_path(&created);
    let browser = app.browser("Ada").await;
    let page = browser
        .get(&format!("{path}/edit"))
        .await
        .expect(200)
        .text();
    let field = later_members_field(&page);
    assert!(
        field.contains(" checked")
            && field.contains("@design")
            && !field.starts_with(" class=\"field\" hidden")
    );
    // Browsers send nothing for an unchecked checkbox, so the form has a hidden field that sends
    // `false`.
    let cleared = [("_method", "PATCH"), ("later_members", "false")];
    browser.form("POST", &path, &cleared).await.expect(303);
    assert_eq!(ada.get(&path).await.json()["later_members"], false);
    let checked = [
        ("_method", "PATCH"),
        ("later_members", "false"),
        ("later_members", "true"),
    ];
    browser.form("POST", &path, &checked).await.expect(303);
    assert_eq!(ada.get(&path).await.json()["later_members"], true);
    // When the form is rejected, the response shows it with the box still checked.
    let rejected = [
        ("_method", "PATCH"),
        ("audience", "@design, nobody@example.org"),
        ("later_members", "false"),
        ("later_members", "true"),
    ];
    let page = browser.form("POST", &path, &rejected).await.expect(422);
    assert!(later_members_field(&page.text()).contains(" checked"));
    let page = browser.get("/updates/new").await.expect(200).text();
    let field = later_members_field(&page);
    assert!(field.starts_with(" class=\"field\" hidden") && !field.contains(" checked"));
}

/// Returns the HTML of the `later-members` element, from its attributes to its end tag.
fn later_members_field(page: &str) -> String {
    let (_, rest) = page.split_once("<later-members").unwrap();
    let (field, _) = rest.split_once("</later-members>").unwrap();
    field.to_owned()
}

#[actix_web::test]
async fn later_members_setting_is_ignored_while_the_audience_has_no_groups() {
    let app = TestApp::start().await;
    let [ada, bob, cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    let design = create_group(&bob, "design", &["Bob"]).await;
    let path = ada
        .update(json!({ "title": "T", "audience": [email("Bob")] }))
        .await;
    for change in [
        json!({ "audience": [email("Bob")], "later_members": true }),
        json!({ "audience": [email("Bob"), "@design"] }),
    ] {
        let changed = ada.patch(&path, change).await.expect(200).json();
        assert_eq!(changed["later_members"], false);
    }
    set_members(&bob, &design, &["Bob", "Cyd"]).await;
    cyd.get(&path).await.problem(404);
}
