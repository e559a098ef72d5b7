//! Fields of multipart forms.

use reqwest::multipart::{Form, Part};
use serde_json::json;

use super::assert_nothing_remains;
use crate::app::{Client, Response, TestApp, fixture};

fn picture(file_name: &'static str) -> Part {
    Part::bytes(fixture("alpha.png")).file_name(file_name)
}

async fn post(client: &Client, form: Form) -> Response {
    Response::fetch(client.request("POST", "/updates").multipart(form)).await
}

#[actix_web::test]
async fn form_fields_can_come_after_files_in_the_request_body() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let form = Form::new()
        .part("media", picture("a.png"))
        .text("title", "After")
        .part("media", picture("b.png"));
    let update = post(&ada, form).await.expect(201).json();
    assert_eq!(
        (&update["title"], update["media"].as_array().unwrap().len()),
        (&json!("After"), 2)
    );
    app.wait_for_jobs().await;
    assert_eq!(
        app.objects().await.len(),
        4,
        "two pictures with a thumbnail each"
    );
}

#[actix_web::test]
async fn unknown_form_fields_are_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let text = Form::new()
        .part("media", picture("a.png"))
        .text("title", "X")
        .text("titel", "X");
    let file = Form::new()
        .text("title", "X")
        .part("picture", picture("a.png"));
    for (form, field) in [(text, "titel"), (file, "picture")] {
        let problem = post(&ada, form).await.problem(422);
        assert!(problem["errors"][field].is_string(), "{problem}");
    }
    assert_nothing_remains(&app).await;
}

#[actix_web::test]
async fn empty_file_input_is_ignored() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    // Browsers send this part if no file is chosen.
    let empty = Part::bytes(Vec::new())
        .file_name("")
        .mime_str("application/octet-stream")
        .unwrap();
    let form = Form::new().text("title", "No file").part("media", empty);
    let update = post(&ada, form).await.expect(201).json();
    assert_eq!(update["media"], json!([]));
}

#[actix_web::test]
async fn form_keeps_its_text_when_its_file_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let browser = app.browser("Ada").await;
    let fields = [("title", "Typed title"), ("notes", "Typed notes")];
    let files = [("media", "page.png", fixture("bad-html-named.png"))];
    let page = browser
        .upload("/updates", &fields, &files)
        .await
        .expect(415)
        .text();
    assert!(
        page.contains("Typed title")
            && page.contains("Typed notes")
            && page.contains("The content of this file is not in a supported format"),
        "{page}"
    );

    let update = ada.update(json!({ "title": "T" })).await;
    let path = format!("{update}/comments");
    // The text is kept even if it follows the rejected file in the form.
    let picture = Part::bytes(fixture("bad-html-named.png")).file_name("page.png");
    let form = Form::new()
        .part("pictures", picture)
        .text("body", "Typed words");
    let page = Response::fetch(browser.request("POST", &path).multipart(form))
        .await
        .expect(415)
        .text();
    assert!(page.contains("Typed words"), "{page}");
    let listed = ada.get(&path).await.json();
    assert_eq!(listed["items"], json!([]));
}
