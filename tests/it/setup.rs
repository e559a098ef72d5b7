//! Setup: the first account can be created once, with the printed code.

use serde_json::json;

use crate::app::{PASSWORD, TestApp, email};

/// Returns the fields of the setup form.
fn fields_with(code: &str, name: &str) -> serde_json::Value {
    json!({ "code": code, "email": email(name), "name": name, "password": PASSWORD, "time_zone": "Europe/Berlin" })
}

#[actix_web::test]
async fn creating_the_first_account_makes_it_an_admin_and_completes_the_setup() {
    let app = TestApp::start().await;
    let code = app.setup_code.clone().unwrap();
    let page = app
        .client()
        .accept("text/html")
        .get(&format!("/setup?code={code}"))
        .await
        .expect(200);
    assert!(page.text().contains(&code));

    let ada = app.client().header("sec-fetch-site", "same-origin");
    ada.post("/setup", fields_with(&code, "Ada"))
        .await
        .expect(204);
    let me = ada.get("/me").await.expect(200).json();
    assert_eq!(
        (&me["role"], &me["name"], &me["time_zone"]),
        (&json!("admin"), &json!("Ada"), &json!("Europe/Berlin"))
    );

    app.client()
        .get(&format!("/setup?code={code}"))
        .await
        .problem(404);
    app.client()
        .post("/setup", fields_with(&code, "Bob"))
        .await
        .problem(404);
}

#[actix_web::test]
async fn setup_with_a_wrong_code_returns_not_found() {
    let app = TestApp::start().await;
    let nothing = app.client().get("/no-such-address").await.problem(404);
    for path in ["/setup?code=wrong", "/setup", "/setup?code="] {
        assert_eq!(
            app.client().get(path).await.problem(404)["detail"],
            nothing["detail"],
            "{path}"
        );
    }
    app.client()
        .post("/setup", fields_with("wrong", "Eve"))
        .await
        .problem(404);
    app.client().post("/setup", json!({})).await.problem(404);
    app.client()
        .accept("text/html")
        .get("/setup?code=wrong")
        .await
        .expect(404);
}

#[actix_web::test]
async fn setup_form_keeps_its_fields_when_the_password_is_too_short() {
    let app = TestApp::start().await;
    let code = app.setup_code.clone().unwrap();
    let browser = app.client().accept("text/html");
    let fields = [
        ("code", code.as_str()),
        ("email", "ada@example.org"),
        ("name", "Ada L"),
        ("password", "short"),
    ];
    let page = browser.form("POST", "/setup", &fields).await.expect(422);
    assert!(
        page.text().contains("Ada L") && page.text().contains("at least 8 characters"),
        "{}",
        page.text()
    );
    let fields = [fields[0], fields[1], fields[2], ("password", PASSWORD)];
    assert_eq!(
        browser
            .form("POST", "/setup", &fields)
            .await
            .expect(303)
            .header("location"),
        "/"
    );
}

#[actix_web::test]
async fn only_one_account_is_created_when_two_setups_race() {
    let app = TestApp::start().await;
    let code = app.setup_code.clone().unwrap();
    let (one, two) = (app.client(), app.client());
    let (one, two) = tokio::join!(
        one.post("/setup", fields_with(&code, "Ada")),
        two.post("/setup", fields_with(&code, "Bob"))
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 404]);
}
