//! Reactions to updates and comments.

use serde_json::Value;

use super::scene;
use crate::app::{TestApp, array, text};

#[actix_web::test]
async fn reactions_are_counted_once_per_person_and_emoji() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = bob.comment(&path, "Nice").await;
    for at in [path.clone(), format!("/comments/{id}")] {
        for _ in 0..2 {
            ada.put(&format!("{at}/reactions/🎉")).await.expect(204);
        }
        bob.put(&format!("{at}/reactions/🎉")).await.expect(204);
        bob.put(&format!("{at}/reactions/❤️")).await.expect(204);
        assert_eq!(
            reactions(&ada.get(&at).await.json()),
            [("🎉", 2, true), ("❤️", 1, false)]
        );
        ada.delete(&format!("{at}/reactions/❤️")).await.expect(204);
        bob.delete(&format!("{at}/reactions/🎉")).await.expect(204);
        bob.delete(&format!("{at}/reactions/🎉")).await.expect(204);
        assert_eq!(
            reactions(&ada.get(&at).await.json()),
            [("🎉", 1, true), ("❤️", 1, false)]
        );
    }
}

/// Returns the emoji and count of each reaction, and whether the viewer has reacted.
fn reactions(subject: &Value) -> Vec<(&str, i64, bool)> {
    array(&subject["reactions"])
        .iter()
        .map(|one| {
            (
                text(&one["emoji"]),
                one["count"].as_i64().unwrap(),
                one["mine"].as_bool().unwrap(),
            )
        })
        .collect()
}

#[actix_web::test]
async fn reaction_is_rejected_unless_it_is_a_single_emoji() {
    let app = TestApp::start().await;
    let (ada, bob, path) = scene(&app).await;
    let id = bob.comment(&path, "Nice").await;
    for at in [path.clone(), format!("/comments/{id}")] {
        for invalid in ["x", "👍👍", "lol", "%3Cb%3E", "%F0%9F"] {
            let response = ada.put(&format!("{at}/reactions/{invalid}")).await;
            assert!(matches!(response.status.as_u16(), 404 | 422), "{invalid}");
        }
    }
}
