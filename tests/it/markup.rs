//! Markup of pictures: saving, permissions and revisions. The submodules test drawings in comments, rendering and
//! validation.

mod drawings;
mod rendering;
mod validation;

use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp, fixture};

/// Publishes an update by Ada for Ben with one picture of 1280 × 800 pixels. Returns both clients and the paths of
/// the update and of the picture.
pub async fn update_with_picture(app: &TestApp) -> (Client, Client, String, String) {
    let (ada, ben) = (app.person("Ada").await, app.person("Ben").await);
    let fields = [("title", "T"), ("audience", "ben@example.org")];
    let update = ada
        .upload(
            "/updates",
            &fields,
            &[("media", "shot.png", fixture("shot-1280x800.png"))],
        )
        .await
        .expect(201)
        .json();
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    (
        ada,
        ben,
        format!("/updates/{}", id(&update)),
        format!("/media/{}", id(&update["media"][0])),
    )
}

fn media_path(media: &Value) -> String {
    format!("/media/{}", media["id"].as_str().unwrap())
}

/// Saves these shapes as the picture's markup. `revision` is the revision that they replace.
pub async fn put_markup(client: &Client, media: &str, revision: i64, shapes: Value) -> Response {
    client
        .json(
            "PUT",
            &format!("{media}/markup"),
            &json!({ "revision": revision, "shapes": shapes }),
        )
        .await
}

/// Returns the rendition with this name, if there is one.
pub fn rendition<'a>(media: &'a Value, name: &str) -> Option<&'a Value> {
    media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rendition| rendition["name"] == name)
}

/// Returns one shape of every kind except redaction.
fn every_kind() -> Value {
    json!([
        { "kind": "arrow", "from": [0.1, 0.2], "to": [0.4, 0.5], "color": "blue", "width": 0.008 },
        { "kind": "line", "from": [0.0, 1.0], "to": [1.0, 0.0], "color": "red", "width": 0.004 },
        { "kind": "rectangle", "box": [0.1, 0.1, 0.2, 0.3], "color": "green", "width": 0.002 },
        { "kind": "ellipse", "box": [0.5, 0.5, 0.5, 0.5], "color": "purple", "width": 0.004 },
        { "kind": "freehand", "points": [[0.1, 0.1], [0.2, 0.15, 0.9], [0.3, 0.1]], "color": "black", "width": 0.004 },
        { "kind": "highlight", "box": [0.6, 0.1, 0.3, 0.05], "color": "yellow" },
        { "kind": "text", "at": [0.1, 0.8], "text": "two\nlines <b> & \"quotes\"", "size": 0.045, "color": "white" },
        { "kind": "step", "at": [0.9, 0.9], "number": 12, "color": "orange", "width": 0.004 },
    ])
}

#[actix_web::test]
async fn every_shape_kind_is_returned_as_saved() {
    let app = TestApp::start().await;
    let (ada, ben, _, media) = update_with_picture(&app).await;
    let none = json!({ "revision": 0, "shapes": [], "crop": null });
    assert_eq!(
        ben.get(&format!("{media}/markup")).await.expect(200).json(),
        none
    );
    let sent = every_kind();
    let saved = put_markup(&ada, &media, 0, sent.clone())
        .await
        .expect(200)
        .json();
    assert_eq!(
        saved,
        json!({ "revision": 1, "shapes": sent, "crop": null })
    );
    assert_eq!(
        ben.get(&format!("{media}/markup")).await.expect(200).json(),
        saved
    );
    assert_eq!(
        ben.get(&media).await.json()["markup"],
        json!({ "revision": 1, "shapes": 8 })
    );
    // Omitted fields get their defaults, and coordinates are rounded to five decimal places.
    let brief = json!([{ "kind": "line", "from": [0.123456789, 0], "to": [1, 1] }]);
    let saved = put_markup(&ada, &media, 1, brief).await.expect(200).json();
    assert_eq!(
        saved["shapes"],
        json!([{ "kind": "line", "from": [0.12346, 0.0], "to": [1.0, 1.0], "color": "red", "width": 0.004 }])
    );
}

#[actix_web::test]
async fn only_the_author_can_save_markup() {
    let app = TestApp::start().await;
    let (ada, ben, update, media) = update_with_picture(&app).await;
    put_markup(&ben, &media, 0, every_kind()).await.problem(403);
    put_markup(&app.person("Cy").await, &media, 0, every_kind())
        .await
        .problem(404);
    app.client()
        .get(&format!("{media}/markup"))
        .await
        .problem(401);
    let pictures = [("pictures", "a.png", fixture("alpha.png"))];
    let comment = ada
        .upload(&format!("{update}/comments"), &[("body", "b")], &pictures)
        .await
        .expect(201)
        .json();
    let pasted = media_path(&comment["pictures"][0]);
    put_markup(&ada, &pasted, 0, every_kind())
        .await
        .problem(403);
}

#[actix_web::test]
async fn markup_can_be_saved_only_on_ready_pictures() {
    let app = TestApp::start().await;
    let (ada, _, update, media) = update_with_picture(&app).await;
    let files = [
        ("media", "a.gif", fixture("anim.gif")),
        ("media", "a.webm", fixture("rec-vp8-opus-3s.webm")),
    ];
    let added = ada
        .upload(&format!("{update}/media"), &[], &files)
        .await
        .expect(201)
        .json();
    for (n, expected) in [(0, "GIF"), (1, "video")] {
        let media = media_path(&added["items"][n]);
        let problem = put_markup(&ada, &media, 0, every_kind()).await.problem(409);
        assert!(
            problem["detail"].as_str().unwrap().contains(expected),
            "{problem}"
        );
    }
    app.wait_for_jobs().await;
    for statement in [
        "UPDATE media SET state = 'processing' WHERE kind = 'image'",
        "UPDATE media SET state = 'uploading' WHERE kind = 'image'",
        "UPDATE media SET state = 'failed' WHERE kind = 'image'",
    ] {
        app.execute(statement).await;
        put_markup(&ada, &media, 0, every_kind()).await.problem(409);
    }
    app.execute("UPDATE media SET state = 'ready'").await;
    ada.delete(&media).await.expect(204);
    put_markup(&ada, &media, 0, every_kind()).await.problem(404);
}

#[actix_web::test]
async fn saving_markup_with_a_stale_revision_conflicts_unless_the_content_is_the_same() {
    let app = TestApp::start().await;
    let (ada, _, _, media) = update_with_picture(&app).await;
    put_markup(&ada, &media, 0, every_kind()).await.expect(200);
    let problem = put_markup(
        &ada,
        &media,
        0,
        json!([{ "kind": "step", "at": [0, 0], "number": 1 }]),
    )
    .await
    .problem(409);
    assert!(
        problem["detail"].as_str().unwrap().contains("revision 1"),
        "{problem}"
    );
    // A client that got no response can repeat its request.
    assert_eq!(
        put_markup(&ada, &media, 0, every_kind())
            .await
            .expect(200)
            .json()["revision"],
        1
    );
    assert_eq!(
        put_markup(&ada, &media, 1, json!([]))
            .await
            .expect(200)
            .json()["revision"],
        2
    );
}

#[actix_web::test]
async fn acknowledgement_becomes_stale_when_markup_is_saved_as_a_material_change() {
    let app = TestApp::start().await;
    let (ada, ben, update, media) = update_with_picture(&app).await;
    ada.patch(&update, json!({ "expectation": "acknowledge" }))
        .await
        .expect(200);
    ben.put(&format!("{update}/acknowledgement"))
        .await
        .expect(200);
    put_markup(&ada, &media, 0, every_kind()).await.expect(200);
    assert_eq!(
        ben.get(&update).await.json()["my_receipt"]["state"],
        "acknowledged"
    );
    let body =
        json!({ "revision": 1, "shapes": [], "change": "material", "what_changed": "No arrow" });
    ada.json("PUT", &format!("{media}/markup"), &body)
        .await
        .expect(200);
    let shown = ben.get(&update).await.json();
    assert_eq!(
        (&shown["my_receipt"]["state"], &shown["what_changed"]),
        (&json!("stale"), &json!("No arrow"))
    );
}
