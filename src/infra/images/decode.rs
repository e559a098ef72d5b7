//! Decodes still pictures: checks the limits first, then decodes the pixels and turns them upright.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, Limits};

use super::{Format, MAX_BYTES, MAX_SIDE, Picture, check_size, gif, image_error, jpeg, webp};
use crate::error::{Error, Result};

/// The maximum size of a color profile, in bytes. Real profiles are a few kB in size.
const MAX_PROFILE: usize = 1024 * 1024;
/// The IEND chunk with its checksum.
const PNG_END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";

pub(super) fn read_file(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::TooLarge(
            "This picture is larger than 64 MiB. Save it as a smaller file.".into(),
        ));
    }
    Ok(bytes)
}

pub(super) fn decode_still(bytes: &[u8], format: Format) -> Result<Picture> {
    let input = Cursor::new(bytes);
    match format {
        Format::Png => decode_png(&with_png_end(bytes)),
        Format::Jpeg => jpeg::decode(bytes),
        Format::WebP => {
            let lossy = webp::check_frames(bytes)?;
            decode_pixels(WebPDecoder::new(input).map_err(image_error)?, lossy)
        }
        Format::Gif => {
            let bytes = gif::with_end(bytes);
            let decoder = GifDecoder::new(Cursor::new(&bytes[..])).map_err(image_error)?;
            decode_pixels(decoder, false)
        }
    }
}

fn decode_png(bytes: &[u8]) -> Result<Picture> {
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), decoder_limits());
    decode_pixels(decoder.map_err(image_error)?, false)
}

/// Appends the end chunk if it is missing or cut off. A file that ends within its pixels stays
/// incomplete.
fn with_png_end(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.ends_with(PNG_END) {
        return bytes.into();
    }
    // A shorter beginning of the end chunk is only zeros, which can also be the end of a checksum.
    let present = (5..PNG_END.len())
        .rev()
        .find(|length| bytes.ends_with(&PNG_END[..*length]))
        .unwrap_or(0);
    [bytes, &PNG_END[present..]].concat().into()
}

fn decoder_limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(256 * 1024 * 1024);
    limits
}

pub(super) fn decode_pixels(mut decoder: impl ImageDecoder, lossy: bool) -> Result<Picture> {
    // Check the size in the header, because the WebP decoder ignores the limits.
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    let mut limits = decoder_limits();
    limits.reserve(decoder.total_bytes()).map_err(image_error)?;
    decoder.set_limits(limits).map_err(image_error)?;

    let profile = decoder.icc_profile().unwrap_or_default();
    let orientation = decoder.orientation().ok();
    let mut image = to_8_bit(DynamicImage::from_decoder(decoder).map_err(image_error)?);
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    let profile = profile.filter(|profile| profile_matches(profile, &image));
    Ok(Picture {
        image,
        profile,
        lossy,
    })
}

/// Converts to 8 bits per channel. Drops an alpha channel that is fully opaque, because browsers
/// write even opaque screenshots as RGBA.
fn to_8_bit(image: DynamicImage) -> DynamicImage {
    let image = match image {
        DynamicImage::ImageLuma8(_)
        | DynamicImage::ImageLumaA8(_)
        | DynamicImage::ImageRgb8(_)
        | DynamicImage::ImageRgba8(_) => image,
        DynamicImage::ImageLuma16(_) => DynamicImage::ImageLuma8(image.into_luma8()),
        DynamicImage::ImageLumaA16(_) => DynamicImage::ImageLumaA8(image.into_luma_alpha8()),
        DynamicImage::ImageRgb16(_) | DynamicImage::ImageRgb32F(_) => {
            DynamicImage::ImageRgb8(image.into_rgb8())
        }
        other => DynamicImage::ImageRgba8(other.into_rgba8()),
    };
    match &image {
        DynamicImage::ImageLumaA8(pixels) if pixels.pixels().all(|pixel| pixel.0[1] == 255) => {
            DynamicImage::ImageLuma8(image.into_luma8())
        }
        DynamicImage::ImageRgba8(pixels) if pixels.pixels().all(|pixel| pixel.0[3] == 255) => {
            DynamicImage::ImageRgb8(image.into_rgb8())
        }
        _ => image,
    }
}

/// Whether an ICC profile (ICC.1:2022 §7.2) is valid and matches the colors of the decoded
/// picture. The profile of a CMYK photo, for example, does not match, because its pixels were
/// converted.
fn profile_matches(profile: &[u8], image: &DynamicImage) -> bool {
    let space: &[u8] = if image.color().has_color() {
        b"RGB "
    } else {
        b"GRAY"
    };
    (128..=MAX_PROFILE).contains(&profile.len())
        && profile.get(16..20) == Some(space)
        && profile.get(36..40) == Some(b"acsp")
}
