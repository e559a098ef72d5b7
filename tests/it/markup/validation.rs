//! Validation of shapes.

use serde_json::{Value, json};

use super::{put_markup, update_with_picture};
use crate::app::{Response, TestApp};

fn line(from: Value) -> Value {
    json!([{ "kind": "line", "from": from, "to": [0.5, 0.5] }])
}

fn text(text: &str) -> Value {
    json!([{ "kind": "text", "at": [0.1, 0.1], "text": text }])
}

fn stroke(points: usize) -> Value {
    json!({ "kind": "freehand", "points": vec![json!([0.5, 0.5]); points] })
}

/// Returns markup with a numbered step that has this additional field.
fn step_with(field: &str, value: Value) -> Value {
    let mut step = json!({ "kind": "step", "at": [0, 0], "number": 1 });
    step[field] = value;
    json!([step])
}

/// Returns invalid shapes, each with the JSON path of the invalid field and a part of the expected
/// error message.
#[rustfmt::skip]
fn invalid_shapes() -> Vec<(Value, &'static str, &'static str)> {
    let step = json!({ "kind": "step", "at": [0, 0], "number": 1 });
    vec![
        (line(json!([1.1, 0.0])), "shapes[0].from", "0 to 1"),
        (line(json!([-0.1, 0.0])), "shapes[0].from", "0 to 1"),
        (line(json!(["NaN", 0.0])), "shapes[0].from", "0 to 1"),
        (line(Value::Null), "shapes[0].from", "not a point"),
        (json!([{ "kind": "line", "to": [0.5, 0.5] }]), "shapes[0].from", "missing"),
        (json!([{ "kind": "rectangle", "box": [0.9, 0.9, 0.2, 0.05] }]), "shapes[0].box", "inside the picture"),
        (json!([{ "kind": "rectangle", "box": [0.9, 0.9, 0.0, 0.05] }]), "shapes[0].box", "greater than 0"),
        (json!([{ "kind": "freehand", "points": [[0, 0], [0.5, 7]] }]), "shapes[0].points[1]", "0 to 1"),
        (json!([{ "kind": "freehand", "points": [] }]), "shapes[0].points", "not a list of points"),
        (json!([stroke(2_001)]), "shapes[0].points", "the maximum is 2000"),
        (json!(vec![stroke(2_000); 51]), "shapes", "the maximum is 100000"),
        (json!(vec![step; 501]), "shapes", "the maximum is 500"),
        (text(&"x".repeat(10_000)), "shapes[0].text", "the maximum is 500"),
        (text(" \n"), "shapes[0].text", "empty"),
        (text("a\tb"), "shapes[0].text", "U+0009"),
        (text("nul\u{0}"), "shapes[0].text", "U+0000"),
        (text("turned \u{202e}around"), "shapes[0].text", "U+202E"),
        (text("漢字"), "shapes[0].text", "“漢” (U+6F22)"),
        (text("party 🥳"), "shapes[0].text", "U+1F973"),
        (json!([{ "kind": "blur", "box": [0, 0, 1, 1] }]), "shapes[0].kind", "redaction"),
        (json!([{ "from": [0, 0] }]), "shapes[0].kind", "missing"),
        (step_with("number", json!(0)), "shapes[0].number", "1 to 999"),
        (step_with("number", json!(1.5)), "shapes[0].number", "1 to 999"),
        (step_with("color", json!("pink")), "shapes[0].color", "red, orange"),
        (step_with("width", json!(2)), "shapes[0].width", "0.1"),
        (step_with("href", json!("x")), "shapes[0].href", "not a field"),
        (json!({ "kind": "line" }), "shapes", "a list of shapes"),
        (json!([7]), "shapes[0]", "not a shape"),
    ]
}

#[actix_web::test]
async fn invalid_shapes_are_rejected_and_the_error_contains_their_json_path() {
    let app = TestApp::start().await;
    let (ada, _, update, media) = update_with_picture(&app).await;
    for (shapes, field, expected) in invalid_shapes() {
        let problem = put_markup(&ada, &media, 0, shapes).await.problem(422);
        let errors = problem["errors"].as_object().unwrap();
        assert!(
            errors
                .get(field)
                .is_some_and(|error| error.as_str().unwrap().contains(expected)),
            "{field} {expected}: {problem}"
        );
    }
    // Comments cannot contain redactions.
    let drawing = json!({ "body": "b", "drawing": [{ "kind": "redaction", "box": [0, 0, 1, 1] }] });
    let problem = ada
        .post(&format!("{update}/comments"), drawing)
        .await
        .problem(422);
    assert!(
        problem["errors"]["drawing[0].kind"]
            .as_str()
            .unwrap()
            .contains("only in the markup of a picture"),
        "{problem}"
    );
}

#[actix_web::test]
async fn invalid_markup_fields_are_rejected_and_the_error_names_the_field() {
    let app = TestApp::start().await;
    let (ada, _, _, media) = update_with_picture(&app).await;
    for (body, field) in [
        (json!({ "shapes": [] }), "revision"),
        (json!({ "revision": 0 }), "shapes"),
        (
            json!({ "revision": 0, "shapes": [], "crop": [0, 0, 2, 1] }),
            "crop",
        ),
        (
            json!({ "revision": 0, "shapes": [], "crop": [0, 0, 0, 1] }),
            "crop",
        ),
        (json!({ "revision": 0, "shapes": [], "layer": 1 }), "layer"),
    ] {
        let problem = ada
            .json("PUT", &format!("{media}/markup"), &body)
            .await
            .problem(422);
        assert!(problem["errors"].get(field).is_some(), "{field}: {problem}");
    }
}

#[actix_web::test]
async fn markup_that_is_invalid_json_or_too_large_is_rejected() {
    let app = TestApp::start().await;
    let (ada, _, _, media) = update_with_picture(&app).await;
    let put_text = |body: String| {
        let request = ada
            .request("PUT", &format!("{media}/markup"))
            .header("content-type", "application/json");
        Response::fetch(request.body(body))
    };
    let line_from = |x: &str| {
        format!(r#"{{"revision":0,"shapes":[{{"kind":"line","from":[{x},0],"to":[0.5,0.5]}}]}}"#)
    };
    // None of these is a finite number. The error message quotes them.
    for number in ["NaN", "-Infinity", "1e999"] {
        let problem = put_text(line_from(number)).await.problem(422);
        assert!(
            problem["errors"]["shapes[0].from"]
                .as_str()
                .unwrap()
                .contains(number),
            "{problem}"
        );
    }
    put_text(line_from("oops")).await.problem(400);
    let long = "x".repeat(5 << 20);
    put_text(format!(
        r#"{{"revision":0,"shapes":[],"what_changed":"{long}"}}"#
    ))
    .await
    .problem(413);
}

#[actix_web::test]
async fn markup_of_the_maximum_size_is_saved() {
    let app = TestApp::start().await;
    let (ada, _, _, media) = update_with_picture(&app).await;
    // These right-to-left letters and this emoji are accepted, because the font contains them.
    put_markup(&ada, &media, 0, text("שלום 😀 ←"))
        .await
        .expect(200);
    put_markup(&ada, &media, 1, json!(vec![stroke(2_000); 50]))
        .await
        .expect(200);
    assert_eq!(
        ada.get(&media).await.json()["markup"],
        json!({ "revision": 2, "shapes": 50 })
    );
}
