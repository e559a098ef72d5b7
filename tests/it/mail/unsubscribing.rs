//! The unsubscribe link.

use serde_json::json;

use super::{URL, advance, ask, start};
use crate::app::{Client, TestApp, email};
use crate::sink::Sink;

/// Returns the path of the unsubscribe link in Bob's email.
async fn unsubscribe_path(sink: &Sink, app: &TestApp, ada: &Client) -> String {
    ask(ada, json!({})).await;
    advance(app, 11).await;
    let link = sink.mails()[0].header("List-Unsubscribe");
    let url = link.trim_matches(['<', '>']);
    url.strip_prefix(URL).unwrap().to_owned()
}

#[actix_web::test]
async fn opening_the_unsubscribe_link_changes_nothing() {
    let (sink, app, ada, bob) = start().await;
    let path = unsubscribe_path(&sink, &app, &ada).await;
    let page = app.client().accept("text/html").get(&path).await;
    let page = page.expect(200).text();
    assert!(
        page.contains(&email("Bob")) && page.contains("Stop e-mails"),
        "{page}"
    );
    let settings = app.client().get(&path).await.expect(200).json();
    assert_eq!(settings["mail"], true);
    // A link is not found if its signature is missing, was changed or belongs to another person.
    let (_, signature) = path.rsplit_once('.').unwrap();
    for forged in [
        format!("/unsubscribe/{}.{signature}", ada.id),
        format!("/unsubscribe/{}", bob.id),
        format!("{path}0"),
    ] {
        app.client().get(&forged).await.problem(404);
        app.client()
            .form("POST", &forged, &ONE_CLICK)
            .await
            .problem(404);
    }
}

const ONE_CLICK: [(&str, &str); 1] = [("List-Unsubscribe", "One-Click")];

#[actix_web::test]
async fn one_cross_site_post_without_cookies_unsubscribes_the_recipient() {
    let (sink, app, ada, _) = start().await;
    let path = unsubscribe_path(&sink, &app, &ada).await;
    let provider = app
        .client()
        .header("origin", "https://mail.example.com")
        .header("sec-fetch-site", "cross-site");
    for _ in 0..2 {
        provider.form("POST", &path, &ONE_CLICK).await.expect(204);
    }
    ask(&ada, json!({})).await;
    advance(&app, 11).await;
    assert_eq!(sink.mails().len(), 1);
}

#[actix_web::test]
async fn unsubscribing_works_with_the_form_on_the_page_and_with_a_multipart_request() {
    let (sink, app, ada, _) = start().await;
    let path = unsubscribe_path(&sink, &app, &ada).await;
    let browser = app.client().accept("text/html");
    let response = browser.form("POST", &path, &[]).await.expect(303);
    assert_eq!(response.header("location"), path);
    let page = browser.get(&path).await.expect(200).text();
    assert!(page.contains("You will get no more e-mails"));
    // RFC 8058 §3.2 also allows multipart bodies. The request has no cookie, because the link is the only credential.
    app.client()
        .upload(&path, &ONE_CLICK, &[])
        .await
        .expect(204);
    app.client().get("/inbox").await.problem(401);
}
