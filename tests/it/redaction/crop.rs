//! Cropping destroys everything outside the crop, and moves the shapes and comment anchors inside it.

use serde_json::{Value, json};

use super::stored_bytes::{positions, stored};
use super::{Scene, items_with_secret, step_at};
use crate::markup::put_markup;

/// Posts a comment by Ben on the picture and returns its path.
async fn comment(scene: &Scene, mut fields: Value) -> String {
    fields["media_id"] = scene.media.trim_start_matches("/media/").into();
    fields["body"] = "b".into();
    let made = scene
        .ben
        .post(&format!("{}/comments", scene.update), fields)
        .await
        .expect(201)
        .json();
    format!("/comments/{}", made["id"].as_str().unwrap())
}

async fn comment_on_region(scene: &Scene, [x, y, w, h]: [f64; 4]) -> String {
    comment(
        scene,
        json!({ "region": { "x": x, "y": y, "w": w, "h": h } }),
    )
    .await
}

async fn anchor(scene: &Scene, comment: &str) -> Value {
    scene.ben.get(comment).await.expect(200).json()["anchor"].clone()
}

/// Returns the shape with the default color and the width that it has after the crop.
fn with_pen(mut shape: Value) -> Value {
    shape["color"] = "red".into();
    // Stroke widths are fractions of the picture's shorter side, which the crop halves. The default
    // of 0.004 therefore becomes 0.008.
    shape["width"] = 0.008.into();
    shape
}

async fn crop_to_last_quarter(scene: &Scene, shapes: Value) -> Value {
    let body = json!({ "revision": 0, "crop": [0.5, 0.5, 0.5, 0.5], "shapes": shapes });
    let path = format!("{}/markup", scene.media);
    scene.ada.json("PUT", &path, &body).await.expect(200).json()
}

#[actix_web::test]
async fn crop_removes_pixels_outside_the_kept_area_and_moves_the_remaining_shapes() {
    let scene = Scene::new().await;
    assert!(!items_with_secret(&scene.app).await.is_empty());
    let shapes = json!([
        { "kind": "line", "from": [0.25, 0.75], "to": [1.0, 0.75], "width": 0.004 },
        { "kind": "rectangle", "box": [0.25, 0.25, 0.5, 0.5] },
        { "kind": "text", "at": [0.1, 0.1], "text": "gone" },
        { "kind": "freehand", "points": [[0.4, 0.6], [0.6, 0.6], [0.6, 0.4], [0.7, 0.4], [0.7, 0.6]] },
    ]);
    let saved = crop_to_last_quarter(&scene, shapes).await;
    let remaining = [
        json!({ "kind": "line", "from": [0.0, 0.5], "to": [1.0, 0.5] }),
        json!({ "kind": "rectangle", "box": [0.0, 0.0, 0.5, 0.5] }),
        json!({ "kind": "freehand", "points": [[0.0, 0.2], [0.2, 0.2], [0.2, 0.0]] }),
        json!({ "kind": "freehand", "points": [[0.4, 0.0], [0.4, 0.2]] }),
    ];
    assert_eq!(
        saved,
        json!({ "revision": 1, "crop": null, "shapes": remaining.map(with_pen) })
    );
    assert_eq!(items_with_secret(&scene.app).await, [""; 0]);
    let after = scene.ben.get(&scene.media).await.json();
    assert_eq!(
        (&after["width"], &after["height"]),
        (&json!(400), &json!(300))
    );
    scene.app.wait_for_jobs().await;
    assert_eq!(items_with_secret(&scene.app).await, [""; 0]);
}

#[actix_web::test]
async fn crop_moves_comment_anchors() {
    let scene = Scene::new().await;
    let inside = comment_on_region(&scene, [0.75, 0.75, 0.25, 0.25]).await;
    let across = comment_on_region(&scene, [0.25, 0.5, 0.5, 0.5]).await;
    let outside = comment_on_region(&scene, [0.1, 0.1, 0.2, 0.2]).await;
    let drawing = json!([
        { "kind": "step", "at": [0.75, 0.75], "number": 1 },
        { "kind": "step", "at": [0.1, 0.1], "number": 2 },
    ]);
    let drawn = comment(&scene, json!({ "drawing": drawing })).await;
    crop_to_last_quarter(&scene, json!([])).await;
    assert_eq!(
        anchor(&scene, &inside).await["region"],
        json!({ "x": 0.5, "y": 0.5, "w": 0.5, "h": 0.5 })
    );
    assert_eq!(
        anchor(&scene, &across).await["region"],
        json!({ "x": 0.0, "y": 0.0, "w": 0.5, "h": 1.0 })
    );
    assert_eq!(anchor(&scene, &outside).await, Value::Null);
    assert_eq!(
        anchor(&scene, &drawn).await["drawing"],
        json!([with_pen(step_at(0.5))])
    );
    assert_eq!(scene.ben.get(&outside).await.json()["body"], "b");
}

#[actix_web::test]
async fn no_stored_file_contains_text_outside_a_crop() {
    let Scene {
        app, ada, media, ..
    } = Scene::new().await;
    let written = json!([{ "kind": "text", "at": [0.1, 0.1], "text": "Kurbelwelle" }]);
    put_markup(&ada, &media, 0, written.clone())
        .await
        .expect(200);
    app.wait_for_jobs().await;
    let found = async || {
        stored(&app)
            .await
            .iter()
            .any(|(_, bytes)| positions(bytes, b"Kurbelwelle").next().is_some())
    };
    assert!(found().await);
    let cropped = json!({ "revision": 1, "crop": [0.5, 0.5, 0.5, 0.5], "shapes": written });
    ada.json("PUT", &format!("{media}/markup"), &cropped)
        .await
        .expect(200);
    app.wait_for_jobs().await;
    app.state.sweep().await.unwrap();
    assert!(!found().await);
}

#[actix_web::test]
async fn crop_is_rejected_when_it_leaves_too_few_pixels() {
    let Scene {
        app: _app,
        ada,
        media,
        ..
    } = Scene::new().await;
    let body = json!({ "revision": 0, "crop": [0.5, 0.5, 0.00001, 0.5], "shapes": [] });
    let problem = ada
        .json("PUT", &format!("{media}/markup"), &body)
        .await
        .problem(422);
    assert!(
        problem["errors"]["crop"]
            .as_str()
            .unwrap()
            .contains("must leave at least 16 pixels"),
        "{problem}"
    );
    assert_eq!(ada.get(&media).await.json()["width"], 800);
}
