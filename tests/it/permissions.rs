//! Permissions: the status of every route for every kind of reader.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp, email, fixture};

/// The readers, in the order of the table's columns.
const WHO: [&str; 10] = [
    "nobody",
    "another member",
    "a recipient",
    "the author",
    "an admin",
    "a guest who may look",
    "a guest who may comment",
    "a revoked link",
    "a deactivated person",
    "a revoked token",
];

/// Method, route, body, and the status for each of [`WHO`]. `+` after a method sends a file, `~` adds the headers of tus.
#[rustfmt::skip]
pub const TABLE: &[(&str, &str, &str, [u16; 10])] = &[
    //                                                                 nobody mem  rec  aut  adm  look talk revo deac revo
    ("GET",    "/",                                    "",             [401, 303, 303, 303, 303, 401, 401, 401, 401, 401]),
    ("GET",    "/healthz",                             "",             [200, 200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET",    "/readyz",                              "",             [200, 200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET",    "/metrics",                             "",             [404, 404, 404, 404, 404, 404, 404, 404, 404, 404]),
    ("GET",    "/openapi.json",                        "",             [200, 200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET",    "/robots.txt",                          "",             [200, 200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET",    "/assets/{name}",                       "",             [404, 404, 404, 404, 404, 404, 404, 404, 404, 404]),
    ("GET",    "/favicon.ico",                         "",             [302, 302, 302, 302, 302, 302, 302, 302, 302, 302]),
    ("GET",    "/setup",                               "",             [404, 404, 404, 404, 404, 404, 404, 401, 401, 401]),
    ("POST",   "/setup",                               "{}",           [404, 404, 404, 404, 404, 404, 404, 401, 401, 401]),
    ("GET",    "/session",                             "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("POST",   "/session",                             "{}",           [422, 422, 422, 422, 422, 422, 422, 401, 401, 401]),
    ("DELETE", "/session",                             "",             [204, 204, 204, 204, 204, 204, 204, 401, 401, 401]),
    ("GET",    "/sessions",                            "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("DELETE", "/sessions/{id}",                       "",             [401, 204, 204, 204, 204, 401, 401, 401, 401, 401]),
    ("GET",    "/tokens",                              "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("POST",   "/tokens",                              r#"{"name":"t"}"#, [401, 201, 201, 201, 201, 401, 401, 401, 401, 401]),
    ("DELETE", "/tokens/{id}",                         "",             [401, 204, 204, 204, 204, 401, 401, 401, 401, 401]),
    ("GET",    "/me",                                  "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("PATCH",  "/me",                                  "{}",           [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("PUT",    "/me/password",                         "{}",           [401, 422, 422, 422, 422, 401, 401, 401, 401, 401]),
    ("GET",    "/people",                              "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("PATCH",  "/people/{id}",                         "{}",           [401, 403, 403, 403, 200, 401, 401, 401, 401, 401]),
    ("POST",   "/people/{id}/reset",                   "",             [401, 403, 403, 403, 201, 401, 401, 401, 401, 401]),
    ("GET",    "/invitations",                         "",             [401, 403, 403, 403, 200, 401, 401, 401, 401, 401]),
    ("POST",   "/invitations",                         r#"{"emails":["x@example.org"]}"#, [401, 403, 403, 403, 201, 401, 401, 401, 401, 401]),
    ("GET",    "/invitations/{id}",                    "",             [200, 200, 200, 200, 200, 200, 200, 401, 401, 401]),
    ("POST",   "/invitations/{id}",                    "{}",           [422, 422, 422, 422, 422, 422, 422, 401, 401, 401]),
    ("DELETE", "/invitations/{id}",                    "",             [401, 403, 403, 403, 204, 401, 401, 401, 401, 401]),
    ("GET",    "/resets/{token}",                      "",             [200, 200, 200, 200, 200, 200, 200, 401, 401, 401]),
    ("POST",   "/resets/{token}",                      "{}",           [422, 422, 422, 422, 422, 422, 422, 401, 401, 401]),
    ("GET",    "/groups",                              "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("POST",   "/groups",                              r#"{"name":"g"}"#, [401, 201, 201, 201, 201, 401, 401, 401, 401, 401]),
    ("PATCH",  "/groups/{id}",                         "{}",           [401, 403, 403, 200, 200, 401, 401, 401, 401, 401]),
    ("DELETE", "/groups/{id}",                         "",             [401, 403, 403, 204, 204, 401, 401, 401, 401, 401]),
    // Members can leave. The person who made the group and admins can remove members.
    ("DELETE", "/groups/{id}/members/{person}",        "",             [401, 403, 204, 204, 204, 401, 401, 401, 401, 401]),
    ("GET",    "/workspace",                           "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("PATCH",  "/workspace",                           "{}",           [401, 403, 403, 403, 200, 401, 401, 401, 401, 401]),
    // Only the token gives access. This one is invalid.
    ("GET",    "/unsubscribe/{token}",                 "",             [404, 404, 404, 404, 404, 404, 404, 401, 401, 401]),
    ("POST",   "/unsubscribe/{token}",                 "",             [404, 404, 404, 404, 404, 404, 404, 401, 401, 401]),
    ("GET",    "/updates",                             "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("POST",   "/updates",                             r#"{"title":"t"}"#, [401, 201, 201, 201, 201, 401, 401, 401, 401, 401]),
    ("GET",    "/updates/new",                         "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("GET",    "/updates/{id}",                        "",             [401, 404, 200, 200, 404, 200, 200, 401, 401, 401]),
    ("PATCH",  "/updates/{id}",                        "{}",           [401, 404, 403, 200, 404, 401, 401, 401, 401, 401]),
    ("DELETE", "/updates/{id}",                        "",             [401, 404, 403, 204, 404, 401, 401, 401, 401, 401]),
    ("GET",    "/updates/{id}/edit",                   "",             [401, 404, 403, 200, 404, 403, 403, 401, 401, 401]),
    ("PUT",    "/updates/{id}/restoration",            "",             [401, 404, 403, 200, 404, 401, 401, 401, 401, 401]),
    ("PUT",    "/updates/{id}/publication",            "",             [401, 404, 403, 200, 404, 401, 401, 401, 401, 401]),
    ("DELETE", "/updates/{id}/publication",            "",             [401, 404, 403, 200, 404, 401, 401, 401, 401, 401]),
    ("PUT",    "/updates/{id}/opening",                "",             [401, 404, 204, 204, 404, 204, 204, 401, 401, 401]),
    ("POST+",  "/updates/{id}/media",                  "",             [401, 404, 403, 201, 404, 403, 403, 401, 401, 401]),
    ("GET",    "/uploads",                             "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("POST",   "/uploads",                             "",             [401, 412, 412, 412, 412, 401, 401, 401, 401, 401]),
    ("POST~",  "/uploads",                             "",             [401, 201, 201, 201, 201, 401, 401, 401, 401, 401]),
    ("GET",    "/uploads/{id}",                        "",             [401, 404, 404, 200, 404, 401, 401, 401, 401, 401]),
    ("HEAD~",  "/uploads/{id}",                        "",             [401, 404, 404, 200, 404, 401, 401, 401, 401, 401]),
    ("PATCH~", "/uploads/{id}",                        "",             [401, 404, 404, 204, 404, 401, 401, 401, 401, 401]),
    ("DELETE~", "/uploads/{id}",                       "",             [401, 404, 404, 204, 404, 401, 401, 401, 401, 401]),
    ("GET",    "/updates/{id}/receipts",               "",             [401, 404, 200, 200, 404, 404, 404, 401, 401, 401]),
    ("PUT",    "/updates/{id}/audience/{person}",      "",             [401, 404, 403, 200, 404, 403, 403, 401, 401, 401]),
    ("GET",    "/updates/{id}/versions",               "",             [401, 404, 403, 200, 404, 403, 403, 401, 401, 401]),
    ("PUT",    "/updates/{id}/mute",                   "",             [401, 404, 204, 204, 404, 401, 401, 401, 401, 401]),
    ("DELETE", "/updates/{id}/mute",                   "",             [401, 404, 204, 204, 404, 401, 401, 401, 401, 401]),
    ("GET",    "/receipts",                            "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("GET",    "/updates/{id}/receipts/{person}",      "",             [401, 404, 200, 200, 404, 404, 404, 401, 401, 401]),
    ("PUT",    "/updates/{id}/receipts/{person}/confirmation", r#"{"verdict":"confirmed"}"#, [401, 404, 403, 409, 404, 403, 403, 401, 401, 401]),
    ("PUT",    "/updates/{id}/receipts/{person}/disclosure", "",       [401, 404, 403, 409, 404, 403, 403, 401, 401, 401]),
    ("DELETE", "/updates/{id}/receipts/{person}/disclosure", "",       [401, 404, 403, 200, 404, 403, 403, 401, 401, 401]),
    ("PUT",    "/updates/{id}/decline",                r#"{"reason":"r"}"#, [401, 404, 200, 403, 404, 403, 403, 401, 401, 401]),
    ("DELETE", "/updates/{id}/decline",                "",             [401, 404, 200, 403, 404, 403, 204, 401, 401, 401]),
    ("POST",   "/updates/{id}/reminders",              "",             [401, 404, 403, 200, 404, 403, 403, 401, 401, 401]),
    ("PUT",    "/updates/{id}/acknowledgement",        r#"{"name":"G"}"#, [401, 404, 200, 403, 404, 403, 204, 401, 401, 401]),
    ("DELETE", "/updates/{id}/acknowledgement",        "",             [401, 404, 200, 403, 404, 403, 204, 401, 401, 401]),
    ("PUT",    "/updates/{id}/reactions/{emoji}",      r#"{"name":"G"}"#, [401, 404, 204, 204, 404, 403, 204, 401, 401, 401]),
    ("DELETE", "/updates/{id}/reactions/{emoji}",      "",             [401, 404, 204, 204, 404, 403, 204, 401, 401, 401]),
    ("GET",    "/updates/{id}/comments",               "",             [401, 404, 200, 200, 404, 200, 200, 401, 401, 401]),
    ("POST",   "/updates/{id}/comments",               r#"{"body":"b","name":"G"}"#, [401, 404, 201, 201, 404, 403, 201, 401, 401, 401]),
    ("PUT",    "/updates/{id}/drafts/{subject}",       r#"{"body":"b"}"#, [401, 404, 204, 204, 404, 403, 403, 401, 401, 401]),
    ("DELETE", "/updates/{id}/drafts/{subject}",       "",             [401, 404, 204, 204, 404, 403, 403, 401, 401, 401]),
    ("GET",    "/updates/{id}/links",                  "",             [401, 404, 403, 200, 404, 403, 403, 401, 401, 401]),
    ("POST",   "/updates/{id}/links",                  "{}",           [401, 404, 403, 201, 404, 401, 401, 401, 401, 401]),
    ("GET",    "/updates/{id}/access",                 "",             [401, 404, 403, 200, 200, 403, 403, 401, 401, 401]),
    ("GET",    "/updates/{id}/live",                   "",             [401, 404, 200, 200, 404, 200, 200, 401, 401, 401]),
    ("GET",    "/trash",                               "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("DELETE", "/trash",                               "",             [401, 204, 204, 204, 204, 401, 401, 401, 401, 401]),
    ("DELETE", "/trash/{id}",                          "",             [401, 204, 204, 204, 204, 401, 401, 401, 401, 401]),
    ("GET",    "/media/{id}",                          "",             [401, 404, 200, 200, 404, 200, 200, 401, 401, 401]),
    ("DELETE", "/media/{id}",                          "",             [401, 404, 403, 204, 404, 401, 401, 401, 401, 401]),
    ("PUT",    "/media/{id}/trim",                     r#"{"from_ms":0,"to_ms":1000}"#, [401, 404, 403, 409, 404, 401, 401, 401, 401, 401]),
    ("DELETE", "/media/{id}/trim",                     "",             [401, 404, 403, 409, 404, 401, 401, 401, 401, 401]),
    ("GET",    "/media/{id}/markup",                   "",             [401, 404, 200, 200, 404, 200, 200, 401, 401, 401]),
    ("PUT",    "/media/{id}/markup",                   r#"{"revision":0,"shapes":[]}"#, [401, 404, 403, 200, 404, 401, 401, 401, 401, 401]),
    // A media address works for anyone who has it. This one was signed for the author.
    ("GET",    "/m/{key}",                             "",             [200, 200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("HEAD",   "/m/{key}",                             "",             [200, 200, 200, 200, 200, 200, 200, 200, 200, 200]),
    ("GET",    "/comments/{id}",                       "",             [401, 404, 200, 200, 404, 404, 404, 401, 401, 401]),
    ("PATCH",  "/comments/{id}",                       r#"{"body":"c"}"#, [401, 404, 200, 403, 404, 404, 404, 401, 401, 401]),
    ("DELETE", "/comments/{id}",                       "",             [401, 404, 204, 403, 404, 404, 404, 401, 401, 401]),
    ("PUT",    "/comments/{id}/reactions/{emoji}",     r#"{"name":"G"}"#, [401, 404, 204, 204, 404, 404, 404, 401, 401, 401]),
    ("DELETE", "/comments/{id}/reactions/{emoji}",     "",             [401, 404, 204, 204, 404, 404, 404, 401, 401, 401]),
    ("PUT",    "/comments/{id}/resolution",            "",             [401, 404, 200, 200, 404, 404, 404, 401, 401, 401]),
    ("DELETE", "/comments/{id}/resolution",            "",             [401, 404, 200, 200, 404, 404, 404, 401, 401, 401]),
    ("PUT",    "/comments/{id}/acceptance",            "",             [401, 404, 200, 403, 404, 404, 404, 401, 401, 401]),
    ("DELETE", "/comments/{id}/acceptance",            "",             [401, 404, 200, 403, 404, 404, 404, 401, 401, 401]),
    ("GET",    "/comments/{id}/history",               "",             [401, 404, 200, 200, 404, 404, 404, 401, 401, 401]),
    ("GET",    "/links",                               "",             [401, 403, 403, 403, 200, 401, 401, 401, 401, 401]),
    ("DELETE", "/links/{id}",                          "",             [401, 404, 404, 204, 204, 401, 401, 401, 401, 401]),
    ("GET",    "/inbox",                               "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("GET",    "/inbox/next",                          "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("PUT",    "/inbox/{id}/snooze",                   r#"{"until":"tomorrow"}"#, [401, 404, 204, 204, 404, 401, 401, 401, 401, 401]),
    ("DELETE", "/inbox/{id}/snooze",                   "",             [401, 204, 204, 204, 204, 401, 401, 401, 401, 401]),
    ("GET",    "/inbox/live",                          "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    ("GET",    "/search",                              "",             [401, 200, 200, 200, 200, 401, 401, 401, 401, 401]),
    // Last, because it sets cookies, and requests with a cookie need an origin.
    ("GET",    "/s/{token}",                           "",             [200, 200, 200, 200, 200, 200, 200, 401, 401, 401]),
];

/// Deletes all groups and makes one by Ada. Returns its id.
async fn replace_group(ada: &Client, admin: &Client) -> String {
    for group in admin.get("/groups").await.expect(200).json()["items"]
        .as_array()
        .unwrap()
    {
        admin
            .delete(&format!("/groups/{}", id(group)))
            .await
            .expect(204);
    }
    id(&ada
        .post("/groups", json!({ "name": "design" }))
        .await
        .expect(201)
        .json())
}

/// Deletes Ada's unfinished uploads and begins one. Returns its id.
async fn replace_upload(ada: &Client) -> String {
    for upload in ada.get("/uploads").await.expect(200).json()["items"]
        .as_array()
        .unwrap()
    {
        Response::fetch(tus_headers(
            ada.request("DELETE", &format!("/uploads/{}", id(upload))),
        ))
        .await
        .expect(204);
    }
    let made = Response::fetch(tus_headers(ada.request("POST", "/uploads")))
        .await
        .expect(201);
    made.header("location")
        .rsplit_once('/')
        .unwrap()
        .1
        .to_owned()
}

/// An update by Ada for Bob with a picture, comments and share links, and an invitation and a reset link for other people.
pub struct World {
    update: String,
    media: String,
    key: String,
    comment: String,
    question: String,
    link: String,
    token: String,
    invitation: (String, String),
    reset: String,
    person: String,
    recipient: String,
    group: String,
    upload: String,
    guests: [String; 3],
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

impl World {
    pub async fn new(ada: &Client, bob: &Client, admin: &Client, eve: &Client) -> Self {
        let fields = [
            ("title", "For Bob"),
            ("audience", &email("Bob")),
            ("expectation", "acknowledge"),
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
        let path = format!("/updates/{}", id(&made));
        let comment = bob.comment(&path, "Hm").await;
        let question = bob.question(&path, "Why?").await;
        ada.reply(&path, &question, "Because").await;
        let (link, token) = ada.share(&path, false).await;
        let (_, commenting) = ada.share(&path, true).await;
        let (old, revoked) = ada.share(&path, true).await;
        ada.delete(&format!("/links/{old}")).await.expect(204);
        let invited = admin
            .post("/invitations", json!({ "emails": ["new@example.org"] }))
            .await
            .expect(201)
            .json()["items"][0]
            .clone();
        let reset = admin
            .post(&format!("/people/{}/reset", eve.id), json!({}))
            .await
            .expect(201)
            .json();
        let group = replace_group(ada, admin).await;
        let last = |url: &Value| url.as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
        Self {
            update: id(&made),
            media: id(&made["media"][0]),
            key: last(&made["media"][0]["renditions"][0]["url"]),
            comment,
            question,
            link,
            guests: [token.clone(), commenting, revoked],
            token,
            invitation: (id(&invited), last(&invited["url"])),
            reset: last(&reset["url"]),
            person: eve.id.clone(),
            recipient: bob.id.clone(),
            upload: replace_upload(ada).await,
            group,
        }
    }

    pub fn address(&self, method: &str, pattern: &str) -> String {
        let id = match pattern.split('/').nth(1).unwrap() {
            "updates" | "trash" => &self.update,
            "media" => &self.media,
            "comments" if pattern.ends_with("/acceptance") => &self.question,
            "comments" => &self.comment,
            "links" => &self.link,
            "people" => &self.person,
            "groups" => &self.group,
            "uploads" => &self.upload,
            "invitations" if method == "DELETE" => &self.invitation.0,
            "invitations" => &self.invitation.1,
            "inbox" => &format!("b{}", self.update),
            _ => "0000000000",
        };
        let token = if pattern.starts_with("/resets") {
            &self.reset
        } else {
            &self.token
        };
        fill(
            &pattern.replace("{person}", &self.recipient),
            id,
            token,
            &self.key,
        )
    }
}

fn fill(pattern: &str, id: &str, token: &str, key: &str) -> String {
    pattern
        .replace("{id}", id)
        .replace("{person}", "00000000000000000000000000")
        .replace("{token}", token)
        .replace("{key}", key)
        .replace("{emoji}", "👍")
        .replace("{name}", "none.js")
        .replace("{subject}", "comment")
}

/// Adds the headers of a tus request without content.
pub fn tus_headers(request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    let request = request
        .header("tus-resumable", "1.0.0")
        .header("upload-offset", "0")
        .header("upload-defer-length", "1");
    request.header("content-type", "application/offset+octet-stream")
}

/// Returns the status and, for a client error, the problem without its request id. Leaves the bodies of event streams unread.
async fn send(client: &Client, method: &str, address: &str, body: &str) -> (StatusCode, Value) {
    let answer = if method.ends_with('+') {
        client
            .upload(address, &[], &[("media", "a.png", fixture("alpha.png"))])
            .await
    } else {
        let request = client.request(method.trim_end_matches('~'), address);
        let request = if method.ends_with('~') {
            tus_headers(request)
        } else {
            request
        };
        let request = if body.is_empty() {
            request
        } else {
            request
                .header("content-type", "application/json")
                .body(body.to_owned())
        };
        let answer = request.send().await.unwrap();
        if answer.status().is_success() || answer.status().is_redirection() {
            return (answer.status(), Value::Null);
        }
        if method.starts_with("HEAD") {
            return (answer.status(), Value::Null);
        }
        Response {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: answer.bytes().await.unwrap().to_vec(),
        }
    };
    if !answer.status.is_client_error() {
        return (answer.status, Value::Null);
    }
    let mut problem = answer.problem(answer.status.as_u16());
    problem.as_object_mut().unwrap().remove("instance");
    (answer.status, problem)
}

#[actix_web::test]
async fn every_route_answers_as_the_table_says_and_hides_forbidden_objects() {
    let app = TestApp::start().await;
    let (ada, bob, eve, admin) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.person("Eve").await,
        app.admin("Root").await,
    );
    let gone = app.person("Gone").await;
    admin
        .patch(&format!("/people/{}", gone.id), json!({ "active": false }))
        .await
        .expect(200);
    let revoked = eve
        .post("/tokens", json!({ "name": "old" }))
        .await
        .expect(201)
        .json();
    eve.delete(&format!("/tokens/{}", revoked["id"].as_str().unwrap()))
        .await
        .expect(204);
    let revoked = app.client().bearer(revoked["token"].as_str().unwrap());

    let mut wrong = Vec::new();
    let mut world = World::new(&ada, &bob, &admin, &eve).await;
    for (method, pattern, body, statuses) in TABLE {
        for (n, who) in WHO.iter().enumerate() {
            let client = match n {
                0 => app.client(),
                1 => eve.clone(),
                2 => bob.clone(),
                3 => ada.clone(),
                4 => admin.clone(),
                5 => app.client().bearer(&world.guests[0]),
                6 => app.client().bearer(&world.guests[1]),
                7 => app.client().bearer(&world.guests[2]),
                8 => gone.clone(),
                _ => revoked.clone(),
            };
            let (status, refusal) =
                send(&client, method, &world.address(method, pattern), body).await;
            if status.as_u16() != statuses[n] {
                wrong.push(format!(
                    "{method} {pattern} as {who}: {status} instead of {}: {refusal}",
                    statuses[n]
                ));
            }
            if status == StatusCode::NOT_FOUND {
                let missing = send(
                    &client,
                    method,
                    &fill(pattern, "00000000000000000000000000", "x", "x"),
                    body,
                )
                .await;
                if missing != (status, refusal) {
                    wrong.push(format!("{method} {pattern} as {who} distinguishes forbidden from missing: {missing:?}"));
                }
            }
            if *method != "GET" && status.is_success() {
                world = World::new(&ada, &bob, &admin, &eve).await;
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn table_has_every_route() {
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
async fn guest_with_a_cookie_cannot_distinguish_forbidden_from_missing() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada
        .update(json!({ "title": "For Bob", "audience": [email("Bob")] }))
        .await;
    let other = ada
        .update(json!({ "title": "Another", "audience": [email("Bob")] }))
        .await;
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
async fn deactivation_ends_all_access_at_once() {
    let app = TestApp::start().await;
    let (ada, bob, admin) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.admin("Root").await,
    );
    let fields = [("title", "For Bob"), ("audience", &email("Bob"))];
    let made = ada
        .upload(
            "/updates",
            &fields,
            &[("media", "a.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    let browser = app.browser("Bob").await.accept("application/json");
    let seen = browser
        .get(&format!("/updates/{}", id(&made)))
        .await
        .expect(200)
        .json();
    let picture = seen["media"][0]["renditions"][0]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    app.client().get(&picture).await.expect(200);

    admin
        .patch(&format!("/people/{}", bob.id), json!({ "active": false }))
        .await
        .expect(200);
    browser.get("/me").await.problem(401);
    bob.get("/me").await.problem(401);
    app.client().get(&picture).await.problem(404);
    app.client()
        .post(
            "/session",
            json!({ "email": email("Bob"), "password": crate::app::PASSWORD }),
        )
        .await
        .problem(422);
    // Old sessions and tokens stay invalid after reactivation.
    admin
        .patch(&format!("/people/{}", bob.id), json!({ "active": true }))
        .await
        .expect(200);
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
