//! Sessions: signing in and out, cookies, and the list of sessions.

use serde_json::json;

use crate::app::{Client, PASSWORD, TestApp, email};

async fn sign_in(client: &Client, name: &str, password: &str) -> crate::app::Response {
    client
        .post(
            "/session",
            json!({ "email": email(name), "password": password }),
        )
        .await
}

#[actix_web::test]
async fn session_begins_with_the_password_and_ends_on_sign_out() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let client = app.client().header("sec-fetch-site", "same-origin");
    client.get("/session").await.problem(401);
    sign_in(&client, "Ada", PASSWORD).await.expect(204);
    assert_eq!(
        client.get("/session").await.expect(200).json()["person"]["id"],
        json!(ada.id)
    );
    client.delete("/session").await.expect(204);
    client.get("/me").await.problem(401);
    client.delete("/session").await.expect(204);
}

#[actix_web::test]
async fn sign_in_redirects_to_the_requested_page_and_never_to_another_host() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let stranger = app.client().accept("text/html");
    let refused = stranger
        .get("/updates?state=draft&q=a%20b")
        .await
        .expect(303);
    let location = refused.header("location").to_owned();
    assert_eq!(
        location,
        "/session?next=/updates%3Fstate%3Ddraft%26q%3Da%2520b"
    );
    let page = stranger.get(&location).await.expect(200).text();
    assert!(
        page.contains("value=\"/updates?state=draft&#38;q=a%20b\"")
            || page.contains("value=\"/updates?state=draft&amp;q=a%20b\""),
        "{page}"
    );

    for (next, to) in [
        ("/updates?state=draft", "/updates?state=draft"),
        ("/updates/x#t=42", "/updates/x#t=42"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/caf\u{e9}", "/"),
        ("", "/"),
    ] {
        let browser = app.client().accept("text/html");
        let fields = [
            ("email", "ada@example.org"),
            ("password", PASSWORD),
            ("next", next),
        ];
        assert_eq!(
            browser
                .form("POST", "/session", &fields)
                .await
                .expect(303)
                .header("location"),
            to,
            "{next}"
        );
    }
    let browser = app.browser("Ada").await;
    assert_eq!(
        browser
            .get("/session?next=//evil.example")
            .await
            .expect(303)
            .header("location"),
        "/"
    );
}

#[actix_web::test]
async fn unknown_address_and_wrong_password_get_the_same_response() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let body = |answer: crate::app::Response| {
        let mut problem = answer.problem(422);
        problem.as_object_mut().unwrap().remove("instance");
        problem
    };
    let wrong = body(sign_in(&app.client(), "Ada", "not the password").await);
    let unknown = body(sign_in(&app.client(), "Nobody", "not the password").await);
    assert_eq!(wrong, unknown);
    let page = app
        .client()
        .accept("text/html")
        .form(
            "POST",
            "/session",
            &[("email", "ada@example.org"), ("password", "secret guess")],
        )
        .await
        .expect(422);
    assert!(
        page.text().contains("ada@example.org") && !page.text().contains("secret guess"),
        "the address is kept, the password is not"
    );
}

#[actix_web::test]
async fn sign_in_is_rate_limited_per_account_with_retry_after() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    for _ in 0..10 {
        sign_in(&app.client(), "Ada", "wrong password")
            .await
            .problem(422);
    }
    let refused = sign_in(&app.client(), "Ada", PASSWORD).await;
    refused.problem(429);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    // The limit ignores the case of the address.
    app.client()
        .post(
            "/session",
            json!({ "email": "ADA@Example.org", "password": PASSWORD }),
        )
        .await
        .problem(429);
    let page = app
        .client()
        .accept("text/html")
        .form(
            "POST",
            "/session",
            &[("email", "ada@example.org"), ("password", PASSWORD)],
        )
        .await
        .expect(429);
    assert!(page.header("retry-after").parse::<u64>().unwrap() > 0);
    app.person("Bob").await;
    sign_in(&app.client(), "Bob", PASSWORD).await.expect(204);
}

#[actix_web::test]
async fn sessions_are_listed_and_ended_only_by_their_owner() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let eve = app.person("Eve").await;
    let (here, there) = (
        app.browser("Ada").await.accept("application/json"),
        app.browser("Ada").await.accept("application/json"),
    );
    let list = here.get("/sessions").await.expect(200).json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(
        (
            items.len(),
            items
                .iter()
                .filter(|session| session["current"] == true)
                .count()
        ),
        (2, 1)
    );
    let other = items
        .iter()
        .find(|session| session["current"] == false)
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();

    eve.delete(&format!("/sessions/{other}")).await.expect(204);
    there.get("/me").await.expect(200);
    here.delete(&format!("/sessions/{other}")).await.expect(204);
    here.delete(&format!("/sessions/{other}")).await.expect(204);
    there.get("/me").await.problem(401);
    here.get("/me").await.expect(200);
}

#[actix_web::test]
async fn session_ends_after_thirty_unused_days() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let browser = app.browser("Ada").await.accept("application/json");
    app.state.clock.advance(29 * 24 * 3_600_000);
    browser.get("/me").await.expect(200);
    app.state.clock.advance(29 * 24 * 3_600_000);
    browser.get("/me").await.expect(200);
    app.state.clock.advance(30 * 24 * 3_600_000 + 1000);
    browser.get("/me").await.problem(401);
}

#[actix_web::test]
async fn session_cookie_is_http_only_and_same_site() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let cookie = sign_in(&app.client(), "Ada", PASSWORD)
        .await
        .expect(204)
        .header("set-cookie")
        .to_owned();
    for part in ["hearback=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(
        !cookie.contains("Secure") && !cookie.contains("Domain"),
        "{cookie}"
    );
}

#[actix_web::test]
async fn session_cookie_is_secure_and_bound_to_the_host_behind_https() {
    let app =
        TestApp::start_with(|config| config.url = Some("https://hear.example.org".into())).await;
    app.person("Ada").await;
    let answer = sign_in(&app.client(), "Ada", PASSWORD).await.expect(204);
    let cookie = answer.header("set-cookie").to_owned();
    assert!(
        cookie.starts_with("__Host-hearback=")
            && cookie.contains("Secure")
            && cookie.contains("Path=/")
            && !cookie.contains("Domain"),
        "{cookie}"
    );
    assert_eq!(
        answer.header("strict-transport-security"),
        "max-age=31536000"
    );
    let (pair, _) = cookie.split_once(';').unwrap();
    app.client()
        .header("cookie", pair)
        .get("/me")
        .await
        .expect(200);
    app.client()
        .header("cookie", &pair.replace("__Host-", ""))
        .get("/me")
        .await
        .problem(401);
}

#[actix_web::test]
async fn signing_in_again_ends_the_previous_session() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let old = sign_in(&app.client(), "Ada", PASSWORD)
        .await
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let again = app
        .client()
        .header("cookie", &old)
        .header("sec-fetch-site", "same-origin");
    let new = sign_in(&again, "Ada", PASSWORD)
        .await
        .expect(204)
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    assert_ne!(old, new);
    app.client()
        .header("cookie", &old)
        .get("/me")
        .await
        .problem(401);
    app.client()
        .header("cookie", &new)
        .get("/me")
        .await
        .expect(200);
}

#[actix_web::test]
async fn cross_site_request_is_rejected_without_effect() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let cookie = sign_in(&app.client(), "Ada", PASSWORD)
        .await
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
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
        foreign
            .patch("/me", json!({ "name": "Mallory" }))
            .await
            .problem(403);
        // Reading is allowed.
        foreign.get("/me").await.expect(200);
    }
    // Another site cannot sign a person in either.
    sign_in(
        &app.client().header("sec-fetch-site", "cross-site"),
        "Ada",
        PASSWORD,
    )
    .await
    .problem(403);
    assert_eq!(ada.get("/me").await.json()["name"], "Ada");
    for ours in [
        with("sec-fetch-site", "same-origin"),
        with("sec-fetch-site", "none"),
        with("origin", &app.base),
    ] {
        ours.patch("/me", json!({ "name": "Ada" }))
            .await
            .expect(200);
    }
}

#[actix_web::test]
async fn response_is_html_or_json_by_accept_and_authorization() {
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
        ("text/html; charset=utf-8", "Accept", "private, no-cache")
    );
    let data = ada.get("/inbox").await.expect(200);
    assert_eq!(
        (data.header("content-type"), data.header("vary")),
        ("application/json", "Accept")
    );
    assert_eq!(
        ada.clone()
            .accept("text/html")
            .get("/inbox")
            .await
            .header("content-type"),
        "application/json",
        "a request with Authorization gets JSON"
    );
    assert_eq!(
        browser
            .clone()
            .accept("*/*")
            .get("/inbox")
            .await
            .header("content-type"),
        "application/json"
    );

    // A form gets a redirect on success and the filled form on failure.
    let made = browser
        .form("POST", "/updates", &[("title", "By form")])
        .await
        .expect(303);
    assert!(made.header("location").starts_with("/updates/"));
    let refused = browser
        .form(
            "POST",
            "/updates",
            &[("title", "Kept title"), ("audience", "not-an-address")],
        )
        .await
        .expect(422);
    assert!(
        refused.header("content-type").starts_with("text/html")
            && refused.text().contains("Kept title")
            && refused.text().contains("not-an-address")
    );
    // The same request as JSON gets a problem.
    ada.post(
        "/updates",
        json!({ "title": "x", "audience": ["not-an-address"] }),
    )
    .await
    .problem(422);
    // Errors are negotiated as well.
    let lost = browser.get("/updates/nothing-here").await.expect(404);
    assert!(
        lost.header("content-type").starts_with("text/html")
            && lost.text().contains("Nothing here for ada@example.org")
    );
    ada.get("/updates/nothing-here").await.problem(404);
}

#[actix_web::test]
async fn form_method_is_read_from_query_or_urlencoded_body_but_not_multipart() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let path = ada.update(json!({ "title": "One" })).await;

    browser
        .form("POST", &path, &[("_method", "PATCH"), ("title", "Two")])
        .await
        .expect(303);
    assert_eq!(ada.get(&path).await.json()["title"], "Two");
    browser
        .form(
            "POST",
            &format!("{path}?_method=PATCH"),
            &[("title", "Three")],
        )
        .await
        .expect(303);
    assert_eq!(ada.get(&path).await.json()["title"], "Three");
    let refused = browser.upload(&path, &[("_method", "DELETE")], &[]).await;
    assert!(refused.status.is_client_error(), "{}", refused.status);
    assert_eq!(ada.get(&path).await.json()["state"], "published");
    // Only PUT, PATCH and DELETE, and only in a POST.
    assert!(
        browser
            .form("POST", &format!("{path}?_method=TRACE"), &[])
            .await
            .status
            .is_client_error()
    );
    browser
        .get(&format!("{path}?_method=DELETE"))
        .await
        .expect(200);
    assert_eq!(ada.get(&path).await.json()["state"], "published");
    browser
        .form("POST", &format!("{path}?_method=DELETE"), &[])
        .await
        .expect(303);
    assert_eq!(ada.get(&path).await.json()["state"], "trashed");

    let long = "x".repeat((1 << 20) + 1);
    browser
        .form("POST", &path, &[("_method", "PATCH"), ("notes", &long)])
        .await
        .expect(413);
}

#[actix_web::test]
async fn wrong_method_gets_a_problem_document() {
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
async fn head_returns_the_headers_of_get_without_a_body() {
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
async fn unreadable_body_and_invalid_fields_are_rejected_with_their_name() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let send = |body: &'static str, kind: &'static str| {
        crate::app::Response::fetch(
            ada.request("POST", "/updates")
                .header("content-type", kind)
                .body(body),
        )
    };
    send("{", "application/json").await.problem(400);
    send("[]", "application/json").await.problem(400);
    send("<a/>", "application/xml").await.problem(415);
    let unknown = ada
        .post("/updates", json!({ "title": "x", "colour": "red" }))
        .await
        .problem(422);
    assert!(unknown["errors"]["colour"].is_string());
    assert!(
        ada.post("/updates", json!({ "title": "a\0b" }))
            .await
            .problem(422)["errors"]["title"]
            .as_str()
            .unwrap()
            .contains("U+0000")
    );
    assert!(
        ada.post("/updates", json!({ "title": "x".repeat(201) }))
            .await
            .problem(422)["errors"]["title"]
            .is_string()
    );
    assert!(
        ada.post("/updates", json!({ "title": 7 }))
            .await
            .problem(422)["errors"]["title"]
            .is_string()
    );
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
