//! Rules for all requests: cross-site protection, content negotiation, method overrides and syntax
//! errors.

use serde_json::{Value, json};

use crate::app::{PASSWORD, Response, TestApp};
use crate::sessions::{cookie_of, sign_in};

#[actix_web::test]
async fn cross_site_request_is_rejected_and_changes_nothing() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let cookie = cookie_of(&sign_in(&app.client(), "Ada", PASSWORD).await);
    let with = |name: &'static str, value: &str| {
        app.client().header("cookie", &cookie).header(name, value)
    };
    let host = app.base.trim_start_matches("http://").to_owned();
    for foreign in [
        with("sec-fetch-site", "cross-site"),
        with("sec-fetch-site", "same-site"),
        with("origin", "https://evil.example"),
        with("origin", "null"),
        with("origin", &format!("http://evil.{host}")),
        with("sec-fetch-site", "cross-site").header("origin", &app.base),
        app.client().header("cookie", &cookie),
    ] {
        let change = json!({ "name": "Mallory" });
        foreign.patch("/me", change).await.problem(403);
        // A GET request from another site is allowed, because it changes nothing.
        foreign.get("/me").await.expect(200);
    }
    // The request is rejected despite its Basic credentials, because a browser can add such credentials on its own.
    let basic = with("authorization", "Basic YWRhOngx");
    basic
        .patch("/me", json!({ "name": "Mallory" }))
        .await
        .problem(403);
    // Another site cannot sign a person in.
    let foreign = app.client().header("sec-fetch-site", "cross-site");
    sign_in(&foreign, "Ada", PASSWORD).await.problem(403);
    assert_eq!(ada.get("/me").await.json()["name"], "Ada");
    for ours in [
        with("sec-fetch-site", "same-origin"),
        with("sec-fetch-site", "none"),
        with("origin", &app.base),
    ] {
        let change = json!({ "name": "Ada" });
        ours.patch("/me", change).await.expect(200);
    }
}

#[actix_web::test]
async fn bearer_token_takes_precedence_over_a_cookie() {
    let app = TestApp::start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Bob").await);
    let cookie = cookie_of(&sign_in(&app.client(), "Bob", PASSWORD).await);
    for stray in ["theme=dark", cookie.as_str()] {
        let program = ada.clone().header("cookie", stray);
        let changed = program
            .patch("/me", json!({ "name": "Ada L." }))
            .await
            .expect(200);
        assert_eq!(changed.json()["id"], json!(ada.id), "{stray}");
        let unknown = app.client().bearer("hb_unknown").header("cookie", stray);
        unknown.patch("/me", json!({})).await.problem(401);
    }
}

#[actix_web::test]
async fn request_with_a_bearer_token_is_accepted_from_any_origin() {
    let app = TestApp::start().await;
    let (ada, _) = (app.person("Ada").await, app.person("Bob").await);
    let cookie = cookie_of(&sign_in(&app.client(), "Bob", PASSWORD).await);
    for (name, value) in [
        ("origin", "https://elsewhere.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let foreign = ada.clone().header(name, value);
        for program in [foreign.clone(), foreign.header("cookie", &cookie)] {
            let changed = program.patch("/me", json!({ "name": "Ada" })).await;
            assert_eq!(changed.expect(200).json()["id"], json!(ada.id), "{value}");
        }
        let unknown = app.client().bearer("hb_unknown").header(name, value);
        unknown.patch("/me", json!({})).await.problem(401);
    }
}

#[actix_web::test]
async fn accept_and_authorization_headers_determine_whether_the_response_is_html_or_json() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let page = browser.get("/inbox").await.expect(200);
    assert_eq!(
        (
            page.header("content-type"),
            page.header("vary"),
            page.header("cache-control")
        ),
        (
            "text/html; charset=utf-8",
            "Accept, Accept-Encoding",
            "private, no-cache"
        )
    );
    let data = ada.get("/inbox").await.expect(200);
    assert_eq!(
        (data.header("content-type"), data.header("vary")),
        ("application/json", "Accept, Accept-Encoding")
    );
    let with_token = ada.clone().accept("text/html").get("/inbox").await;
    assert_eq!(
        with_token.header("content-type"),
        "application/json",
        "a request with Authorization gets JSON"
    );
    let any = browser.clone().accept("*/*").get("/inbox").await;
    assert_eq!(any.header("content-type"), "application/json");
}

#[actix_web::test]
async fn submitted_form_is_answered_with_a_redirect_on_success_and_a_page_on_failure() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let made = browser
        .form("POST", "/updates", &[("title", "By form")])
        .await
        .expect(303);
    assert!(made.header("location").starts_with("/updates/"));
    let fields = [("title", "Kept title"), ("audience", "not-an-address")];
    let refused = browser.form("POST", "/updates", &fields).await.expect(422);
    assert!(
        refused.header("content-type").starts_with("text/html")
            && refused.text().contains("Kept title")
            && refused.text().contains("not-an-address")
    );
    // A JSON request with the same error gets a problem document instead of a page.
    let fields = json!({ "title": "x", "audience": ["not-an-address"] });
    ada.post("/updates", fields).await.problem(422);
    let missing = browser.get("/updates/nothing-here").await.expect(404);
    assert!(
        missing.header("content-type").starts_with("text/html")
            && missing
                .text()
                .contains("nothing at this address that ada@example.org can see")
    );
    ada.get("/updates/nothing-here").await.problem(404);
}

#[actix_web::test]
async fn method_override_works_in_the_query_and_in_urlencoded_forms_but_not_in_multipart_forms() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let path = ada.update(json!({ "title": "One" })).await;
    let update = async || ada.get(&path).await.json();
    let with_method = |method: &str| format!("{path}?_method={method}");

    browser
        .form("POST", &path, &[("_method", "PATCH"), ("title", "Two")])
        .await
        .expect(303);
    assert_eq!(update().await["title"], "Two");
    browser
        .form("POST", &with_method("PATCH"), &[("title", "Three")])
        .await
        .expect(303);
    assert_eq!(update().await["title"], "Three");
    let refused = browser.upload(&path, &[("_method", "DELETE")], &[]).await;
    assert!(refused.status.is_client_error(), "{}", refused.status);
    assert_eq!(update().await["state"], "published");
    // The `_method` parameter works only in POST requests and can select only PUT, PATCH or DELETE.
    let refused = browser.form("POST", &with_method("TRACE"), &[]).await;
    assert!(refused.status.is_client_error());
    browser.get(&with_method("DELETE")).await.expect(200);
    assert_eq!(update().await["state"], "published");
    browser
        .form("POST", &with_method("DELETE"), &[])
        .await
        .expect(303);
    assert_eq!(update().await["state"], "trashed");
}

#[actix_web::test]
async fn form_over_one_mebibyte_is_rejected() {
    let app = TestApp::start().await;
    let path = app
        .person("Ada")
        .await
        .update(json!({ "title": "One" }))
        .await;
    let long = "x".repeat((1 << 20) + 1);
    let fields = [("_method", "PATCH"), ("notes", long.as_str())];
    app.browser("Ada")
        .await
        .form("POST", &path, &fields)
        .await
        .expect(413);
}

#[actix_web::test]
async fn wrong_method_is_rejected_with_a_problem_document() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for (method, path) in [
        ("DELETE", "/healthz"),
        ("PUT", "/updates"),
        ("POST", "/inbox"),
    ] {
        let answer = ada.json(method, path, &json!({})).await;
        assert!(
            matches!(answer.status.as_u16(), 404 | 405),
            "{method} {path}: {}",
            answer.status
        );
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{method} {path}"
        );
    }
}

#[actix_web::test]
async fn head_request_returns_the_headers_of_a_get_request_without_a_body() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = ada.update(json!({ "title": "One" })).await;
    for path in [path.as_str(), "/inbox", "/healthz"] {
        let head = ada.json("HEAD", path, &json!(null)).await.expect(200);
        assert!(head.body.is_empty() && head.header("content-type") == "application/json");
    }
    app.client()
        .json("HEAD", "/inbox", &json!(null))
        .await
        .expect(401);
}

#[actix_web::test]
async fn unreadable_body_is_rejected_and_invalid_fields_are_named() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let send = |body: &'static str, media_type: &'static str| {
        let request = ada.request("POST", "/updates");
        Response::fetch(request.header("content-type", media_type).body(body))
    };
    send("{", "application/json").await.problem(400);
    send("[]", "application/json").await.problem(400);
    send("<a/>", "application/xml").await.problem(415);
    let errors = async |fields: Value| {
        let problem = ada.post("/updates", fields).await.problem(422);
        problem["errors"].clone()
    };
    let unknown = errors(json!({ "title": "x", "colour": "red" })).await;
    assert!(unknown["colour"].is_string());
    let null_character = errors(json!({ "title": "a\0b" })).await;
    assert!(null_character["title"].as_str().unwrap().contains("U+0000"));
    let too_long = errors(json!({ "title": "x".repeat(201) })).await;
    assert!(too_long["title"].is_string());
    let number = errors(json!({ "title": 7 })).await;
    assert!(number["title"].is_string());
}

#[actix_web::test]
async fn address_with_a_null_character_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = ada.update(json!({ "title": "One" })).await;
    for bad in [
        "/updates/a%00b",
        "/comments/%00",
        "/media/%00",
        "/m/%00",
        "/s/%00",
        "/invitations/%00",
        "/resets/%00",
    ] {
        ada.get(bad).await.problem(404);
    }
    ada.delete("/links/%00").await.problem(404);
    for bad in [
        "/updates?q=%00",
        "/updates?author=%00",
        "/updates?state=%00",
        "/updates?kind=%00",
        "/updates?after=NS4A",
        "/search?q=a%00b",
    ] {
        ada.get(bad).await.problem(422);
    }
    assert!(
        ada.put(&format!("{path}/reactions/%00"))
            .await
            .status
            .is_client_error()
    );
}
