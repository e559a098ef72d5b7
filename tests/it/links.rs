//! Share links: which content they open, for whom, and until when.

use serde_json::{Value, json};

use crate::app::{
    Client, PASSWORD, Response, TestApp, array, comment_path, email, fixture, text, update_path,
};

/// Publishes an update by Ada for Bob with a picture. Returns both clients and its path.
async fn scene(app: &TestApp) -> (Client, Client, String) {
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let fields = [
        ("title", "The <plan>"),
        ("notes", "First line\nsecond"),
        ("audience", &email("Bob")),
        ("expectation", "acknowledge"),
    ];
    let made = ada
        .upload(
            "/updates",
            &fields,
            &[("media", "a.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    (ada, bob, update_path(&made))
}

/// Opens the link in a new browser and returns the browser.
async fn guest(app: &TestApp, token: &str) -> Client {
    let guest = app.client().accept("text/html");
    guest.get(&format!("/s/{token}")).await.expect(200);
    guest.accept("application/json")
}

async fn say(guest: &Client, path: &str, fields: Value) -> Response {
    guest.post(&format!("{path}/comments"), fields).await
}

#[actix_web::test]
async fn share_links_can_be_created_and_revoked_and_their_list_contains_no_tokens() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let made = ada
        .post(
            &format!("{path}/links"),
            json!({ "name": "Board", "comments": true }),
        )
        .await
        .expect(201)
        .json();
    let url = text(&made["url"]).to_owned();
    assert!(
        url.starts_with(&format!("{}/s/", app.base)) && url.rsplit('/').next().unwrap().len() >= 26,
        "{url}"
    );
    let list = ada.get(&format!("{path}/links")).await.expect(200);
    assert!(!list.text().contains(url.rsplit('/').next().unwrap()));
    assert_eq!(
        (
            &list.json()["items"][0]["name"],
            &list.json()["items"][0]["comments"]
        ),
        (&json!("Board"), &json!(true))
    );
    bob.get(&format!("{path}/links")).await.problem(403);
    bob.delete(&format!("/links/{}", text(&made["id"])))
        .await
        .problem(404);

    app.client().get(&url).await.expect(200);
    for _ in 0..2 {
        ada.delete(&format!("/links/{}", text(&made["id"])))
            .await
            .expect(204);
    }
    app.client().get(&url).await.problem(404);
    assert!(ada.get(&format!("{path}/links")).await.json()["items"][0]["revoked_at"].is_string());
    app.client().get("/s/nothing").await.problem(404);
    ada.post(&format!("{path}/links"), json!({ "name": "x".repeat(101) }))
        .await
        .problem(422);
    ada.post(&format!("{path}/links"), json!({ "comments": "maybe" }))
        .await
        .problem(422);
}

#[actix_web::test]
async fn shared_page_opens_without_an_account_and_has_preview_metadata() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, false).await;
    for accept in [None, Some("*/*"), Some("text/html")] {
        let client = accept.map_or_else(
            || app.client(),
            |kinds| app.client().header("accept", kinds),
        );
        let page = client.get(&format!("/s/{token}")).await.expect(200);
        assert!(
            page.header("content-type").starts_with("text/html"),
            "{accept:?}"
        );
        assert!(page.header("x-robots-tag").contains("noindex"));
        let text = page.text();
        for part in [
            "og:title",
            "og:image",
            "og:description",
            "First line",
            "noindex",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(!text.contains("<plan>"));
        for private in ["bob@example.org", "Bob", "ada@example.org"] {
            assert!(!text.contains(private), "{private}");
        }
    }
    let data = app
        .client()
        .header("accept", "application/json")
        .get(&format!("/s/{token}"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (
            &data["title"],
            &data["audience"]["people"],
            &data["my_receipt"]
        ),
        (&json!("The <plan>"), &json!([]), &Value::Null)
    );
    assert_eq!(
        (
            &data["counts"]["recipients"],
            &data["counts"]["acknowledged"],
            &data["counts"]["opened"]
        ),
        (&json!(0), &json!(0), &Value::Null)
    );
    // The page and its preview were fetched, but neither counts as an opening.
    assert_eq!(ada.get(&path).await.json()["counts"]["opened"], 0);
}

#[actix_web::test]
async fn shared_media_needs_no_cookie_and_is_unavailable_after_the_link_is_revoked() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (link, token) = ada.share(&path, false).await;
    let program = app.client().bearer(&token);
    let shown = program.get(&path).await.expect(200).json();
    let urls: Vec<String> = array(&shown["media"][0]["renditions"])
        .iter()
        .map(|one| text(&one["url"]).to_owned())
        .collect();
    assert!(!urls.is_empty());
    for url in &urls {
        assert!(
            app.client()
                .get(url)
                .await
                .expect(200)
                .header("content-type")
                .starts_with("image/")
        );
    }
    // An address is not found if its grant or expiry time was changed.
    let bent = urls[0].replace("g=l~", "g=s~");
    app.client().get(&bent).await.problem(404);
    app.client()
        .get(&urls[0].replace("&e=", "&e=9"))
        .await
        .problem(404);
    let guest = guest(&app, &token).await;
    guest.get(&path).await.expect(200);

    ada.delete(&format!("/links/{link}")).await.expect(204);
    for url in &urls {
        app.client().get(url).await.problem(404);
    }
    program.get(&path).await.problem(401);
    guest.get(&path).await.problem(401);
    guest.put(&format!("{path}/opening")).await.problem(401);
}

#[actix_web::test]
async fn share_link_gives_access_only_to_its_own_update() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let other = ada
        .update(json!({ "title": "Other", "visibility": "workspace" }))
        .await;
    let (_, token) = ada.share(&path, true).await;
    let (by_cookie, by_token) = (guest(&app, &token).await, app.client().bearer(&token));
    by_cookie.get(&other).await.problem(401);
    by_token.get(&other).await.problem(404);
    for address in [
        "/updates",
        "/people",
        "/inbox",
        "/me",
        "/search?q=plan",
        "/tokens",
    ] {
        by_cookie.get(address).await.problem(401);
        by_token.get(address).await.problem(401);
    }
    by_token.get(&format!("{path}/receipts")).await.problem(404);
    by_cookie
        .get(&format!("{path}/receipts"))
        .await
        .problem(404);
    // A browser can have cookies for two links. Each cookie gives access to the update of its own link.
    let (_, second) = ada.share(&other, false).await;
    let browser = by_cookie.accept("text/html");
    browser.get(&format!("/s/{second}")).await.expect(200);
    let both = browser.accept("application/json");
    both.get(&path).await.expect(200);
    both.get(&other).await.expect(200);
}

#[actix_web::test]
async fn guest_can_take_part_after_giving_a_name_once() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    for (guest, name) in [
        (guest(&app, &token).await, "Gus"),
        (app.client().bearer(&token), "Pia"),
    ] {
        assert!(
            say(&guest, &path, json!({ "body": "Hello" }))
                .await
                .problem(422)["errors"]["name"]
                .is_string()
        );
        say(
            &guest,
            &path,
            json!({ "body": "Hello", "name": "x".repeat(101) }),
        )
        .await
        .problem(422);
        let made = say(&guest, &path, json!({ "body": "Hello", "name": name }))
            .await
            .expect(201)
            .json();
        assert_eq!(
            (&made["author"]["name"], &made["author"]["guest"]),
            (&json!(name), &json!(true))
        );
        let again = say(
            &guest,
            &path,
            json!({ "body": "More", "name": "Someone else", "parent_id": made["id"] }),
        )
        .await
        .expect(201)
        .json();
        assert_eq!(
            (&again["author"]["name"], &again["author"]["id"]),
            (&json!(name), &made["author"]["id"])
        );
        guest.put(&format!("{path}/reactions/👍")).await.expect(204);
        guest
            .put(&format!("{path}/acknowledgement"))
            .await
            .expect(204);
        guest
            .put(&format!("{path}/acknowledgement"))
            .await
            .expect(204);
        let at = comment_path(&made);
        assert_eq!(
            guest
                .patch(&at, json!({ "body": "Hello!" }))
                .await
                .expect(200)
                .json()["body"],
            "Hello!"
        );
        assert_eq!(guest.get(&path).await.json()["reactions"][0]["mine"], true);
    }
    // People with accounts see which link a guest used.
    let all = bob.get(&format!("{path}/comments")).await.json()["items"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0]["author"]["link"], "For the board");
    assert_eq!(ada.get(&path).await.json()["reactions"][0]["count"], 2);
    let receipts = ada.get(&format!("{path}/receipts")).await.json();
    assert_eq!(
        (
            array(&receipts["items"]).len(),
            array(&receipts["guests"]).len()
        ),
        (1, 2)
    );
    assert_eq!(
        (
            &receipts["guests"][0]["guest"]["name"],
            &receipts["guests"][0]["link"]
        ),
        (&json!("Gus"), &json!("For the board"))
    );
    assert_eq!(
        ada.get(&path).await.json()["counts"]["acknowledged"],
        0,
        "answers by guests are listed separately"
    );
    let page = app.browser("Ada").await.get(&path).await.text();
    assert!(page.contains("Gus") && page.contains("For the board"));
    let at = comment_path(&all[0]);
    bob.delete(&at).await.problem(403);
    ada.delete(&at).await.expect(204);
}

#[actix_web::test]
async fn guests_see_only_threads_that_were_started_through_their_own_link() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let (_, one) = ada.share(&path, true).await;
    let (_, two) = ada.share(&path, true).await;
    let (gus, pia, second) = (
        guest(&app, &one).await,
        guest(&app, &two).await,
        guest(&app, &one).await,
    );
    let team = bob.comment(&path, "Among ourselves").await;
    let asked = say(&gus, &path, json!({ "body": "A question", "name": "Gus" }))
        .await
        .expect(201)
        .json();
    let picture = ("pictures", "a.png", fixture("alpha.png"));
    let answer = bob
        .upload(
            &format!("{path}/comments"),
            &[("body", "An answer"), ("parent_id", text(&asked["id"]))],
            &[picture],
        )
        .await
        .expect(201)
        .json();

    let bodies = async |client: &Client| {
        let list = client
            .get(&format!("{path}/comments"))
            .await
            .expect(200)
            .json();
        array(&list["items"])
            .iter()
            .map(|one| text(&one["body"]).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(bodies(&gus).await, ["A question"]);
    assert_eq!(
        bodies(&second).await,
        ["A question"],
        "another guest of the same link sees it too"
    );
    assert!(bodies(&pia).await.is_empty());
    assert_eq!(bodies(&bob).await.len(), 2);
    let seen = gus.get(&comment_path(&asked)).await.expect(200).json();
    assert_eq!(seen["replies"][0]["body"], "An answer");
    let media = text(&answer["pictures"][0]["id"]);
    gus.get(&format!("/media/{media}")).await.expect(200);
    app.client()
        .get(text(
            &seen["replies"][0]["pictures"][0]["renditions"][0]["url"],
        ))
        .await
        .expect(200);
    pia.get(&format!("/media/{media}")).await.problem(401);
    for hidden in [&team, text(&asked["id"])] {
        pia.get(&format!("/comments/{hidden}")).await.problem(401);
        say(
            &pia,
            &path,
            json!({ "body": "x", "name": "Pia", "parent_id": hidden }),
        )
        .await
        .problem(422);
        pia.json(
            "PUT",
            &format!("/comments/{hidden}/reactions/👍"),
            &json!({ "name": "Pia" }),
        )
        .await
        .problem(401);
    }
    // A guest cannot change another guest's comment, even if both use the same link.
    second
        .patch(&comment_path(&asked), json!({ "body": "Changed" }))
        .await
        .problem(403);
    second.delete(&comment_path(&asked)).await.problem(403);
    let html = pia.accept("text/html").get(&path).await.expect(200).text();
    assert!(!html.contains("Among ourselves") && !html.contains("A question"));
}

#[actix_web::test]
async fn link_that_does_not_allow_comments_is_read_only() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, false).await;
    for guest in [guest(&app, &token).await, app.client().bearer(&token)] {
        guest.get(&path).await.expect(200);
        say(&guest, &path, json!({ "body": "x", "name": "Gus" }))
            .await
            .problem(403);
        guest
            .json(
                "PUT",
                &format!("{path}/reactions/👍"),
                &json!({ "name": "Gus" }),
            )
            .await
            .problem(403);
        guest
            .json(
                "PUT",
                &format!("{path}/acknowledgement"),
                &json!({ "name": "Gus" }),
            )
            .await
            .problem(403);
        guest
            .delete(&format!("{path}/acknowledgement"))
            .await
            .problem(403);
        let picture = ("pictures", "a.png", fixture("alpha.png"));
        guest
            .upload(
                &format!("{path}/comments"),
                &[("body", "x"), ("name", "Gus")],
                &[picture],
            )
            .await
            .problem(403);
    }
    let page = app
        .client()
        .accept("text/html")
        .get(&format!("/s/{token}"))
        .await
        .text();
    assert!(
        !page.contains("name=\"body\""),
        "the page has no form that the server would reject"
    );
}

#[actix_web::test]
async fn guest_cookie_is_http_only_and_bound_to_one_link_and_cannot_be_forged() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (link, token) = ada.share(&path, true).await;
    let cookie = app
        .client()
        .get(&format!("/s/{token}"))
        .await
        .expect(200)
        .header("set-cookie")
        .to_owned();
    assert!(
        cookie.contains(&link) && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let (pair, _) = cookie.split_once(';').unwrap();
    app.client()
        .header("cookie", pair)
        .get(&path)
        .await
        .expect(200);
    let forged = format!("{}x", &pair[..pair.len() - 1]);
    app.client()
        .header("cookie", &forged)
        .get(&path)
        .await
        .problem(401);
}

#[actix_web::test]
async fn share_link_does_not_work_while_the_update_is_a_draft_or_in_the_trash() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    let guest = guest(&app, &token).await;
    let url = guest.get(&path).await.json()["media"][0]["renditions"][0]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let shut = async || {
        app.client().get(&format!("/s/{token}")).await.problem(404);
        app.client().bearer(&token).get(&path).await.problem(401);
        guest.get(&path).await.problem(401);
        app.client().get(&url).await.problem(404);
    };
    ada.delete(&format!("{path}/publication")).await.expect(200);
    shut().await;
    ada.put(&format!("{path}/publication")).await.expect(200);
    guest.get(&path).await.expect(200);
    app.client().get(&url).await.expect(200);
    ada.delete(&path).await.expect(204);
    shut().await;
    ada.put(&format!("{path}/restoration")).await.expect(200);
    app.client().get(&format!("/s/{token}")).await.expect(200);
}

#[actix_web::test]
async fn material_change_requires_guests_to_acknowledge_the_new_revision() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    let guest = guest(&app, &token).await;
    guest
        .json(
            "PUT",
            &format!("{path}/acknowledgement"),
            &json!({ "name": "Gus", "revision": 1 }),
        )
        .await
        .expect(204);
    ada.patch(&path, json!({ "notes": "New", "change": "material" }))
        .await
        .expect(200);
    guest
        .json(
            "PUT",
            &format!("{path}/acknowledgement"),
            &json!({ "revision": 1 }),
        )
        .await
        .problem(409);
    guest
        .json(
            "PUT",
            &format!("{path}/acknowledgement"),
            &json!({ "revision": 2 }),
        )
        .await
        .expect(204);
    guest
        .delete(&format!("{path}/acknowledgement"))
        .await
        .expect(204);
    assert_eq!(
        ada.get(&format!("{path}/receipts")).await.json()["guests"],
        json!([])
    );
}

#[actix_web::test]
async fn signed_in_person_is_not_treated_as_a_guest() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let (_, token) = ada.share(&path, true).await;
    let bob = app.browser("Bob").await;
    assert_eq!(
        bob.get(&format!("/s/{token}"))
            .await
            .expect(303)
            .header("location"),
        path
    );
    // This browser is signed in and also has a guest cookie.
    let both = app.client().accept("text/html");
    both.get(&format!("/s/{token}")).await.expect(200);
    both.form(
        "POST",
        "/session",
        &[("email", &email("Bob")), ("password", PASSWORD)],
    )
    .await
    .expect(303);
    let made = say(
        &both.accept("application/json"),
        &path,
        json!({ "body": "Me" }),
    )
    .await
    .expect(201)
    .json();
    assert_eq!(
        (&made["author"]["name"], &made["author"]["guest"]),
        (&json!("Bob"), &json!(false))
    );
}

#[actix_web::test]
async fn signed_in_person_without_access_can_read_through_a_link_but_not_comment() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    app.person("Eve").await;
    let path = ada
        .update(json!({ "title": "Open", "publish": true }))
        .await;
    let link = ada
        .post(&format!("{path}/links"), json!({ "comments": true }))
        .await
        .expect(201)
        .json();
    let page = app
        .browser("Eve")
        .await
        .get(text(&link["url"]))
        .await
        .expect(200)
        .text();
    assert!(
        page.contains("Open")
            && !page.contains("comment-composer")
            && !page.contains(&format!("{path}/live")),
        "{page}"
    );
    // The same person can comment as a guest in a browser without a session.
    let page = app
        .client()
        .accept("text/html")
        .get(text(&link["url"]))
        .await
        .expect(200)
        .text();
    assert!(page.contains("comment-composer"));
}

#[actix_web::test]
async fn guest_without_permission_to_comment_is_rejected_before_pictures_are_stored() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let path = ada
        .update(json!({ "title": "Looked at", "publish": true }))
        .await;
    let link = ada
        .post(&format!("{path}/links"), json!({ "comments": false }))
        .await
        .expect(201)
        .json();
    let guest = app
        .client()
        .bearer(text(&link["url"]).rsplit('/').next().unwrap());
    let picture = [("pictures", "a.png", fixture("alpha.png"))];
    guest
        .upload(
            &format!("{path}/comments"),
            &[("body", "x"), ("name", "Gus")],
            &picture,
        )
        .await
        .problem(403);
    assert_eq!(app.count("SELECT count(*) FROM loose_objects").await, 0);
    // With permission to comment, a guest can add up to ten pictures, but no videos.
    let link = ada
        .post(&format!("{path}/links"), json!({ "comments": true }))
        .await
        .expect(201)
        .json();
    let guest = app
        .client()
        .bearer(text(&link["url"]).rsplit('/').next().unwrap());
    let video = [("pictures", "a.webm", fixture("rec-vp9-noaudio-4s.webm"))];
    guest
        .upload(
            &format!("{path}/comments"),
            &[("body", "x"), ("name", "Gus")],
            &video,
        )
        .await
        .problem(415);
    let many: Vec<(&str, &str, Vec<u8>)> = (0..11)
        .map(|_| ("pictures", "a.png", fixture("alpha.png")))
        .collect();
    let refused = guest
        .upload(
            &format!("{path}/comments"),
            &[("body", "x"), ("name", "Gus")],
            &many,
        )
        .await
        .problem(422);
    assert!(refused["errors"]["pictures[10]"].is_string(), "{refused}");
    assert_eq!(
        ada.get(&format!("{path}/comments")).await.json()["items"],
        json!([])
    );
}
