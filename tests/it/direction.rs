//! Right-to-left text, and characters that change the direction of text.

use serde_json::json;

use crate::app::{TestApp, email, fixture, text};

#[actix_web::test]
async fn direction_controls_are_removed_from_titles_and_names() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let controls = "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
    let given = format!("{controls}Plan \u{202e}gnp.exe");
    let path = ada.update(json!({ "title": given })).await;
    assert_eq!(ada.get(&path).await.json()["title"], "Plan gnp.exe");
    let form = [("title", "\u{202e}New\u{2066} plan")];
    app.browser("Ada").await.form("PATCH", &path, &form).await;
    assert_eq!(ada.get(&path).await.json()["title"], "New plan");
    let link = ada
        .post(&format!("{path}/links"), json!({ "name": given }))
        .await
        .expect(201)
        .json();
    assert_eq!(link["name"], "Plan gnp.exe");
    let file_name = format!("{given}.png");
    let files = [("media", file_name.as_str(), fixture("alpha.png"))];
    let update = ada.upload("/updates", &[], &files).await.expect(201).json();
    let name = text(&update["media"][0]["file_name"]);
    assert!(
        !name.contains(|letter: char| controls.contains(letter)),
        "{name:?}"
    );
}

#[actix_web::test]
async fn names_are_bidi_isolated_and_texts_have_automatic_direction() {
    let app = TestApp::start().await;
    let [ada, bob] = app.people(["Ada", "Bob"]).await;
    let words = String::from_utf8(fixture("rtl.txt")).unwrap();
    let path = ada
        .update(json!({ "title": words, "notes": words, "audience": [email("Bob")] }))
        .await;
    let comment = bob.comment(&path, &words).await;
    let page = app.browser("Bob").await.get(&path).await.text();
    for expected in [
        format!("<h1 class=\"words\" dir=\"auto\">{words}</h1>"),
        format!("<div class=\"words prose\" dir=\"auto\"><p>{words}</p>"),
        format!("<div class=\"words prose body\" dir=\"auto\"><p>{words}</p>"),
        "<strong><bdi>Ada</bdi></strong>".into(),
        format!("<strong><bdi id=\"by-{comment}\">Bob</bdi></strong>"),
    ] {
        assert!(page.contains(&expected), "{expected} in {page}");
    }
    let inbox = app.browser("Bob").await.get("/inbox").await.text();
    assert!(inbox.contains(&format!("<bdi>{words}</bdi>")), "{inbox}");
    // Every box for free text takes its direction from the text in the box.
    for box_start in page.split("<textarea ").skip(1) {
        let (tag, _) = box_start.split_once('>').unwrap();
        assert!(tag.contains("dir=\"auto\""), "{tag}");
    }
}

#[actix_web::test]
async fn names_in_lists_are_bidi_isolated() {
    let app = TestApp::start().await;
    let (root, ada) = (app.admin("Root").await, app.person("Ada").await);
    let name = String::from_utf8(fixture("rtl.txt")).unwrap();
    let name = name.trim();
    ada.patch("/me", json!({ "name": name })).await.expect(200);
    let path = ada
        .update(json!({ "title": "Plan", "audience": [email("Root")] }))
        .await;
    let browser = app.browser("Root").await;
    let page = browser.get(&path).await.expect(200).text();
    let summary =
        format!("<span class=\"sr\">Who can see this: </span><bdi>{name}</bdi>, you</span>");
    assert!(page.contains(&summary), "{page}");
    let page = app.browser("Ada").await.get(&path).await.expect(200).text();
    let summary = "<span class=\"sr\">Who can see this: </span>You, 1 person</span>";
    assert!(page.contains(summary), "{page}");
    let group = json!({ "name": "all", "members": [email("Ada"), email("Root")] });
    root.post("/groups", group).await.expect(201);
    let page = browser.get("/groups").await.expect(200).text();
    assert!(page.contains("<bdi>Root</bdi>") && page.contains(&format!("<bdi>{name}</bdi>")));
}
