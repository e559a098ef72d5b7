//! Share links of people who were deactivated open nothing, and admins see and end every link.

use hearback::error::Error;
use hearback::links;
use hearback::people::{self, Viewer};
use serde_json::{Value, json};

use crate::app::{Client, TestApp, fixture};

/// An update by `author` with a picture, shared; its address and the link's id and secret.
async fn shared(author: &Client) -> (String, String, String) {
    let made = author
        .upload(
            "/updates",
            &[("title", "Plan")],
            &[("media", "a.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    let path = format!("/updates/{}", made["id"].as_str().unwrap());
    let (link, token) = author.share(&path, true).await;
    (path, link, token)
}

#[actix_web::test]
async fn links_of_a_deactivated_person_open_nothing_and_stay_closed() {
    let app = TestApp::start().await;
    let (ada, bob, root) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.admin("Root").await,
    );
    let (path, _, token) = shared(&ada).await;
    let (other, _, others) = shared(&bob).await;
    let browser = app.client().accept("text/html");
    browser.get(&format!("/s/{token}")).await.expect(200);
    let (guest, program) = (
        browser.accept("application/json"),
        app.client().bearer(&token),
    );
    let picture = guest.get(&path).await.expect(200).json()["media"][0]["renditions"][0]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    app.client().get(&picture).await.expect(200);
    let streams = [
        program
            .request("GET", &format!("{path}/live"))
            .send()
            .await
            .unwrap(),
        guest
            .request("GET", &format!("{path}/live"))
            .send()
            .await
            .unwrap(),
    ];

    let closed = async || {
        let missing = app.client().get("/s/nothing").await.problem(404);
        let refused = app.client().get(&format!("/s/{token}")).await.problem(404);
        assert_eq!(
            (&refused["title"], &refused["detail"]),
            (&missing["title"], &missing["detail"])
        );
        assert!(
            app.client()
                .accept("text/html")
                .get(&format!("/s/{token}"))
                .await
                .expect(404)
                .text()
                .contains("This link opens nothing.")
        );
        guest.get(&path).await.problem(401);
        program.get(&path).await.problem(401);
        app.client().get(&picture).await.problem(404);
        for by in [&guest, &program] {
            by.post(
                &format!("{path}/comments"),
                json!({ "body": "x", "name": "Gus" }),
            )
            .await
            .problem(401);
        }
    };
    root.patch(&format!("/people/{}", ada.id), json!({ "active": false }))
        .await
        .expect(200);
    closed().await;
    for stream in streams {
        assert_eq!(stream.status(), 200);
        tokio::time::timeout(std::time::Duration::from_secs(60), stream.text())
            .await
            .expect("the stream ends")
            .unwrap();
    }
    app.client().bearer(&others).get(&other).await.expect(200);
    // Like sessions and tokens they stay ended.
    root.patch(&format!("/people/{}", ada.id), json!({ "active": true }))
        .await
        .expect(200);
    closed().await;
}

#[actix_web::test]
async fn link_of_a_person_deactivated_behind_the_program_opens_nothing() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let (path, _, token) = shared(&ada).await;
    app.execute("UPDATE people SET deactivated_at = 1").await;
    app.client().get(&format!("/s/{token}")).await.problem(404);
    app.client().bearer(&token).get(&path).await.problem(401);
}

#[actix_web::test]
async fn admins_list_and_end_every_link() {
    let app = TestApp::start().await;
    let (ada, bob, root) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.admin("Root").await,
    );
    let (path, first, token) = shared(&ada).await;
    let (second, _) = bob.share(&shared(&bob).await.0, false).await;
    for other in [&ada, &bob] {
        other.get("/links").await.problem(403);
    }
    bob.delete(&format!("/links/{first}")).await.problem(404);

    // Newest first, by pages.
    let page = root.get("/links?limit=2").await.expect(200).json();
    assert_eq!(page["items"][0]["id"], json!(second));
    let rest = root
        .get(&format!(
            "/links?limit=2&after={}",
            page["next"].as_str().unwrap()
        ))
        .await
        .expect(200)
        .json();
    let link = rest["items"][0].clone();
    assert_eq!(
        (
            &link["id"],
            &rest["next"],
            rest["items"].as_array().unwrap().len()
        ),
        (&json!(first), &Value::Null, 1)
    );
    assert_eq!(
        (&link["update"]["title"], &link["author"]["name"]),
        (&json!("Plan"), &json!("Ada"))
    );
    assert!(link["update"]["url"].as_str().unwrap().ends_with(&path));
    assert_eq!(
        (
            &link["name"],
            &link["state"],
            &link["expires_at"],
            &link["opens"],
            &link["last_opened_at"]
        ),
        (
            &json!("For the board"),
            &json!("open"),
            &Value::Null,
            &json!(0),
            &Value::Null
        )
    );
    assert!(link["created_at"].is_string() && !rest.to_string().contains(&token));
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "after=rubbish",
        "colour=red",
    ] {
        root.get(&format!("/links?{query}")).await.problem(422);
    }
    // A page that reports itself counts; a preview that fetches does not.
    app.client().get(&format!("/s/{token}")).await.expect(200);
    app.client()
        .bearer(&token)
        .put(&format!("{path}/opening"))
        .await
        .expect(204);
    let listed = async || {
        root.get("/links").await.expect(200).json()["items"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone()
    };
    assert_eq!(listed().await["opens"], 1);
    assert!(listed().await["last_opened_at"].is_string());
    ada.delete(&path).await.expect(204);
    assert_eq!(listed().await["state"], "unpublished");
    ada.put(&format!("{path}/restoration")).await.expect(200);

    // The admin cannot open the update, and ends the link all the same.
    root.get(&path).await.problem(404);
    let browser = app.browser("Root").await;
    assert!(
        browser
            .get("/people")
            .await
            .text()
            .contains("href=\"/links\"")
    );
    assert!(
        !app.browser("Ada")
            .await
            .get("/people")
            .await
            .text()
            .contains("href=\"/links\"")
    );
    assert!(
        browser
            .get("/links")
            .await
            .expect(200)
            .text()
            .contains(&format!("action=\"/links/{first}\""))
    );
    let referer = format!("{}/links", app.base);
    let ended = browser
        .header("referer", &referer)
        .form("POST", &format!("/links/{first}"), &[("_method", "DELETE")])
        .await
        .expect(303);
    assert_eq!(ended.header("location"), "/links");
    // Browsers can leave out where a form stood.
    for (browser, id, leads_to) in [
        (&app.browser("Root").await, &first, "/links"),
        (&app.browser("Ada").await, &first, path.as_str()),
    ] {
        let ended = browser
            .form("POST", &format!("/links/{id}"), &[("_method", "DELETE")])
            .await
            .expect(303);
        assert_eq!(ended.header("location"), leads_to);
        browser.get(leads_to).await.expect(200);
    }
    app.client().get(&format!("/s/{token}")).await.problem(404);
    assert_eq!(listed().await["state"], "revoked");
    root.delete(&format!("/links/{second}")).await.expect(204);
    root.delete(&format!("/links/{second}")).await.expect(204);
}

#[actix_web::test]
async fn nothing_new_opens_for_a_person_who_was_deactivated_meanwhile() {
    let app = TestApp::start().await;
    let (ada, root) = (app.person("Ada").await, app.admin("Root").await);
    let (path, ..) = shared(&ada).await;
    // As for a request that was authenticated just before.
    let token = ada.authorization().trim_start_matches("Bearer ");
    let viewer = people::viewer_by_token(&app.state.db, &app.state.clock, token)
        .await
        .unwrap()
        .unwrap();
    root.patch(&format!("/people/{}", ada.id), json!({ "active": false }))
        .await
        .expect(200);
    let (update, viewer) = (path.trim_start_matches("/updates/"), Viewer::Person(viewer));
    let mut tx = app.state.db.begin().await.unwrap();
    let refused = [
        links::create(&mut tx, &app.state.clock, &viewer, update, "Late", false)
            .await
            .map(drop),
        people::create_token(&mut tx, &app.state.clock, &ada.id, "late")
            .await
            .map(drop),
        people::open_session(&mut tx, &app.state.clock, &ada.id, "late")
            .await
            .map(drop),
    ];
    for refusal in refused {
        assert!(
            matches!(refusal, Err(Error::Unauthenticated)),
            "{refusal:?}"
        );
    }
}
