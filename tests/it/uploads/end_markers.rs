//! A picture whose end marker is missing is accepted if all its pixels are present.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use serde_json::json;

use super::{assert_nothing_remains, download, upload_and_process};
use crate::app::{TestApp, fixture};

fn without_last(bytes: &[u8], count: usize) -> Vec<u8> {
    bytes[..bytes.len() - count].to_vec()
}

/// Appends zeros, as at the end of a file that was not copied completely.
fn with_zeros(bytes: &[u8]) -> Vec<u8> {
    [bytes, &[0; 300]].concat()
}

/// Returns a JPEG picture without an end marker.
fn jpeg_without_end() -> Vec<u8> {
    let picture = image::load_from_memory(&fixture("shot-1280x800.png")).unwrap();
    let mut bytes = Cursor::new(Vec::new());
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
    picture.to_rgb8().write_with_encoder(encoder).unwrap();
    without_last(bytes.get_ref(), 2)
}

#[actix_web::test]
async fn picture_with_all_pixels_is_accepted_without_its_end_marker() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let (shot, animation) = (fixture("shot-1280x800.png"), fixture("anim.gif"));
    let files = [
        ("media", "samsung.jpg", fixture("jpg-noeoi-samsung.jpg")),
        ("media", "photo.jpg", jpeg_without_end()),
        ("media", "still.gif", fixture("gif-noend.gif")),
        ("media", "animation.gif", without_last(&animation, 1)),
        ("media", "block.gif", without_last(&animation, 2)),
        (
            "media",
            "zeros.gif",
            with_zeros(&without_last(&animation, 1)),
        ),
        ("media", "zeros.jpg", with_zeros(&jpeg_without_end())),
        ("media", "shot.png", without_last(&shot, 12)),
        ("media", "cut.png", without_last(&shot, 3)),
        ("media", "checksum.png", without_last(&shot, 14)),
        ("media", "zeros.png", with_zeros(&without_last(&shot, 12))),
        (
            "media",
            "zeros2.jpg",
            with_zeros(&without_last(&fixture("photo-exif6-gps.jpg"), 2)),
        ),
        (
            "media",
            "comment.gif",
            [&animation[..animation.len() - 1], b"!\xfe\x30cut"].concat(),
        ),
    ];
    let media = upload_and_process(&app, &ada, &files).await;
    let sizes = [
        (800, 600),
        (1280, 800),
        (320, 240),
        (320, 240),
        (320, 240),
        (320, 240),
        (1280, 800),
        (1280, 800),
        (1280, 800),
        (1280, 800),
        (1280, 800),
        (800, 600),
        (320, 240),
    ];
    for ((_, name, bytes), (media, (width, height))) in files.iter().zip(media.iter().zip(sizes)) {
        assert_eq!(
            (&media["state"], &media["width"], &media["height"]),
            (&json!("ready"), &json!(width), &json!(height)),
            "{name}"
        );
        let stored = download(&ada, media, "original").await.body;
        let stored = image::load_from_memory(&stored).unwrap();
        assert_eq!((stored.width(), stored.height()), (width, height), "{name}");
        if name.ends_with(".png") {
            let source = image::load_from_memory(&shot).unwrap();
            assert!(
                stored.to_rgb8() == source.to_rgb8(),
                "{name}: {}",
                bytes.len()
            );
        }
    }
}

#[actix_web::test]
async fn picture_with_missing_pixels_is_rejected() {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let samsung = fixture("jpg-noeoi-samsung.jpg");
    // The data that a Samsung phone appends begins here, after the last pixel.
    let trailer = samsung
        .windows(14)
        .position(|window| window == b"Image_UTC_Data")
        .unwrap()
        - 8;
    let photo = jpeg_without_end();
    let (shot, gif) = (fixture("shot-1280x800.png"), fixture("gif-noend.gif"));
    let cut = [
        ("samsung.jpg", samsung[..trailer - 40].to_vec()),
        ("photo.jpg", without_last(&photo, 8)),
        ("photo.jpg", without_last(&photo, photo.len() / 3)),
        ("zeros.jpg", with_zeros(&without_last(&photo, 8))),
        ("still.gif", without_last(&gif, 3)),
        ("still.gif", without_last(&gif, gif.len() / 3)),
        ("shot.png", without_last(&shot, 40)),
        ("zeros.png", with_zeros(&without_last(&shot, 40))),
        ("shot.png", without_last(&shot, shot.len() / 3)),
    ];
    for (name, bytes) in cut {
        let length = bytes.len();
        let files = [("media", name, bytes)];
        let response = ada.upload("/updates", &[("title", "Cut")], &files).await;
        let problem = response.problem(415);
        let text = problem["errors"]["media[0]"].as_str().unwrap_or_default();
        assert!(
            text.contains("This picture is damaged"),
            "{name}, {length} bytes: {problem}"
        );
    }
    assert_nothing_remains(&app).await;
}
