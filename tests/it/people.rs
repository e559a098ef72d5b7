//! Accounts: roles, settings, passwords and API tokens.

use serde_json::json;

use crate::app::{Client, PASSWORD, Response, TestApp, email, texts};

const NEW_PASSWORD: &str = "brand new words here";

async fn sign_in(app: &TestApp, password: &str) -> Response {
    let credentials = json!({ "email": email("Ada"), "password": password });
    app.client().post("/session", credentials).await
}

#[actix_web::test]
async fn password_reset_link_works_once_within_an_hour_and_ends_all_sessions() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin("Root").await, app.person("Ada").await);
    let browser = app.browser("Ada").await.accept("application/json");
    let link = async || {
        let path = format!("/people/{}/reset", ada.id);
        let made = admin.post(&path, json!({})).await.expect(201).json();
        made["url"].as_str().unwrap().to_owned()
    };
    let client = app.client();
    let new_password = json!({ "password": NEW_PASSWORD });
    let old = link().await;
    let second = link().await;
    client.get(&old).await.problem(404);
    client.get(&second).await.expect(200);
    app.state.clock.advance(3_600_001);
    client.get(&second).await.problem(404);
    client
        .post(&second, new_password.clone())
        .await
        .problem(404);

    let valid = link().await;
    let too_short = json!({ "password": "short" });
    client.post(&valid, too_short).await.problem(422);
    browser.get("/me").await.expect(200);
    client.post(&valid, new_password).await.expect(204);
    client.get(&valid).await.problem(404);
    browser.get("/me").await.problem(401);
    sign_in(&app, PASSWORD).await.problem(422);
    sign_in(&app, NEW_PASSWORD).await.expect(204);
    admin
        .post("/people/nobody/reset", json!({}))
        .await
        .problem(404);
}

#[actix_web::test]
async fn last_active_admin_cannot_be_demoted_or_deactivated() {
    let app = TestApp::start().await;
    let (root, ada) = (app.admin("Root").await, app.person("Ada").await);
    let at = |client: &Client| format!("/people/{}", client.id);
    root.patch(&at(&root), json!({ "role": "member" }))
        .await
        .problem(409);
    root.patch(&at(&root), json!({ "active": false }))
        .await
        .problem(409);
    root.get("/invitations").await.expect(200);
    assert_eq!(
        root.patch(&at(&ada), json!({ "role": "admin" }))
            .await
            .expect(200)
            .json()["role"],
        "admin"
    );
    ada.patch(&at(&root), json!({ "role": "member" }))
        .await
        .expect(200);
    root.get("/invitations").await.problem(403);
    // A deactivated admin does not count. Ada is therefore the only active admin and cannot lose the role.
    ada.patch(&at(&root), json!({ "role": "admin", "active": false }))
        .await
        .expect(200);
    ada.patch(&at(&ada), json!({ "role": "member" }))
        .await
        .problem(409);
    ada.patch("/people/nobody", json!({ "role": "member" }))
        .await
        .problem(404);
    ada.patch(&at(&ada), json!({ "role": "king" }))
        .await
        .problem(422);
}

#[actix_web::test]
async fn one_admin_remains_when_two_admins_demote_each_other_at_the_same_time() {
    let app = TestApp::start().await;
    let (one, two) = (app.admin("One").await, app.admin("Two").await);
    let (first, second) = (format!("/people/{}", two.id), format!("/people/{}", one.id));
    let (first, second) = tokio::join!(
        one.patch(&first, json!({ "role": "member" })),
        two.patch(&second, json!({ "role": "member" }))
    );
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    // One of the two requests fails. Either its sender is no longer an admin (403), or the change would leave no admin
    // (409).
    assert!(
        statuses == [200, 403] || statuses == [200, 409],
        "{statuses:?}"
    );
    let admins = one.get("/people").await.expect(200).json();
    assert_eq!(
        admins["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|person| person["role"] == "admin")
            .count(),
        1
    );
}

#[actix_web::test]
async fn changing_the_email_address_in_a_browser_requires_the_password() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await.accept("application/json");
    for current in [json!(null), json!("wrong")] {
        let body = json!({ "email": "mallory@example.org", "current": current });
        let problem = browser.patch("/me", body).await.problem(422);
        assert!(problem["errors"]["current"].is_string());
    }
    let page = app.browser("Ada").await;
    let fields = [("email", "mallory@example.org"), ("current", "wrong")];
    let page = page.form("PATCH", "/me", &fields).await.expect(422).text();
    let (_, field) = page.split_once(r#"id="current-for-email""#).unwrap();
    let (field, others) = field.split_once("</form>").unwrap();
    let text = "not your current password";
    assert!(field.contains(text) && !others.contains(text), "{page}");
    assert_eq!(ada.get("/me").await.json()["email"], "ada@example.org");
    let body = json!({ "email": "a.da@example.org", "current": PASSWORD });
    browser.patch("/me", body).await.expect(200);
}

#[actix_web::test]
async fn personal_settings_are_validated_and_saved() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let changes = json!({ "name": "Ada Lovelace", "email": "countess@example.org", "time_zone": "Europe/London" });
    let me = ada.patch("/me", changes).await.expect(200).json();
    assert_eq!(
        (&me["name"], &me["email"], &me["time_zone"]),
        (
            &json!("Ada Lovelace"),
            &json!("countess@example.org"),
            &json!("Europe/London")
        )
    );
    assert_eq!(ada.patch("/me", json!({})).await.expect(200).json(), me);
    for (field, value) in [
        ("name", json!("x".repeat(101))),
        ("email", json!("BOB@example.org")),
        ("email", json!("no")),
        ("time_zone", json!("Mars/Olympus")),
        ("name", json!("a\0b")),
    ] {
        let problem = ada.patch("/me", json!({ field: value })).await.problem(422);
        assert!(problem["errors"][field].is_string(), "{field}");
    }
    assert_eq!(ada.get("/me").await.json(), me);
    let me = ada.patch("/me", json!({ "name": "A\nB" })).await;
    assert_eq!(me.expect(200).json()["name"], "A B");
}

#[actix_web::test]
async fn password_change_requires_the_old_password_and_ends_other_sessions() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let (here, there) = (
        app.browser("Ada").await.accept("application/json"),
        app.browser("Ada").await.accept("application/json"),
    );
    let change = async |current: &str, password: &str| {
        let body = json!({ "current": current, "password": password });
        here.json("PUT", "/me/password", &body).await
    };
    let wrong = change("wrong", NEW_PASSWORD).await.problem(422);
    assert!(wrong["errors"]["current"].is_string());
    change(PASSWORD, "password").await.problem(422);
    there.get("/me").await.expect(200);
    change(PASSWORD, NEW_PASSWORD).await.expect(204);
    here.get("/me").await.expect(200);
    there.get("/me").await.problem(401);
    sign_in(&app, NEW_PASSWORD).await.expect(204);
}

#[actix_web::test]
async fn token_is_shown_once_and_can_be_revoked_only_by_its_owner() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.person("Ada").await, app.person("Eve").await);
    let made = ada
        .post("/tokens", json!({ "name": "CI" }))
        .await
        .expect(201)
        .json();
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("hb_"));
    let program = app.client().bearer(token);
    assert_eq!(
        program.get("/me").await.expect(200).json()["id"],
        json!(ada.id)
    );
    let list = ada.get("/tokens").await.expect(200);
    assert!(!list.text().contains(token) && list.json()["items"][0]["last_used_at"].is_string());
    eve.delete(&format!("/tokens/{}", made["id"].as_str().unwrap()))
        .await
        .expect(204);
    program.get("/me").await.expect(200);
    ada.delete(&format!("/tokens/{}", made["id"].as_str().unwrap()))
        .await
        .expect(204);
    program.get("/me").await.problem(401);
    ada.post("/tokens", json!({})).await.problem(422);
    for invalid in ["hb_", "hb_nothing", "x", ""] {
        app.client()
            .header("authorization", &format!("Bearer {invalid}"))
            .get("/me")
            .await
            .problem(401);
    }
}

#[actix_web::test]
async fn people_list_is_paged_and_sorted_by_name() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.people(["Dora", "Bob", "Cleo", "Eve"]).await;
    let mut path = "/people?limit=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let page = ada.get(&path).await.expect(200).json();
        pages.push(texts(&page["items"], "name").join(" "));
        if pages.len() == 1 {
            // A new person whose name sorts before the cursor does not shift the following pages.
            app.person("Aaron").await;
        }
        match page["next"].as_str() {
            Some(next) => path = format!("/people?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(pages, ["Ada Bob", "Cleo Dora", "Eve"]);
    let browser = app.browser("Ada").await;
    let page = browser.get("/people?limit=2").await.expect(200).text();
    assert!(page.contains("<bdi>Ada</bdi>") && !page.contains("<bdi>Bob</bdi>"));
    assert!(page.contains("href=\"/people?after="), "{page}");
    for (query, field) in [
        ("limit=0", "limit"),
        ("after=x", "after"),
        ("page=2", "page"),
    ] {
        let problem = ada.get(&format!("/people?{query}")).await.problem(422);
        assert!(problem["errors"][field].is_string(), "{problem}");
    }
}

#[actix_web::test]
async fn name_email_address_and_time_zone_cannot_be_cleared() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    for field in ["name", "email", "time_zone"] {
        for empty in [json!(""), json!(" \t"), json!(null)] {
            let change = json!({ field: empty, "notify": { "mail": false } });
            let refused = ada.patch("/me", change).await;
            assert!(
                refused.problem(422)["errors"][field].is_string(),
                "{field} {empty}: {}",
                refused.text()
            );
        }
        browser
            .form("PATCH", "/me", &[(field, "")])
            .await
            .expect(422);
    }
    let me = ada.get("/me").await.json();
    assert_eq!(me["name"], "Ada");
    assert_eq!(me["email"], email("Ada"));
    assert_eq!(me["time_zone"], "Europe/Berlin");
    assert_eq!(me["notify"]["mail"], true, "nothing was changed");
}
