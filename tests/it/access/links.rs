//! Share links of deactivated people do not work. Admins can list and revoke all links.

use hearback::error::Error;
use hearback::links;
use hearback::people::{self, Viewer};
use serde_json::{Value, json};

use super::{open_stream, picture_url, publish_picture, wait_for_end};
use crate::app::{Client, TestApp, array, text, update_path};

/// Publishes an update with a picture and shares it. Returns its path and the link's id and token.
async fn publish_shared(author: &Client) -> (String, String, String) {
    let path = update_path(&publish_picture(author, &[("title", "Plan")]).await);
    let (link, token) = author.share(&path, true).await;
    (path, link, token)
}

async fn set_active(admin: &Client, person: &Client, active: bool) {
    admin
        .patch(
            &format!("/people/{}", person.id),
            json!({ "active": active }),
        )
        .await
        .expect(200);
}

/// A share link with one browser and one API client that use it.
struct Shared<'a> {
    app: &'a TestApp,
    path: String,
    token: String,
    /// A browser that has the link's cookie.
    guest: Client,
    /// An API client that sends the link's token.
    program: Client,
    picture: String,
}

impl<'a> Shared<'a> {
    async fn open(app: &'a TestApp, path: String, token: String) -> Self {
        let browser = app.client().accept("text/html");
        browser.get(&format!("/s/{token}")).await.expect(200);
        let guest = browser.accept("application/json");
        let picture = picture_url(&guest, &path).await;
        app.client().get(&picture).await.expect(200);
        Self {
            app,
            program: app.client().bearer(&token),
            path,
            token,
            guest,
            picture,
        }
    }

    /// Asserts that the server treats the link as if it had never existed, and that its clients
    /// have no access.
    async fn assert_closed(&self) {
        let (app, path) = (self.app, &self.path);
        let missing = app.client().get("/s/nothing").await.problem(404);
        let address = format!("/s/{}", self.token);
        let refused = app.client().get(&address).await.problem(404);
        assert_eq!(
            (&refused["title"], &refused["detail"]),
            (&missing["title"], &missing["detail"])
        );
        let browser = app.client().accept("text/html");
        let page = browser.get(&address).await.expect(404).text();
        assert!(page.contains("This link no longer works."));
        self.guest.get(path).await.problem(401);
        self.program.get(path).await.problem(401);
        app.client().get(&self.picture).await.problem(404);
        for client in [&self.guest, &self.program] {
            let comment = json!({ "body": "x", "name": "Gus" });
            client
                .post(&format!("{path}/comments"), comment)
                .await
                .problem(401);
        }
    }
}

#[actix_web::test]
async fn share_links_of_a_person_are_revoked_permanently_when_the_person_is_deactivated() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let root = app.admin("Root").await;
    let (path, _, token) = publish_shared(&ada).await;
    let (other, _, others) = publish_shared(&bob).await;
    let shared = Shared::open(&app, path, token).await;
    let streams = [
        open_stream(&shared.program, &shared.path).await,
        open_stream(&shared.guest, &shared.path).await,
    ];

    set_active(&root, &ada, false).await;
    shared.assert_closed().await;
    for stream in streams {
        wait_for_end(stream).await;
    }
    app.client().bearer(&others).get(&other).await.expect(200);
    // Like sessions and tokens, share links remain revoked after the account is activated again.
    set_active(&root, &ada, true).await;
    shared.assert_closed().await;
}

#[actix_web::test]
async fn share_links_stop_working_when_their_author_is_deactivated_directly_in_the_database() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let (path, _, token) = publish_shared(&ada).await;
    app.execute("UPDATE people SET deactivated_at = 1").await;
    app.client().get(&format!("/s/{token}")).await.problem(404);
    app.client().bearer(&token).get(&path).await.problem(401);
}

#[actix_web::test]
async fn only_admins_can_list_all_share_links_and_the_newest_is_first() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let root = app.admin("Root").await;
    let (path, first, token) = publish_shared(&ada).await;
    let (second, _) = bob.share(&publish_shared(&bob).await.0, false).await;
    for other in [&ada, &bob] {
        other.get("/links").await.problem(403);
    }
    let page = root.get("/links?limit=2").await.expect(200).json();
    assert_eq!(page["items"][0]["id"], json!(second));
    let next = format!("/links?limit=2&after={}", text(&page["next"]));
    let rest = root.get(&next).await.expect(200).json();
    let link = &rest["items"][0];
    assert_eq!(
        (&link["id"], &rest["next"], array(&rest["items"]).len()),
        (&json!(first), &Value::Null, 1)
    );
    assert_eq!(
        (&link["update"]["title"], &link["author"]["name"]),
        (&json!("Plan"), &json!("Ada"))
    );
    assert!(text(&link["update"]["url"]).ends_with(&path));
    let fields = ["name", "state", "expires_at", "opens", "last_opened_at"];
    assert_eq!(
        fields.map(|field| link[field].clone()),
        [
            json!("For the board"),
            json!("open"),
            Value::Null,
            json!(0),
            Value::Null
        ]
    );
    assert!(link["created_at"].is_string() && !rest.to_string().contains(&token));
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "after=rubbish",
        "colour=red",
    ] {
        root.get(&format!("/links?{query}")).await.problem(422);
    }
}

/// Returns the oldest link, which is the last one in the list of all links.
async fn oldest_link(admin: &Client) -> Value {
    let list = admin.get("/links").await.expect(200).json();
    array(&list["items"]).last().unwrap().clone()
}

#[actix_web::test]
async fn list_of_share_links_shows_how_often_each_was_opened_and_the_state_of_its_update() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let root = app.admin("Root").await;
    let (path, _, token) = publish_shared(&ada).await;
    // Only the page's own report counts as an opening. Fetching the page does not, because link previews fetch it
    // too.
    app.client().get(&format!("/s/{token}")).await.expect(200);
    app.client()
        .bearer(&token)
        .put(&format!("{path}/opening"))
        .await
        .expect(204);
    assert_eq!(oldest_link(&root).await["opens"], 1);
    assert!(oldest_link(&root).await["last_opened_at"].is_string());
    ada.delete(&path).await.expect(204);
    assert_eq!(oldest_link(&root).await["state"], "unpublished");
    ada.put(&format!("{path}/restoration")).await.expect(200);
}

#[actix_web::test]
async fn admin_can_revoke_a_share_link_to_an_update_that_the_admin_cannot_open() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let root = app.admin("Root").await;
    let (path, first, token) = publish_shared(&ada).await;
    let (second, _) = bob.share(&publish_shared(&bob).await.0, false).await;
    bob.delete(&format!("/links/{first}")).await.problem(404);
    root.get(&path).await.problem(404);
    assert_revocation_by_form(&app, &first, &path).await;
    app.client().get(&format!("/s/{token}")).await.problem(404);
    assert_eq!(oldest_link(&root).await["state"], "revoked");
    root.delete(&format!("/links/{second}")).await.expect(204);
    root.delete(&format!("/links/{second}")).await.expect(204);
}

/// Revokes the link with the form in the list of all links. Checks who can see this list and where the form
/// redirects.
async fn assert_revocation_by_form(app: &TestApp, link: &str, path: &str) {
    let (address, revoke) = (format!("/links/{link}"), [("_method", "DELETE")]);
    let browser = app.browser("Root").await;
    let people = browser.get("/people").await.text();
    assert!(people.contains("href=\"/links\""));
    let people = app.browser("Ada").await.get("/people").await.text();
    assert!(!people.contains("href=\"/links\""));
    let links = browser.get("/links").await.expect(200).text();
    assert!(links.contains(&format!("action=\"{address}\"")));
    let referer = format!("{}/links", app.base);
    let revoked = browser
        .header("referer", &referer)
        .form("POST", &address, &revoke)
        .await
        .expect(303);
    assert_eq!(revoked.header("location"), "/links");
    // Without a Referer header, an admin is redirected to the list of links, and the author to the update.
    for (browser, leads_to) in [
        (app.browser("Root").await, "/links"),
        (app.browser("Ada").await, path),
    ] {
        let revoked = browser.form("POST", &address, &revoke).await.expect(303);
        assert_eq!(revoked.header("location"), leads_to);
        browser.get(leads_to).await.expect(200);
    }
}

#[actix_web::test]
async fn person_deactivated_during_a_request_cannot_create_credentials() {
    let app = TestApp::start().await;
    let (ada, root) = (app.person("Ada").await, app.admin("Root").await);
    let (path, ..) = publish_shared(&ada).await;
    // Simulate a request that the server authenticated before the deactivation.
    let token = ada.authorization().trim_start_matches("Bearer ");
    let viewer = people::viewer_by_token(&app.state.db, &app.state.clock, token)
        .await
        .unwrap()
        .unwrap();
    set_active(&root, &ada, false).await;
    let (update, viewer) = (path.trim_start_matches("/updates/"), Viewer::Person(viewer));
    let mut tx = app.state.db.begin().await.unwrap();
    let refused = [
        links::create(&mut tx, &app.state.clock, &viewer, update, "Late", false)
            .await
            .map(drop),
        people::create_token(&mut tx, &app.state.clock, &ada.id, "late")
            .await
            .map(drop),
        people::open_session(&mut tx, &app.state.clock, &ada.id, "late")
            .await
            .map(drop),
    ];
    for refusal in refused {
        assert!(
            matches!(refusal, Err(Error::Unauthenticated)),
            "{refusal:?}"
        );
    }
}
