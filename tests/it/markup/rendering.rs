//! Markup is rendered as SVG and as text on pages, and drawn into copies of the picture.

use image::ImageEncoder as _;
use image::codecs::png::PngEncoder;
use serde_json::{Value, json};

use super::{every_kind, media_path, put_markup, rendition, update_with_picture};
use crate::app::{Client, TestApp};

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
    assert_eq!(words[0], "Arrow, blue, from 10%, 20% to 40%, 50%");
    assert_eq!(
        words[2],
        "Rectangle, green, at 10%, 10%, 20% wide, 30% high"
    );
    assert_eq!(words[7], "Step 12, at 90%, 90%");
    app.browser("Ada").await.get(&update).await.expect(200);
    app.browser("Ada")
        .await
        .get(&format!("{update}/edit"))
        .await
        .expect(200);
}

/// Downloads a rendition and returns one of its pixels. `x` and `y` are fractions of the width and height.
async fn pixel(client: &Client, media: &Value, name: &str, x: f64, y: f64) -> [u8; 3] {
    let bytes = client.get(&url(media, name)).await.expect(200).body;
    let image = image::load_from_memory(&bytes).unwrap().to_rgb8();
    let at = |part: f64, side: u32| (part * f64::from(side)) as u32;
    image
        .get_pixel(at(x, image.width()), at(y, image.height()))
        .0
}

fn url(media: &Value, name: &str) -> String {
    let url = &rendition(media, name).unwrap()["url"];
    url.as_str().unwrap().to_owned()
}

const PURPLE: [u8; 3] = [0x9c, 0x36, 0xb5];

/// A purple line through the middle of the picture.
fn purple_line() -> Value {
    json!([{ "kind": "line", "from": [0.25, 0.5], "to": [0.75, 0.5], "color": "purple", "width": 0.1 }])
}

#[actix_web::test]
async fn rendered_picture_and_thumbnail_show_the_markup() {
    let app = TestApp::start().await;
    let (ada, ben, update, media) = update_with_picture(&app).await;
    let before = ben.get(&media).await.json();
    assert!(rendition(&before, "marked").is_none());
    put_markup(&ada, &media, 0, purple_line()).await.expect(200);
    app.wait_for_jobs().await;
    let after = ben.get(&media).await.json();
    assert_eq!(pixel(&ben, &after, "marked", 0.5, 0.5).await, PURPLE);
    assert_ne!(pixel(&ben, &after, "original", 0.5, 0.5).await, PURPLE);
    assert_eq!(
        pixel(&ben, &after, "marked", 0.1, 0.1).await,
        pixel(&ben, &after, "original", 0.1, 0.1).await
    );
    let thumbnail = pixel(&ben, &after, "thumbnail", 0.5, 0.5).await;
    assert!(
        (0..3).all(|channel| thumbnail[channel].abs_diff(PURPLE[channel]) < 12),
        "{thumbnail:?}"
    );
    assert_eq!(
        rendition(&after, "original").unwrap()["bytes"],
        rendition(&before, "original").unwrap()["bytes"]
    );
    let page = ada.clone().accept("text/html").get(&update).await;
    let marked = url(&after, "marked");
    let (address, _) = marked.split_once('?').unwrap();
    let key = &address[address.find("/m/").unwrap()..];
    assert!(
        page.expect(200).text().contains(&format!("{key}?")),
        "the download includes the markup"
    );
}

/// A picture of 64 × 64 pixels in Display P3, encoded as PNG.
fn display_p3() -> Vec<u8> {
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(profile).unwrap();
    let pixels = [200, 60, 60].repeat(64 * 64);
    encoder
        .write_image(&pixels, 64, 64, image::ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

#[actix_web::test]
async fn markup_keeps_its_colors_on_a_picture_with_a_color_profile() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let files = [("media", "p3.png", display_p3())];
    let update = ada.upload("/updates", &[("title", "T")], &files).await;
    let media = media_path(&update.expect(201).json()["media"][0]);
    put_markup(&ada, &media, 0, purple_line()).await.expect(200);
    app.wait_for_jobs().await;
    let media = ada.get(&media).await.json();
    let has_profile = async |name: &str| {
        let bytes = ada.get(&url(&media, name)).await.expect(200).body;
        bytes.windows(4).any(|window| window == b"iCCP")
    };
    assert!(has_profile("original").await && !has_profile("marked").await);
    assert_eq!(pixel(&ada, &media, "marked", 0.5, 0.5).await, PURPLE);
    // The expected color is the one that Chromium 156 draws for the uploaded file on an sRGB
    // screen.
    let shown = pixel(&ada, &media, "marked", 0.1, 0.1).await;
    let expected = [217, 42, 52];
    assert!(
        (0..3).all(|channel| shown[channel].abs_diff(expected[channel]) <= 8),
        "{shown:?}"
    );
}

#[actix_web::test]
async fn earlier_media_addresses_serve_the_current_picture_until_it_is_redacted() {
    let app = TestApp::start().await;
    let (ada, ben, _, media) = update_with_picture(&app).await;
    let before = ben.get(&media).await.json();
    put_markup(&ada, &media, 0, purple_line()).await.expect(200);
    app.wait_for_jobs().await;
    let after = ben.get(&media).await.json();
    let shown = async |url: &str| app.client().get(url).await.expect(200).body;
    assert!(shown(&url(&before, "thumbnail")).await == shown(&url(&after, "thumbnail")).await);
    put_markup(&ada, &media, 1, json!([])).await.expect(200);
    app.wait_for_jobs().await;
    assert!(shown(&url(&after, "marked")).await == shown(&url(&before, "original")).await);
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
    let redaction = json!([{ "kind": "redaction", "box": [0.1, 0.1, 0.2, 0.2] }]);
    put_markup(&ada, &media, 2, redaction).await.expect(200);
    for url in [
        url(&before, "thumbnail"),
        url(&after, "thumbnail"),
        url(&after, "marked"),
    ] {
        app.client().get(&url).await.problem(404);
    }
    assert_eq!(app.count("SELECT count(*) FROM former_keys").await, 0);
}
