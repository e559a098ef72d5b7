//! Tests of re-encoding: what is kept, what is removed and what is rejected.

use std::path::PathBuf;

use image::{GenericImageView, ImageFormat, Rgba};

use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

async fn made(name: &str) -> (ProcessedPicture, DynamicImage) {
    let made = process(&fixture(name)).await.unwrap();
    let format = ImageFormat::from_mime_type(made.content_type).unwrap();
    let image = image::load_from_memory_with_format(&made.bytes, format).unwrap();
    assert_eq!(image.dimensions(), (made.width, made.height));
    let thumbnail =
        image::load_from_memory_with_format(&made.thumbnail.bytes, ImageFormat::Jpeg).unwrap();
    assert_eq!(
        thumbnail.dimensions(),
        (made.thumbnail.width, made.thumbnail.height)
    );
    assert!(made.thumbnail.width.max(made.thumbnail.height) <= THUMBNAIL_SIDE);
    (made, image)
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes
        .windows(word.len())
        .any(|window| window == word.as_bytes())
}

#[tokio::test]
async fn photo_is_rotated_upright_and_loses_its_metadata() {
    let (made, image) = made("photo-exif6-gps.jpg").await;
    assert_eq!(
        (made.content_type, made.width, made.height),
        ("image/jpeg", 800, 600)
    );
    let Rgba([red, green, blue, _]) = image.get_pixel(400, 15);
    assert!(red > 180 && green < 90 && blue < 90, "{red} {green} {blue}");
    for word in [
        "Exif",
        "http://ns.adobe.com",
        "Photoshop",
        "GPS",
        "<x:xmpmeta",
    ] {
        assert!(
            !holds(&made.bytes, word) && !holds(&made.thumbnail.bytes, word),
            "{word}"
        );
    }
}

#[tokio::test]
async fn png_stays_png_and_keeps_its_pixels_and_alpha() {
    let (made_shot, image) = made("shot-1280x800.png").await;
    assert_eq!(made_shot.content_type, "image/png");
    assert_eq!(
        image.to_rgb8(),
        image::open(fixture("shot-1280x800.png")).unwrap().to_rgb8()
    );
    assert_eq!(
        (made_shot.thumbnail.width, made_shot.thumbnail.height),
        (640, 400)
    );
    assert!(made_shot.bytes.ends_with(b"IEND\xaeB`\x82"));

    // The gAMA and cHRM chunks of this picture change its colors slightly, so compare only the
    // alpha values.
    let (alpha, image) = made("alpha.png").await;
    assert_eq!(alpha.content_type, "image/png");
    let source = image::open(fixture("alpha.png")).unwrap().to_rgba8();
    for (made, source) in image.to_rgba8().pixels().zip(source.pixels()) {
        assert_eq!(made.0[3], source.0[3]);
    }
    assert_eq!((alpha.thumbnail.width, alpha.thumbnail.height), (200, 120));
}

#[tokio::test]
async fn webp_becomes_jpeg_if_lossy_and_png_if_lossless() {
    assert_eq!(made("lossy.webp").await.0.content_type, "image/jpeg");
    assert_eq!(made("lossless.webp").await.0.content_type, "image/png");
}

#[tokio::test]
async fn animated_gif_keeps_its_frames_and_animated_png_becomes_still() {
    let (gif, _) = made("anim.gif").await;
    assert_eq!((gif.content_type, gif.extension), ("image/gif", "gif"));
    let frames = |bytes: &[u8]| {
        use image::AnimationDecoder;
        let decoder =
            image::codecs::gif::GifDecoder::new(std::io::Cursor::new(bytes.to_vec())).unwrap();
        decoder.into_frames().collect_frames().unwrap()
    };
    let (before, after) = (
        frames(&std::fs::read(fixture("anim.gif")).unwrap()),
        frames(&gif.bytes),
    );
    assert_eq!((before.len(), after.len()), (20, 20));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.delay(), after.delay());
        assert!(before.buffer() == after.buffer());
    }
    assert!(holds(&gif.bytes, "NETSCAPE2.0"));

    let (png, _) = made("anim.apng.png").await;
    assert_eq!(
        (png.content_type, png.width, png.height),
        ("image/png", 240, 180)
    );
    assert!(!holds(&png.bytes, "acTL") && !holds(&png.bytes, "fdAT"));
}

#[tokio::test]
async fn damaged_pictures_and_files_that_are_not_pictures_are_rejected() {
    let damaged = ["bad-truncated.png", "bad-crc-idat.png"];
    for name in damaged {
        let error = process(&fixture(name)).await.unwrap_err();
        assert!(
            error.detail().starts_with("This picture is damaged"),
            "{name}: {error}"
        );
    }
    for name in [
        "bad-zero.png",
        "bad-onebyte.png",
        "bad-html-named.png",
        "bad-script.svg",
    ] {
        let error = process(&fixture(name)).await.unwrap_err();
        assert!(
            error.detail().starts_with("This file is not a picture"),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn truncated_picture_is_rejected_in_every_format() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "photo-exif6-gps.jpg",
        "lossy.webp",
        "lossless.webp",
        "anim.gif",
        "anim.apng.png",
    ] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        // Cut an APNG after 300 bytes, within its still picture. Only the still picture is
        // decoded, so a later cut would go unnoticed.
        let kept = if name == "anim.apng.png" {
            300
        } else {
            bytes.len() * 6 / 10
        };
        let path = dir.path().join(name);
        std::fs::write(&path, &bytes[..kept]).unwrap();
        let error = process(&path).await.unwrap_err();
        assert!(
            error.detail().starts_with("This picture is damaged"),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn decompression_bombs_are_rejected_before_decoding() {
    for name in [
        "bad-bomb-30000x30000.png",
        "bad-bomb-12000x12000-rgb.png",
        "bad-gif-20000frames.gif",
    ] {
        assert!(
            matches!(process(&fixture(name)).await, Err(Error::TooLarge(_))),
            "{name}"
        );
    }
}

#[tokio::test]
async fn bytes_after_a_picture_are_removed_and_its_color_profile_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut profile = vec![0_u8; 200];
    profile[..4].copy_from_slice(&200_u32.to_be_bytes());
    profile[16..20].copy_from_slice(b"RGB ");
    profile[36..40].copy_from_slice(b"acsp");
    let picture = Picture {
        image: DynamicImage::new_rgb8(900, 30),
        profile: Some(profile.clone()),
        lossy: false,
    };
    let path = dir.path().join("polyglot");
    let mut bytes = picture.encode().unwrap().bytes;
    bytes.extend_from_slice(b"<script>alert(1)</script>");
    std::fs::write(&path, bytes).unwrap();

    let made = process(&path).await.unwrap();
    assert!(!holds(&made.bytes, "script"));
    assert_eq!(Picture::read(&made.bytes).unwrap().profile, Some(profile));
    assert_eq!((made.thumbnail.width, made.thumbnail.height), (640, 21));
}
