//! Who may open an update: through a group as of publication, later members only where the author lets them in, and at once no more when
//! the right ends.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email, fixture};

async fn group(maker: &Client, name: &str, members: &[&str]) -> String {
    let members: Vec<String> = members.iter().map(|name| email(name)).collect();
    let made = maker
        .post("/groups", json!({ "name": name, "members": members }))
        .await
        .expect(201)
        .json();
    format!("/groups/{}", made["id"].as_str().unwrap())
}

async fn set_members(by: &Client, group: &str, members: &[&str]) {
    let members: Vec<String> = members.iter().map(|name| email(name)).collect();
    by.patch(group, json!({ "members": members }))
        .await
        .expect(200);
}

async fn library(client: &Client, query: &str) -> usize {
    client
        .get(&format!("/updates{query}"))
        .await
        .expect(200)
        .json()["items"]
        .as_array()
        .unwrap()
        .len()
}

/// What an author was told of who joined: `why`, name, number of people.
async fn joiners(author: &Client) -> Vec<(String, i64)> {
    let inbox = author.get("/inbox").await.expect(200).json();
    let entries = inbox["said_to_me"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["why"] == "joined");
    entries
        .map(|entry| {
            (
                entry["by"].as_str().unwrap().to_owned(),
                entry["joined"].as_i64().unwrap(),
            )
        })
        .collect()
}

#[actix_web::test]
async fn group_maker_who_joins_later_sees_nothing_that_was_sent_before() {
    let app = TestApp::start().await;
    let (ada, bob, eve) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Eve").await,
    );
    let design = group(&eve, "design", &["Bob"]).await;
    let fields = [
        ("title", "Salaries"),
        ("notes", "confidential"),
        ("audience", "@design"),
    ];
    let made = ada
        .upload(
            "/updates",
            &fields,
            &[("media", "a.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    let path = format!("/updates/{}", made["id"].as_str().unwrap());
    let media = format!("/media/{}", made["media"][0]["id"].as_str().unwrap());
    assert_eq!(made["later_members"], false);

    set_members(&eve, &design, &["Bob", "Eve"]).await;
    app.wait_for_jobs().await;
    for address in [
        &path,
        &media,
        &format!("{path}/live"),
        &format!("{path}/comments"),
        &format!("{path}/receipts"),
    ] {
        eve.get(address).await.problem(404);
    }
    assert_eq!(
        (
            library(&eve, "").await,
            library(&eve, "?q=confidential").await
        ),
        (0, 0)
    );
    assert_eq!(
        eve.get("/search?q=confidential").await.expect(200).json()["items"],
        json!([])
    );
    bob.get(&path).await.expect(200);
    // A comment that names the group is news to those who may see the update, and to nobody else.
    ada.comment(&path, "@design please look").await;
    assert_eq!(bob.get("/inbox").await.json()["counts"]["said_to_me"], 1);
    assert_eq!(eve.get("/inbox").await.json()["counts"]["said_to_me"], 0);
    assert_eq!(joiners(&ada).await, []);
    // Neither an edit of the text nor the same audience again lets them in.
    ada.patch(
        &path,
        json!({ "title": "Salaries 2027", "audience": ["@design"] }),
    )
    .await
    .expect(200);
    eve.get(&path).await.problem(404);
    // What is sent from now on reaches them.
    let next = ada
        .update(json!({ "title": "Next", "audience": ["@design"] }))
        .await;
    eve.get(&next).await.expect(200);
}

#[actix_web::test]
async fn later_members_are_let_in_where_the_author_says_so_and_the_author_is_told() {
    let app = TestApp::start().await;
    let (ada, bob, dan, cyd) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Dan").await,
        app.person("Cyd").await,
    );
    let design = group(&bob, "design", &["Bob"]).await;
    let path = ada.update(json!({ "title": "T", "audience": ["@design"], "expectation": "acknowledge", "later_members": true })).await;
    assert_eq!(ada.get(&path).await.json()["later_members"], true);
    dan.get(&path).await.problem(404);

    set_members(&bob, &design, &["Bob", "Dan"]).await;
    assert_eq!(
        dan.get(&path).await.expect(200).json()["my_receipt"],
        Value::Null
    );
    assert_eq!(dan.get("/inbox").await.json()["counts"]["owed_by_me"], 0);
    assert_eq!(
        (library(&dan, "").await, library(&dan, "?audience=me").await),
        (1, 0)
    );
    assert_eq!(joiners(&ada).await, [("Dan".to_owned(), 1)]);
    let page = app
        .browser("Ada")
        .await
        .get("/inbox")
        .await
        .expect(200)
        .text();
    assert!(page.contains("Dan joined a group this went to"), "{page}");
    set_members(&bob, &design, &["Bob", "Dan"]).await;
    set_members(&bob, &design, &["Bob", "Dan", "Cyd"]).await;
    assert_eq!(
        joiners(&ada)
            .await
            .iter()
            .map(|(_, people)| *people)
            .collect::<Vec<_>>(),
        [2]
    );
    ada.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(joiners(&ada).await, []);

    // Who leaves loses what they saw only as a later member; who was asked keeps it.
    set_members(&bob, &design, &["Cyd"]).await;
    dan.get(&path).await.problem(404);
    bob.get(&path).await.expect(200);
    cyd.get(&path).await.expect(200);
    ada.patch(&path, json!({ "later_members": false }))
        .await
        .expect(200);
    cyd.get(&path).await.problem(404);
    assert_eq!(joiners(&ada).await, []);
    ada.patch(&path, json!({ "later_members": true }))
        .await
        .expect(200);
    cyd.get(&path).await.expect(200);
    assert_eq!(
        joiners(&ada).await,
        [("Cyd".to_owned(), 1)],
        "who joined before the tick is named as well"
    );
    // An audience without a group turns it off.
    let changed = ada
        .patch(&path, json!({ "audience": [email("Bob")] }))
        .await
        .expect(200)
        .json();
    assert_eq!(changed["later_members"], false);
    cyd.get(&path).await.problem(404);
}

#[actix_web::test]
async fn news_of_a_later_member_goes_when_they_lose_access_and_comes_back_with_it() {
    let app = TestApp::start().await;
    let (ada, bob, dan, root) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Dan").await,
        app.admin("Root").await,
    );
    app.person("Cyd").await;
    let design = group(&bob, "design", &[]).await;
    let path = ada
        .update(json!({ "title": "T", "audience": ["@design"], "later_members": true }))
        .await;
    let said = async || {
        ada.get("/inbox").await.json()["counts"]["said_to_me"]
            .as_i64()
            .unwrap()
    };
    set_members(&bob, &design, &["Cyd", "Dan"]).await;
    assert_eq!((joiners(&ada).await.len(), said().await), (1, 1));
    // They leave.
    dan.delete(&format!("{design}/members/{}", dan.id))
        .await
        .expect(204);
    assert_eq!(joiners(&ada).await, [("Cyd".to_owned(), 1)]);
    // They are taken out.
    set_members(&bob, &design, &[]).await;
    assert_eq!((joiners(&ada).await, said().await), (vec![], 0));
    set_members(&bob, &design, &["Dan"]).await;
    assert_eq!(joiners(&ada).await, [("Dan".to_owned(), 1)]);
    // The tick is taken away, and set again.
    ada.patch(&path, json!({ "later_members": false }))
        .await
        .expect(200);
    assert_eq!(joiners(&ada).await, []);
    ada.patch(&path, json!({ "later_members": true }))
        .await
        .expect(200);
    assert_eq!(joiners(&ada).await, [("Dan".to_owned(), 1)]);
    // In the trash nothing is news, and it comes back as it was.
    ada.delete(&path).await.expect(204);
    assert_eq!(joiners(&ada).await, []);
    ada.put(&format!("{path}/restoration")).await.expect(200);
    assert_eq!(joiners(&ada).await, [("Dan".to_owned(), 1)]);
    // They are deactivated.
    root.patch(&format!("/people/{}", dan.id), json!({ "active": false }))
        .await
        .expect(200);
    assert_eq!((joiners(&ada).await, said().await), (vec![], 0));
    root.patch(&format!("/people/{}", dan.id), json!({ "active": true }))
        .await
        .expect(200);
    // The group is deleted.
    assert_eq!(joiners(&ada).await, [("Dan".to_owned(), 1)]);
    bob.delete(&design).await.expect(204);
    assert_eq!((joiners(&ada).await, said().await), (vec![], 0));
}

#[actix_web::test]
async fn author_who_opens_several_groups_at_once_is_told_of_everyone_who_had_joined() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    for name in ["Cyd", "Dan", "Eve"] {
        app.person(name).await;
    }
    let design = group(&bob, "design", &[]).await;
    let docs = group(&bob, "docs", &[]).await;
    let path = ada
        .update(json!({ "title": "T", "audience": ["@design", "@docs"] }))
        .await;
    set_members(&bob, &design, &["Cyd", "Dan"]).await;
    set_members(&bob, &docs, &["Dan", "Eve"]).await;
    assert_eq!(joiners(&ada).await, []);
    ada.patch(&path, json!({ "later_members": true }))
        .await
        .expect(200);
    assert_eq!(
        joiners(&ada)
            .await
            .iter()
            .map(|(_, people)| *people)
            .collect::<Vec<_>>(),
        [3]
    );
    // Whoever can open it already is no news when they join another of its groups.
    ada.put(&format!("{path}/opening")).await.expect(204);
    set_members(&bob, &docs, &["Cyd", "Dan", "Eve"]).await;
    assert_eq!(joiners(&ada).await, []);
}

#[actix_web::test]
async fn later_members_are_closed_out_when_the_group_is_deleted_and_those_asked_stay() {
    let app = TestApp::start().await;
    let (ada, bob, dan) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Dan").await,
    );
    let design = group(&ada, "design", &["Bob"]).await;
    let path = ada
        .update(json!({ "title": "T", "audience": ["@design"], "later_members": true }))
        .await;
    set_members(&ada, &design, &["Bob", "Dan"]).await;
    // In the trash nobody but the author sees it, and it comes back as it was.
    ada.delete(&path).await.expect(204);
    dan.get(&path).await.problem(404);
    ada.put(&format!("{path}/restoration")).await.expect(200);
    dan.get(&path).await.expect(200);
    ada.delete(&design).await.expect(204);
    dan.get(&path).await.problem(404);
    bob.get(&path).await.expect(200);
}

#[actix_web::test]
async fn later_members_can_be_said_in_every_form_and_is_off_by_itself() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    group(&ada, "design", &[]).await;
    let fields = [
        ("title", "T"),
        ("audience", "@design"),
        ("later_members", "true"),
        ("publish", "false"),
    ];
    let made = ada
        .upload("/updates", &fields, &[])
        .await
        .expect(201)
        .json();
    assert_eq!(made["later_members"], true);
    let path = format!("/updates/{}", made["id"].as_str().unwrap());
    assert!(
        ada.patch(&path, json!({ "later_members": "perhaps" }))
            .await
            .problem(422)["errors"]["later_members"]
            .is_string()
    );

    // The form of a page sends a hidden `false` beside its box.
    let browser = app.browser("Ada").await;
    let page = browser
        .get(&format!("{path}/edit"))
        .await
        .expect(200)
        .text();
    let field = |page: &str| {
        page.split("<later-members")
            .nth(1)
            .unwrap()
            .split("</later-members>")
            .next()
            .unwrap()
            .to_owned()
    };
    assert!(
        field(&page).contains(" checked")
            && field(&page).contains("@design")
            && !field(&page).starts_with(" class=\"field\" hidden")
    );
    browser
        .form(
            "POST",
            &path,
            &[("_method", "PATCH"), ("later_members", "false")],
        )
        .await
        .expect(303);
    assert_eq!(ada.get(&path).await.json()["later_members"], false);
    let ticked = [
        ("_method", "PATCH"),
        ("later_members", "false"),
        ("later_members", "true"),
    ];
    browser.form("POST", &path, &ticked).await.expect(303);
    assert_eq!(ada.get(&path).await.json()["later_members"], true);
    // A form that comes back keeps its tick.
    let refused = [
        ("_method", "PATCH"),
        ("audience", "@design, nobody@example.org"),
        ("later_members", "false"),
        ("later_members", "true"),
    ];
    assert!(
        field(
            &browser
                .form("POST", &path, &refused)
                .await
                .expect(422)
                .text()
        )
        .contains(" checked")
    );
    let page = browser.get("/updates/new").await.expect(200).text();
    assert!(
        field(&page).starts_with(" class=\"field\" hidden") && !field(&page).contains(" checked")
    );
}

#[actix_web::test]
async fn group_members_are_changed_by_its_owner_and_admins_and_each_may_leave() {
    let app = TestApp::start().await;
    let (ada, bob, root) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.admin("Root").await,
    );
    let cyd = app.person("Cyd").await;
    let design = group(&ada, "design", &["Bob", "Cyd"]).await;
    let names = async || {
        let list = ada.get("/groups").await.json();
        list["items"][0]["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
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
    assert_eq!(names().await, Vec::<String>::new());
    bob.delete(&format!("/groups/0000000000/members/{}", bob.id))
        .await
        .problem(404);

    set_members(&ada, &design, &["Bob"]).await;
    let page = app.browser("Bob").await;
    assert!(
        page.get("/groups")
            .await
            .text()
            .contains(&format!("action=\"{}\"", member(&bob)))
    );
    page.form("POST", &member(&bob), &[("_method", "DELETE")])
        .await
        .expect(303);
    assert_eq!(names().await, Vec::<String>::new());
    assert!(!page.get("/groups").await.text().contains("/members/"));
}

#[actix_web::test]
async fn open_streams_and_media_addresses_end_when_a_later_member_leaves() {
    let app = TestApp::start().await;
    let (ada, dan) = (app.person("Ada").await, app.person("Dan").await);
    let design = group(&ada, "design", &[]).await;
    let fields = [
        ("title", "T"),
        ("audience", "@design"),
        ("later_members", "true"),
    ];
    let made = ada
        .upload(
            "/updates",
            &fields,
            &[("media", "a.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    let path = format!("/updates/{}", made["id"].as_str().unwrap());
    set_members(&ada, &design, &["Dan"]).await;
    let picture = dan.get(&path).await.expect(200).json()["media"][0]["renditions"][0]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    app.client().get(&picture).await.expect(200);
    let stream = dan
        .request("GET", &format!("{path}/live"))
        .send()
        .await
        .unwrap();
    assert_eq!(stream.status(), 200);

    dan.delete(&format!("{design}/members/{}", dan.id))
        .await
        .expect(204);
    // Nothing else happens: the change itself ends it.
    tokio::time::timeout(std::time::Duration::from_secs(60), stream.text())
        .await
        .expect("the stream ends")
        .unwrap();
    app.client().get(&picture).await.problem(404);
}

#[actix_web::test]
async fn access_lists_everyone_who_can_open_it_for_its_author_and_admins() {
    let app = TestApp::start().await;
    let (ada, bob, root) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.admin("Root").await,
    );
    let gone = app.person("Gone").await;
    group(&ada, "design", &["Bob", "Gone"]).await;
    let path = ada
        .update(json!({ "title": "T", "audience": ["@design"], "publish": false }))
        .await;
    let at = format!("{path}/access");
    let ways = |list: Value| {
        let items = list["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|way| {
                assert!(way["since"].is_string(), "{way}");
                ["kind", "name", "reason"]
                    .map(|field| way[field].as_str().unwrap().to_owned())
                    .join(" ")
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        ways(ada.get(&at).await.expect(200).json()),
        ["person Ada author"]
    );
    root.get(&at).await.problem(404);
    ada.put(&format!("{path}/publication")).await.expect(200);
    root.patch(&format!("/people/{}", gone.id), json!({ "active": false }))
        .await
        .expect(200);
    let (link, _) = ada.share(&path, false).await;
    ada.patch(
        &path,
        json!({ "later_members": true, "visibility": "workspace" }),
    )
    .await
    .expect(200);
    let all = [
        "person Ada author",
        "person Bob recipient",
        "group design later_members",
        "workspace everyone visibility",
        "link For the board link",
    ];
    assert_eq!(ways(ada.get(&at).await.expect(200).json()), all);
    assert_eq!(ways(root.get(&at).await.expect(200).json()), all);
    bob.get(&at).await.problem(403);
    ada.delete(&format!("/links/{link}")).await.expect(204);
    ada.patch(
        &path,
        json!({ "later_members": false, "visibility": "audience" }),
    )
    .await
    .expect(200);
    assert_eq!(ways(ada.get(&at).await.json()), all[..2]);
    let page = app.browser("Ada").await;
    ada.patch(&path, json!({ "later_members": true }))
        .await
        .expect(200);
    assert!(
        page.get(&path)
            .await
            .text()
            .contains("whoever joins @design later")
    );
}
