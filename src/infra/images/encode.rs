//! Encodes still pictures and thumbnails.

use fast_image_resize::{FilterType as Resampling, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageEncoder, RgbImage};

use super::{EncodedPicture, Picture, ProcessedPicture, THUMBNAIL_SIDE, color};
use crate::error::{Error, Result};

pub(super) fn encode_still(picture: Picture) -> Result<ProcessedPicture> {
    let thumbnail = encode_thumbnail(&picture)?;
    let (width, height) = (picture.image.width(), picture.image.height());
    let profile = picture.profile.as_deref();
    let (content_type, extension, bytes) = if picture.lossy && !picture.image.color().has_alpha() {
        (
            "image/jpeg",
            "jpg",
            encode_jpeg(&picture.image, profile, 90)?,
        )
    } else {
        ("image/png", "png", encode_png(&picture.image, profile)?)
    };
    Ok(ProcessedPicture {
        content_type,
        extension,
        width,
        height,
        bytes,
        thumbnail,
    })
}

pub(super) fn encode_thumbnail(picture: &Picture) -> Result<EncodedPicture> {
    let small = scale_down(&picture.image)?;
    let mut flat = flatten_on_white(small.as_ref().unwrap_or(&picture.image));
    if let Some(profile) = &picture.profile {
        flat = color::convert_from_icc(flat, profile);
    }
    let bytes = encode_jpeg(&flat, None, 80)?;
    Ok(EncodedPicture {
        content_type: "image/jpeg",
        width: flat.width(),
        height: flat.height(),
        bytes,
    })
}

/// Scales the picture to thumbnail size. Returns `None` if the picture is already small enough.
fn scale_down(image: &DynamicImage) -> Result<Option<DynamicImage>> {
    let longer = image.width().max(image.height());
    if longer <= THUMBNAIL_SIDE {
        return Ok(None);
    }
    let side = |side: u32| {
        u32::try_from(u64::from(side) * u64::from(THUMBNAIL_SIDE) / u64::from(longer))
            .unwrap_or(1)
            .max(1)
    };
    let mut small = DynamicImage::new(side(image.width()), side(image.height()), image.color());
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(Resampling::Lanczos3));
    Resizer::new()
        .resize(image, &mut small, &options)
        .map_err(Error::internal)?;
    Ok(Some(small))
}

fn flatten_on_white(image: &DynamicImage) -> DynamicImage {
    if !image.color().has_alpha() {
        return image.clone();
    }
    let pixels = image.to_rgba8();
    let flat = RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [red, green, blue, alpha] = pixels.get_pixel(x, y).0.map(u16::from);
        let over =
            |color: u16| u8::try_from((color * alpha + 255 * (255 - alpha)) / 255).unwrap_or(255);
        image::Rgb([over(red), over(green), over(blue)])
    });
    DynamicImage::ImageRgb8(flat)
}

/// Uses the default compression. For a 2560 × 1600 screenshot, fast compression took 0.28 s and
/// produced 3.2 MB; the default took 0.16 s and produced 0.26 MB.
fn encode_png(image: &DynamicImage, profile: Option<&[u8]>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
    encode_with_profile(encoder, image, profile)?;
    Ok(bytes)
}

fn encode_jpeg(image: &DynamicImage, profile: Option<&[u8]>, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    encode_with_profile(
        JpegEncoder::new_with_quality(&mut bytes, quality),
        image,
        profile,
    )?;
    Ok(bytes)
}

fn encode_with_profile(
    mut encoder: impl ImageEncoder,
    image: &DynamicImage,
    profile: Option<&[u8]>,
) -> Result<()> {
    if let Some(profile) = profile {
        encoder
            .set_icc_profile(profile.to_vec())
            .map_err(Error::internal)?;
    }
    encoder
        .write_image(
            image.as_bytes(),
            image.width(),
            image.height(),
            image.color().into(),
        )
        .map_err(Error::internal)
}
