//! Share links: which content they give access to, for whom, and until when.

mod guests;

use serde_json::{Value, json};

use crate::app::{Client, PASSWORD, Response, TestApp, email, fixture, text, texts, update_path};

/// Publishes an update by Ada for Bob, with a picture. Returns both clients and the update's path.
async fn scene(app: &TestApp) -> (Client, Client, String) {
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let fields = [
        ("title", "The <plan>"),
        ("notes", "First line\nsecond"),
        ("audience", &email("Bob")),
        ("expectation", "acknowledge"),
    ];
    let picture = ("media", "a.png", fixture("alpha.png"));
    let created = ada
        .upload("/updates", &fields, &[picture])
        .await
        .expect(201)
        .json();
    (ada, bob, update_path(&created))
}

/// Opens the share link in a new browser. Returns the browser as a client that requests JSON.
async fn guest(app: &TestApp, token: &str) -> Client {
    let guest = app.client().accept("text/html");
    guest.get(&format!("/s/{token}")).await.expect(200);
    guest.accept("application/json")
}

async fn comment(guest: &Client, path: &str, fields: Value) -> Response {
    guest.post(&format!("{path}/comments"), fields).await
}

#[actix_web::test]
async fn share_links_can_be_created_and_revoked_and_their_list_contains_no_tokens() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let links = format!("{path}/links");
    let fields = json!({ "name": "Board", "comments": true });
    let created = ada.post(&links, fields).await.expect(201).json();
    let url = text(&created["url"]);
    let secret = url.rsplit('/').next().unwrap();
    assert!(
        url.starts_with(&format!("{}/s/", app.base)) && secret.len() >= 26,
        "{url}"
    );
    let list = ada.get(&links).await.expect(200);
    assert!(!list.text().contains(secret));
    let link = &list.json()["items"][0];
    assert_eq!(
        (&link["name"], &link["comments"]),
        (&json!("Board"), &json!(true))
    );
    let address = format!("/links/{}", text(&created["id"]));
    bob.get(&links).await.problem(403);
    bob.delete(&address).await.problem(404);

    app.client().get(url).await.expect(200);
    for _ in 0..2 {
        ada.delete(&address).await.expect(204);
    }
    app.client().get(url).await.problem(404);
    assert!(ada.get(&links).await.json()["items"][0]["revoked_at"].is_string());
    app.client().get("/s/nothing").await.problem(404);
}

#[actix_web::test]
async fn share_link_with_invalid_fields_is_rejected() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    ada.post(&format!("{path}/links"), json!({ "name": "x".repeat(101) }))
        .await
        .problem(422);
    ada.post(&format!("{path}/links"), json!({ "comments": "maybe" }))
        .await
        .problem(422);
}

#[actix_web::test]
async fn shared_page_opens_without_an_account_and_has_preview_metadata() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, false).await;
    for accept in [None, Some("*/*"), Some("text/html")] {
        let client = accept.map_or_else(
            || app.client(),
            |media_type| app.client().header("accept", media_type),
        );
        let page = client.get(&format!("/s/{token}")).await.expect(200);
        assert!(
            page.header("content-type").starts_with("text/html"),
            "{accept:?}"
        );
        assert!(page.header("x-robots-tag").contains("noindex"));
        let text = page.text();
        for part in [
            "og:title",
            "og:image",
            "og:description",
            "First line",
            "noindex",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(!text.contains("<plan>"));
        for private in ["bob@example.org", "Bob", "ada@example.org"] {
            assert!(!text.contains(private), "{private}");
        }
    }
    // Fetching the page, as link previews do, does not count as an opening.
    assert_eq!(ada.get(&path).await.json()["counts"]["opened"], 0);
}

#[actix_web::test]
async fn json_of_a_shared_update_contains_no_people_and_no_receipts() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, false).await;
    let data = app
        .client()
        .header("accept", "application/json")
        .get(&format!("/s/{token}"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (
            &data["title"],
            &data["audience"]["people"],
            &data["my_receipt"]
        ),
        (&json!("The <plan>"), &json!([]), &Value::Null)
    );
    assert_eq!(
        (
            &data["counts"]["recipients"],
            &data["counts"]["acknowledged"],
            &data["counts"]["opened"]
        ),
        (&json!(0), &json!(0), &Value::Null)
    );
    assert_eq!(ada.get(&path).await.json()["counts"]["opened"], 0);
}

#[actix_web::test]
async fn shared_media_needs_no_cookie_and_is_unavailable_after_the_link_is_revoked() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (link, token) = ada.share(&path, false).await;
    let program = app.client().bearer(&token);
    let update = program.get(&path).await.expect(200).json();
    let urls = texts(&update["media"][0]["renditions"], "url");
    assert!(!urls.is_empty());
    for url in &urls {
        let picture = app.client().get(url).await.expect(200);
        assert!(picture.header("content-type").starts_with("image/"));
    }
    // A media address is not found if its grant (`g`) or its expiry time (`e`) was changed.
    let other_grant = urls[0].replace("g=l~", "g=s~");
    app.client().get(&other_grant).await.problem(404);
    let other_expiry = urls[0].replace("&e=", "&e=9");
    app.client().get(&other_expiry).await.problem(404);
    let guest = guest(&app, &token).await;
    guest.get(&path).await.expect(200);

    ada.delete(&format!("/links/{link}")).await.expect(204);
    for url in &urls {
        app.client().get(url).await.problem(404);
    }
    program.get(&path).await.problem(401);
    guest.get(&path).await.problem(401);
    guest.put(&format!("{path}/opening")).await.problem(401);
}

#[actix_web::test]
async fn share_link_gives_access_only_to_its_own_update() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let other = ada
        .update(json!({ "title": "Other", "visibility": "workspace" }))
        .await;
    let (_, token) = ada.share(&path, true).await;
    let (by_cookie, by_token) = (guest(&app, &token).await, app.client().bearer(&token));
    by_cookie.get(&other).await.problem(401);
    by_token.get(&other).await.problem(404);
    for address in [
        "/updates",
        "/people",
        "/inbox",
        "/me",
        "/search?q=plan",
        "/tokens",
    ] {
        by_cookie.get(address).await.problem(401);
        by_token.get(address).await.problem(401);
    }
    by_token.get(&format!("{path}/receipts")).await.problem(404);
    by_cookie
        .get(&format!("{path}/receipts"))
        .await
        .problem(404);
    // A browser can have cookies for two links. Each cookie gives access to the update of its own link.
    let (_, second) = ada.share(&other, false).await;
    let browser = by_cookie.accept("text/html");
    browser.get(&format!("/s/{second}")).await.expect(200);
    let both = browser.accept("application/json");
    both.get(&path).await.expect(200);
    both.get(&other).await.expect(200);
}

#[actix_web::test]
async fn guest_cookie_is_http_only_and_bound_to_one_link_and_cannot_be_forged() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (link, token) = ada.share(&path, true).await;
    let page = app.client().get(&format!("/s/{token}")).await.expect(200);
    let cookie = page.header("set-cookie");
    assert!(
        cookie.contains(&link) && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let (pair, _) = cookie.split_once(';').unwrap();
    app.client()
        .header("cookie", pair)
        .get(&path)
        .await
        .expect(200);
    let forged = format!("{}x", &pair[..pair.len() - 1]);
    app.client()
        .header("cookie", &forged)
        .get(&path)
        .await
        .problem(401);
}

#[actix_web::test]
async fn share_link_does_not_work_while_the_update_is_a_draft_or_in_the_trash() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    let guest = guest(&app, &token).await;
    let update = guest.get(&path).await.json();
    let picture = text(&update["media"][0]["renditions"][0]["url"]);
    let assert_closed = async || {
        app.client().get(&format!("/s/{token}")).await.problem(404);
        app.client().bearer(&token).get(&path).await.problem(401);
        guest.get(&path).await.problem(401);
        app.client().get(picture).await.problem(404);
    };
    ada.delete(&format!("{path}/publication")).await.expect(200);
    assert_closed().await;
    ada.put(&format!("{path}/publication")).await.expect(200);
    guest.get(&path).await.expect(200);
    app.client().get(picture).await.expect(200);
    ada.delete(&path).await.expect(204);
    assert_closed().await;
    ada.put(&format!("{path}/restoration")).await.expect(200);
    app.client().get(&format!("/s/{token}")).await.expect(200);
}

#[actix_web::test]
async fn signed_in_person_is_not_treated_as_a_guest() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    let bob = app.browser("Bob").await;
    let redirect = bob.get(&format!("/s/{token}")).await.expect(303);
    assert_eq!(redirect.header("location"), path);
    // This browser is signed in and also has a guest cookie.
    let both = app.client().accept("text/html");
    both.get(&format!("/s/{token}")).await.expect(200);
    let account = [("email", &*email("Bob")), ("password", PASSWORD)];
    both.form("POST", "/session", &account).await.expect(303);
    let both = both.accept("application/json");
    let created = comment(&both, &path, json!({ "body": "Me" })).await;
    let author = &created.expect(201).json()["author"];
    assert_eq!(
        (&author["name"], &author["guest"]),
        (&json!("Bob"), &json!(false))
    );
}

#[actix_web::test]
async fn signed_in_person_without_access_can_read_through_a_link_but_not_comment() {
    let app = TestApp::start().await;
    let [ada, _] = app.people(["Ada", "Eve"]).await;
    let path = ada.update(json!({ "title": "Open" })).await;
    let (_, token) = ada.share(&path, true).await;
    let link = format!("/s/{token}");
    let eve = app.browser("Eve").await;
    let page = eve.get(&link).await.expect(200).text();
    assert!(
        page.contains("Open")
            && !page.contains("comment-composer")
            && !page.contains(&format!("{path}/live")),
        "{page}"
    );
    // The same person can comment as a guest in a browser without a session.
    let visitor = app.client().accept("text/html");
    let page = visitor.get(&link).await.expect(200).text();
    assert!(page.contains("comment-composer"));
}
