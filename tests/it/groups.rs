//! Groups: made by anyone, changed by their maker and admins; they hold people only.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, array, email, text};

async fn make(client: &Client, name: &str, members: &[&str]) -> Value {
    let members: Vec<String> = members.iter().map(|name| email(name)).collect();
    client
        .post("/groups", json!({ "name": name, "members": members }))
        .await
        .expect(201)
        .json()
}

async fn all(client: &Client) -> Value {
    client.get("/groups").await.expect(200).json()["items"].clone()
}

fn names(group: &Value) -> Vec<&str> {
    array(&group["members"])
        .iter()
        .map(|member| text(&member["name"]))
        .collect()
}

fn at(group: &Value) -> String {
    format!("/groups/{}", text(&group["id"]))
}

#[actix_web::test]
async fn a_group_is_made_listed_changed_and_deleted() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    app.person("Cy").await;
    let made = make(&ada, "design-2", &["Cy", "Bob"]).await;
    assert_eq!(
        (&made["name"], names(&made)),
        (&json!("design-2"), vec!["Bob", "Cy"])
    );
    assert_eq!(
        (&made["made_by"]["id"], &made["members"][0]["id"]),
        (&json!(ada.id), &json!(bob.id))
    );
    make(&bob, "all-of-us", &[]).await;
    let list = all(&bob).await;
    assert_eq!(
        (list[0]["name"].as_str(), &list[1]),
        (Some("all-of-us"), &made)
    );
    assert!(
        !list.to_string().contains('@'),
        "addresses are no part of it"
    );

    // What is absent stays; who is named twice is in it once.
    let renamed = ada
        .patch(&at(&made), json!({ "name": "@designers" }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&renamed["name"], names(&renamed)),
        (&json!("designers"), vec!["Bob", "Cy"])
    );
    let body = json!({ "members": [email("Ada"), "ADA@example.org"] });
    assert_eq!(
        names(&ada.patch(&at(&made), body).await.expect(200).json()),
        ["Ada"]
    );
    assert_eq!(
        names(
            &ada.patch(&at(&made), json!({ "members": [] }))
                .await
                .expect(200)
                .json()
        ),
        Vec::<&str>::new()
    );
    ada.delete(&at(&made)).await.expect(204);
    ada.delete(&at(&made)).await.expect(204);
    assert_eq!(all(&ada).await.as_array().unwrap().len(), 1);
    ada.patch(&at(&made), json!({})).await.problem(404);
}

#[actix_web::test]
async fn only_its_maker_and_admins_change_a_group() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let root = app.admin("Root").await;
    let made = make(&ada, "design", &["Bob"]).await;
    let told = bob
        .patch(&at(&made), json!({ "members": [] }))
        .await
        .problem(403);
    assert!(
        text(&told["detail"]).starts_with("Ada made this group"),
        "{told}"
    );
    bob.delete(&at(&made)).await.problem(403);
    assert_eq!(all(&bob).await[0], made);
    root.patch(&at(&made), json!({ "name": "designers" }))
        .await
        .expect(200);
    root.delete(&at(&made)).await.expect(204);
    app.client().get("/groups").await.problem(401);
}

#[actix_web::test]
async fn names_are_handles_and_each_is_there_once() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let made = make(&ada, "design", &[]).await;
    let other = make(&ada, "docs", &[]).await;
    let long = "a".repeat(41);
    for (name, said) in [
        ("", "is empty"),
        ("@", "is empty"),
        ("Design", "small letters"),
        ("the team", "small letters"),
        ("tëam", "small letters"),
        ("@@design", "small letters"),
        ("everyone", "every account"),
        (long.as_str(), "at most 40"),
        ("design", "there is a group @design already"),
    ] {
        for answer in [
            ada.post("/groups", json!({ "name": name })).await,
            ada.patch(&at(&other), json!({ "name": name })).await,
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
    assert_eq!(all(&ada).await, json!([made, other]));
    make(&ada, &"a".repeat(40), &[]).await;
}

#[actix_web::test]
async fn groups_hold_people_only_and_those_who_cannot_be_in_one_are_named() {
    let app = TestApp::start().await;
    let [ada, gone] = app.people(["Ada", "Gone"]).await;
    let root = app.admin("Root").await;
    let made = make(&ada, "design", &["Ada", "Gone"]).await;
    root.patch(&format!("/people/{}", gone.id), json!({ "active": false }))
        .await
        .expect(200);
    for (member, said) in [
        ("@design", "groups hold people only"),
        ("everyone", "groups hold people only"),
        ("nobody@example.org", "nobody@example.org has no account"),
        ("not an address", "is not an e-mail address"),
        ("gone@example.org", "gone@example.org is deactivated"),
    ] {
        let members = json!([email("Ada"), member]);
        for answer in [
            ada.post("/groups", json!({ "name": "new", "members": members }))
                .await,
            ada.patch(&at(&made), json!({ "members": members })).await,
        ] {
            let problem = answer.problem(422);
            assert!(
                text(&problem["errors"]["members"]).contains(said),
                "{member}: {problem}"
            );
        }
    }
    // Whoever is deactivated is out of sight, and in it again when they are active again.
    assert_eq!(names(&all(&ada).await[0]), ["Ada"]);
    root.patch(&format!("/people/{}", gone.id), json!({ "active": true }))
        .await
        .expect(200);
    assert_eq!(names(&all(&ada).await[0]), ["Ada", "Gone"]);
    assert_eq!(all(&ada).await.as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn what_was_sent_to_a_group_outlives_it() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    app.person("Cy").await;
    let made = make(&ada, "design", &["Bob", "Cy"]).await;
    let update = ada
        .update(json!({ "title": "T", "audience": ["@design"], "expectation": "acknowledge" }))
        .await;
    ada.patch(&at(&made), json!({ "members": [] }))
        .await
        .expect(200);
    ada.delete(&at(&made)).await.expect(204);
    let seen = ada.get(&update).await.expect(200).json();
    assert_eq!(
        (
            &seen["audience"]["groups"],
            array(&seen["audience"]["people"]).len()
        ),
        (&json!([]), 2)
    );
    assert_eq!(bob.get("/inbox").await.json()["counts"]["owed_by_me"], 1);
    // The form of a later edit is filled with them.
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
async fn thousands_are_in_a_group() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let mut tx = app.state.db.begin().await.unwrap();
    for n in 0..2100 {
        sqlx::query("INSERT INTO people (id, email, email_key, name, name_key, role, time_zone, created_at) VALUES ($1, $2, $2, 'P', 'p', 'member', 'UTC', 1)")
            .bind(format!("p{n:025}"))
            .bind(format!("p{n}@example.org"))
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let members: Vec<String> = (0..2100).map(|n| format!("p{n}@example.org")).collect();
    let made = ada
        .post(
            "/groups",
            json!({ "name": "all-hands", "members": members }),
        )
        .await
        .expect(201)
        .json();
    assert_eq!(array(&made["members"]).len(), 2100);
    let ids: Vec<String> = array(&made["members"])
        .iter()
        .map(|one| text(&one["id"]).to_owned())
        .collect();
    let workers = hearback::people::work_schedules(&mut app.state.db.read().await.unwrap(), &ids)
        .await
        .unwrap();
    assert_eq!(workers.len(), 2100);
    let many: Vec<String> = (0..3001).map(|n| format!("q{n}@example.org")).collect();
    let problem = ada
        .post("/groups", json!({ "name": "more", "members": many }))
        .await
        .problem(422);
    assert!(text(&problem["errors"]["members"]).contains("at most 3000"));
}

#[actix_web::test]
async fn the_page_makes_changes_and_deletes_groups_with_plain_forms() {
    let app = TestApp::start().await;
    let [ada, _] = app.people(["Ada", "Bob"]).await;
    let (browser, other) = (app.browser("Ada").await, app.browser("Bob").await);
    assert!(
        browser
            .get("/people")
            .await
            .text()
            .contains("href=\"/groups\"")
    );
    browser
        .form(
            "POST",
            "/groups",
            &[
                ("name", "@design"),
                ("members", "ada@example.org, bob@example.org"),
            ],
        )
        .await
        .expect(303);
    let page = browser.get("/groups").await.expect(200).text();
    assert!(
        page.contains("@design")
            && page.contains("Ada and Bob")
            && page.contains("value=\"ada@example.org, bob@example.org\"")
    );
    let page = other.get("/groups").await.expect(200).text();
    assert!(
        page.contains("@design") && !page.contains("value=\"PATCH\""),
        "others see no form to change it"
    );

    let id = all(&ada).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/groups/{id}");
    let typed = [
        ("_method", "PATCH"),
        ("name", "Wrong Name"),
        ("members", "typed@wrong.example"),
    ];
    let page = browser.form("POST", &path, &typed).await.expect(422).text();
    assert!(
        page.contains("value=\"Wrong Name\"")
            && page.contains("value=\"typed@wrong.example\"")
            && page.contains("small letters")
    );
    let page = browser
        .form("POST", "/groups", &[("name", "design"), ("members", "")])
        .await
        .expect(422)
        .text();
    assert!(
        page.contains("is taken") && page.matches("wrong\" id=").count() == 1,
        "only the form that failed says so"
    );
    browser
        .form(
            "POST",
            &path,
            &[
                ("_method", "PATCH"),
                ("name", "designers"),
                ("members", "bob@example.org"),
            ],
        )
        .await
        .expect(303);
    assert_eq!(names(&all(&ada).await[0]), ["Bob"]);
    other
        .form("POST", &path, &[("_method", "DELETE")])
        .await
        .expect(403);
    browser
        .form("POST", &path, &[("_method", "DELETE")])
        .await
        .expect(303);
    assert_eq!(all(&ada).await, json!([]));
}

#[actix_web::test]
async fn an_audience_that_is_said_another_way_keeps_those_who_are_still_in_it() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let [bob, cyd] = app.people(["Bob", "Cyd"]).await;
    for (name, members) in [
        ("pair", vec![email("Bob"), email("Cyd")]),
        ("other", vec![email("Cyd")]),
    ] {
        ada.post("/groups", json!({ "name": name, "members": members }))
            .await
            .expect(201);
    }
    let path = ada.update(json!({ "title": "x", "audience": [email("Bob"), email("Cyd")], "expectation": "acknowledge" })).await;
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    for audience in [
        json!(["@pair"]),
        json!(["@pair", "@other"]),
        json!(["everyone"]),
        json!(["@pair"]),
    ] {
        ada.patch(&path, json!({ "audience": audience }))
            .await
            .expect(200);
        let counts = ada.get(&path).await.json()["counts"].clone();
        assert_eq!(
            (&counts["recipients"], &counts["owing"]),
            (&json!(2), &json!(1)),
            "{audience}"
        );
    }
    ada.patch(&path, json!({ "audience": ["@pair", "@other"] }))
        .await
        .expect(200);
    ada.patch(&path, json!({ "audience": ["@other"] }))
        .await
        .expect(200);
    cyd.get(&path).await.expect(200);
    bob.get(&path).await.problem(404);
    // Who joins a group later sees nothing that was sent before, also after an edit; see access.rs.
    let dan = app.person("Dan").await;
    let other = ada.get("/groups").await.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["name"] == "other")
        .unwrap()["id"]
        .clone();
    ada.patch(
        &format!("/groups/{}", other.as_str().unwrap()),
        json!({ "members": [email("Cyd"), email("Dan")] }),
    )
    .await
    .expect(200);
    dan.get(&path).await.problem(404);
    ada.patch(&path, json!({ "title": "y" })).await.expect(200);
    dan.get(&path).await.problem(404);
    // Named anew, the group is asked as it is then.
    ada.patch(&path, json!({ "audience": [email("Cyd")] }))
        .await
        .expect(200);
    ada.patch(&path, json!({ "audience": ["@other"] }))
        .await
        .expect(200);
    assert_eq!(
        dan.get(&path).await.expect(200).json()["my_receipt"]["state"],
        "waiting"
    );
}
