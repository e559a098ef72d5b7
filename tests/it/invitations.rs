//! Invitations: sending, accepting, expiry, and inviting the audience of an update.

use serde_json::{Value, json};

use crate::app::{Client, PASSWORD, Response, TestApp, text};

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

/// Returns the fields of the form that accepts an invitation.
fn newcomer(name: &str) -> Value {
    json!({ "name": name, "password": PASSWORD, "time_zone": "Asia/Tokyo" })
}

/// Returns the addresses of the pending invitations.
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
async fn several_invitations_can_be_sent_at_once_and_each_can_be_accepted_once() {
    let app = TestApp::start().await;
    let admin = app.admin("Root").await;
    let emails = ["ana@example.org", "ben@example.org", "cia@example.org"];
    let made = invite(&admin, &emails).await;
    let link = &made[0].1;
    assert_eq!(pending(&admin).await.len(), 3);
    let (_, token) = link.rsplit_once('/').unwrap();
    assert!(
        !admin.get("/invitations").await.text().contains(token),
        "the link is shown once"
    );

    // A GET request does not accept the invitation, because email scanners open links.
    let ana = app.client().header("sec-fetch-site", "same-origin");
    let invitation = ana.get(link).await.expect(200).json();
    assert_eq!(invitation["email"], "ana@example.org");
    let browser = app.client().accept("text/html");
    browser.get(link).await.expect(200);
    ana.post(link, newcomer("Ana")).await.expect(204);
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
    let stranger = app.client();
    stranger.get(link).await.problem(404);
    stranger.post(link, newcomer("Again")).await.problem(404);
    assert_eq!(pending(&admin).await.len(), 2);
    let credentials = json!({ "email": "ANA@example.org", "password": PASSWORD });
    stranger.post("/session", credentials).await.expect(204);
}

#[actix_web::test]
async fn withdrawn_invitation_returns_not_found() {
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

    // The invitation has expired, so an audience cannot contain the invited address.
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
async fn invitation_is_accepted_only_once_when_two_people_accept_it_at_the_same_time() {
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
async fn all_invitations_in_a_request_are_rejected_when_one_address_is_invalid() {
    let app = TestApp::start().await;
    let admin = app.admin("Root").await;
    let too_many: Vec<String> = (0..41).map(|n| format!("p{n}@example.org")).collect();
    for (emails, expected) in [
        (
            json!(["ok@example.org", "not an address"]),
            "not an e-mail address",
        ),
        (
            json!(["ok@example.org", "ROOT@example.org"]),
            "already has an account",
        ),
        (json!([]), "is empty"),
        (json!(too_many), "at most 40"),
    ] {
        let problem = admin
            .post("/invitations", json!({ "emails": emails }))
            .await
            .problem(422);
        let error = problem["errors"]["emails"].as_str().unwrap();
        assert!(error.contains(expected), "{problem}");
    }
    let king = json!({ "emails": ["ok@example.org"], "role": "king" });
    admin.post("/invitations", king).await.problem(422);
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
async fn posting_an_update_invites_people_without_an_account_only_if_the_author_is_an_admin() {
    let app = TestApp::start().await;
    let (admin, ada) = (app.admin("Root").await, app.person("Ada").await);
    let welcome = |invite: bool| {
        json!({
            "title": "Welcome", "audience": ["new@example.org"], "expectation": "acknowledge",
            "publish": true, "invite": invite,
        })
    };
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
    let body = json!({
        "title": "Welcome", "audience": ["new@example.org"], "expectation": "acknowledge",
        "publish": false, "invite": true,
    });
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
    let owed = new.get("/inbox").await.json()["counts"]["owed_by_me"].clone();
    assert_eq!(owed, 2, "the update and the sample update");
    assert_eq!(
        admin.get(&draft).await.json()["audience"]["people"][0]["name"],
        "New"
    );
}

/// Returns the names of the fields with `autofocus`.
fn focused(page: &Response) -> Vec<String> {
    let text = page.text();
    let inputs = text.split("<input").skip(1);
    inputs
        .map(|rest| rest.split('>').next().unwrap())
        .filter(|input| input.split_whitespace().any(|word| word == "autofocus"))
        .map(|input| {
            input
                .split("name=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect()
}

#[actix_web::test]
async fn first_field_is_focused_on_pages_for_people_who_are_not_signed_in() {
    let app = TestApp::start().await;
    let setup = format!("/setup?code={}", app.setup_code.as_deref().unwrap());
    let stranger = app.client().accept("text/html");
    assert_eq!(focused(&stranger.get(&setup).await.expect(200)), ["name"]);
    let admin = app.admin("Root").await;
    let (_, invitation) = invite(&admin, &["new@example.org"]).await.remove(0);
    let reset = format!("/people/{}/reset", admin.id);
    let reset = admin.post(&reset, json!({})).await.expect(201).json();
    let reset = text(&reset["url"]).to_owned();
    for (path, field) in [
        (&*invitation, "name"),
        (&*reset, "password"),
        ("/session", "email"),
    ] {
        let page = stranger.get(path).await.expect(200);
        assert_eq!(focused(&page), [field], "{path}");
    }
    // Only the password was rejected, so the password field is focused instead of the first field.
    let fields = [("name", "New"), ("password", "short")];
    let refused = stranger
        .form("POST", &invitation, &fields)
        .await
        .expect(422);
    assert_eq!(focused(&refused), ["password"]);
}

#[actix_web::test]
async fn inviting_from_the_form_of_a_draft_publishes_the_draft_unless_publish_is_false() {
    let app = TestApp::start().await;
    let admin = app.admin("Root").await;
    let browser = app.browser("Root").await;
    let invite_from_form = async |email: &str, publish: Option<&str>| {
        let draft = admin
            .update(json!({ "title": "T", "publish": false }))
            .await;
        let mut fields = vec![
            ("_method", "PATCH"),
            ("title", "T"),
            ("audience", email),
            ("invite", "true"),
        ];
        fields.extend(publish.map(|publish| ("publish", publish)));
        let answer = browser.form("POST", &draft, &fields).await.expect(303);
        assert_eq!(answer.header("location"), "/people");
        let page = browser.get("/people").await.expect(200).text();
        let state = admin.get(&draft).await.json()["state"].clone();
        (state, page)
    };
    let (state, page) = invite_from_form("new@example.org", None).await;
    assert_eq!(state, "published");
    assert!(page.contains("receives the update immediately"), "{page}");
    let (state, page) = invite_from_form("newer@example.org", Some("false")).await;
    assert_eq!(state, "draft");
    assert!(
        page.contains("receives the update once you send it"),
        "{page}"
    );
}
