//! A person's working hours, absence and email setting. The unit tests in `src/working_hours.rs` check how these
//! affect due times.

use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp};

const DAY: i64 = 24 * 3_600_000;

fn hours(days: &[i64], from: &str, to: &str) -> Value {
    json!({ "days": days, "from": from, "to": to })
}

async fn me(client: &Client) -> Value {
    client.get("/me").await.expect(200).json()
}

/// Returns the server's time plus `by` milliseconds as a timestamp.
fn from_now(app: &TestApp, by: i64) -> String {
    hearback::clock::rfc3339(app.state.clock.now() + by)
}

#[actix_web::test]
async fn working_hours_can_be_set_and_cleared() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    assert_eq!(me(&ada).await["working_hours"], Value::Null);
    let night = hours(&[1, 2, 6], "13:00", "22:00");
    assert_eq!(
        ada.patch("/me", json!({ "working_hours": night }))
            .await
            .expect(200)
            .json()["working_hours"],
        night
    );
    ada.patch("/me", json!({ "name": "Ada L" }))
        .await
        .expect(200);
    assert_eq!(me(&ada).await["working_hours"], night);
    ada.patch("/me", json!({ "working_hours": null }))
        .await
        .expect(200);
    assert_eq!(me(&ada).await["working_hours"], Value::Null);
}

#[actix_web::test]
async fn invalid_working_hours_are_rejected_with_a_reason() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let before = me(&ada).await;
    for (invalid, expected) in [
        (hours(&[1], "17:00", "09:00"), "not after the start"),
        (hours(&[1], "09:00", "09:00"), "not after the start"),
        (hours(&[], "09:00", "17:00"), "has no days"),
        (hours(&[0], "09:00", "17:00"), "invalid day 0"),
        (hours(&[8], "09:00", "17:00"), "invalid day 8"),
        (hours(&[1], "9 o'clock", "17:00"), "not a time of day"),
        (
            json!({ "days": [1], "from": "09:00", "to": "17:00", "pause": "12:00" }),
            "pause",
        ),
        (json!("09:00-17:00"), "must be an object"),
        (json!([]), "must be an object"),
    ] {
        let change = json!({ "name": "Other", "working_hours": invalid });
        let problem = ada.patch("/me", change).await.problem(422);
        let error = problem["errors"]["working_hours"].as_str().unwrap();
        assert!(error.contains(expected), "{problem}");
    }
    let change = json!({ "time_zone": "Mars/Olympus" });
    let problem = ada.patch("/me", change).await.problem(422);
    let error = problem["errors"]["time_zone"].as_str().unwrap();
    assert!(error.contains("Europe/Berlin"), "{problem}");
    for (field, value) in [("days", json!([1])), ("mail", json!(true))] {
        let problem = ada.patch("/me", json!({ field: value })).await.problem(422);
        assert!(
            problem["errors"][field].is_string(),
            "only forms accept {field}"
        );
    }
    assert_eq!(me(&ada).await, before);
}

#[actix_web::test]
async fn absence_is_rejected_unless_it_ends_in_the_near_future() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    for (invalid, expected) in [
        (from_now(&app, -1000), "in the past"),
        (from_now(&app, 3000 * DAY), "Check the year"),
        ("soon".into(), "is not a valid time"),
    ] {
        let change = json!({ "away_until": invalid });
        let problem = ada.patch("/me", change).await.problem(422);
        let error = problem["errors"]["away_until"].as_str().unwrap();
        assert!(error.contains(expected), "{problem}");
    }
}

#[actix_web::test]
async fn absence_is_visible_to_others_and_ends_automatically() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let set = async |until: Value| {
        let change = json!({ "away_until": until });
        ada.patch("/me", change).await.expect(200);
    };
    let until = from_now(&app, 3 * DAY);
    set(json!(until)).await;
    let seen = async || {
        let people = bob.get("/people").await.expect(200).json();
        let mut people = people["items"].as_array().unwrap().iter();
        let person = people.find(|person| person["id"] == ada.id).unwrap();
        person["away_until"].clone()
    };
    assert_eq!(seen().await, json!(until));
    let browser = app.browser("Bob").await;
    assert!(browser.get("/people").await.text().contains("Away until"));
    app.state.clock.advance(3 * DAY);
    assert_eq!(seen().await, Value::Null);
    assert_eq!(me(&ada).await["away_until"], Value::Null);
    assert!(!browser.get("/people").await.text().contains("Away until"));
    set(json!(from_now(&app, DAY))).await;
    set(Value::Null).await;
    assert_eq!(seen().await, Value::Null);
}

#[actix_web::test]
async fn email_notifications_are_on_by_default_and_the_setting_is_private() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    assert_eq!(me(&ada).await["notify"], json!({ "mail": true }));
    assert_eq!(
        ada.patch("/me", json!({ "notify": { "mail": false } }))
            .await
            .expect(200)
            .json()["notify"],
        json!({ "mail": false })
    );
    assert!(!ada.get("/people").await.text().contains("notify"));
    for wrong in [
        json!({ "mail": "no" }),
        json!({ "pigeon": true }),
        json!({ "mail": true, "pigeon": true }),
        json!(false),
    ] {
        assert!(
            ada.patch("/me", json!({ "notify": wrong }))
                .await
                .problem(422)["errors"]["notify"]
                .is_string()
        );
    }
    assert_eq!(me(&ada).await["notify"], json!({ "mail": false }));
    ada.patch("/me", json!({ "notify": { "mail": true } }))
        .await
        .expect(200);
    assert_eq!(me(&ada).await["notify"], json!({ "mail": true }));
}

/// Submits fields of the settings form.
async fn submit(browser: &Client, fields: &[(&str, &str)]) -> Response {
    let fields = [&[("_method", "PATCH")], fields].concat();
    browser.form("POST", "/me", &fields).await
}

const ZONE: (&str, &str) = ("time_zone", "Pacific/Auckland");
/// Form fields with valid working hours.
const HOURS: [(&str, &str); 4] = [
    ("days", "2"),
    ("days", "7"),
    ("from", "08:30"),
    ("to", "15:00"),
];

#[actix_web::test]
async fn settings_form_saves_working_hours_and_keeps_omitted_settings() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let fields = [&[ZONE, ("away_until", "")], &HOURS[..]].concat();
    submit(&browser, &fields).await.expect(303);
    let saved = me(&ada).await;
    assert_eq!(
        (&saved["working_hours"], &saved["time_zone"]),
        (
            &hours(&[2, 7], "08:30", "15:00"),
            &json!("Pacific/Auckland")
        )
    );
    submit(&browser, &[("mail", "false")]).await.expect(303);
    let saved = me(&ada).await;
    assert_eq!(saved["notify"]["mail"], false);
    assert_eq!(
        saved["working_hours"],
        hours(&[2, 7], "08:30", "15:00"),
        "missing fields are not changed"
    );
}

#[actix_web::test]
async fn settings_form_keeps_invalid_input() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    submit(&browser, &HOURS).await.expect(303);
    let before = me(&ada).await;
    // The working hours are invalid without a day, so the form is shown again with an error.
    let fields = [("from", "15:00"), ("to", "15:00"), ("away_until", "")];
    let page = submit(&browser, &fields).await.expect(422).text();
    assert!(
        page.contains("This has no days. Choose at least one."),
        "{page}"
    );
    assert!(
        !page.contains("name=\"days\" value=\"2\" checked") && page.contains("value=\"15:00\"")
    );
    let fields = [("days", "3"), ("from", "17:00"), ("to", "09:00")];
    let page = submit(&browser, &fields).await.expect(422).text();
    assert!(
        page.contains("ends at 09:00")
            && page.contains("name=\"days\" value=\"3\" checked")
            && !page.contains("value=\"2\" checked")
    );
    let fields = [("away_until", "2001-02-03T04:05")];
    let page = submit(&browser, &fields).await.expect(422).text();
    assert!(page.contains("is in the past"), "{page}");
    assert_eq!(me(&ada).await, before);
}

#[actix_web::test]
async fn absence_entered_in_a_form_uses_the_time_zone_that_the_form_sends() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let minute = (app.state.clock.now() / 60_000 + 50_000) * 60_000;
    let zone = jiff::tz::TimeZone::get("Pacific/Auckland").unwrap();
    let local = jiff::Timestamp::from_millisecond(minute)
        .unwrap()
        .to_zoned(zone)
        .strftime("%Y-%m-%dT%H:%M")
        .to_string();
    submit(&browser, &[ZONE, ("away_until", &local)])
        .await
        .expect(303);
    assert_eq!(
        me(&ada).await["away_until"],
        json!(hearback::clock::rfc3339(minute))
    );
    submit(&browser, &[ZONE, ("away_until", "")])
        .await
        .expect(303);
    assert_eq!(me(&ada).await["away_until"], Value::Null);
}
