//! Signed addresses of media, and redirects to the bucket.

use serde_json::{Value, json};

use super::{get_with, publish, url};
use crate::app::{Client, PASSWORD, TestApp, email, fixture, postgres};

#[actix_web::test]
async fn tampered_media_address_returns_not_found() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, update) = publish(&app, &ada).await;
    let nobody = app.client();
    let valid = url(&update, 1, "original");
    nobody.get(&valid).await.expect(200);
    let (key, query) = valid.split_once('?').unwrap();
    let (grant, expiry, signature) = (
        parameter(query, "g"),
        parameter(query, "e"),
        parameter(query, "s"),
    );
    let later = expiry.parse::<i64>().unwrap() + 43_200;
    let of_bob = url(&bob.get(&path).await.json(), 1, "original");
    let grant_of_bob = parameter(of_bob.split_once('?').unwrap().1, "g");
    let first = if signature.starts_with('0') { '1' } else { '0' };
    let altered = format!("{first}{}", &signature[1..]);
    let thumbnail = url(&update, 1, "thumbnail");
    let (other_key, _) = thumbnail.split_once('?').unwrap();
    for tampered in [
        format!("{key}?g={grant}&e={later}&s={signature}"),
        format!("{key}?g={grant_of_bob}&e={expiry}&s={signature}"),
        format!("{key}?g={grant}&e={expiry}&s={altered}"),
        format!("{key}?g={grant}&e={expiry}&s="),
        format!("{key}?g={grant}&e={expiry}"),
        format!("{key}?g={grant}&e=soon&s={signature}"),
        format!("{key}?g=&e={expiry}&s={signature}"),
        key.to_owned(),
        format!("{other_key}?{query}"),
        format!("/m/..%2F..%2Fhearback.db?{query}"),
    ] {
        nobody.get(&tampered).await.problem(404);
    }
}

/// Returns a parameter of a query string.
fn parameter<'a>(query: &'a str, name: &str) -> &'a str {
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(&format!("{name}=")))
        .unwrap()
}

#[actix_web::test]
async fn media_address_is_the_same_when_the_page_is_rendered_again() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (path, update) = publish(&app, &ada).await;
    let again = ada.get(&path).await.json();
    // Expiry times are rounded to multiples of twelve hours. The two addresses have different
    // expiry times only if the clock passes such a multiple during the test.
    let expiry = |update: &Value| parameter(&url(update, 0, "playable"), "e").to_owned();
    if expiry(&again) == expiry(&update) {
        assert_eq!(again["media"], update["media"]);
    }
    let recording = format!("/media/{}", update["media"][0]["id"].as_str().unwrap());
    let recording = ada.get(&recording).await.expect(200).json();
    assert_eq!(recording["id"], update["media"][0]["id"]);
    assert_eq!(recording["renditions"].as_array().unwrap().len(), 5);
}

#[actix_web::test]
async fn media_address_stops_working_when_its_reader_loses_access() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, update) = publish(&app, &ada).await;
    assert_address_ends_with_the_session(&app, &path).await;
    assert_address_ends_with_the_token(&app, &bob, &path).await;
    assert_address_ends_with_the_link(&app, &ada, &path).await;

    let nobody = app.client();
    let of_bob = url(&bob.get(&path).await.json(), 0, "playable");
    nobody.get(&of_bob).await.expect(200);
    ada.patch(&path, json!({ "audience": [] }))
        .await
        .expect(200);
    nobody.get(&of_bob).await.problem(404);
    ada.patch(&path, json!({ "audience": [email("Bob")] }))
        .await
        .expect(200);
    nobody.get(&of_bob).await.expect(200);

    ada.delete(&path).await.expect(204);
    nobody.get(&of_bob).await.problem(404);
    ada.put(&format!("{path}/restoration")).await.expect(200);
    nobody.get(&of_bob).await.expect(200);

    let of_ada = url(&update, 0, "playable");
    let recording = format!("/media/{}", update["media"][0]["id"].as_str().unwrap());
    ada.delete(&recording).await.expect(204);
    for gone in [&of_bob, &of_ada] {
        nobody.get(gone).await.problem(404);
    }

    let of_bob = url(&bob.get(&path).await.json(), 0, "original");
    let deactivation = json!({ "active": false });
    app.admin("Root")
        .await
        .patch(&format!("/people/{}", bob.id), deactivation)
        .await
        .expect(200);
    nobody.get(&of_bob).await.problem(404);
}

async fn assert_address_ends_with_the_session(app: &TestApp, path: &str) {
    let browser = app.browser("Bob").await;
    let page = browser.get(path).await.expect(200).text();
    let at = page.find("/m/").unwrap();
    let address = page[at..].split(['"', '\'']).next().unwrap();
    let address = address.replace("&amp;", "&").replace("&#38;", "&");
    app.client().get(&address).await.expect(200);
    assert_eq!(browser.delete("/session").await.status.as_u16(), 303);
    app.client().get(&address).await.problem(404);
}

async fn assert_address_ends_with_the_token(app: &TestApp, bob: &Client, path: &str) {
    let token = bob.post("/tokens", json!({ "name": "second" })).await;
    let token = token.expect(201).json();
    let program = app.client().bearer(token["token"].as_str().unwrap());
    let address = url(&program.get(path).await.json(), 1, "original");
    app.client().get(&address).await.expect(200);
    bob.delete(&format!("/tokens/{}", token["id"].as_str().unwrap()))
        .await
        .expect(204);
    app.client().get(&address).await.problem(404);
}

async fn assert_address_ends_with_the_link(app: &TestApp, ada: &Client, path: &str) {
    let (link, token) = ada.share(path, false).await;
    let guest = app.client().bearer(&token);
    let address = url(&guest.get(path).await.expect(200).json(), 0, "playable");
    app.client().get(&address).await.expect(200);
    ada.delete(&format!("/links/{link}")).await.expect(204);
    app.client().get(&address).await.problem(404);
}

#[actix_web::test]
async fn media_request_is_redirected_to_the_bucket_only_if_its_address_gives_access() {
    if !postgres() {
        return;
    }
    let app =
        TestApp::start_with(|config| config.delivery = hearback::config::Delivery::Redirect).await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, update) = publish(&app, &ada).await;
    let bucket = std::env::var("HEARBACK_TEST_S3_ENDPOINT").unwrap();
    let address = url(&update, 0, "original");
    let redirect = app.client().get(&address).await.expect(302);
    assert_eq!(redirect.header("cache-control"), "private, no-store");
    let location = redirect.header("location").to_owned();
    assert!(location.starts_with(&bucket), "{location}");
    let part = get_with(&app.client(), &location, &[("range", "bytes=1000-1999")])
        .await
        .expect(206);
    assert!(part.body == fixture("rec-vp8-opus-3s.webm")[1000..2000]);
    assert_eq!(part.header("content-type"), "video/webm");
    // The server sends a download itself instead of redirecting it, because the response needs a header with the file
    // name.
    let download = app.client().get(&format!("{address}&download")).await;
    let download = download.expect(200);
    let disposition = download.header("content-disposition");
    assert!(disposition.starts_with("attachment"));
    // The content security policy of pages must allow media from the bucket.
    let page = app.browser("Ada").await.get(&path).await.expect(200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains(&bucket));
    let of_bob = url(&bob.get(&path).await.json(), 0, "playable");
    app.client().get(&of_bob).await.expect(302);
    ada.patch(&path, json!({ "audience": [] }))
        .await
        .expect(200);
    app.client().get(&of_bob).await.problem(404);
}

#[actix_web::test]
async fn media_address_of_an_ended_session_stays_invalid_after_signing_in_again() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let (path, _) = publish(&app, &ada).await;
    let browser = app.browser("Bob").await.accept("application/json");
    let address = url(&browser.get(&path).await.json(), 1, "original");
    browser.delete("/session").await.expect(204);
    let again = browser.clone().accept("text/html");
    again
        .form(
            "POST",
            "/session",
            &[("email", &email("Bob")), ("password", PASSWORD)],
        )
        .await
        .expect(303);
    app.client().get(&address).await.problem(404);
}
