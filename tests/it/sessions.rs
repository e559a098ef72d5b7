//! Sessions: signing in and out, cookies, and the list of sessions.

use hearback::config::TrustedProxies;
use serde_json::{Value, json};

use crate::app::{Client, PASSWORD, Response, TestApp, array, email};

pub async fn sign_in(client: &Client, name: &str, password: &str) -> Response {
    client
        .post(
            "/session",
            json!({ "email": email(name), "password": password }),
        )
        .await
}

/// Returns `name=value` of the cookie that a response sets.
pub fn cookie_of(response: &Response) -> String {
    let (pair, _) = response.header("set-cookie").split_once(';').unwrap();
    pair.to_owned()
}

#[actix_web::test]
async fn signing_in_with_the_password_starts_a_session_and_signing_out_ends_it() {
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
async fn person_without_a_session_is_redirected_to_the_sign_in_page_which_keeps_the_requested_address()
 {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let stranger = app.client().accept("text/html");
    let refused = stranger
        .get("/updates?state=draft&q=a%20b")
        .await
        .expect(303);
    let location = refused.header("location");
    assert_eq!(
        location,
        "/session?next=/updates%3Fstate%3Ddraft%26q%3Da%2520b"
    );
    let page = stranger.get(location).await.expect(200).text();
    assert!(
        page.contains("value=\"/updates?state=draft&#38;q=a%20b\"")
            || page.contains("value=\"/updates?state=draft&amp;q=a%20b\""),
        "{page}"
    );
}

#[actix_web::test]
async fn sign_in_never_redirects_to_another_host() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    for (next, expected) in [
        ("/updates?state=draft", "/updates?state=draft"),
        ("/updates/x#t=42", "/updates/x#t=42"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/caf\u{e9}", "/"),
        ("", "/"),
    ] {
        let fields = [
            ("email", "ada@example.org"),
            ("password", PASSWORD),
            ("next", next),
        ];
        let browser = app.client().accept("text/html");
        let response = browser.form("POST", "/session", &fields).await.expect(303);
        assert_eq!(response.header("location"), expected, "{next}");
    }
    let browser = app.browser("Ada").await;
    let response = browser.get("/session?next=//evil.example").await;
    assert_eq!(response.expect(303).header("location"), "/");
}

#[actix_web::test]
async fn unknown_address_and_wrong_password_get_the_same_response() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let body = |answer: Response| {
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
async fn sign_in_is_rate_limited_per_account() {
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
    // The limit ignores the case of email addresses.
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
async fn sessions_can_be_listed_and_ended_only_by_their_owner() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let eve = app.person("Eve").await;
    let (here, there) = (
        app.browser("Ada").await.accept("application/json"),
        app.browser("Ada").await.accept("application/json"),
    );
    let list = here.get("/sessions").await.expect(200).json();
    let sessions = list["items"].as_array().unwrap();
    let (current, others): (Vec<&Value>, Vec<&Value>) = sessions
        .iter()
        .partition(|session| session["current"] == true);
    assert_eq!((sessions.len(), current.len()), (2, 1));
    let other = format!("/sessions/{}", others[0]["id"].as_str().unwrap());

    eve.delete(&other).await.expect(204);
    there.get("/me").await.expect(200);
    here.delete(&other).await.expect(204);
    here.delete(&other).await.expect(204);
    there.get("/me").await.problem(401);
    here.get("/me").await.expect(200);
}

#[actix_web::test]
async fn session_expires_after_thirty_days_without_use() {
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
async fn session_expires_after_180_days_even_if_it_is_used_and_is_no_longer_listed() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let browser = app.browser("Ada").await.accept("application/json");
    for _ in 0..6 {
        app.state.clock.advance(29 * 24 * 3_600_000);
        browser.get("/me").await.expect(200);
    }
    app.state.clock.advance(6 * 24 * 3_600_000 + 1000);
    browser.get("/me").await.problem(401);
    let browser = app.browser("Ada").await.accept("application/json");
    let list = browser.get("/sessions").await.expect(200).json();
    let current: Vec<&Value> = array(&list["items"])
        .iter()
        .map(|session| &session["current"])
        .collect();
    assert_eq!(current, [true]);
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
async fn session_cookie_is_secure_and_bound_to_the_host_when_served_over_https() {
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
    let old = cookie_of(&sign_in(&app.client(), "Ada", PASSWORD).await);
    let again = app
        .client()
        .header("cookie", &old)
        .header("sec-fetch-site", "same-origin");
    let new = cookie_of(&sign_in(&again, "Ada", PASSWORD).await.expect(204));
    assert_ne!(old, new);
    let me = async |cookie: &str| app.client().header("cookie", cookie).get("/me").await;
    me(&old).await.problem(401);
    me(&new).await.expect(200);
}

#[actix_web::test]
async fn sign_in_is_rate_limited_per_client_when_the_proxy_is_in_a_trusted_network() {
    let proxies = TrustedProxies::parse("127.0.0.0/8,10.0.0.0/8").unwrap();
    let app = TestApp::start_with(|config| config.trusted_proxies = proxies).await;
    app.person("Ada").await;
    let from = |forwarded: &str| app.client().header("x-forwarded-for", forwarded);
    for _ in 0..10 {
        let client = from("198.51.100.1, 203.0.113.1, 10.9.8.7");
        sign_in(&client, "Ada", "wrong password").await.problem(422);
    }
    sign_in(&from("203.0.113.1"), "Ada", PASSWORD)
        .await
        .problem(429);
    sign_in(&from("203.0.113.2"), "Ada", PASSWORD)
        .await
        .expect(204);
}
