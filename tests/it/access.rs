//! Access to updates: who has access, and when people lose it.

mod later_members;
mod links;
mod property;
mod upgrade;

use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp, array, email, fixture, text, update_path};

/// Creates a group and returns its path.
async fn create_group(owner: &Client, name: &str, members: &[&str]) -> String {
    let members: Vec<String> = members.iter().map(|name| email(name)).collect();
    let created = owner
        .post("/groups", json!({ "name": name, "members": members }))
        .await
        .expect(201)
        .json();
    format!("/groups/{}", text(&created["id"]))
}

async fn set_members(client: &Client, group: &str, members: &[&str]) {
    let members: Vec<String> = members.iter().map(|name| email(name)).collect();
    client
        .patch(group, json!({ "members": members }))
        .await
        .expect(200);
}

/// Publishes an update with a picture.
async fn publish_picture(author: &Client, fields: &[(&str, &str)]) -> Value {
    let picture = ("media", "a.png", fixture("alpha.png"));
    author
        .upload("/updates", fields, &[picture])
        .await
        .expect(201)
        .json()
}

/// Returns the URL of the first picture in the update at this path.
async fn picture_url(client: &Client, path: &str) -> String {
    let update = client.get(path).await.expect(200).json();
    text(&update["media"][0]["renditions"][0]["url"]).to_owned()
}

async fn open_stream(client: &Client, path: &str) -> reqwest::Response {
    let stream = client.request("GET", &format!("{path}/live"));
    stream.send().await.unwrap()
}

/// Waits until the server closes the stream.
async fn wait_for_end(stream: reqwest::Response) {
    assert_eq!(stream.status(), 200);
    tokio::time::timeout(std::time::Duration::from_secs(60), stream.text())
        .await
        .expect("the stream ends")
        .unwrap();
}

#[actix_web::test]
async fn streams_and_media_urls_stop_working_when_a_later_member_leaves_the_group() {
    let app = TestApp::start().await;
    let [ada, dan] = app.people(["Ada", "Dan"]).await;
    let design = create_group(&ada, "design", &[]).await;
    let fields = [
        ("title", "T"),
        ("audience", "@design"),
        ("later_members", "true"),
    ];
    let path = update_path(&publish_picture(&ada, &fields).await);
    set_members(&ada, &design, &["Dan"]).await;
    let picture = picture_url(&dan, &path).await;
    app.client().get(&picture).await.expect(200);
    let stream = open_stream(&dan, &path).await;

    dan.delete(&format!("{design}/members/{}", dan.id))
        .await
        .expect(204);
    // The stream ends without waiting for another event, because Dan lost access when he left the
    // group.
    wait_for_end(stream).await;
    app.client().get(&picture).await.problem(404);
}

#[actix_web::test]
async fn only_the_owner_and_admins_can_change_group_members_but_any_member_can_leave() {
    let app = TestApp::start().await;
    let [ada, bob, cyd] = app.people(["Ada", "Bob", "Cyd"]).await;
    let root = app.admin("Root").await;
    let design = create_group(&ada, "design", &["Bob", "Cyd"]).await;
    let names = async || member_names(&ada.get("/groups").await);
    let member = |person: &Client| format!("{design}/members/{}", person.id);
    bob.patch(&design, json!({ "members": [email("Bob")] }))
        .await
        .problem(403);
    bob.delete(&member(&cyd)).await.problem(403);
    assert_eq!(names().await, ["Bob", "Cyd"]);
    for _ in 0..2 {
        bob.delete(&member(&bob)).await.expect(204);
    }
    assert_eq!(names().await, ["Cyd"]);
    root.delete(&member(&cyd)).await.expect(204);
    assert_eq!(names().await, [""; 0]);
    bob.delete(&format!("/groups/0000000000/members/{}", bob.id))
        .await
        .problem(404);

    set_members(&ada, &design, &["Bob"]).await;
    let browser = app.browser("Bob").await;
    let form = format!("action=\"{}\"", member(&bob));
    assert!(browser.get("/groups").await.text().contains(&form));
    browser
        .form("POST", &member(&bob), &[("_method", "DELETE")])
        .await
        .expect(303);
    assert_eq!(names().await, [""; 0]);
    assert!(!browser.get("/groups").await.text().contains("/members/"));
}

/// Returns the names of the members of the first group in the list.
fn member_names(groups: &Response) -> Vec<String> {
    array(&groups.json()["items"][0]["members"])
        .iter()
        .map(|member| text(&member["name"]).to_owned())
        .collect()
}

#[actix_web::test]
async fn access_list_names_everyone_with_access_and_only_the_author_and_admins_can_see_it() {
    let app = TestApp::start().await;
    let [ada, bob, gone] = app.people(["Ada", "Bob", "Gone"]).await;
    let root = app.admin("Root").await;
    create_group(&ada, "design", &["Bob", "Gone"]).await;
    let path = ada
        .update(json!({ "title": "T", "audience": ["@design"], "publish": false }))
        .await;
    let at = format!("{path}/access");
    assert_eq!(
        entries(&ada.get(&at).await.expect(200)),
        ["person Ada author"]
    );
    root.get(&at).await.problem(404);
    ada.put(&format!("{path}/publication")).await.expect(200);
    root.patch(&format!("/people/{}", gone.id), json!({ "active": false }))
        .await
        .expect(200);
    let (link, _) = ada.share(&path, false).await;
    let open = json!({ "later_members": true, "visibility": "workspace" });
    ada.patch(&path, open).await.expect(200);
    let all = [
        "person Ada author",
        "person Bob recipient",
        "group design later_members",
        "workspace everyone visibility",
        "link For the board link",
    ];
    assert_eq!(entries(&ada.get(&at).await.expect(200)), all);
    assert_eq!(entries(&root.get(&at).await.expect(200)), all);
    bob.get(&at).await.problem(403);
    ada.delete(&format!("/links/{link}")).await.expect(204);
    let closed = json!({ "later_members": false, "visibility": "audience" });
    ada.patch(&path, closed).await.expect(200);
    assert_eq!(entries(&ada.get(&at).await), all[..2]);
    let browser = app.browser("Ada").await;
    ada.patch(&path, json!({ "later_members": true }))
        .await
        .expect(200);
    let page = browser.get(&path).await.text();
    assert!(page.contains("people who join @design later"));
}

/// Returns the kind, name and reason of each entry of an access list.
fn entries(list: &Response) -> Vec<String> {
    array(&list.json()["items"])
        .iter()
        .map(|entry| {
            assert!(entry["since"].is_string(), "{entry}");
            ["kind", "name", "reason"]
                .map(|field| text(&entry[field]).to_owned())
                .join(" ")
        })
        .collect()
}
