//! Groups: everyone can create a group, and only its owner and admins can change it.

mod audience;

use serde_json::{Value, json};

use crate::app::{Client, TestApp, array, email, text, texts};

async fn create(client: &Client, name: &str, members: &[&str]) -> Value {
    let members: Vec<String> = members.iter().map(|name| email(name)).collect();
    client
        .post("/groups", json!({ "name": name, "members": members }))
        .await
        .expect(201)
        .json()
}

/// Returns all groups.
async fn list(client: &Client) -> Value {
    client.get("/groups").await.expect(200).json()["items"].clone()
}

/// Returns the names of a group's members.
fn names(group: &Value) -> Vec<&str> {
    array(&group["members"])
        .iter()
        .map(|member| text(&member["name"]))
        .collect()
}

fn group_path(group: &Value) -> String {
    format!("/groups/{}", text(&group["id"]))
}

#[actix_web::test]
async fn groups_are_listed_by_name_with_their_owner_and_members() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    app.person("Cy").await;
    let group = create(&ada, "design-2", &["Cy", "Bob"]).await;
    assert_eq!(
        (&group["name"], names(&group)),
        (&json!("design-2"), vec!["Bob", "Cy"])
    );
    assert_eq!(
        (&group["made_by"]["id"], &group["members"][0]["id"]),
        (&json!(ada.id), &json!(bob.id))
    );
    create(&bob, "all-of-us", &[]).await;
    let list = list(&bob).await;
    assert_eq!(
        (list[0]["name"].as_str(), &list[1]),
        (Some("all-of-us"), &group)
    );
    assert!(
        !list.to_string().contains('@'),
        "the list contains no e-mail addresses"
    );
}

#[actix_web::test]
async fn owner_can_change_and_delete_a_group() {
    let app = TestApp::start().await;
    let [ada, bob, _] = app.people(["Ada", "Bob", "Cy"]).await;
    let group = create(&ada, "design-2", &["Cy", "Bob"]).await;
    create(&bob, "all-of-us", &[]).await;
    let renamed = ada
        .patch(&group_path(&group), json!({ "name": "@designers" }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&renamed["name"], names(&renamed)),
        (&json!("designers"), vec!["Bob", "Cy"])
    );
    let body = json!({ "members": [email("Ada"), "ADA@example.org"] });
    assert_eq!(
        names(
            &ada.patch(&group_path(&group), body)
                .await
                .expect(200)
                .json()
        ),
        ["Ada"]
    );
    assert_eq!(
        names(
            &ada.patch(&group_path(&group), json!({ "members": [] }))
                .await
                .expect(200)
                .json()
        ),
        Vec::<&str>::new()
    );
    ada.delete(&group_path(&group)).await.expect(204);
    ada.delete(&group_path(&group)).await.expect(204);
    assert_eq!(list(&ada).await.as_array().unwrap().len(), 1);
    ada.patch(&group_path(&group), json!({})).await.problem(404);
}

#[actix_web::test]
async fn only_the_owner_and_admins_can_change_a_group() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let root = app.admin("Root").await;
    let group = create(&ada, "design", &["Bob"]).await;
    let problem = bob
        .patch(&group_path(&group), json!({ "members": [] }))
        .await
        .problem(403);
    assert!(
        text(&problem["detail"]).starts_with("Only Ada, who created this group,"),
        "{problem}"
    );
    bob.delete(&group_path(&group)).await.problem(403);
    assert_eq!(list(&bob).await[0], group);
    root.patch(&group_path(&group), json!({ "name": "designers" }))
        .await
        .expect(200);
    root.delete(&group_path(&group)).await.expect(204);
    app.client().get("/groups").await.problem(401);
}

#[actix_web::test]
async fn group_name_must_be_a_valid_and_unused_handle() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let group = create(&ada, "design", &[]).await;
    let other = create(&ada, "docs", &[]).await;
    let long = "a".repeat(41);
    for (name, said) in [
        ("", "is empty"),
        ("@", "is empty"),
        ("Design", "lowercase letters"),
        ("the team", "lowercase letters"),
        ("tëam", "lowercase letters"),
        ("@@design", "lowercase letters"),
        ("everyone", "all accounts"),
        (long.as_str(), "the maximum is 40"),
        ("design", "a group called @design already exists"),
    ] {
        for answer in [
            ada.post("/groups", json!({ "name": name })).await,
            ada.patch(&group_path(&other), json!({ "name": name }))
                .await,
        ] {
            let problem = answer.problem(422);
            assert!(
                text(&problem["errors"]["name"]).contains(said),
                "{name}: {problem}"
            );
        }
    }
    ada.post("/groups", json!({})).await.problem(422);
    ada.post("/groups", json!({ "name": "x", "colour": "red" }))
        .await
        .problem(422);
    assert_eq!(list(&ada).await, json!([group, other]));
    create(&ada, &"a".repeat(40), &[]).await;
}

#[actix_web::test]
async fn group_rejects_members_that_are_not_active_people() {
    let app = TestApp::start().await;
    let [ada, gone] = app.people(["Ada", "Gone"]).await;
    let root = app.admin("Root").await;
    let group = create(&ada, "design", &["Ada", "Gone"]).await;
    root.patch(&format!("/people/{}", gone.id), json!({ "active": false }))
        .await
        .expect(200);
    for (member, said) in [
        ("@design", "can contain only people"),
        ("everyone", "can contain only people"),
        ("nobody@example.org", "nobody@example.org has no account"),
        ("not an address", "is not an e-mail address"),
        ("gone@example.org", "gone@example.org is deactivated"),
    ] {
        let members = json!([email("Ada"), member]);
        for answer in [
            ada.post("/groups", json!({ "name": "new", "members": members }))
                .await,
            ada.patch(&group_path(&group), json!({ "members": members }))
                .await,
        ] {
            let problem = answer.problem(422);
            assert!(
                text(&problem["errors"]["members"]).contains(said),
                "{member}: {problem}"
            );
        }
    }
    // A deactivated member is hidden, and is listed again after the account is reactivated.
    assert_eq!(names(&list(&ada).await[0]), ["Ada"]);
    root.patch(&format!("/people/{}", gone.id), json!({ "active": true }))
        .await
        .expect(200);
    assert_eq!(names(&list(&ada).await[0]), ["Ada", "Gone"]);
    assert_eq!(list(&ada).await.as_array().unwrap().len(), 1);
}

/// Inserts accounts with the addresses `p0@example.org`, `p1@example.org` and so on.
async fn insert_people(app: &TestApp, count: usize) {
    let mut tx = app.state.db.begin().await.unwrap();
    for n in 0..count {
        sqlx::query("INSERT INTO people (id, email, email_key, name, name_key, role, time_zone, created_at) \
                     VALUES ($1, $2, $2, 'P', 'p', 'member', 'UTC', 1)")
            .bind(format!("p{n:025}"))
            .bind(format!("p{n}@example.org"))
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

#[actix_web::test]
async fn group_can_have_at_most_three_thousand_members() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    insert_people(&app, 2100).await;
    let members: Vec<String> = (0..2100).map(|n| format!("p{n}@example.org")).collect();
    let fields = json!({ "name": "all-hands", "members": members });
    let group = ada.post("/groups", fields).await.expect(201).json();
    assert_eq!(array(&group["members"]).len(), 2100);
    let ids: Vec<String> = texts(&group["members"], "id")
        .into_iter()
        .map(str::to_owned)
        .collect();
    let schedules = hearback::people::work_schedules(&mut app.state.db.read().await.unwrap(), &ids)
        .await
        .unwrap();
    assert_eq!(schedules.len(), 2100);
    let many: Vec<String> = (0..3001).map(|n| format!("q{n}@example.org")).collect();
    let problem = ada
        .post("/groups", json!({ "name": "more", "members": many }))
        .await
        .problem(422);
    assert!(text(&problem["errors"]["members"]).contains("at most 3000"));
}

#[actix_web::test]
async fn groups_page_lists_all_groups_and_shows_the_edit_form_of_a_group_only_to_its_owner() {
    let app = TestApp::start().await;
    app.people(["Ada", "Bob"]).await;
    let (browser, other) = (app.browser("Ada").await, app.browser("Bob").await);
    let people = browser.get("/people").await.text();
    assert!(people.contains("href=\"/groups\""));
    let fields = [
        ("name", "@design"),
        ("members", "ada@example.org, bob@example.org"),
    ];
    browser.form("POST", "/groups", &fields).await.expect(303);
    let id = browser.get("/groups").await.expect(200).text();
    let id = id.split("id=\"group-").nth(1).unwrap();
    let edit = format!("/groups?edit={}", id.split_once('"').unwrap().0);
    let page = browser.get(&edit).await.expect(200).text();
    assert!(
        page.contains("@design")
            && page.contains("<bdi>Ada</bdi> and <bdi>Bob</bdi>")
            && page.contains("value=\"ada@example.org, bob@example.org\"")
    );
    let page = other.get(&edit).await.expect(200).text();
    assert!(page.contains("@design") && !page.contains("value=\"PATCH\""));
    assert!(!page.contains("ada@example.org"), "{page}");
}

#[actix_web::test]
async fn rejected_group_form_keeps_the_typed_text_and_shows_the_error() {
    let app = TestApp::start().await;
    let [ada, _] = app.people(["Ada", "Bob"]).await;
    let browser = app.browser("Ada").await;
    let path = group_path(&create(&ada, "design", &["Ada", "Bob"]).await);
    let typed = [
        ("_method", "PATCH"),
        ("name", "Wrong Name"),
        ("members", "typed@wrong.example"),
    ];
    let page = browser.form("POST", &path, &typed).await.expect(422).text();
    assert!(
        page.contains("value=\"Wrong Name\"")
            && page.contains("value=\"typed@wrong.example\"")
            && page.contains("lowercase letters")
    );
    let page = browser
        .form("POST", "/groups", &[("name", "design"), ("members", "")])
        .await
        .expect(422)
        .text();
    assert!(
        page.contains("is taken") && page.matches("wrong\" id=").count() == 1,
        "only the rejected form shows the error"
    );
}

#[actix_web::test]
async fn groups_can_be_changed_and_deleted_with_plain_forms() {
    let app = TestApp::start().await;
    let [ada, _] = app.people(["Ada", "Bob"]).await;
    let (browser, other) = (app.browser("Ada").await, app.browser("Bob").await);
    let path = group_path(&create(&ada, "design", &["Ada", "Bob"]).await);
    let change = [
        ("_method", "PATCH"),
        ("name", "designers"),
        ("members", "bob@example.org"),
    ];
    browser.form("POST", &path, &change).await.expect(303);
    assert_eq!(names(&list(&ada).await[0]), ["Bob"]);
    let delete = [("_method", "DELETE")];
    other.form("POST", &path, &delete).await.expect(403);
    browser.form("POST", &path, &delete).await.expect(303);
    assert_eq!(list(&ada).await, json!([]));
}
