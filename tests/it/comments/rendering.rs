//! The HTML of comments: Markdown, links and code.

use serde_json::json;

use super::scene;
use crate::app::{TestApp, fixture, text};

#[actix_web::test]
async fn markdown_is_rendered_without_unsafe_html() {
    let app = TestApp::start().await;
    let (_, bob, path) = scene(&app).await;
    let body = "**bold** `code` <script>alert(1)</script> [x](javascript:alert(1)) \
                ![i](https://evil.example/i.png) https://example.org\nnext <img src=x onerror=alert(1)>";
    let made = bob
        .post(&format!("{path}/comments"), json!({ "body": body }))
        .await
        .expect(201)
        .json();
    let html = text(&made["body_html"]);
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
async fn period_after_a_bare_url_is_not_part_of_the_link() {
    let app = TestApp::start().await;
    let (_, bob, path) = scene(&app).await;
    let body = String::from_utf8(fixture("bare-url.txt")).unwrap();
    let made = bob
        .post(&format!("{path}/comments"), json!({ "body": body }))
        .await
        .expect(201)
        .json();
    let url = "https://en.wikipedia.org/wiki/Rust_(programming_language)";
    assert_eq!(
        made["body_html"],
        format!(
            "<p>see <a href=\"{url}\" rel=\"noopener noreferrer nofollow ugc\">{url}</a>.</p>\n"
        )
    );
}

#[actix_web::test]
async fn code_at_the_start_of_a_text_keeps_its_indentation() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let code = "    if heard {\n        answer();\n    }";
    let given = format!("\n{code}\n\n");
    let html = "<pre><code>if heard {\n    answer();\n}</code></pre>\n";
    let comment = bob
        .post(&format!("{path}/comments"), json!({ "body": given }))
        .await
        .expect(201)
        .json();
    assert_eq!(comment["body"], code);
    assert_eq!(comment["body_html"], html);
    let edited = bob
        .patch(
            &format!("/comments/{}", text(&comment["id"])),
            json!({ "body": format!("  {given}") }),
        )
        .await
        .expect(200)
        .json();
    assert_eq!(edited["body"], code);
    let update = ada.patch(&path, json!({ "notes": given })).await;
    let update = update.expect(200).json();
    assert_eq!(update["notes"], code);
    assert_eq!(update["notes_html"], html);
    let spaced = ada.patch(&path, json!({ "notes": "  words \n" })).await;
    assert_eq!(spaced.expect(200).json()["notes"], "words");
}
