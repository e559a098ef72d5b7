//! Decodes the pixels of a picture: checks the limits first, then converts the colors and turns the
//! picture upright.

use image::{DynamicImage, ImageDecoder, Limits};

use super::color::{self, ColorSpace};
use super::{MAX_SIDE, Picture, check_size, image_error};
use crate::error::Result;

/// The maximum memory that a decoder may use, in bytes.
pub(super) const MAX_MEMORY: usize = 256 * 1024 * 1024;

pub(super) fn decoder_limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY as u64);
    limits
}

/// Decodes the pixels. If `space` is `None`, the ICC profile in the file determines the color
/// space.
pub(super) fn decode_pixels(
    mut decoder: impl ImageDecoder,
    lossy: bool,
    space: Option<ColorSpace>,
) -> Result<Picture> {
    // Check the size in the header, because the WebP decoder ignores the limits.
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    let mut limits = decoder_limits();
    limits.reserve(decoder.total_bytes()).map_err(image_error)?;
    decoder.set_limits(limits).map_err(image_error)?;

    let space =
        space.unwrap_or_else(|| ColorSpace::from_icc(decoder.icc_profile().unwrap_or_default()));
    let orientation = decoder.orientation().ok();
    let image = DynamicImage::from_decoder(decoder).map_err(image_error)?;
    let (image, profile) = color::keep_or_convert(image, space);
    let mut image = to_8_bit(image);
    if let Some(orientation) = orientation {
        image.apply_orientation(orientation);
    }
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
