//! Accounts: invitations, roles, settings, passwords and API tokens.

use serde_json::{Value, json};

use crate::app::{Client, PASSWORD, TestApp, email};

const DAY: i64 = 24 * 3_600_000;

/// Sends invitations. Returns the id and the link of each.
async fn invite(admin: &Client, emails: &[&str]) -> Vec<(String, String)> {
    let made = admin
        .post("/invitations", json!({ "emails": emails }))
        .await
        .expect(201)
        .json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    made["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (text(&item["id"]), text(&item["url"])))
        .collect()
}

fn newcomer(name: &str) -> Value {
    json!({ "name": name, "password": PASSWORD, "time_zone": "Asia/Tokyo" })
}

async fn pending(admin: &Client) -> Vec<String> {
    let list = admin.get("/invitations").await.expect(200).json();
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["email"].as_str().unwrap().to_owned())
        .collect()
}

#[actix_web::test]
async fn invitations_can_be_sent_together_and_accepted_once() {
    let app = TestApp::start().await;
    let admin = app.admin("Root").await;
    let made = invite(
        &admin,
        &["ana@example.org", "ben@example.org", "cia@example.org"],
    )
    .await;
    assert_eq!(pending(&admin).await.len(), 3);
    assert!(
        !admin
            .get("/invitations")
            .await
            .text()
            .contains(made[0].1.rsplit('/').next().unwrap()),
        "the link is shown once"
    );

    // Opening the link accepts nothing, because mail scanners open links.
    let ana = app.client().header("sec-fetch-site", "same-origin");
    assert_eq!(
        ana.get(&made[0].1).await.expect(200).json()["email"],
        "ana@example.org"
    );
    app.client()
        .accept("text/html")
        .get(&made[0].1)
        .await
        .expect(200);
    ana.post(&made[0].1, newcomer("Ana")).await.expect(204);
    let me = ana.get("/me").await.expect(200).json();
    assert_eq!(
        (&me["name"], &me["role"], &me["time_zone"], &me["email"]),
        (
            &json!("Ana"),
            &json!("member"),
            &json!("Asia/Tokyo"),
            &json!("ana@example.org")
        )
    );
    app.client().get(&made[0].1).await.problem(404);
    app.client()
        .post(&made[0].1, newcomer("Again"))
        .await
        .problem(404);
    assert_eq!(pending(&admin).await.len(), 2);
    app.client()
        .post(
            "/session",
            json!({ "email": "ANA@example.org", "password": PASSWORD }),
        )
        .await
        .expect(204);
}

#[actix_web::test]
async fn withdrawn_invitation_is_not_found() {
    let app = TestApp::start().await;
    let admin = app.admin("Root").await;
    let made = invite(&admin, &["ana@example.org"]).await;
    admin
        .delete(&format!("/invitations/{}", made[0].0))
        .await
        .expect(204);
    admin
        .delete(&format!("/invitations/{}", made[0].0))
        .await
        .expect(204);
    app.client().get(&made[0].1).await.problem(404);
    app.client()
        .post(&made[0].1, newcomer("Ana"))
        .await
        .problem(404);
    assert!(pending(&admin).await.is_empty());
}

#[actix_web::test]
async fn invitation_expires_after_fourteen_days_and_can_be_renewed() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin("Root").await, app.person("Ada").await);
    let made = invite(&admin, &["ana@example.org"]).await;
    app.state.clock.advance(14 * DAY - 60_000);
    app.client().get(&made[0].1).await.expect(200);
    app.state.clock.advance(61_000);
    app.client().get(&made[0].1).await.problem(404);
    app.client()
        .post(&made[0].1, newcomer("Ana"))
        .await
        .problem(404);
    assert!(pending(&admin).await.is_empty());

    // A person whose invitation expired is unknown again.
    let refused = ada
        .post(
            "/updates",
            json!({ "title": "x", "audience": ["ana@example.org"], "publish": true }),
        )
        .await
        .problem(422);
    assert!(
        refused["errors"]["audience"]
            .as_str()
            .unwrap()
            .contains("Root can invite"),
        "{refused}"
    );
    let again = invite(&admin, &["ana@example.org"]).await;
    assert_ne!(again[0].1, made[0].1);
    app.client().get(&made[0].1).await.problem(404);
    app.client()
        .post(&again[0].1, newcomer("Ana"))
        .await
        .expect(204);
}

#[actix_web::test]
async fn invitation_is_accepted_once_when_two_requests_race() {
    let app = TestApp::start().await;
    let admin = app.admin("Root").await;
    let made = invite(&admin, &["ana@example.org"]).await;
    let (one, two) = (app.client(), app.client());
    let (one, two) = tokio::join!(
        one.post(&made[0].1, newcomer("Ana")),
        two.post(&made[0].1, newcomer("Mallory"))
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 404]);
}

#[actix_web::test]
async fn invitations_are_rejected_together_when_one_address_is_invalid() {
    let app = TestApp::start().await;
    let admin = app.admin("Root").await;
    for (emails, expected) in [
        (
            json!(["ok@example.org", "not an address"]),
            "not an address",
        ),
        (
            json!(["ok@example.org", "ROOT@example.org"]),
            "has an account already",
        ),
        (json!([]), "is empty"),
        (
            json!(
                (0..41)
                    .map(|n| format!("p{n}@example.org"))
                    .collect::<Vec<_>>()
            ),
            "at most 40",
        ),
    ] {
        let problem = admin
            .post("/invitations", json!({ "emails": emails }))
            .await
            .problem(422);
        assert!(
            problem["errors"]["emails"]
                .as_str()
                .unwrap()
                .contains(expected),
            "{problem}"
        );
    }
    admin
        .post(
            "/invitations",
            json!({ "emails": ["ok@example.org"], "role": "king" }),
        )
        .await
        .problem(422);
    assert!(pending(&admin).await.is_empty());
    let page = app
        .browser("Root")
        .await
        .form("POST", "/invitations", &[("emails", "typed@wrong@x")])
        .await
        .expect(422);
    assert!(page.text().contains("typed@wrong@x"));
}

#[actix_web::test]
async fn reset_link_works_once_within_an_hour_and_ends_all_sessions() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin("Root").await, app.person("Ada").await);
    let browser = app.browser("Ada").await.accept("application/json");
    let link = async || {
        let made = admin
            .post(&format!("/people/{}/reset", ada.id), json!({}))
            .await
            .expect(201)
            .json();
        made["url"].as_str().unwrap().to_owned()
    };
    let old = link().await;
    let second = link().await;
    app.client().get(&old).await.problem(404);
    app.client().get(&second).await.expect(200);
    app.state.clock.advance(3_600_001);
    app.client().get(&second).await.problem(404);
    app.client()
        .post(&second, json!({ "password": "brand new words here" }))
        .await
        .problem(404);

    let good = link().await;
    app.client()
        .post(&good, json!({ "password": "short" }))
        .await
        .problem(422);
    browser.get("/me").await.expect(200);
    app.client()
        .post(&good, json!({ "password": "brand new words here" }))
        .await
        .expect(204);
    app.client().get(&good).await.problem(404);
    browser.get("/me").await.problem(401);
    app.client()
        .post(
            "/session",
            json!({ "email": email("Ada"), "password": PASSWORD }),
        )
        .await
        .problem(422);
    app.client()
        .post(
            "/session",
            json!({ "email": email("Ada"), "password": "brand new words here" }),
        )
        .await
        .expect(204);
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
    // A deactivated admin does not count.
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
async fn one_admin_remains_when_two_demote_each_other() {
    let app = TestApp::start().await;
    let (one, two) = (app.admin("One").await, app.admin("Two").await);
    let (first, second) = (format!("/people/{}", two.id), format!("/people/{}", one.id));
    let (first, second) = tokio::join!(
        one.patch(&first, json!({ "role": "member" })),
        two.patch(&second, json!({ "role": "member" }))
    );
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    // The second request comes from a former admin (403) or would leave no admin (409).
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
async fn settings_are_validated_and_saved() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Bob").await;
    let changed = json!({ "name": "Ada Lovelace", "email": "countess@example.org", "time_zone": "Europe/London" });
    // A browser session must confirm the password to change the email address.
    let browser = app.browser("Ada").await.accept("application/json");
    for current in [json!(null), json!("wrong")] {
        let body = json!({ "email": "mallory@example.org", "current": current });
        assert!(browser.patch("/me", body).await.problem(422)["errors"]["current"].is_string());
    }
    assert_eq!(ada.get("/me").await.json()["email"], "ada@example.org");
    browser
        .patch(
            "/me",
            json!({ "email": "a.da@example.org", "current": PASSWORD }),
        )
        .await
        .expect(200);
    let me = ada.patch("/me", changed).await.expect(200).json();
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
        assert!(
            ada.patch("/me", json!({ field: value })).await.problem(422)["errors"][field]
                .is_string(),
            "{field}"
        );
    }
    assert_eq!(ada.get("/me").await.json(), me);
    // A line break in a name becomes a space.
    assert_eq!(
        ada.patch("/me", json!({ "name": "A\nB" }))
            .await
            .expect(200)
            .json()["name"],
        "A B"
    );
}

#[actix_web::test]
async fn password_change_requires_the_old_one_and_ends_other_sessions() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    let (here, there) = (
        app.browser("Ada").await.accept("application/json"),
        app.browser("Ada").await.accept("application/json"),
    );
    let new = "brand new words here";
    let wrong = here
        .json(
            "PUT",
            "/me/password",
            &json!({ "current": "wrong", "password": new }),
        )
        .await
        .problem(422);
    assert!(wrong["errors"]["current"].is_string());
    here.json(
        "PUT",
        "/me/password",
        &json!({ "current": PASSWORD, "password": "password" }),
    )
    .await
    .problem(422);
    there.get("/me").await.expect(200);
    here.json(
        "PUT",
        "/me/password",
        &json!({ "current": PASSWORD, "password": new }),
    )
    .await
    .expect(204);
    here.get("/me").await.expect(200);
    there.get("/me").await.problem(401);
    app.client()
        .post(
            "/session",
            json!({ "email": email("Ada"), "password": new }),
        )
        .await
        .expect(204);
}

#[actix_web::test]
async fn token_is_shown_once_and_revoked_only_by_its_owner() {
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
    // An invalid token gets 401.
    for invalid in ["hb_", "hb_nothing", "x", ""] {
        app.client()
            .header("authorization", &format!("Bearer {invalid}"))
            .get("/me")
            .await
            .problem(401);
    }
}

#[actix_web::test]
async fn update_invites_its_audience_only_when_posted_by_an_admin() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin("Root").await, app.person("Ada").await);
    let welcome = |invite: bool| json!({ "title": "Welcome", "audience": ["new@example.org"], "expectation": "acknowledge", "publish": true, "invite": invite });
    for body in [
        welcome(false),
        json!({ "title": "x", "audience": ["new@example.org", "two@example.org"] }),
    ] {
        let problem = ada.post("/updates", body).await.problem(422);
        assert!(
            problem["errors"]["audience"]
                .as_str()
                .unwrap()
                .contains("Root can invite"),
            "{problem}"
        );
    }
    assert_eq!(
        ada.post("/updates", welcome(true)).await.status.as_u16(),
        403
    );
    assert!(
        pending(&admin).await.is_empty() && ada.get("/updates").await.json()["items"] == json!([]),
        "nothing was stored"
    );

    let path = admin.update(welcome(true)).await;
    assert_eq!(pending(&admin).await, ["new@example.org"]);
    let link = invite(&admin, &["new@example.org"]).await;
    let new = app.client().header("sec-fetch-site", "same-origin");
    new.post(&link[0].1, newcomer("New")).await.expect(204);
    let inbox = new.get("/inbox").await.expect(200).json();
    assert_eq!(inbox["owed_by_me"][0]["update"]["title"], "Welcome");
    assert_eq!(admin.get(&path).await.json()["counts"]["owing"], 1);
}

#[actix_web::test]
async fn invited_people_stay_in_the_audience_when_the_draft_is_edited() {
    let app = TestApp::start().await;
    let admin = app.admin("Root").await;
    let body = json!({ "title": "Welcome", "audience": ["new@example.org"], "expectation": "acknowledge", "publish": false, "invite": true });
    let draft = admin.update(body).await;
    let browser = app.browser("Root").await;
    let page = browser
        .get(&format!("{draft}/edit"))
        .await
        .expect(200)
        .text();
    assert!(
        page.contains("new@example.org"),
        "the form shows the audience"
    );
    browser
        .form(
            "POST",
            &draft,
            &[
                ("_method", "PATCH"),
                ("title", "Welcome!"),
                ("audience", "new@example.org"),
                ("publish", "true"),
            ],
        )
        .await
        .expect(303);
    let link = invite(&admin, &["new@example.org"]).await;
    let new = app.client().header("sec-fetch-site", "same-origin");
    new.post(&link[0].1, newcomer("New")).await.expect(204);
    assert_eq!(new.get("/inbox").await.json()["counts"]["owed_by_me"], 1);
    assert_eq!(
        admin.get(&draft).await.json()["audience"]["people"][0]["name"],
        "New"
    );
}
