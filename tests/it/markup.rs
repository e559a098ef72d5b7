//! Markup of pictures and drawings in comments: validation, permissions, rendering and search.

use serde_json::{Value, json};

use crate::app::{Client, Response, TestApp, fixture};

/// Publishes an update by Ada for Ben with one picture of 1280 × 800. Returns both clients and the paths of the update and the picture.
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

pub async fn put_markup(client: &Client, media: &str, revision: i64, shapes: Value) -> Response {
    client
        .json(
            "PUT",
            &format!("{media}/markup"),
            &json!({ "revision": revision, "shapes": shapes }),
        )
        .await
}

pub fn rendition<'a>(media: &'a Value, name: &str) -> Option<&'a Value> {
    media["renditions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rendition| rendition["name"] == name)
}

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
    // Defaults are filled in, and coordinates are rounded to five decimals.
    let brief = json!([{ "kind": "line", "from": [0.123456789, 0], "to": [1, 1] }]);
    let saved = put_markup(&ada, &media, 1, brief).await.expect(200).json();
    assert_eq!(
        saved["shapes"],
        json!([{ "kind": "line", "from": [0.12346, 0.0], "to": [1.0, 1.0], "color": "red", "width": 0.004 }])
    );
}

#[actix_web::test]
async fn page_shows_markup_as_svg_and_as_text() {
    let app = TestApp::start().await;
    let (ada, _, update, picture) = update_with_picture(&app).await;
    put_markup(&ada, &picture, 0, every_kind())
        .await
        .expect(200);
    let layers = hearback::markup::shapes_by_media(
        &mut app.state.db.read().await.unwrap(),
        &[picture.trim_start_matches("/media/")],
    )
    .await
    .unwrap();
    let shapes = layers.values().next().unwrap();
    let svg = hearback::markup::render(shapes, 1280, 800).unwrap();
    assert!(
        svg.starts_with("<svg ")
            && svg.contains("viewBox=\"0 0 1280 800\"")
            && svg.contains("aria-hidden=\"true\""),
        "{svg}"
    );
    assert!(
        svg.contains("lines &lt;b&gt; &amp; ") && !svg.contains("style="),
        "{svg}"
    );
    let words: Vec<String> = shapes
        .iter()
        .map(hearback::markup::Shape::describe)
        .collect();
    assert_eq!(words[0], "Arrow, blue, from 10 %, 20 % to 40 %, 50 %");
    assert_eq!(
        words[2],
        "Rectangle, green, at 10 %, 10 %, 20 % wide, 30 % high"
    );
    assert_eq!(words[7], "Step 12, at 90 %, 90 %");
    app.browser("Ada").await.get(&update).await.expect(200);
    app.browser("Ada")
        .await
        .get(&format!("{update}/edit"))
        .await
        .expect(200);
}

#[actix_web::test]
async fn invalid_shapes_are_rejected_with_their_path() {
    let app = TestApp::start().await;
    let (ada, _, update, media) = update_with_picture(&app).await;
    let line = |from: Value| json!([{ "kind": "line", "from": from, "to": [0.5, 0.5] }]);
    let text = |text: &str| json!([{ "kind": "text", "at": [0.1, 0.1], "text": text }]);
    let many = |n: usize| {
        Value::Array(
            (0..n)
                .map(|_| json!({ "kind": "step", "at": [0, 0], "number": 1 }))
                .collect(),
        )
    };
    let stroke = |n: usize| json!({ "kind": "freehand", "points": (0..n).map(|_| json!([0.5, 0.5])).collect::<Vec<_>>() });
    let long = "x".repeat(10_000);
    let wrong: Vec<(Value, &str, &str)> = vec![
        (line(json!([1.1, 0.0])), "shapes[0].from", "0 to 1"),
        (line(json!([-0.1, 0.0])), "shapes[0].from", "0 to 1"),
        (line(json!(["NaN", 0.0])), "shapes[0].from", "0 to 1"),
        (line(Value::Null), "shapes[0].from", "not a place"),
        (
            json!([{ "kind": "line", "to": [0.5, 0.5] }]),
            "shapes[0].from",
            "missing",
        ),
        (
            json!([{ "kind": "rectangle", "box": [0.9, 0.9, 0.2, 0.05] }]),
            "shapes[0].box",
            "out of the picture",
        ),
        (
            json!([{ "kind": "rectangle", "box": [0.9, 0.9, 0.0, 0.05] }]),
            "shapes[0].box",
            "over 0",
        ),
        (
            json!([{ "kind": "freehand", "points": [[0, 0], [0.5, 7]] }]),
            "shapes[0].points[1]",
            "0 to 1",
        ),
        (
            json!([{ "kind": "freehand", "points": [] }]),
            "shapes[0].points",
            "not a list of places",
        ),
        (json!([stroke(2_001)]), "shapes[0].points", "at most 2000"),
        (
            Value::Array(vec![stroke(2_000); 51]),
            "shapes",
            "at most 100000",
        ),
        (many(501), "shapes", "at most 500"),
        (text(&long), "shapes[0].text", "at most 500"),
        (text(" \n"), "shapes[0].text", "empty"),
        (text("a\tb"), "shapes[0].text", "U+0009"),
        (text("nul\u{0}"), "shapes[0].text", "U+0000"),
        (text("turned \u{202e}around"), "shapes[0].text", "U+202E"),
        (text("漢字"), "shapes[0].text", "“漢” (U+6F22)"),
        (text("party 🥳"), "shapes[0].text", "U+1F973"),
        (
            json!([{ "kind": "blur", "box": [0, 0, 1, 1] }]),
            "shapes[0].kind",
            "redaction",
        ),
        (json!([{ "from": [0, 0] }]), "shapes[0].kind", "missing"),
        (
            json!([{ "kind": "step", "at": [0, 0], "number": 0 }]),
            "shapes[0].number",
            "1 to 999",
        ),
        (
            json!([{ "kind": "step", "at": [0, 0], "number": 1.5 }]),
            "shapes[0].number",
            "1 to 999",
        ),
        (
            json!([{ "kind": "step", "at": [0, 0], "number": 1, "color": "pink" }]),
            "shapes[0].color",
            "red, orange",
        ),
        (
            json!([{ "kind": "step", "at": [0, 0], "number": 1, "width": 2 }]),
            "shapes[0].width",
            "0.1",
        ),
        (
            json!([{ "kind": "step", "at": [0, 0], "number": 1, "href": "x" }]),
            "shapes[0].href",
            "not known",
        ),
        (json!({ "kind": "line" }), "shapes", "not a list"),
        (json!([7]), "shapes[0]", "not a shape"),
    ];
    for (shapes, field, says) in wrong {
        let problem = put_markup(&ada, &media, 0, shapes.clone())
            .await
            .problem(422);
        let errors = problem["errors"].as_object().unwrap();
        assert!(
            errors
                .get(field)
                .is_some_and(|wrong| wrong.as_str().unwrap().contains(says)),
            "{field} {says}: {problem}"
        );
    }
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
    let raw = |body: Vec<u8>| {
        Response::fetch(
            ada.request("PUT", &format!("{media}/markup"))
                .header("content-type", "application/json")
                .body(body),
        )
    };
    // JavaScript has these numbers, JSON does not.
    for number in ["NaN", "-Infinity", "1e999"] {
        let body = format!(
            r#"{{"revision":0,"shapes":[{{"kind":"line","from":[{number},0],"to":[0.5,0.5]}}]}}"#
        );
        let problem = raw(body.into_bytes()).await.problem(422);
        assert!(
            problem["errors"]["shapes[0].from"]
                .as_str()
                .unwrap()
                .contains(number),
            "{problem}"
        );
    }
    raw(br#"{"revision":0,"shapes":[{"kind":"line","from":[oops,0],"to":[0,0]}]}"#.to_vec())
        .await
        .problem(400);
    raw(format!(
        "{{\"revision\":0,\"shapes\":[],\"what_changed\":\"{}\"}}",
        "x".repeat(5 << 20)
    )
    .into_bytes())
    .await
    .problem(413);
    // Right-to-left letters, emoji of the font and the maximum number of points are valid.
    put_markup(&ada, &media, 0, text("שלום 😀 ←"))
        .await
        .expect(200);
    put_markup(&ada, &media, 1, Value::Array(vec![stroke(2_000); 50]))
        .await
        .expect(200);
    assert_eq!(
        ada.get(&media).await.json()["markup"],
        json!({ "revision": 2, "shapes": 50 })
    );
    // A comment's drawing cannot redact.
    let drawing = json!({ "body": "b", "drawing": [{ "kind": "redaction", "box": [0, 0, 1, 1] }] });
    let problem = ada
        .post(&format!("{update}/comments"), drawing)
        .await
        .problem(422);
    assert!(
        problem["errors"]["drawing[0].kind"]
            .as_str()
            .unwrap()
            .contains("own layer"),
        "{problem}"
    );
}

#[actix_web::test]
async fn markup_is_limited_to_the_author_and_to_ready_pictures() {
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
    let files = [
        ("media", "a.gif", fixture("anim.gif")),
        ("media", "a.webm", fixture("rec-vp8-opus-3s.webm")),
    ];
    let added = ada
        .upload(&format!("{update}/media"), &[], &files)
        .await
        .expect(201)
        .json();
    for n in [0, 1] {
        let media = format!("/media/{}", added["items"][n]["id"].as_str().unwrap());
        let problem = put_markup(&ada, &media, 0, every_kind()).await.problem(409);
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains(["GIF", "video"][n]),
            "{problem}"
        );
    }
    let pictures = [("pictures", "a.png", fixture("alpha.png"))];
    let said = ada
        .upload(&format!("{update}/comments"), &[("body", "b")], &pictures)
        .await
        .expect(201)
        .json();
    let pasted = format!("/media/{}", said["pictures"][0]["id"].as_str().unwrap());
    put_markup(&ada, &pasted, 0, every_kind())
        .await
        .problem(403);
    app.wait_for_jobs().await;
    for state in ["processing", "uploading", "failed"] {
        let mut tx = app.state.db.begin().await.unwrap();
        sqlx::query("UPDATE media SET state = $1 WHERE kind = 'image'")
            .bind(state)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        put_markup(&ada, &media, 0, every_kind()).await.problem(409);
    }
    app.execute("UPDATE media SET state = 'ready'").await;
    ada.delete(&media).await.expect(204);
    put_markup(&ada, &media, 0, every_kind()).await.problem(404);
}

#[actix_web::test]
async fn stale_markup_revision_conflicts_unless_the_content_is_the_same() {
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
    // A retry after a lost response succeeds.
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
async fn marked_picture_and_thumbnail_show_markup_until_its_last_shape_is_removed() {
    let app = TestApp::start().await;
    let (ada, ben, update, media) = update_with_picture(&app).await;
    let before = ben.get(&media).await.json();
    assert!(rendition(&before, "marked").is_none());
    let solid = json!([{ "kind": "line", "from": [0.25, 0.5], "to": [0.75, 0.5], "color": "purple", "width": 0.1 }]);
    put_markup(&ada, &media, 0, solid).await.expect(200);
    app.wait_for_jobs().await;
    let after = ben.get(&media).await.json();
    let pixel = async |name: &str, x: f64, y: f64| {
        let shown = rendition(&after, name).unwrap();
        let bytes = ben
            .get(shown["url"].as_str().unwrap())
            .await
            .expect(200)
            .body;
        let image = image::load_from_memory(&bytes).unwrap().to_rgb8();
        let at = |part: f64, side: u32| (part * f64::from(side)) as u32;
        image
            .get_pixel(at(x, image.width()), at(y, image.height()))
            .0
    };
    assert_eq!(pixel("marked", 0.5, 0.5).await, [0x9c, 0x36, 0xb5]);
    assert_ne!(pixel("original", 0.5, 0.5).await, [0x9c, 0x36, 0xb5]);
    assert_eq!(
        pixel("marked", 0.1, 0.1).await,
        pixel("original", 0.1, 0.1).await
    );
    let path = |rendition: &Value| {
        rendition["url"]
            .as_str()
            .unwrap()
            .split('?')
            .next()
            .unwrap()
            .rsplit_once("/m/")
            .unwrap()
            .1
            .to_owned()
    };
    let page = ada
        .clone()
        .accept("text/html")
        .get(&update)
        .await
        .expect(200)
        .text();
    assert!(
        page.contains(&format!(
            "/m/{}?",
            path(rendition(&after, "marked").unwrap())
        )),
        "the download includes the markup"
    );
    let [red, green, blue] = pixel("thumbnail", 0.5, 0.5).await.map(i32::from);
    assert!(
        (red - 0x9c).abs() < 12 && (green - 0x36).abs() < 12 && (blue - 0xb5).abs() < 12,
        "{red} {green} {blue}"
    );
    assert_eq!(
        rendition(&after, "original").unwrap()["bytes"],
        rendition(&before, "original").unwrap()["bytes"]
    );
    // Old addresses stay valid and serve the present picture.
    let address = |of: &Value, name: &str| {
        rendition(of, name).unwrap()["url"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let shown = async |url: &str| app.client().get(url).await.expect(200).body;
    assert!(
        shown(&address(&before, "thumbnail")).await == shown(&address(&after, "thumbnail")).await
    );
    put_markup(&ada, &media, 1, json!([])).await.expect(200);
    app.wait_for_jobs().await;
    assert!(shown(&address(&after, "marked")).await == shown(&address(&before, "original")).await);
    let empty = ben.get(&media).await.json();
    assert!(rendition(&empty, "marked").is_none());
    assert_eq!(
        rendition(&empty, "thumbnail").unwrap()["bytes"],
        rendition(&before, "thumbnail").unwrap()["bytes"]
    );
    assert_eq!(
        app.objects().await.len(),
        2,
        "the rendered copies are deleted"
    );
    // A redaction ends the old addresses.
    put_markup(
        &ada,
        &media,
        2,
        json!([{ "kind": "redaction", "box": [0.1, 0.1, 0.2, 0.2] }]),
    )
    .await
    .expect(200);
    for url in [
        address(&before, "thumbnail"),
        address(&after, "thumbnail"),
        address(&after, "marked"),
    ] {
        app.client().get(&url).await.problem(404);
    }
    assert_eq!(app.count("SELECT count(*) FROM former_keys").await, 0);
}

#[actix_web::test]
async fn acknowledgement_becomes_stale_when_markup_is_a_material_change() {
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

#[actix_web::test]
async fn comment_can_have_a_drawing_on_a_picture_or_a_video_frame() {
    let app = TestApp::start().await;
    let (ada, ben, update, media) = update_with_picture(&app).await;
    let drawing = json!([{ "kind": "text", "at": [0.1, 0.1], "text": "hierhin", "size": 0.03, "color": "red" }]);
    let said = ben
        .post(&format!("{update}/comments"), json!({ "drawing": drawing }))
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&said["anchor"]["drawing"], &said["anchor"]["region"]),
        (&drawing, &Value::Null)
    );
    assert_eq!(
        format!("/media/{}", said["media_id"].as_str().unwrap()),
        media
    );
    let formed = ben
        .form(
            "POST",
            &format!("{update}/comments"),
            &[("body", "b"), ("drawing", &drawing.to_string())],
        )
        .await
        .expect(201);
    assert_eq!(formed.json()["anchor"]["drawing"], drawing);
    let video = [("media", "a.webm", fixture("rec-vp8-opus-3s.webm"))];
    let added = ada
        .upload(&format!("{update}/media"), &[], &video)
        .await
        .expect(201)
        .json();
    let id = &added["items"][0]["id"];
    let problem = ben
        .post(
            &format!("{update}/comments"),
            json!({ "media_id": id, "drawing": drawing }),
        )
        .await
        .problem(422);
    assert!(
        problem["errors"]["at_ms"]
            .as_str()
            .unwrap()
            .contains("moment"),
        "{problem}"
    );
    let said = ben
        .post(
            &format!("{update}/comments"),
            json!({ "media_id": id, "at_ms": 500, "drawing": drawing }),
        )
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&said["anchor"]["at_ms"], &said["anchor"]["drawing"]),
        (&json!(500), &drawing)
    );
    ben.post(&format!("{update}/comments"), json!({ "drawing": [] }))
        .await
        .problem(422);
    ben.post(
        &format!("{update}/comments"),
        json!({ "body": "b", "drawing": "x" }),
    )
    .await
    .problem(422);
    // Guests who may comment may draw too.
    let (_, token) = ada.share(&update, true).await;
    let guest = app.client().bearer(&token);
    let by_guest = guest
        .post(
            &format!("{update}/comments"),
            json!({ "name": "Gus", "drawing": drawing }),
        )
        .await
        .expect(201)
        .json();
    assert_eq!(by_guest["anchor"]["drawing"], drawing);
    // Removing the picture removes the anchor and keeps the comment.
    ada.delete(&media).await.expect(204);
    let left = ben
        .get(&format!("/comments/{}", by_guest["id"].as_str().unwrap()))
        .await
        .json();
    assert_eq!(left["anchor"], Value::Null);
}

#[actix_web::test]
async fn text_in_markup_and_drawings_is_searchable() {
    let app = TestApp::start().await;
    let (ada, ben, update, media) = update_with_picture(&app).await;
    let written = |text: &str| json!([{ "kind": "text", "at": [0.1, 0.1], "text": text }]);
    put_markup(&ada, &media, 0, written("Schaltfläche öffnen"))
        .await
        .expect(200);
    let said = ben
        .post(
            &format!("{update}/comments"),
            json!({ "drawing": written("Kurbelwelle") }),
        )
        .await
        .expect(201)
        .json();
    app.wait_for_jobs().await;
    let found = async |words: &str| {
        ben.get(&format!("/search?q={words}"))
            .await
            .expect(200)
            .json()["items"]
            .clone()
    };
    let on = found("schaltflache").await;
    assert_eq!(on[0]["found"][0]["kind"], "markup", "{on}");
    assert!(
        on[0]["found"][0]["url"]
            .as_str()
            .unwrap()
            .ends_with(&format!(
                "{update}#m-{}",
                media.trim_start_matches("/media/")
            )),
        "{on}"
    );
    let drawn = found("kurbelwelle").await;
    assert!(
        drawn[0]["found"][0]["url"]
            .as_str()
            .unwrap()
            .ends_with(&format!("#c-{}", said["id"].as_str().unwrap())),
        "{drawn}"
    );
    assert_eq!(
        ben.get("/updates?q=kurbelwelle").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    put_markup(&ada, &media, 1, json!([])).await.expect(200);
    app.wait_for_jobs().await;
    assert_eq!(found("schaltflache").await, json!([]));
    ada.delete(&media).await.expect(204);
    app.wait_for_jobs().await;
    assert_eq!(found("kurbelwelle").await, json!([]));
}
