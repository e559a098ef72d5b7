//! Permissions: the status of every route for every kind of reader.

mod table;
mod world;

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};

use self::table::WHO;
pub use self::table::{TABLE, destroys};
pub use self::world::World;
use self::world::{fill, id};
use crate::app::{Client, Response, TestApp, email, fixture};

/// Requests that can be sent only once per [`World`], because they fail when repeated or invalidate
/// one of its addresses.
const ONCE: [(&str, &str); 2] = [("POST", "/groups"), ("POST", "/people/{id}/reset")];

/// Adds the headers of a tus request without content.
pub fn tus_headers(request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    let request = request
        .header("tus-resumable", "1.0.0")
        .header("upload-offset", "0")
        .header("upload-defer-length", "1");
    request.header("content-type", "application/offset+octet-stream")
}

/// Sends the request in a row of the permission table. Returns the status. For a client error, also returns the problem
/// document without its request id. Does not read the bodies of event streams, because these have no end.
async fn send(client: &Client, method: &str, address: &str, body: &str) -> (StatusCode, Value) {
    if method.ends_with('+') {
        let files = [("media", "a.png", fixture("alpha.png"))];
        let response = client.upload(address, &[], &files).await;
        return (response.status, problem(method, &response));
    }
    let mut request = client.request(method.trim_end_matches('~'), address);
    if method.ends_with('~') {
        request = tus_headers(request);
    }
    if !body.is_empty() {
        request = request
            .header("content-type", "application/json")
            .body(body.to_owned());
    }
    let response = request.send().await.unwrap();
    if response.status().is_success() || response.status().is_redirection() {
        return (response.status(), Value::Null);
    }
    let response = Response::read(response).await;
    (response.status, problem(method, &response))
}

/// Returns the problem document of a client error without its request id. Returns null for other responses and for
/// HEAD, which has no body.
fn problem(method: &str, response: &Response) -> Value {
    if !response.status.is_client_error() || method.starts_with("HEAD") {
        return Value::Null;
    }
    let mut problem = response.problem(response.status.as_u16());
    problem.as_object_mut().unwrap().remove("instance");
    problem
}

/// The readers that all worlds share. Guests are not among them, because each [`World`] has its own share links.
struct Readers {
    app: TestApp,
    author: Client,
    recipient: Client,
    member: Client,
    admin: Client,
    deactivated: Client,
    revoked_token: Client,
}

impl Readers {
    async fn new(app: TestApp) -> Self {
        let (member, admin) = (app.person("Eve").await, app.admin("Root").await);
        let deactivated = app.person("Gone").await;
        let deactivation = json!({ "active": false });
        admin
            .patch(&format!("/people/{}", deactivated.id), deactivation)
            .await
            .expect(200);
        let token = member.post("/tokens", json!({ "name": "old" })).await;
        let token = token.expect(201).json();
        member
            .delete(&format!("/tokens/{}", id(&token)))
            .await
            .expect(204);
        Self {
            author: app.person("Ada").await,
            recipient: app.person("Bob").await,
            revoked_token: app.client().bearer(token["token"].as_str().unwrap()),
            member,
            admin,
            deactivated,
            app,
        }
    }

    async fn world(&self) -> World {
        World::new(&self.author, &self.recipient, &self.admin, &self.member).await
    }

    /// Returns the client for a column of the table.
    fn client(&self, column: usize, world: &World) -> Client {
        match WHO[column] {
            "nobody" => self.app.client(),
            "another member" => self.member.clone(),
            "a recipient" => self.recipient.clone(),
            "the author" => self.author.clone(),
            "an admin" => self.admin.clone(),
            "a deactivated person" => self.deactivated.clone(),
            "a revoked token" => self.revoked_token.clone(),
            _ => self.app.client().bearer(&world.guests[column - 5]),
        }
    }
}

#[actix_web::test]
async fn every_route_returns_the_status_in_the_permission_table_and_hides_forbidden_objects() {
    let readers = Readers::new(TestApp::start().await).await;
    let mut wrong = Vec::new();
    let mut world = readers.world().await;
    for (method, pattern, body, statuses) in TABLE {
        for (column, who) in WHO.iter().enumerate() {
            let client = readers.client(column, &world);
            let address = world.address(method, pattern);
            let (status, refusal) = send(&client, method, &address, body).await;
            if status.as_u16() != statuses[column] {
                wrong.push(format!(
                    "{method} {pattern} as {who}: {status} instead of {}: {refusal}",
                    statuses[column]
                ));
            }
            if status == StatusCode::NOT_FOUND {
                let address = fill(pattern, "00000000000000000000000000", "x", "x");
                let missing = send(&client, method, &address, body).await;
                if missing != (status, refusal) {
                    wrong.push(format!(
                        "{method} {pattern} as {who} distinguishes forbidden from missing: \
                         {missing:?}"
                    ));
                }
            }
            if status.is_success()
                && (destroys(method, pattern) || ONCE.contains(&(*method, *pattern)))
            {
                world = readers.world().await;
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[actix_web::test]
async fn repeated_delete_returns_the_same_status() {
    let readers = Readers::new(TestApp::start().await).await;
    for (method, pattern, body, statuses) in TABLE {
        if !method.starts_with("DELETE") {
            continue;
        }
        let succeeds = |column: &usize| (200..300).contains(&statuses[*column]);
        let Some(column) = (3..5).chain(1..3).find(succeeds) else {
            continue;
        };
        let world = readers.world().await;
        let client = readers.client(column, &world);
        let address = world.address(method, pattern);
        for attempt in ["first", "second"] {
            let (status, refusal) = send(&client, method, &address, body).await;
            let problem = format!("{attempt} {method} {pattern}: {refusal}");
            assert_eq!(status.as_u16(), statuses[column], "{problem}");
        }
    }
}

#[test]
fn permission_table_lists_every_route() {
    let text =
        std::fs::read_to_string(format!("{}/src/web.rs", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut routed = BTreeSet::new();
    for part in text.split("resource(\"").skip(1) {
        let (address, rest) = part.split_once('"').unwrap();
        for method in ["get", "post", "put", "patch", "delete", "head"] {
            if rest.contains(&format!("({method}().to("))
                || rest.contains(&format!("::{method}().to("))
            {
                routed.insert(format!("{} {address}", method.to_uppercase()));
            }
        }
    }
    let listed: BTreeSet<String> = TABLE
        .iter()
        .map(|(method, address, ..)| format!("{} {address}", method.trim_end_matches(['+', '~'])))
        .collect();
    assert_eq!(
        routed.symmetric_difference(&listed).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

#[actix_web::test]
async fn guest_with_a_cookie_cannot_distinguish_forbidden_from_missing_objects() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let update = |title: &str| json!({ "title": title, "audience": [email("Bob")] });
    let path = ada.update(update("For Bob")).await;
    let other = ada.update(update("Another")).await;
    let picture = ("pictures", "a.png", fixture("alpha.png"));
    let comment = bob
        .upload(
            &format!("{path}/comments"),
            &[("body", "Team only")],
            &[picture],
        )
        .await
        .expect(201)
        .json();
    let (_, token) = ada.share(&path, true).await;
    let guest = app.client().header("sec-fetch-site", "same-origin");
    guest.get(&format!("/s/{token}")).await.expect(200);
    guest.get(&path).await.expect(200);

    let missing = "00000000000000000000000000";
    for (kind, hidden) in [
        ("comments", id(&comment)),
        ("media", id(&comment["pictures"][0])),
        ("updates", other.trim_start_matches("/updates/").into()),
    ] {
        let strip = |answer: Response| {
            let mut problem = answer.json();
            problem.as_object_mut().unwrap().remove("instance");
            problem
        };
        let (one, two) = (
            guest.get(&format!("/{kind}/{hidden}")).await,
            guest.get(&format!("/{kind}/{missing}")).await,
        );
        assert_eq!(strip(one), strip(two), "{kind}");
    }
}

#[actix_web::test]
async fn deactivating_a_person_ends_all_of_their_access_immediately() {
    let app = TestApp::start().await;
    let (ada, bob, admin) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.admin("Root").await,
    );
    let fields = [("title", "For Bob"), ("audience", &email("Bob"))];
    let files = [("media", "a.png", fixture("alpha.png"))];
    let made = ada.upload("/updates", &fields, &files).await;
    let path = format!("/updates/{}", id(&made.expect(201).json()));
    let browser = app.browser("Bob").await.accept("application/json");
    let seen = browser.get(&path).await.expect(200).json();
    let picture = seen["media"][0]["renditions"][0]["url"].as_str().unwrap();
    app.client().get(picture).await.expect(200);

    let set_active = async |active: bool| {
        let change = json!({ "active": active });
        admin.patch(&format!("/people/{}", bob.id), change).await
    };
    set_active(false).await.expect(200);
    browser.get("/me").await.problem(401);
    bob.get("/me").await.problem(401);
    app.client().get(picture).await.problem(404);
    let credentials = json!({ "email": email("Bob"), "password": crate::app::PASSWORD });
    app.client()
        .post("/session", credentials)
        .await
        .problem(422);
    set_active(true).await.expect(200);
    browser.get("/me").await.problem(401);
    bob.get("/me").await.problem(401);
    app.browser("Bob").await;
}

#[actix_web::test]
async fn open_streams_end_when_access_is_revoked() {
    let app = TestApp::start().await;
    let (ada, bob, admin) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.admin("Root").await,
    );
    let path = ada
        .update(json!({ "title": "For Bob", "audience": [email("Bob")] }))
        .await;
    let (link, token) = ada.share(&path, false).await;
    let streams = [
        bob.request("GET", "/inbox/live").send().await.unwrap(),
        bob.request("GET", &format!("{path}/live"))
            .send()
            .await
            .unwrap(),
        app.client()
            .bearer(&token)
            .request("GET", &format!("{path}/live"))
            .send()
            .await
            .unwrap(),
    ];
    admin
        .patch(&format!("/people/{}", bob.id), json!({ "active": false }))
        .await
        .expect(200);
    ada.delete(&format!("/links/{link}")).await.expect(204);
    ada.comment(&path, "Among ourselves").await;
    for stream in streams {
        let events = tokio::time::timeout(std::time::Duration::from_secs(60), stream.text())
            .await
            .expect("the stream did not end")
            .unwrap();
        assert!(!events.contains("event: comment"), "{events}");
    }
}
