//! Mentions: which people a comment mentions, which of them are notified, and which of them cannot see the update.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email};

/// Publishes an update by Ada for Bob. Returns Ada, Bob, Cyd and the update's path.
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

/// Creates a group with these members.
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

/// Returns the kinds of a person's notifications.
async fn kinds(app: &TestApp, name: &str) -> Vec<String> {
    app.notifications(name)
        .await
        .into_iter()
        .map(|(kind, _)| kind)
        .collect()
}

/// Returns the names of the mentioned people who, according to the comment, cannot see the update.
fn unseen(comment: &Value) -> Vec<&str> {
    comment["unseen"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| person["name"].as_str().unwrap())
        .collect()
}

/// Comments on the update and returns the comment.
async fn comment(client: &Client, update: &str, body: &str) -> Value {
    let comments = format!("{update}/comments");
    let comment = client.post(&comments, json!({ "body": body })).await;
    comment.expect(201).json()
}

#[actix_web::test]
async fn mentioned_person_gets_a_notification_about_the_mention_instead_of_the_comment() {
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
        "nobody is notified of their own comment"
    );
    let html = made["body_html"].as_str().unwrap();
    for name in ["@Ada Lovelace", "@ada", "@bob"] {
        assert!(
            html.contains(&format!("<strong class=\"mention\">{name}</strong>")),
            "{html}"
        );
    }
    bob.post(
        &at,
        json!({
            "body": "`@ada` [@ada](https://example.org) me@ada.org @adam", "kind": "question",
        }),
    )
    .await
    .expect(201);
    assert_eq!(kinds(&app, "Ada Lovelace").await, ["mention", "question"]);
}

#[actix_web::test]
async fn ambiguous_first_name_mentions_nobody() {
    let app = TestApp::start().await;
    let (_, bob, _, path) = scene(&app).await;
    app.person("Ada Byron").await;
    let made = comment(&bob, &path, "@Ada?").await;
    assert!(!made["body_html"].as_str().unwrap().contains("mention"));
    assert_eq!(kinds(&app, "Ada Lovelace").await, ["comment"]);
}

#[actix_web::test]
async fn group_mention_notifies_members_with_access_and_lists_members_without_access() {
    let app = TestApp::start().await;
    let (ada, bob, cyd, path) = scene(&app).await;
    let dan = app.person("Dan").await;
    let audience = json!({ "audience": [email("Bob Stone"), email("Dan")] });
    ada.patch(&path, audience).await.expect(200);
    app.execute("DELETE FROM notices").await;
    group(&app, "design", &[&bob, &cyd, &dan]).await;
    let made = comment(&bob, &path, "@design: thoughts?").await;
    let html = made["body_html"].as_str().unwrap();
    assert!(html.contains("<strong class=\"mention\">@design</strong>"));
    assert_eq!(
        (unseen(&made), made["unseen"][0]["id"].as_str().unwrap()),
        (vec!["Cyd"], cyd.id.as_str())
    );
    assert_eq!(kinds(&app, "Dan").await, ["mention"]);
    assert_eq!(
        (
            kinds(&app, "Bob Stone").await.len(),
            kinds(&app, "Cyd").await.len()
        ),
        (0, 0)
    );
    // The comment mentions Cyd twice, as a member of the group and by name, but lists Cyd only
    // once.
    let twice = comment(&bob, &path, "@design, and @Cyd").await;
    assert_eq!(unseen(&twice), ["Cyd"]);
    let edit = format!("/comments/{}", made["id"].as_str().unwrap());
    let edited = bob.patch(&edit, json!({ "body": "@design!" })).await;
    assert_eq!(unseen(&edited.expect(200).json()), ["Cyd"]);
    let deactivation = json!({ "active": false });
    let root = app.admin("Root").await;
    root.patch(&format!("/people/{}", cyd.id), deactivation)
        .await
        .expect(200);
    let made = comment(&bob, &path, "@design?").await;
    assert_eq!(unseen(&made), [""; 0]);
}

#[actix_web::test]
async fn commenter_is_told_that_a_mentioned_person_has_no_access_and_the_person_is_not_notified() {
    let app = TestApp::start().await;
    let (ada, bob, cyd, path) = scene(&app).await;
    let made = comment(&bob, &path, "@Cyd knows").await;
    assert_eq!(
        (unseen(&made), made["unseen"][0]["id"].as_str().unwrap()),
        (vec!["Cyd"], cyd.id.as_str())
    );
    assert_eq!(kinds(&app, "Cyd").await, [""; 0]);
    let audience = json!({ "audience": [email("Bob Stone"), email("Cyd")] });
    ada.patch(&path, audience).await.expect(200);
    let made = comment(&ada, &path, "@Cyd here you are").await;
    assert_eq!(unseen(&made), [""; 0]);
}

#[actix_web::test]
async fn page_reports_only_once_that_a_mentioned_person_has_no_access() {
    let app = TestApp::start().await;
    let (_, _, cyd, path) = scene(&app).await;
    let at = format!("{path}/comments");
    let browser = app.browser("Bob Stone").await;
    browser
        .form("POST", &at, &[("body", "@Cyd again")])
        .await
        .expect(303);
    let page = browser.get(&path).await.text();
    assert!(
        page.contains("<bdi>Cyd</bdi> can’t see this.")
            && page.contains("Ask <bdi>Ada Lovelace</bdi> to add them."),
        "{page}"
    );
    let page = browser.get(&path).await.text();
    assert!(
        !page.contains("<bdi>Cyd</bdi> can’t see this."),
        "the message is shown once"
    );
    // Ada is the author. Only the author gets a button that adds a mentioned person to the audience.
    let browser = app.browser("Ada Lovelace").await;
    browser
        .form("POST", &at, &[("body", "@Cyd indeed")])
        .await
        .expect(303);
    let page = browser.get(&path).await.text();
    let action = format!("action=\"{path}/audience/{}\"", cyd.id);
    assert!(page.contains("Add <bdi>Cyd</bdi>") && page.contains(&action));
}

#[actix_web::test]
async fn mention_on_a_workspace_update_can_notify_any_member() {
    let app = TestApp::start().await;
    let (ada, bob, _, _) = scene(&app).await;
    let path = ada
        .update(json!({ "title": "Open", "visibility": "workspace" }))
        .await;
    let made = comment(&bob, &path, "@Cyd?").await;
    assert_eq!(
        (unseen(&made), kinds(&app, "Cyd").await),
        (vec![], vec!["mention".to_owned()])
    );
    // After Ada has muted the update, a plain comment does not notify her, but a mention does.
    app.execute("DELETE FROM notices").await;
    ada.put(&format!("{path}/mute")).await.expect(204);
    bob.comment(&path, "Anyone?").await;
    assert_eq!(kinds(&app, "Ada Lovelace").await, Vec::<String>::new());
    bob.comment(&path, "@Ada?").await;
    assert_eq!(kinds(&app, "Ada Lovelace").await, ["mention"]);
}

#[actix_web::test]
async fn editing_a_comment_notifies_only_newly_mentioned_people() {
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
        app.notifications("Ada Lovelace").await,
        [("mention".to_owned(), id.clone())],
        "the mention replaces the earlier notification"
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
        "a person who was mentioned before is not notified again"
    );
    bob.delete(&format!("/comments/{id}")).await.expect(204);
    assert_eq!(kinds(&app, "Ada Lovelace").await, Vec::<String>::new());
}

#[actix_web::test]
async fn mentions_by_guests_have_no_effect() {
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
async fn mentions_beyond_the_first_hundred_are_ignored_and_html_in_names_is_escaped() {
    let app = TestApp::start().await;
    let (_, bob, _, path) = scene(&app).await;
    let body = format!(
        "{}<strong class=\"mention\" onclick=x>@nobody</strong> @Ada<script>",
        "@a ".repeat(3_000)
    );
    let html = comment(&bob, &path, &body).await["body_html"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        !html.contains("<script") && !html.contains("<strong"),
        "names after the first hundred are ignored"
    );
    // HTML in a person's name is escaped.
    app.person("<b>Eve").await;
    let html = comment(&bob, &path, "@<b>Eve").await["body_html"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(!html.contains("<b>"), "{html}");
}

#[actix_web::test]
async fn removing_a_mention_with_an_edit_withdraws_its_notification() {
    let app = TestApp::start().await;
    let (ada, bob, _, path) = scene(&app).await;
    let by_ada = ada.comment(&path, "@Bob Stone, look").await;
    let by_bob = bob.comment(&path, "@Ada Lovelace, look").await;
    assert_eq!(kinds(&app, "Bob Stone").await, ["mention"]);
    assert_eq!(kinds(&app, "Ada Lovelace").await, ["mention"]);
    let body = json!({ "body": "look" });
    for (client, id) in [(&ada, by_ada), (&bob, by_bob)] {
        let comment = format!("/comments/{id}");
        client.patch(&comment, body.clone()).await.expect(200);
    }
    assert_eq!(kinds(&app, "Bob Stone").await, Vec::<String>::new());
    let said = bob.get("/inbox").await.json()["said_to_me"].clone();
    assert_eq!(said, json!([]));
    // Authors are notified of every comment on their updates.
    assert_eq!(kinds(&app, "Ada Lovelace").await, ["comment"]);
    let said = ada.get("/inbox").await.json()["said_to_me"].clone();
    assert_eq!(said[0]["why"], "comments");
}
