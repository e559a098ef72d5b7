//! Notifications about comments, and edits of comments.

use serde_json::json;

use crate::app::{TestApp, email};
use crate::questions::{accept, scene};

#[actix_web::test]
async fn comments_notify_each_participant_once_and_never_their_author() {
    let app = TestApp::start().await;
    let (ada, bob, cyd, path) = scene(&app).await;
    app.execute("DELETE FROM notices").await;
    let notifications = async |name: &str| app.notifications(name).await;
    let pair = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());

    let remark = bob.comment(&path, "Nice").await;
    assert_eq!(
        (
            notifications("Ada").await,
            notifications("Bob").await,
            notifications("Cyd").await
        ),
        (vec![pair("comment", &remark)], vec![], vec![])
    );
    let id = bob.question(&path, "Which menu?").await;
    assert_eq!(
        notifications("Ada").await,
        [pair("comment", &remark), pair("question", &id)]
    );
    let answer = cyd.reply(&path, &id, "This").await;
    let more = bob.reply(&path, &id, "Thanks").await;
    assert_eq!(notifications("Bob").await, [pair("answer", &answer)]);
    assert_eq!(notifications("Cyd").await, [pair("comment", &more)]);
    assert_eq!(notifications("Ada").await.len(), 4);
    accept(&bob, &answer).await.expect(200);
    assert_eq!(notifications("Cyd").await, [pair("comment", &more)]);
    cyd.delete(&format!("/comments/{answer}")).await.expect(204);
    assert_eq!(
        (notifications("Bob").await, notifications("Ada").await.len()),
        (vec![], 3)
    );
    // Cyd loses access and gets no more notifications.
    ada.patch(&path, json!({ "audience": [email("Bob")] }))
        .await
        .expect(200);
    bob.reply(&path, &id, "Anyone?").await;
    assert_eq!(notifications("Cyd").await, [pair("comment", &more)]);
}

#[actix_web::test]
async fn earlier_versions_of_an_edited_comment_are_kept_until_the_comment_is_removed() {
    let app = TestApp::start().await;
    let (ada, bob, _, path) = scene(&app).await;
    let id = bob.comment(&path, "On **Monday**").await;
    let comment = format!("/comments/{id}");
    let history = async || {
        let history = ada.get(&format!("{comment}/history")).await;
        history.expect(200).json()["items"].clone()
    };
    bob.patch(&comment, json!({ "body": "On **Monday**" }))
        .await
        .expect(200);
    assert_eq!(
        history().await,
        json!([]),
        "saving the same text is not an edit"
    );
    for body in ["On Tuesday", "On Friday"] {
        app.state.clock.advance(60_000);
        let edit = json!({ "body": body });
        bob.patch(&comment, edit).await.expect(200);
    }
    let kept = history().await;
    let versions = kept.as_array().unwrap();
    let bodies: Vec<_> = versions
        .iter()
        .map(|version| version["body"].as_str().unwrap())
        .collect();
    assert_eq!(bodies, ["On **Monday**", "On Tuesday"]);
    let html = kept[0]["body_html"].as_str().unwrap();
    assert!(html.contains("<strong>Monday</strong>"));
    assert!(kept[0]["until"].as_str().unwrap() < kept[1]["until"].as_str().unwrap());
    let page = app.browser("Ada").await.get(&path).await.text();
    assert!(
        page.contains("On Tuesday") && page.contains("edited"),
        "the page shows the earlier versions"
    );
    let stranger = app.person("Eve").await;
    stranger
        .get(&format!("{comment}/history"))
        .await
        .problem(404);
    bob.delete(&comment).await.expect(204);
    assert_eq!(app.count("SELECT count(*) FROM comment_versions").await, 0);
}
