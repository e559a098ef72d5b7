//! Decodes still pictures: checks the limits first, then decodes the pixels and turns them upright.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, Limits};

use super::{Format, MAX_BYTES, MAX_SIDE, Picture, check_size, damaged_file, image_error, webp};
use crate::error::{Error, Result};

/// The maximum size of a color profile, in bytes. Real profiles are a few kB in size.
const MAX_PROFILE: usize = 1024 * 1024;

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
        Format::Png => decode_pixels(
            PngDecoder::with_limits(input, decoder_limits()).map_err(image_error)?,
            false,
        ),
        Format::Jpeg => {
            check_jpeg_is_complete(bytes)?;
            decode_pixels(JpegDecoder::new(input).map_err(image_error)?, true)
        }
        Format::WebP => {
            let lossy = webp::check_frames(bytes)?;
            decode_pixels(WebPDecoder::new(input).map_err(image_error)?, lossy)
        }
        Format::Gif => decode_pixels(GifDecoder::new(input).map_err(image_error)?, false),
    }
}

fn decoder_limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(256 * 1024 * 1024);
    limits
}

fn decode_pixels(mut decoder: impl ImageDecoder, lossy: bool) -> Result<Picture> {
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

/// Fails if a JPEG has no end marker (ITU T.81, B.1.1), because the decoder would show missing data
/// as grey.
fn check_jpeg_is_complete(bytes: &[u8]) -> Result<()> {
    let mut at = 2;
    let mut scanned = false;
    while let Some(&byte) = bytes.get(at) {
        if byte != 0xff {
            // This byte is entropy-coded data of a scan, or a stray byte, which decoders also skip.
            at += 1;
            continue;
        }
        match bytes.get(at + 1) {
            Some(0xd9) if scanned => return Ok(()),
            // Skip stuffed zeros, restart markers and the other markers without a length field.
            Some(0x00 | 0x01 | 0xd0..=0xd9) => at += 2,
            Some(0xff) => at += 1,
            Some(marker) => {
                scanned |= *marker == 0xda;
                let length = bytes.get(at + 2..at + 4).ok_or_else(damaged_file)?;
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
            None => break,
        }
    }
    Err(damaged_file())
}
