//! The author of an update can change the order of its media.

use serde_json::{Value, json};

use crate::app::{Client, TestApp, email, fixture, text};

/// Creates an update by Ada for Bob with a recording and two pictures. Returns its path and the paths of its media.
async fn publish(app: &TestApp, ada: &Client) -> (String, Vec<String>) {
    let files = [
        ("media", "first.webm", fixture("rec-vp8-opus-3s.webm")),
        ("media", "second.png", fixture("alpha.png")),
        ("media", "third.png", fixture("alpha.png")),
    ];
    let fields = [("title", "T"), ("audience", &*email("Bob"))];
    let update = ada
        .upload("/updates", &fields, &files)
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    let media = update["media"].as_array().unwrap();
    (
        format!("/updates/{}", text(&update["id"])),
        media
            .iter()
            .map(|media| format!("/media/{}", text(&media["id"])))
            .collect(),
    )
}

/// Returns the file names of an update's media, in order.
async fn names(client: &Client, path: &str) -> Vec<String> {
    let update = client.get(path).await.expect(200).json();
    let media = update["media"].as_array().unwrap().iter();
    media
        .map(|media| text(&media["file_name"]).to_owned())
        .collect()
}

async fn move_to(client: &Client, media: &str, position: impl Into<Value>) -> crate::app::Response {
    let body = json!({ "position": position.into() });
    client
        .json("PUT", &format!("{media}/position"), &body)
        .await
}

#[actix_web::test]
async fn author_reorders_the_media_of_an_update() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let (path, media) = publish(&app, &ada).await;
    let before = ada.get(&path).await.json();

    move_to(&ada, &media[2], 1).await.expect(204);
    assert_eq!(
        names(&bob, &path).await,
        ["third.png", "first.webm", "second.png"]
    );
    move_to(&ada, &media[0], 3).await.expect(204);
    assert_eq!(
        names(&bob, &path).await,
        ["third.png", "second.png", "first.webm"]
    );
    // The same request again changes nothing.
    move_to(&ada, &media[0], 3).await.expect(204);
    assert_eq!(
        names(&bob, &path).await,
        ["third.png", "second.png", "first.webm"]
    );

    // Every file keeps its own renditions.
    let after = ada.get(&path).await.json();
    for old in before["media"].as_array().unwrap() {
        let new = after["media"]
            .as_array()
            .unwrap()
            .iter()
            .find(|new| new["id"] == old["id"])
            .unwrap();
        let renditions = |media: &Value| {
            let list = media["renditions"].as_array().unwrap().iter();
            list.map(|one| (one["name"].clone(), one["bytes"].clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(renditions(new), renditions(old));
    }
    // A file that is added afterwards comes last.
    let files = [("media", "fourth.png", fixture("alpha.png"))];
    ada.upload(&format!("{path}/media"), &[], &files)
        .await
        .expect(201);
    assert_eq!(
        names(&bob, &path).await,
        ["third.png", "second.png", "first.webm", "fourth.png"]
    );
    // Without scripts, buttons of the edit page move a file.
    let page = app.browser("Ada").await;
    let moved = page
        .form(
            "POST",
            &format!("{}/position", media[1]),
            &[("_method", "PUT"), ("position", "1")],
        )
        .await
        .expect(303);
    assert_eq!(moved.header("location"), format!("{path}/edit"));
    assert_eq!(
        names(&bob, &path).await,
        ["second.png", "third.png", "first.webm", "fourth.png"]
    );
}

#[actix_web::test]
async fn media_cannot_be_moved_to_an_invalid_position() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let (path, media) = publish(&app, &ada).await;
    for position in [
        json!(0),
        json!(4),
        json!(-1),
        json!(i64::MIN),
        json!(i64::MAX),
        json!("up"),
        json!(1.5),
        json!(null),
    ] {
        let problem = move_to(&ada, &media[0], position.clone())
            .await
            .problem(422);
        assert!(
            problem["errors"]["position"].is_string(),
            "{position}: {problem}"
        );
    }
    let missing = ada
        .json("PUT", &format!("{}/position", media[0]), &json!({}))
        .await;
    assert_eq!(
        missing.problem(422)["errors"]["position"],
        "is missing. Send a number, counted from 1."
    );
    move_to(&bob, &media[0], 2).await.problem(403);

    // Pictures in comments have no place among the media.
    let files = [("pictures", "comment.png", fixture("alpha.png"))];
    let comment = bob
        .upload(&format!("{path}/comments"), &[("body", "b")], &files)
        .await
        .expect(201)
        .json();
    let picture = format!("/media/{}", text(&comment["pictures"][0]["id"]));
    move_to(&bob, &picture, 1).await.problem(403);
    move_to(&ada, &picture, 1).await.problem(403);
    assert_eq!(
        names(&ada, &path).await,
        ["first.webm", "second.png", "third.png"]
    );
}

#[actix_web::test]
async fn a_new_order_is_not_a_change_that_recipients_have_to_answer_again() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let (path, media) = publish(&app, &ada).await;
    bob.put(&format!("{path}/acknowledgement"))
        .await
        .expect(200);
    let page = app.browser("Ada").await;
    let edit = format!("{path}/edit");
    let unchanged = page.get(&edit).await.expect(200).text();
    move_to(&ada, &media[2], 1).await.expect(204);
    let moved = page.get(&edit).await.expect(200).text();
    let offers_to_ask_again =
        |page: &str| page.contains(r#"id="change" name="change" value="material" checked"#);
    assert!(!offers_to_ask_again(&unchanged));
    assert!(!offers_to_ask_again(&moved));
    ada.delete(&media[1]).await.expect(204);
    let removed = page.get(&edit).await.expect(200).text();
    assert!(offers_to_ask_again(&removed));
}

#[actix_web::test]
async fn first_file_in_the_new_order_gives_an_update_without_a_title_its_name() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let files = [
        ("media", "shot.png", fixture("alpha.png")),
        ("media", "talk.webm", fixture("rec-vp8-opus-3s.webm")),
    ];
    let draft = ada
        .upload("/updates", &[("publish", "false")], &files)
        .await
        .expect(201)
        .json();
    let recording = format!("/media/{}", text(&draft["media"][1]["id"]));
    move_to(&ada, &recording, 1).await.expect(204);
    let path = format!("/updates/{}", text(&draft["id"]));
    let published = ada
        .put(&format!("{path}/publication"))
        .await
        .expect(200)
        .json();
    assert!(
        text(&published["title"]).starts_with("Recording, "),
        "{published}"
    );
}
