//! Decodes the pixels of a picture: checks the limits first, then converts the colors and turns the
//! picture upright.

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, Limits, RgbImage};

use super::color::{self, ColorSpace};
use super::upright::turn_upright;
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
    Ok(finish(image, space, orientation, lossy))
}

/// Converts the colors of decoded pixels and turns the picture upright.
pub(super) fn finish(
    image: DynamicImage,
    space: ColorSpace,
    orientation: Option<Orientation>,
    lossy: bool,
) -> Picture {
    let (image, profile) = color::keep_or_convert(image, space);
    let image = to_8_bit(image);
    Picture {
        image: match orientation {
            Some(orientation) => turn_upright(image, orientation),
            None => image,
        },
        profile,
        lossy,
    }
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
    match image {
        DynamicImage::ImageLumaA8(pixels) if pixels.pixels().all(|pixel| pixel.0[1] == 255) => {
            let (width, height) = pixels.dimensions();
            let gray = without_alpha::<2>(pixels.into_raw());
            GrayImage::from_raw(width, height, gray)
                .unwrap_or_default()
                .into()
        }
        DynamicImage::ImageRgba8(pixels) if pixels.pixels().all(|pixel| pixel.0[3] == 255) => {
            let (width, height) = pixels.dimensions();
            let rgb = without_alpha::<4>(pixels.into_raw());
            RgbImage::from_raw(width, height, rgb)
                .unwrap_or_default()
                .into()
        }
        image => image,
    }
}

/// Drops the last of `CHANNELS` channels in place, because a second buffer would almost double the required memory.
fn without_alpha<const CHANNELS: usize>(mut samples: Vec<u8>) -> Vec<u8> {
    let kept = CHANNELS - 1;
    let pixels = samples.len() / CHANNELS;
    for pixel in 0..pixels {
        for channel in 0..kept {
            samples[pixel * kept + channel] = samples[pixel * CHANNELS + channel];
        }
    }
    samples.truncate(pixels * kept);
    samples.shrink_to_fit();
    samples
}

#[cfg(test)]
mod tests {
    use image::{GrayAlphaImage, RgbaImage};

    use super::*;

    #[test]
    fn opaque_alpha_channel_is_dropped_and_other_channels_are_kept() {
        let color = |x, y| [x as u8, y as u8, (x * y) as u8];
        let opaque = RgbaImage::from_fn(31, 17, |x, y| {
            let [red, green, blue] = color(x, y);
            image::Rgba([red, green, blue, 255])
        });
        let without = RgbImage::from_fn(31, 17, |x, y| image::Rgb(color(x, y)));
        assert!(to_8_bit(opaque.clone().into()) == DynamicImage::from(without));
        let mut transparent = opaque;
        transparent.get_pixel_mut(30, 16).0[3] = 254;
        assert!(to_8_bit(transparent.clone().into()) == DynamicImage::from(transparent));

        let gray = GrayAlphaImage::from_fn(31, 17, |x, y| image::LumaA([(x + y) as u8, 255]));
        let without = GrayImage::from_fn(31, 17, |x, y| image::Luma([(x + y) as u8]));
        assert!(to_8_bit(gray.into()) == DynamicImage::from(without));
    }
}
