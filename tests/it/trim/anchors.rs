//! Anchors of comments move with the trim.

use serde_json::{Value, json};

use super::{trim, update_with_recording};
use crate::app::{Client, TestApp};

/// The time or time range of an anchor, in milliseconds. Both values are `None` if the comment has
/// no anchor.
type Place = (Option<i64>, Option<i64>);

/// Posts a comment on the recording and returns its path.
async fn comment_at(client: &Client, update: &str, media: &Value, place: Place) -> String {
    let (at, until) = place;
    let fields = json!({ "body": "Here", "media_id": media["id"], "at_ms": at, "until_ms": until });
    let comment = client.post(&format!("{update}/comments"), fields).await;
    let comment = comment.expect(201).json();
    format!("/comments/{}", comment["id"].as_str().unwrap())
}

/// Returns the anchors of the comments. Asserts that the text of the comments is unchanged.
async fn places(client: &Client, comments: &[String]) -> Vec<Place> {
    let mut places = Vec::new();
    for comment in comments {
        let comment = client.get(comment).await.expect(200).json();
        assert_eq!(comment["body"], "Here");
        let anchor = &comment["anchor"];
        places.push((anchor["at_ms"].as_i64(), anchor["until_ms"].as_i64()));
    }
    places
}

#[actix_web::test]
async fn comment_anchors_move_with_a_trim() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, media, whole) = update_with_recording(&app, &ada, true).await;
    let mut comments = Vec::new();
    for place in [
        (Some(500), None),
        (Some(2_000), None),
        (Some(3_000), None),
        (Some(4_000), None),
        (Some(5_000), None),
        (Some(1_000), Some(2_500)),
        (Some(3_500), Some(5_500)),
        (Some(100), Some(900)),
    ] {
        comments.push(comment_at(&bob, &path, &whole, place).await);
    }
    trim(&ada, &media, 2_000, 4_000).await;
    assert_eq!(
        places(&bob, &comments).await,
        [
            (None, None),
            (Some(0), None),
            (Some(1_000), None),
            (Some(2_000), None),
            (None, None),
            (Some(0), Some(500)),
            (Some(1_500), Some(2_000)),
            (None, None),
        ]
    );
    // A new comment cannot have an anchor after the end of the trimmed recording.
    let beyond = json!({ "body": "x", "media_id": whole["id"], "at_ms": 2_001 });
    bob.post(&format!("{path}/comments"), beyond)
        .await
        .problem(422);
    ada.delete(&format!("{media}/trim")).await.expect(200);
    let back = places(&bob, &comments).await;
    assert_eq!(
        (back[1].0, back[2].0, back[3].0, back[5], back[0].0),
        (
            Some(2_000),
            Some(3_000),
            Some(4_000),
            (Some(2_000), Some(2_500)),
            None
        )
    );
}

#[actix_web::test]
async fn drawing_outside_the_kept_part_is_not_found_by_search() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    let (path, media, whole) = update_with_recording(&app, &ada, true).await;
    let drawing = json!([{ "kind": "text", "at": [0.1, 0.1], "text": "Kurbelwelle" }]);
    let fields =
        json!({ "body": "Here", "media_id": whole["id"], "at_ms": 500, "drawing": drawing });
    bob.post(&format!("{path}/comments"), fields)
        .await
        .expect(201);
    app.wait_for_jobs().await;
    let found = async || {
        let found = bob.get("/search?q=kurbelwelle").await.expect(200).json();
        found["items"].as_array().unwrap().len()
    };
    assert_eq!(found().await, 1);
    trim(&ada, &media, 2_000, 4_000).await;
    app.wait_for_jobs().await;
    assert_eq!(found().await, 0);
}
