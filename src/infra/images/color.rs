//! Color spaces: how a picture describes its colors, and the conversion of pixels to sRGB.
//!
//! The conversion follows Chromium, so that a converted picture has the colors that Chromium shows
//! for the original.

mod png;
#[cfg(test)]
mod tests;

pub(super) use self::png::read_png;
use image::{DynamicImage, RgbImage, RgbaImage};
use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, TransformOptions};

use crate::infra::hdr::{HdrTransfer, Matrix, encode_srgb};

/// The maximum size of an ICC profile that is kept, in bytes. The profiles of cameras and screens
/// are smaller. A picture with a larger profile, such as that of a printer, is converted to sRGB.
const MAX_KEPT_PROFILE: usize = 64 * 1024;

/// How a file describes the colors of its pixels.
pub(super) enum ColorSpace {
    /// sRGB, or no description.
    Srgb,
    /// An ICC profile, which may be invalid.
    Icc(Vec<u8>),
    /// Parameters other than an ICC profile, such as primaries and gamma, converted to a profile.
    Parameters(Box<ColorProfile>),
    /// HDR, which is always converted to SDR.
    Hdr(Box<HdrSpace>),
}

/// The color space of an HDR picture.
pub(super) struct HdrSpace {
    transfer: HdrTransfer,
    /// The peak luminance, in cd/m². If it is brighter than SDR white, pixels of this luminance
    /// become white.
    peak: f64,
    /// Converts linear colors to the primaries of sRGB.
    to_bt709: Matrix,
}

impl ColorSpace {
    /// Returns the color space that the ICC profile of a file describes, or sRGB if the file has
    /// none.
    pub(super) fn from_icc(profile: Option<Vec<u8>>) -> Self {
        profile.map_or(Self::Srgb, Self::Icc)
    }
}

impl HdrSpace {
    /// Converts the pixels to sRGB.
    fn convert(&self, image: DynamicImage) -> DynamicImage {
        let mut image = gray_to_rgb(image);
        let channels = usize::from(image.color().channel_count());
        let (to_byte, to_word) = (|value| value as u8, |value| value as u16);
        match &mut image {
            DynamicImage::ImageRgb8(pixels) => self.convert_samples(pixels, channels, to_byte),
            DynamicImage::ImageRgba8(pixels) => self.convert_samples(pixels, channels, to_byte),
            DynamicImage::ImageRgb16(pixels) => self.convert_samples(pixels, channels, to_word),
            DynamicImage::ImageRgba16(pixels) => self.convert_samples(pixels, channels, to_word),
            _ => {}
        }
        image
    }

    /// Converts the samples of a picture to SDR. `to_integer` converts an `f64` to `T`; its argument is a whole number
    /// from 0 to the maximum of `T`.
    fn convert_samples<T: Copy + Into<f64>>(
        &self,
        samples: &mut [T],
        channels: usize,
        to_integer: fn(f64) -> T,
    ) {
        let max = 2_f64.powi(8 * size_of::<T>() as i32) - 1.0;
        for pixel in samples.chunks_exact_mut(channels) {
            if let Some(color) = pixel.first_chunk_mut::<3>() {
                let encoded = color.map(|value| value.into() / max);
                let linear = self.transfer.to_sdr(encoded, &self.to_bt709, self.peak);
                *color = linear.map(|value| to_integer((encode_srgb(value) * max).round()));
            }
        }
    }
}

/// Which form of the decoded pixels an ICC profile applies to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ProfileUse {
    /// The pixels as decoded.
    AsDecoded,
    /// The decoded gray pixels after conversion to RGB.
    GrayAsRgb,
}

/// Checks the header of an ICC profile (ICC.1:2022 §7.2). `color` says whether the decoded pixels have color. Returns
/// `None` if the profile is invalid or does not describe these pixels. For example, the profile of a CMYK photo does
/// not describe the decoded pixels, because the decoder has converted them to RGB.
fn profile_use(profile: &[u8], color: bool) -> Option<ProfileUse> {
    if profile.len() < 128 || profile.get(36..40)? != b"acsp" {
        return None;
    }
    match (profile.get(16..20)?, color) {
        (b"RGB ", true) | (b"GRAY", false) => Some(ProfileUse::AsDecoded),
        (b"RGB ", false) => Some(ProfileUse::GrayAsRgb),
        _ => None,
    }
}

/// Keeps the ICC profile of a picture if the profile is small and describes the decoded pixels.
/// Otherwise, converts the picture to sRGB. Ignores invalid profiles, as browsers do.
pub(super) fn keep_or_convert(
    image: DynamicImage,
    space: ColorSpace,
) -> (DynamicImage, Option<Vec<u8>>) {
    match space {
        ColorSpace::Srgb => (image, None),
        ColorSpace::Parameters(profile) => (convert(image, &profile), None),
        ColorSpace::Hdr(hdr) => (hdr.convert(image), None),
        ColorSpace::Icc(profile) => match profile_use(&profile, image.color().has_color()) {
            Some(ProfileUse::AsDecoded) if profile.len() <= MAX_KEPT_PROFILE => {
                (image, Some(profile))
            }
            Some(ProfileUse::AsDecoded | ProfileUse::GrayAsRgb) => {
                (convert_from_icc(image, &profile), None)
            }
            None => (image, None),
        },
    }
}

/// Converts a picture with an ICC profile to sRGB.
pub(super) fn convert_from_icc(image: DynamicImage, profile: &[u8]) -> DynamicImage {
    match ColorProfile::new_from_slice(profile) {
        Ok(profile) => convert(image, &profile),
        Err(error) => {
            tracing::debug!(%error, "ignoring an ICC profile that cannot be read");
            image
        }
    }
}

/// Converts a picture to sRGB with 8 bits per channel. The result is RGB, with or without alpha.
/// Leaves the colors unchanged if the profile cannot be applied.
fn convert(image: DynamicImage, profile: &ColorProfile) -> DynamicImage {
    let image = if profile.color_space == DataColorSpace::Rgb {
        gray_to_rgb(image)
    } else {
        image
    };
    try_convert(&image, profile).unwrap_or_else(|error| {
        tracing::debug!(%error, "ignoring a color space that cannot be converted");
        image
    })
}

fn gray_to_rgb(image: DynamicImage) -> DynamicImage {
    match image {
        DynamicImage::ImageLuma8(_) => image.into_rgb8().into(),
        DynamicImage::ImageLumaA8(_) => image.into_rgba8().into(),
        DynamicImage::ImageLuma16(_) => image.into_rgb16().into(),
        DynamicImage::ImageLumaA16(_) => image.into_rgba16().into(),
        _ => image,
    }
}

fn try_convert(image: &DynamicImage, profile: &ColorProfile) -> Result<DynamicImage, CmsError> {
    let (from, to) = match (image.color().has_color(), image.color().has_alpha()) {
        (true, true) => (Layout::Rgba, Layout::Rgba),
        (true, false) => (Layout::Rgb, Layout::Rgb),
        (false, true) => (Layout::GrayAlpha, Layout::Rgba),
        (false, false) => (Layout::Gray, Layout::Rgb),
    };
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    let row = image.width() as usize;
    let mut converted = vec![0; row * image.height() as usize * to.channels()];
    if let Some(pixels) = image.as_flat_samples_u16() {
        // Convert the colors before reducing them to 8 bits, because 8 bits are too few for dark colors in linear
        // light.
        let transform = profile.create_transform_16bit(from, &srgb, to, options)?;
        let mut wide_row = vec![0; row * to.channels()];
        let rows = pixels.samples.chunks_exact(row * from.channels());
        for (source, target) in rows.zip(converted.chunks_exact_mut(row * to.channels())) {
            transform.transform(source, &mut wide_row)?;
            for (wide, narrow) in wide_row.iter().zip(target) {
                *narrow = u8::try_from((u32::from(*wide) + 128) / 257).unwrap_or(u8::MAX);
            }
        }
    } else {
        let pixels = image.as_flat_samples_u8().ok_or(CmsError::InvalidLayout)?;
        let transform = profile.create_transform_8bit(from, &srgb, to, options)?;
        transform.transform(pixels.samples, &mut converted)?;
    }
    let (width, height) = (image.width(), image.height());
    let converted = if to == Layout::Rgba {
        RgbaImage::from_raw(width, height, converted).map(DynamicImage::from)
    } else {
        RgbImage::from_raw(width, height, converted).map(DynamicImage::from)
    };
    converted.ok_or(CmsError::InvalidLayout)
}
