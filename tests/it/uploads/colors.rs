//! Pictures keep their colors, no matter how the file describes them. The expected values are the
//! colors that Chromium 156 draws for the uploaded file on an sRGB screen.

use std::io::Cursor;

use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::{ImageEncoder, RgbImage};
use moxcms::{ColorProfile, LocalizableString, ProfileText};

use super::{download, upload_and_process};
use crate::app::{TestApp, fixture};

/// A point of a picture and the color of that point. The coordinates are fractions of the picture's
/// width and height.
type Point = (f32, f32, [u8; 3]);

/// Asserts that a picture has no color profile and shows these colors.
fn assert_shows(bytes: &[u8], expected: &[Point], name: &str) {
    for word in [&b"iCCP"[..], b"ICC_PROFILE", b"gAMA", b"cICP"] {
        assert!(
            !bytes.windows(word.len()).any(|window| window == word),
            "{name}"
        );
    }
    let image = image::load_from_memory(bytes).unwrap().to_rgb8();
    for (x, y, color) in expected {
        let at = |part: &f32, side: u32| (part * side as f32) as u32;
        let shown = image.get_pixel(at(x, image.width()), at(y, image.height()));
        assert!(
            shown
                .0
                .iter()
                .zip(color)
                .all(|(shown, color)| shown.abs_diff(*color) <= 8),
            "{name} at {x}, {y}: {:?} instead of {color:?}",
            shown.0
        );
    }
}

/// Places the colors at the top left, the top right, the center, the bottom left and the bottom
/// right.
fn corners(colors: [[u8; 3]; 5]) -> Vec<Point> {
    let points = [(0.1, 0.1), (0.9, 0.1), (0.5, 0.5), (0.1, 0.9), (0.9, 0.9)];
    let points = points.into_iter().zip(colors);
    points.map(|((x, y), color)| (x, y, color)).collect()
}

async fn assert_uploads_show(files: Vec<(&'static str, Vec<u8>, Vec<Point>)>) {
    let app = TestApp::start().await;
    let ada = app.person("Ada").await;
    let uploads: Vec<_> = files
        .iter()
        .map(|(name, bytes, _)| ("media", *name, bytes.clone()))
        .collect();
    let media = upload_and_process(&app, &ada, &uploads).await;
    for ((name, _, expected), media) in files.iter().zip(&media) {
        for rendition in ["original", "thumbnail"] {
            let bytes = download(&ada, media, rendition).await.body;
            assert_shows(&bytes, expected, &format!("{rendition} of {name}"));
        }
    }
}

#[actix_web::test]
async fn png_whose_chunks_describe_its_colors_looks_like_the_original() {
    let gamma = [
        [239, 110, 110],
        [110, 229, 133],
        [183, 183, 183],
        [110, 133, 239],
        [244, 239, 110],
    ];
    let chromaticities = [
        [241, 0, 10],
        [0, 205, 0],
        [121, 121, 121],
        [28, 58, 230],
        [233, 221, 0],
    ];
    let code_points = [
        [240, 0, 21],
        [0, 204, 12],
        [120, 120, 120],
        [34, 61, 229],
        [232, 220, 0],
    ];
    assert_uploads_show(vec![
        ("gama10.png", fixture("gama10.png"), corners(gamma)),
        (
            "gama-chrm-p3.png",
            fixture("gama-chrm-p3.png"),
            corners(chromaticities),
        ),
        ("cicp-p3.png", fixture("cicp-p3.png"), corners(code_points)),
    ])
    .await;
}

/// Encodes a picture of 640 × 64 pixels with this profile. The left half is red, and the right half
/// is yellow.
fn encode<'a, E: ImageEncoder>(
    encoder: impl FnOnce(&'a mut Cursor<Vec<u8>>) -> E,
    bytes: &'a mut Cursor<Vec<u8>>,
    profile: &[u8],
) {
    let colors = [[200, 60, 60], [220, 180, 40]];
    let image = RgbImage::from_fn(640, 64, |x, _| image::Rgb(colors[x as usize / 320]));
    let mut encoder = encoder(bytes);
    encoder.set_icc_profile(profile.to_vec()).unwrap();
    encoder
        .write_image(&image, 640, 64, image::ExtendedColorType::Rgb8)
        .unwrap();
}

#[actix_web::test]
async fn picture_with_a_large_color_profile_looks_like_the_original() {
    let mut profile = ColorProfile::new_display_p3();
    let text = "A long copyright notice. ".repeat(30_000);
    profile.copyright = Some(ProfileText::Localizable(vec![LocalizableString::new(
        "en".into(),
        "US".into(),
        text,
    )]));
    let profile = profile.encode().unwrap();
    assert!(profile.len() > 1024 * 1024);
    let [mut png, mut jpeg, mut webp] = [(); 3].map(|()| Cursor::new(Vec::new()));
    encode(PngEncoder::new, &mut png, &profile);
    encode(
        |bytes| JpegEncoder::new_with_quality(bytes, 95),
        &mut jpeg,
        &profile,
    );
    encode(WebPEncoder::new_lossless, &mut webp, &profile);
    let expected = vec![(0.25, 0.5, [217, 42, 52]), (0.75, 0.5, [228, 178, 0])];
    assert_uploads_show(vec![
        ("a.png", png.into_inner(), expected.clone()),
        ("a.jpg", jpeg.into_inner(), expected.clone()),
        ("a.webp", webp.into_inner(), expected),
    ])
    .await;
}
