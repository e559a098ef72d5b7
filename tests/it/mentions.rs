//! Mentions: whom a comment names, who hears of it, and who cannot see what they are named on.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email};

async fn scene(app: &TestApp) -> (Client, Client, Client, String) {
    let (ada, bob, cyd) = (
        app.person("Ada Lovelace").await,
        app.person("Bob Stone").await,
        app.person("Cyd").await,
    );
    let path = ada
        .update(json!({ "title": "Look", "audience": [email("Bob Stone")] }))
        .await;
    app.execute("DELETE FROM notices").await;
    (ada, bob, cyd, path)
}

async fn group(app: &TestApp, name: &str, members: &[&Client]) {
    let mut tx = app.state.db.begin().await.unwrap();
    sqlx::query("INSERT INTO groups (id, name, made_by, created_at) VALUES ($1, $1, $2, 1)")
        .bind(name)
        .bind(&members[0].id)
        .execute(&mut *tx)
        .await
        .unwrap();
    for member in members {
        sqlx::query("INSERT INTO group_members (group_id, person_id) VALUES ($1, $2)")
            .bind(name)
            .bind(&member.id)
            .execute(&mut *tx)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

async fn kinds(app: &TestApp, name: &str) -> Vec<String> {
    app.told(name)
        .await
        .into_iter()
        .map(|(kind, _)| kind)
        .collect()
}

fn unseen(answer: &Value) -> Vec<&str> {
    answer["unseen"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| person["name"].as_str().unwrap())
        .collect()
}

#[actix_web::test]
async fn who_is_named_is_told_of_that_and_of_nothing_less() {
    let app = TestApp::start().await;
    let (_, bob, _, path) = scene(&app).await;
    let at = format!("{path}/comments");
    let made = bob
        .post(
            &at,
            json!({ "body": "@Ada Lovelace and @ada, look; @bob too" }),
        )
        .await
        .expect(201)
        .json();
    assert_eq!(unseen(&made), Vec::<&str>::new());
    assert_eq!(kinds(&app, "Ada Lovelace").await, ["mention"]);
    assert_eq!(
        kinds(&app, "Bob Stone").await,
        Vec::<String>::new(),
        "nobody is told of their own doing"
    );
    let html = made["body_html"].as_str().unwrap();
    for name in ["@Ada Lovelace", "@ada", "@bob"] {
        assert!(
            html.contains(&format!("<strong class=\"mention\">{name}</strong>")),
            "{html}"
        );
    }
    bob.post(&at, json!({ "body": "`@ada` [@ada](https://example.org) me@ada.org @adam", "kind": "question" })).await.expect(201);
    assert_eq!(kinds(&app, "Ada Lovelace").await, ["mention", "question"]);
}

#[actix_web::test]
async fn a_first_name_of_two_people_names_neither() {
    let app = TestApp::start().await;
    let (_, bob, _, path) = scene(&app).await;
    app.person("Ada Byron").await;
    let made = bob
        .post(&format!("{path}/comments"), json!({ "body": "@Ada?" }))
        .await
        .expect(201)
        .json();
    assert!(!made["body_html"].as_str().unwrap().contains("mention"));
    assert_eq!(kinds(&app, "Ada Lovelace").await, ["comment"]);
}

#[actix_web::test]
async fn a_group_names_its_people_and_those_who_cannot_see_it_are_unseen() {
    let app = TestApp::start().await;
    let (ada, bob, cyd, path) = scene(&app).await;
    let dan = app.person("Dan").await;
    ada.patch(
        &path,
        json!({ "audience": [email("Bob Stone"), email("Dan")] }),
    )
    .await
    .expect(200);
    app.execute("DELETE FROM notices").await;
    group(&app, "design", &[&bob, &cyd, &dan]).await;
    let made = bob
        .post(
            &format!("{path}/comments"),
            json!({ "body": "@design: thoughts?" }),
        )
        .await
        .expect(201)
        .json();
    assert!(
        made["body_html"]
            .as_str()
            .unwrap()
            .contains("<strong class=\"mention\">@design</strong>")
    );
    assert_eq!(
        (unseen(&made), made["unseen"][0]["id"].as_str().unwrap()),
        (vec!["Cyd"], cyd.id.as_str())
    );
    assert_eq!(
        (
            kinds(&app, "Dan").await,
            kinds(&app, "Bob Stone").await.len(),
            kinds(&app, "Cyd").await.len()
        ),
        (vec!["mention".to_owned()], 0, 0)
    );
    // Named twice she is in it once; who is deactivated is not in it.
    let twice = bob
        .post(
            &format!("{path}/comments"),
            json!({ "body": "@design, and @Cyd" }),
        )
        .await
        .expect(201)
        .json();
    assert_eq!(unseen(&twice), ["Cyd"]);
    let edited = bob
        .patch(
            &format!("/comments/{}", made["id"].as_str().unwrap()),
            json!({ "body": "@design!" }),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(unseen(&edited), ["Cyd"]);
    let root = app.admin("Root").await;
    root.patch(&format!("/people/{}", cyd.id), json!({ "active": false }))
        .await
        .expect(200);
    assert_eq!(
        unseen(
            &bob.post(&format!("{path}/comments"), json!({ "body": "@design?" }))
                .await
                .expect(201)
                .json()
        ),
        Vec::<&str>::new()
    );
}

#[actix_web::test]
async fn who_cannot_see_it_is_not_told_and_said_to_who_named_them() {
    let app = TestApp::start().await;
    let (ada, bob, cyd, path) = scene(&app).await;
    let at = format!("{path}/comments");
    let made = bob
        .post(&at, json!({ "body": "@Cyd knows" }))
        .await
        .expect(201)
        .json();
    assert_eq!(
        (unseen(&made), made["unseen"][0]["id"].as_str().unwrap()),
        (vec!["Cyd"], cyd.id.as_str())
    );
    assert_eq!(kinds(&app, "Cyd").await, Vec::<String>::new());
    // On the page it is said, with the way to add them for the author alone.
    let browser = app.browser("Bob Stone").await;
    browser
        .form("POST", &at, &[("body", "@Cyd again")])
        .await
        .expect(303);
    let page = browser.get(&path).await.text();
    assert!(
        page.contains("Cyd cannot see this.") && page.contains("Ask Ada Lovelace to add them."),
        "{page}"
    );
    assert!(
        !browser
            .get(&path)
            .await
            .text()
            .contains("Cyd cannot see this."),
        "said once"
    );
    let browser = app.browser("Ada Lovelace").await;
    browser
        .form("POST", &at, &[("body", "@Cyd indeed")])
        .await
        .expect(303);
    let page = browser.get(&path).await.text();
    assert!(
        page.contains("Add Cyd")
            && page.contains(&format!("action=\"{path}/audience/{}\"", cyd.id))
    );
    ada.patch(
        &path,
        json!({ "audience": [email("Bob Stone"), email("Cyd")] }),
    )
    .await
    .expect(200);
    assert_eq!(
        unseen(
            &ada.post(&at, json!({ "body": "@Cyd here you are" }))
                .await
                .expect(201)
                .json()
        ),
        Vec::<&str>::new()
    );
}

#[actix_web::test]
async fn what_is_open_to_all_is_seen_by_all_who_are_named() {
    let app = TestApp::start().await;
    let (ada, bob, _, _) = scene(&app).await;
    let path = ada
        .update(json!({ "title": "Open", "visibility": "workspace" }))
        .await;
    let made = bob
        .post(&format!("{path}/comments"), json!({ "body": "@Cyd?" }))
        .await
        .expect(201)
        .json();
    assert_eq!(
        (unseen(&made), kinds(&app, "Cyd").await),
        (vec![], vec!["mention".to_owned()])
    );
    // Muted, it still tells who is named, and nothing less.
    app.execute("DELETE FROM notices").await;
    let mut tx = app.state.db.begin().await.unwrap();
    hearback::notifications::mute(
        &mut tx,
        &app.state.clock,
        &ada.id,
        path.trim_start_matches("/updates/"),
        true,
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    bob.comment(&path, "Anyone?").await;
    assert_eq!(kinds(&app, "Ada Lovelace").await, Vec::<String>::new());
    bob.comment(&path, "@Ada?").await;
    assert_eq!(kinds(&app, "Ada Lovelace").await, ["mention"]);
}

#[actix_web::test]
async fn an_edit_tells_those_who_are_named_only_now() {
    let app = TestApp::start().await;
    let (ada, bob, _, path) = scene(&app).await;
    let id = bob.comment(&path, "Look").await;
    assert_eq!(kinds(&app, "Ada Lovelace").await, ["comment"]);
    ada.put(&format!("{path}/opening")).await.expect(204);
    let edited = bob
        .patch(
            &format!("/comments/{id}"),
            json!({ "body": "Look, @Ada and @Cyd" }),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(unseen(&edited), ["Cyd"]);
    assert_eq!(
        app.told("Ada Lovelace").await,
        [("mention".to_owned(), id.clone())],
        "instead of what she was told before"
    );
    app.execute("UPDATE notices SET read_at = 1").await;
    bob.patch(
        &format!("/comments/{id}"),
        json!({ "body": "Look again, @Ada" }),
    )
    .await
    .expect(200);
    assert_eq!(
        app.count("SELECT count(*) FROM notices WHERE read_at IS NULL")
            .await,
        0,
        "who was named before is not told again"
    );
    bob.delete(&format!("/comments/{id}")).await.expect(204);
    assert_eq!(kinds(&app, "Ada Lovelace").await, Vec::<String>::new());
}

#[actix_web::test]
async fn guests_name_nobody_and_learn_nobody() {
    let app = TestApp::start().await;
    let (ada, _, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    let made = app
        .client()
        .bearer(&token)
        .post(
            &format!("{path}/comments"),
            json!({ "body": "@Cyd @Ada", "name": "Gwen" }),
        )
        .await;
    let made = made.expect(201).json();
    assert_eq!(
        (
            unseen(&made),
            made["body_html"].as_str().unwrap().contains("mention")
        ),
        (vec![], false)
    );
    assert_eq!(kinds(&app, "Ada Lovelace").await, ["comment"]);
}

#[actix_web::test]
async fn thousands_of_names_cost_little_and_markup_stays_safe() {
    let app = TestApp::start().await;
    let (_, bob, _, path) = scene(&app).await;
    let body = format!(
        "{}<strong class=\"mention\" onclick=x>@nobody</strong> @Ada<script>",
        "@a ".repeat(3_000)
    );
    let html = bob
        .post(&format!("{path}/comments"), json!({ "body": body }))
        .await
        .expect(201)
        .json()["body_html"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        !html.contains("<script") && !html.contains("<strong"),
        "beyond the first hundred nobody is looked for"
    );
    // A name that is markup is only a name.
    app.person("<b>Eve").await;
    let html = bob
        .post(&format!("{path}/comments"), json!({ "body": "@<b>Eve" }))
        .await
        .expect(201)
        .json()["body_html"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(!html.contains("<b>"), "{html}");
}
