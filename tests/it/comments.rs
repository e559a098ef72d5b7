//! Threads, where they point, what is in them, and what one may do with them.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email, fixture};

async fn threads(client: &Client, path: &str) -> Vec<Value> {
    client
        .get(&format!("{path}/comments"))
        .await
        .expect(200)
        .json()["items"]
        .as_array()
        .unwrap()
        .clone()
}

async fn scene(app: &TestApp) -> (Client, Client, String) {
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let path = ada
        .update(json!({ "title": "Look", "audience": [email("Bob")] }))
        .await;
    (ada, bob, path)
}

#[actix_web::test]
async fn replies_stand_in_their_thread_in_order() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let first = bob.comment(&path, "First").await;
    let second = bob.comment(&path, "Second").await;
    let at = format!("{path}/comments");
    let reply = ada
        .post(&at, json!({ "body": "Re: first", "parent_id": first }))
        .await
        .expect(201)
        .json();
    // A reply to a reply joins the same thread.
    let deeper = bob
        .post(&at, json!({ "body": "Re: re", "parent_id": reply["id"] }))
        .await
        .expect(201)
        .json();
    assert_eq!(deeper["parent_id"], json!(first));
    let all = threads(&bob, &path).await;
    assert_eq!(
        (all.len(), &all[0]["id"], &all[1]["id"]),
        (2, &json!(first), &json!(second))
    );
    let bodies: Vec<_> = all[0]["replies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reply| reply["body"].clone())
        .collect();
    assert_eq!(bodies, ["Re: first", "Re: re"]);
    assert_eq!(ada.get(&path).await.json()["counts"]["comments"], 4);
    let other = ada.update(json!({ "title": "Other" })).await;
    for parent in [json!("nothing"), json!(first)] {
        assert!(
            ada.post(
                &format!("{other}/comments"),
                json!({ "body": "x", "parent_id": parent })
            )
            .await
            .problem(422)["errors"]["parent_id"]
                .is_string()
        );
    }
}

#[actix_web::test]
async fn a_permalink_leads_to_where_the_comment_stands() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = bob.comment(&path, "Here").await;
    let reply = ada
        .post(
            &format!("{path}/comments"),
            json!({ "body": "Yes", "parent_id": id }),
        )
        .await
        .expect(201)
        .json();
    let shown = ada.get(&format!("/comments/{id}")).await.expect(200).json();
    assert_eq!(
        (&shown["body"], &shown["replies"][0]["id"]),
        (&json!("Here"), &reply["id"])
    );
    assert!(
        shown["url"]
            .as_str()
            .unwrap()
            .ends_with(&format!("{path}#c-{id}"))
    );
    let led = app
        .browser("Bob")
        .await
        .get(&format!("/comments/{}", reply["id"].as_str().unwrap()))
        .await
        .expect(303);
    assert!(
        led.header("location")
            .ends_with(&format!("{path}#c-{}", reply["id"].as_str().unwrap()))
    );
    assert!(
        app.browser("Bob")
            .await
            .get(&path)
            .await
            .text()
            .contains(&format!("c-{id}"))
    );
    ada.get("/comments/nothing").await.problem(404);
}

#[actix_web::test]
async fn anchors_are_checked_against_what_they_point_into() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let files = [
        ("media", "clip.webm", fixture("rec-vp8-opus-3s.webm")),
        ("media", "shot.png", fixture("alpha.png")),
    ];
    let made = ada
        .upload(
            "/updates",
            &[("title", "Both"), ("audience", &email("Bob"))],
            &files,
        )
        .await
        .expect(201)
        .json();
    let path = format!("/updates/{}", made["id"].as_str().unwrap());
    let ready = app
        .wait_for(&ada, &path, |update| update["media"][0]["state"] == "ready")
        .await;
    let (video, image) = (&ready["media"][0]["id"], &ready["media"][1]["id"]);
    let length = ready["media"][0]["duration_ms"].as_i64().unwrap();
    let at = format!("{path}/comments");

    let spot = json!({ "x": 0.25, "y": 0.5, "w": 0.1, "h": 0.2 });
    for (anchor, media, region) in [
        (json!({ "media_id": video, "at_ms": 0 }), video, Value::Null),
        (
            json!({ "at_ms": 1000, "until_ms": length }),
            video,
            Value::Null,
        ),
        (
            json!({ "media_id": video, "at_ms": length, "region": spot }),
            video,
            spot.clone(),
        ),
        (
            json!({ "media_id": image, "region": spot }),
            image,
            spot.clone(),
        ),
        (
            json!({ "region": { "x": 1, "y": 1 } }),
            image,
            json!({ "x": 1.0, "y": 1.0, "w": 0.0, "h": 0.0 }),
        ),
    ] {
        let mut body = anchor.clone();
        body["body"] = "There".into();
        let made = bob.post(&at, body).await.expect(201).json();
        assert_eq!(
            (
                &made["media_id"],
                &made["anchor"]["region"],
                &made["anchor"]["at_ms"]
            ),
            (media, &region, &anchor["at_ms"]),
            "{anchor}"
        );
    }
    for (anchor, field) in [
        (json!({ "media_id": video, "at_ms": -1 }), "at_ms"),
        (json!({ "media_id": video, "at_ms": length + 1 }), "at_ms"),
        (json!({ "media_id": video, "at_ms": "soon" }), "at_ms"),
        (json!({ "media_id": video, "at_ms": 1.5 }), "at_ms"),
        (json!({ "media_id": image, "at_ms": 5 }), "at_ms"),
        (json!({ "media_id": video, "region": spot }), "at_ms"),
        (
            json!({ "media_id": video, "at_ms": 2000, "until_ms": 1000 }),
            "until_ms",
        ),
        (json!({ "media_id": video, "until_ms": 1000 }), "until_ms"),
        (
            json!({ "media_id": video, "at_ms": 1, "until_ms": length + 1 }),
            "until_ms",
        ),
        (json!({ "media_id": "nothing", "at_ms": 1 }), "media_id"),
        (
            json!({ "region": { "x": 0.9, "y": 0, "w": 0.2, "h": 0.1 } }),
            "region",
        ),
        (json!({ "region": { "x": -0.1, "y": 0 } }), "region"),
        (json!({ "region": { "x": 0 } }), "region"),
        (json!({ "region": { "x": 0, "y": 0, "z": 0 } }), "region"),
        (json!({ "region": "here" }), "region"),
    ] {
        let mut body = anchor.clone();
        body["body"] = "Nowhere".into();
        let problem = bob.post(&at, body).await.problem(422);
        assert!(problem["errors"][field].is_string(), "{anchor}: {problem}");
    }
    assert_eq!(threads(&bob, &path).await.len(), 5);

    // A removed file leaves the words.
    ada.delete(&format!("/media/{}", video.as_str().unwrap()))
        .await
        .expect(204);
    let left = threads(&bob, &path).await;
    assert_eq!(
        (left.len(), &left[0]["media_id"], &left[0]["anchor"]),
        (5, &Value::Null, &Value::Null)
    );
}

#[actix_web::test]
async fn an_anchor_cannot_point_into_another_update() {
    let app = TestApp::start().await;
    let (ada, _, path) = scene(&app).await;
    let other = ada
        .upload(
            "/updates",
            &[("title", "Other")],
            &[("media", "a.png", fixture("alpha.png"))],
        )
        .await
        .expect(201)
        .json();
    let foreign = ada
        .post(&format!("{path}/comments"), json!({ "body": "x", "media_id": other["media"][0]["id"], "region": { "x": 0, "y": 0 } }))
        .await;
    assert!(foreign.problem(422)["errors"]["media_id"].is_string());
}

#[actix_web::test]
async fn one_edits_and_removes_ones_own_and_a_mark_stays_where_there_are_replies() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = bob.comment(&path, "Mistkae").await;
    let at = format!("/comments/{id}");
    let edited = bob
        .patch(&at, json!({ "body": "Mistake" }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&edited["body"], edited["edited_at"].is_string()),
        (&json!("Mistake"), true)
    );
    ada.patch(&at, json!({ "body": "Mine now" }))
        .await
        .problem(403);
    ada.delete(&at).await.problem(403);
    bob.patch(&at, json!({ "body": " " })).await.problem(422);
    bob.patch(&at, json!({})).await.problem(422);

    ada.post(
        &format!("{path}/comments"),
        json!({ "body": "An answer", "parent_id": id }),
    )
    .await
    .expect(201);
    bob.delete(&at).await.expect(204);
    bob.delete(&at).await.expect(204);
    let left = threads(&ada, &path).await;
    assert_eq!(
        (
            &left[0]["removed"],
            &left[0]["body"],
            &left[0]["body_html"],
            &left[0]["replies"][0]["body"]
        ),
        (&json!(true), &json!(""), &json!(""), &json!("An answer"))
    );
    bob.patch(&at, json!({ "body": "Back" })).await.problem(409);
    bob.put(&format!("{at}/reactions/👍")).await.problem(409);

    // Without replies nothing stays.
    let alone = bob.comment(&path, "Gone soon").await;
    bob.delete(&format!("/comments/{alone}")).await.expect(204);
    assert_eq!(threads(&ada, &path).await.len(), 1);
    ada.get(&format!("/comments/{alone}")).await.problem(404);
    assert_eq!(ada.get(&path).await.json()["counts"]["comments"], 1);
    app.wait_for_jobs().await;
    assert_eq!(
        ada.get("/updates?q=mistake").await.json()["items"],
        json!([]),
        "what was removed is not found"
    );
}

#[actix_web::test]
async fn a_reply_to_what_was_just_removed_is_refused_and_nothing_of_it_is_stored() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = bob.comment(&path, "Now you see me").await;
    bob.delete(&format!("/comments/{id}")).await.expect(204);
    let at = format!("{path}/comments");
    ada.post(&at, json!({ "body": "Reply", "parent_id": id }))
        .await
        .problem(409);
    let picture = ("pictures", "a.png", fixture("alpha.png"));
    ada.upload(&at, &[("body", "Reply"), ("parent_id", &id)], &[picture])
        .await
        .problem(409);
    assert!(threads(&ada, &path).await.is_empty());
    let mut connection = app.state.db.read().await.unwrap();
    for table in [
        "SELECT count(*) FROM media",
        "SELECT count(*) FROM renditions",
    ] {
        assert_eq!(
            sqlx::query_scalar::<_, i64>(table)
                .fetch_one(&mut *connection)
                .await
                .unwrap(),
            0,
            "{table}"
        );
    }
    drop(connection);
    // A form keeps what was typed.
    let page = app
        .browser("Ada")
        .await
        .form(
            "POST",
            &at,
            &[("body", "My long answer"), ("parent_id", &id)],
        )
        .await
        .expect(409);
    assert!(page.text().contains("My long answer"));
}

#[actix_web::test]
async fn pictures_are_pasted_into_comments_and_go_with_them() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let at = format!("{path}/comments");
    let picture = || ("pictures", "paste.png", fixture("alpha.png"));
    let made = bob
        .upload(&at, &[("body", "")], &[picture(), picture()])
        .await
        .expect(201)
        .json();
    assert_eq!(made["pictures"].as_array().unwrap().len(), 2);
    let url = made["pictures"][0]["renditions"][0]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        app.client()
            .get(&url)
            .await
            .expect(200)
            .header("content-type"),
        "image/png"
    );
    ada.get(&format!(
        "/media/{}",
        made["pictures"][0]["id"].as_str().unwrap()
    ))
    .await
    .expect(200);
    assert_eq!(
        ada.get(&path).await.json()["media"],
        json!([]),
        "they are not files of the update"
    );

    let mut connection = app.state.db.read().await.unwrap();
    let keys: Vec<String> = sqlx::query_scalar("SELECT key FROM renditions")
        .fetch_all(&mut *connection)
        .await
        .unwrap();
    drop(connection);
    bob.delete(&format!("/comments/{}", made["id"].as_str().unwrap()))
        .await
        .expect(204);
    app.client().get(&url).await.problem(404);
    app.wait_for_jobs().await;
    for key in keys {
        assert_eq!(
            app.state.uploads.media.storage.len(&key).await.unwrap(),
            None,
            "{key}"
        );
    }

    bob.upload(
        &at,
        &[("body", "x")],
        &[("pictures", "clip.webm", fixture("rec-vp8-opus-3s.webm"))],
    )
    .await
    .problem(415);
    assert_eq!(
        bob.upload(
            &at,
            &[("body", "x")],
            &[
                picture(),
                ("pictures", "bad.svg", fixture("bad-script.svg"))
            ]
        )
        .await
        .problem(415)["errors"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["pictures[1]"]
    );
    bob.upload(
        &at,
        &[("body", "x")],
        &[("media", "a.png", fixture("alpha.png"))],
    )
    .await
    .problem(422);
    let many: Vec<_> = (0..11).map(|_| picture()).collect();
    bob.upload(&at, &[("body", "x")], &many).await.problem(422);
    assert!(threads(&bob, &path).await.is_empty());
}

#[actix_web::test]
async fn reactions_are_one_emoji_each_and_ones_own() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = bob.comment(&path, "Nice").await;
    for at in [path.clone(), format!("/comments/{id}")] {
        for _ in 0..2 {
            ada.put(&format!("{at}/reactions/🎉")).await.expect(204);
        }
        bob.put(&format!("{at}/reactions/🎉")).await.expect(204);
        bob.put(&format!("{at}/reactions/❤️")).await.expect(204);
        let seen = |reactions: &Value| {
            reactions
                .as_array()
                .unwrap()
                .iter()
                .map(|one| {
                    (
                        one["emoji"].as_str().unwrap().to_owned(),
                        one["count"].as_i64().unwrap(),
                        one["mine"].as_bool().unwrap(),
                    )
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            seen(&ada.get(&at).await.json()["reactions"]),
            [("🎉".into(), 2, true), ("❤️".into(), 1, false)]
        );
        ada.delete(&format!("{at}/reactions/❤️")).await.expect(204);
        bob.delete(&format!("{at}/reactions/🎉")).await.expect(204);
        bob.delete(&format!("{at}/reactions/🎉")).await.expect(204);
        assert_eq!(
            seen(&ada.get(&at).await.json()["reactions"]),
            [("🎉".into(), 1, true), ("❤️".into(), 1, false)]
        );
        for wrong in ["x", "👍👍", "lol", "%3Cb%3E", "%F0%9F"] {
            assert!(
                matches!(
                    ada.put(&format!("{at}/reactions/{wrong}"))
                        .await
                        .status
                        .as_u16(),
                    404 | 422
                ),
                "{wrong}"
            );
        }
    }
}

#[actix_web::test]
async fn a_thread_is_resolved_and_opened_again() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = bob.comment(&path, "Fix this").await;
    let reply = ada
        .post(
            &format!("{path}/comments"),
            json!({ "body": "Done", "parent_id": id }),
        )
        .await
        .expect(201)
        .json();
    let at = format!("/comments/{id}/resolution");
    for _ in 0..2 {
        assert_eq!(ada.put(&at).await.expect(200).json()["state"], "resolved");
    }
    for _ in 0..2 {
        assert_eq!(
            bob.delete(&at).await.expect(200).json()["state"],
            Value::Null
        );
    }
    ada.put(&format!(
        "/comments/{}/resolution",
        reply["id"].as_str().unwrap()
    ))
    .await
    .problem(409);
}

#[actix_web::test]
async fn markdown_is_shown_and_made_safe() {
    let app = TestApp::start().await;
    let (_, bob, path) = scene(&app).await;
    let body = "**bold** `code` <script>alert(1)</script> [x](javascript:alert(1)) ![i](https://evil.example/i.png) https://example.org\nnext <img src=x onerror=alert(1)>";
    let made = bob
        .post(&format!("{path}/comments"), json!({ "body": body }))
        .await
        .expect(201)
        .json();
    let html = made["body_html"].as_str().unwrap();
    assert_eq!(made["body"], json!(body));
    assert!(
        html.contains("<strong>bold</strong>") && html.contains("<br>"),
        "{html}"
    );
    for bad in ["<script", "javascript:", "<img", "onerror=alert(1)>"] {
        assert!(!html.contains(bad), "{bad} in {html}");
    }
    let page = app.browser("Bob").await.get(&path).await.text();
    assert!(!page.contains("<script>alert") && !page.contains("evil.example/i.png\""));
}

#[actix_web::test]
async fn too_long_too_empty_and_unknown_things_are_refused_by_name() {
    let app = TestApp::start().await;
    let (_, bob, path) = scene(&app).await;
    let at = format!("{path}/comments");
    bob.post(&at, json!({ "body": "ü".repeat(10_000) }))
        .await
        .expect(201);
    for (body, field) in [
        (json!({ "body": "x".repeat(10_001) }), "body"),
        (json!({ "body": "a\0b" }), "body"),
        (json!({ "body": "" }), "body"),
        (json!({}), "body"),
        (json!({ "body": ["x"] }), "body"),
        (json!({ "body": "x", "color": "red" }), "color"),
        (json!({ "body": "x", "kind": "shout" }), "kind"),
    ] {
        assert!(
            bob.post(&at, body.clone()).await.problem(422)["errors"][field].is_string(),
            "{field}"
        );
    }
    assert_eq!(threads(&bob, &path).await.len(), 1);
    bob.post("/updates/nothing/comments", json!({ "body": "x" }))
        .await
        .problem(404);
}

#[actix_web::test]
async fn what_came_since_my_visit_is_marked_new() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    ada.comment(&path, "Old").await;
    bob.put(&format!("{path}/opening")).await.expect(204);
    app.state.clock.advance(3_600_000);
    ada.comment(&path, "New").await;
    bob.comment(&path, "My own").await;
    let browser = app.browser("Bob").await;
    let marks = async || {
        let page = browser.get(&path).await.expect(200).text();
        page.split("id=\"c-")
            .skip(1)
            .map(|comment| comment.contains("New<span"))
            .collect::<Vec<_>>()
    };
    assert_eq!(marks().await, [false, true, false]);
    // Still new while I look, gone at the next visit.
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(marks().await, [false, true, false]);
    app.state.clock.advance(3_600_000);
    bob.put(&format!("{path}/opening")).await.expect(204);
    assert_eq!(marks().await, [false, false, false]);
}

#[actix_web::test]
async fn nobody_comments_in_the_trash() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    bob.comment(&path, "Before").await;
    ada.delete(&path).await.expect(204);
    ada.post(&format!("{path}/comments"), json!({ "body": "x" }))
        .await
        .problem(409);
    bob.post(&format!("{path}/comments"), json!({ "body": "x" }))
        .await
        .problem(404);
}
