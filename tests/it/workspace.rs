//! The workspace settings ("How we work here"): rules, contact and default due time.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email};

#[actix_web::test]
async fn workspace_settings_are_readable_by_all_and_writable_by_admins() {
    let app = TestApp::start().await;
    let (ada, root) = (app.person("Ada").await, app.admin("Root").await);
    let nothing = json!({ "rules": "", "rules_html": "", "contact": null, "due": null });
    assert_eq!(ada.get("/workspace").await.expect(200).json(), nothing);
    let change = json!({ "rules": "Mine" });
    ada.patch("/workspace", change).await.problem(403);
    app.client().get("/workspace").await.problem(401);

    let change = json!({
        "rules": "We **answer** <b>soon</b>.", "contact": email("Ada"),
        "due": { "working_days": 2 },
    });
    let set = root.patch("/workspace", change).await.expect(200).json();
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

    // Omitted fields keep their values, and null clears a field. The contact can be set by id.
    let change = json!({ "contact": root.id, "due": null });
    let set = root.patch("/workspace", change).await.expect(200).json();
    assert_eq!(
        (&set["contact"]["name"], &set["due"]),
        (&json!("Root"), &Value::Null)
    );
    assert!(set["rules"].as_str().unwrap().starts_with("We"));
    let change = json!({ "rules": null, "contact": null });
    let set = root.patch("/workspace", change).await.expect(200).json();
    assert_eq!(set, nothing);
}

#[actix_web::test]
async fn invalid_workspace_settings_are_rejected_and_the_error_names_the_field() {
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
        ("rules", json!("x".repeat(20_001)), "the maximum is 20000"),
        ("rules", json!(7), "must be a string"),
        (
            "contact",
            json!("nobody@example.org"),
            "has no active account",
        ),
        ("contact", json!("nobody"), "matches no account"),
        ("contact", json!(gone.id), "whose account is deactivated"),
        ("contact", json!(email("Gone")), "has no active account"),
        ("due", json!({ "working_days": 0 }), "1 to 60"),
        ("due", json!({ "working_days": 61 }), "1 to 60"),
        ("due", json!({ "days": 1 }), "working_days"),
        (
            "due",
            json!({ "working_days": 1, "hours": 2 }),
            "working_days",
        ),
        ("due", json!("2026-11-21T17:00:00Z"), "working_days"),
        ("colour", json!("red"), "is an unknown field"),
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

async fn page(browser: &Client, path: &str) -> String {
    browser.get(path).await.expect(200).text()
}

#[actix_web::test]
async fn workspace_page_has_an_edit_form_only_for_admins() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    app.admin("Root").await;
    let (ada, root) = (app.browser("Ada").await, app.browser("Root").await);
    let people = ada.get("/people").await.text();
    assert!(people.contains("href=\"/workspace\""));
    let workspace = page(&root, "/workspace").await;
    assert!(workspace.contains("href=\"/workspace?edit\""));
    let field = "name=\"rules\"";
    assert!(page(&root, "/workspace?edit").await.contains(field));
    assert!(!page(&ada, "/workspace?edit").await.contains(field));
    let workspace = ada.get("/workspace").await.text();
    assert!(!workspace.contains("workspace?edit"));
    let fields = form("Long thoughts", "99", "");
    ada.form("POST", "/workspace", &fields).await.expect(403);
}

/// Returns the fields of the form for workspace settings.
fn form<'a>(rules: &'a str, due: &'a str, contact: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("_method", "PATCH"),
        ("rules", rules),
        ("due", due),
        ("contact", contact),
    ]
}

#[actix_web::test]
async fn workspace_form_saves_and_clears_settings_and_keeps_invalid_input() {
    let app = TestApp::start().await;
    app.person("Ada").await;
    app.admin("Root").await;
    let (ada, root) = (app.browser("Ada").await, app.browser("Root").await);
    let fields = form("We *answer* soon.", "1", "ada@example.org");
    root.form("POST", "/workspace", &fields).await.expect(303);
    let workspace = ada.get("/workspace").await.text();
    assert!(
        workspace.contains("<em>answer</em>")
            && workspace.contains("within 1 working day,")
            && workspace.contains("Ask <bdi>Ada</bdi>"),
        "{workspace}"
    );
    let fields = form("Long thoughts", "99", "");
    let rejected = root.form("POST", "/workspace", &fields).await;
    let rejected = rejected.expect(422).text();
    assert!(
        rejected.contains("Long thoughts")
            && rejected.contains("1 to 60")
            && rejected.contains("value=\"99\""),
        "{rejected}"
    );
    let fields = form("", "", "");
    root.form("POST", "/workspace", &fields).await.expect(303);
    let workspace = ada.get("/workspace").await.text();
    assert!(workspace.contains("Nothing is written down yet"));
}

const CONTACT: &str = "Questions? Ask <bdi>Root</bdi>";

/// Sets the rules of the workspace, and makes `root` its contact.
async fn set_contact(root: &Client) {
    let change = json!({ "rules": "We *answer* soon.", "contact": root.id });
    root.patch("/workspace", change).await.expect(200);
}

#[actix_web::test]
async fn workspace_settings_are_shown_on_invitation_pages() {
    let app = TestApp::start().await;
    let root = app.admin("Root").await;
    set_contact(&root).await;
    let emails = json!({ "emails": ["new@example.org"] });
    let made = root.post("/invitations", emails).await.expect(201).json();
    let link = made["items"][0]["url"].as_str().unwrap();
    let page = page(&app.client().accept("text/html"), link).await;
    assert!(
        page.contains("<span>How we work here</span></summary>")
            && page.contains("<em>answer</em>")
            && page.contains(CONTACT),
        "{page}"
    );
    assert_eq!(
        app.client().get(link).await.json()["workspace"]["contact"]["name"],
        "Root"
    );
}

#[actix_web::test]
async fn workspace_contact_is_shown_on_error_pages_only_to_signed_in_people() {
    let app = TestApp::start().await;
    let root = app.admin("Root").await;
    app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let missing = browser.get("/updates/none").await.expect(404);
    assert!(!missing.text().contains("Questions?"));
    set_contact(&root).await;
    for path in ["/updates/none", "/nowhere"] {
        let missing = browser.get(path).await.expect(404);
        assert!(missing.text().contains(CONTACT), "{path}");
    }
    let forbidden = browser
        .form("POST", "/invitations", &[("emails", "x@example.org")])
        .await
        .expect(403);
    assert!(forbidden.text().contains(CONTACT));
    let stranger = app.client().accept("text/html").get("/s/none").await;
    let stranger = stranger.expect(404).text();
    assert!(
        !stranger.contains("Questions?") && !stranger.contains("root@example.org"),
        "{stranger}"
    );
}
