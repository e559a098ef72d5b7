//! The workspace settings ("How we work here"): rules, contact and default due time.

use serde_json::{Value, json};

use crate::app::{TestApp, email};

#[actix_web::test]
async fn workspace_settings_are_readable_by_all_and_writable_by_admins() {
    let app = TestApp::start().await;
    let (ada, root) = (app.person("Ada").await, app.admin("Root").await);
    let nothing = json!({ "rules": "", "rules_html": "", "contact": null, "due": null });
    assert_eq!(ada.get("/workspace").await.expect(200).json(), nothing);
    ada.patch("/workspace", json!({ "rules": "Mine" }))
        .await
        .problem(403);
    app.client().get("/workspace").await.problem(401);

    let body = json!({ "rules": "We **answer** <b>soon</b>.", "contact": email("Ada"), "due": { "working_days": 2 } });
    let set = root.patch("/workspace", body).await.expect(200).json();
    assert_eq!(
        set["contact"],
        json!({ "id": ada.id, "name": "Ada", "email": email("Ada") })
    );
    assert_eq!(
        (&set["rules"], &set["due"]),
        (
            &json!("We **answer** <b>soon</b>."),
            &json!({ "working_days": 2 })
        )
    );
    let html = set["rules_html"].as_str().unwrap();
    assert!(
        html.contains("<strong>answer</strong>") && !html.contains("<b>"),
        "{html}"
    );
    assert_eq!(ada.get("/workspace").await.json(), set);

    // An absent field is not changed, and null clears it. A contact can be named by id.
    let set = root
        .patch("/workspace", json!({ "contact": root.id, "due": null }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&set["contact"]["name"], &set["due"]),
        (&json!("Root"), &Value::Null)
    );
    assert!(set["rules"].as_str().unwrap().starts_with("We"));
    assert_eq!(
        root.patch("/workspace", json!({ "rules": null, "contact": null }))
            .await
            .expect(200)
            .json(),
        nothing
    );
}

#[actix_web::test]
async fn invalid_workspace_settings_are_rejected_with_their_field() {
    let app = TestApp::start().await;
    let (root, gone) = (app.admin("Root").await, app.person("Gone").await);
    root.patch(&format!("/people/{}", gone.id), json!({ "active": false }))
        .await
        .expect(200);
    root.patch(
        "/workspace",
        json!({ "rules": "Kept", "due": { "working_days": 1 } }),
    )
    .await
    .expect(200);
    for (field, value, expected) in [
        ("rules", json!("x".repeat(20_001)), "at most 20000"),
        ("rules", json!(7), "is not a text"),
        ("contact", json!("nobody@example.org"), "has no account"),
        ("contact", json!("nobody"), "which is nobody"),
        ("contact", json!(gone.id), "who is deactivated"),
        ("contact", json!(email("Gone")), "has no account"),
        ("due", json!({ "working_days": 0 }), "1 to 60"),
        ("due", json!({ "working_days": 61 }), "1 to 60"),
        ("due", json!({ "days": 1 }), "working_days"),
        (
            "due",
            json!({ "working_days": 1, "hours": 2 }),
            "working_days",
        ),
        ("due", json!("2026-11-21T17:00:00Z"), "working_days"),
        ("colour", json!("red"), "is not known"),
    ] {
        let problem = root
            .patch("/workspace", json!({ "rules": "Changed", field: value }))
            .await
            .problem(422);
        assert!(
            problem["errors"][field]
                .as_str()
                .unwrap()
                .contains(expected),
            "{field}: {problem}"
        );
    }
    let now = root.get("/workspace").await.json();
    assert_eq!(
        (&now["rules"], &now["due"], &now["contact"]),
        (&json!("Kept"), &json!({ "working_days": 1 }), &Value::Null)
    );
}

#[actix_web::test]
async fn deactivated_contact_is_not_shown() {
    let app = TestApp::start().await;
    let (root, ada) = (app.admin("Root").await, app.person("Ada").await);
    root.patch("/workspace", json!({ "contact": ada.id }))
        .await
        .expect(200);
    root.patch(&format!("/people/{}", ada.id), json!({ "active": false }))
        .await
        .expect(200);
    assert_eq!(root.get("/workspace").await.json()["contact"], Value::Null);
}

#[actix_web::test]
async fn workspace_page_has_an_edit_form_for_admins_only() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    app.admin("Root").await;
    let (ada, root) = (app.browser("Ada").await, app.browser("Root").await);
    assert!(
        ada.get("/people")
            .await
            .text()
            .contains("href=\"/workspace\"")
    );
    assert!(
        root.get("/workspace")
            .await
            .expect(200)
            .text()
            .contains("href=\"/workspace?edit\"")
    );
    assert!(
        root.get("/workspace?edit")
            .await
            .expect(200)
            .text()
            .contains("name=\"rules\"")
    );
    assert!(
        !ada.get("/workspace?edit")
            .await
            .expect(200)
            .text()
            .contains("name=\"rules\"")
    );
    let typed = [
        ("_method", "PATCH"),
        ("rules", "We *answer* soon."),
        ("due", "1"),
        ("contact", "ada@example.org"),
    ];
    root.form("POST", "/workspace", &typed).await.expect(303);
    let page = ada.get("/workspace").await.text();
    assert!(
        page.contains("<em>answer</em>")
            && page.contains("within 1 working day,")
            && page.contains("Ask Ada"),
        "{page}"
    );
    assert!(!page.contains("workspace?edit"));

    let typed = [
        ("_method", "PATCH"),
        ("rules", "Long thoughts"),
        ("due", "99"),
        ("contact", ""),
    ];
    let page = root
        .form("POST", "/workspace", &typed)
        .await
        .expect(422)
        .text();
    assert!(
        page.contains("Long thoughts") && page.contains("1 to 60") && page.contains("value=\"99\""),
        "{page}"
    );
    ada.form("POST", "/workspace", &typed).await.expect(403);
    let cleared = [
        ("_method", "PATCH"),
        ("rules", ""),
        ("due", ""),
        ("contact", ""),
    ];
    root.form("POST", "/workspace", &cleared).await.expect(303);
    assert!(
        ada.get("/workspace")
            .await
            .text()
            .contains("Nothing is written down yet")
    );
}

#[actix_web::test]
async fn workspace_contact_is_shown_on_invitations_and_to_signed_in_people_on_errors() {
    let app = TestApp::start().await;
    let root = app.admin("Root").await;
    app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let line = "Questions? Ask Root";
    assert!(
        !browser
            .get("/updates/none")
            .await
            .expect(404)
            .text()
            .contains("Questions?")
    );
    root.patch(
        "/workspace",
        json!({ "rules": "We *answer* soon.", "contact": root.id }),
    )
    .await
    .expect(200);
    let made = root
        .post("/invitations", json!({ "emails": ["new@example.org"] }))
        .await
        .expect(201)
        .json();
    let link = made["items"][0]["url"].as_str().unwrap().to_owned();
    let page = app
        .client()
        .accept("text/html")
        .get(&link)
        .await
        .expect(200)
        .text();
    assert!(
        page.contains("<span>How we work here</span></summary>")
            && page.contains("<em>answer</em>")
            && page.contains(line),
        "{page}"
    );
    assert_eq!(
        app.client().get(&link).await.json()["workspace"]["contact"]["name"],
        "Root"
    );

    assert!(
        browser
            .get("/updates/none")
            .await
            .expect(404)
            .text()
            .contains(line)
    );
    assert!(
        browser
            .get("/nowhere")
            .await
            .expect(404)
            .text()
            .contains(line)
    );
    assert!(
        browser
            .form("POST", "/invitations", &[("emails", "x@example.org")])
            .await
            .expect(403)
            .text()
            .contains(line)
    );
    let stranger = app
        .client()
        .accept("text/html")
        .get("/s/none")
        .await
        .expect(404)
        .text();
    assert!(
        !stranger.contains("Questions?") && !stranger.contains("root@example.org"),
        "{stranger}"
    );
}
