//! Converts CMYK JPEGs, which are meant for printing, to sRGB with their ICC profile, as browsers do.

use image::RgbImage;
use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, TransformOptions};
use zune_jpeg::zune_core::colorspace::ColorSpace;

use super::{Decoder, orientation, size};
use crate::error::Result;
use crate::infra::images::upright::turn_upright;
use crate::infra::images::{Picture, damaged_file};

/// Decodes a CMYK picture that has a CMYK profile. Returns `None` for any other picture, and if the profile cannot be
/// applied.
pub(super) fn decode(decoder: &mut Decoder<'_>) -> Result<Option<Picture>> {
    let Some(profile) = cmyk_profile(decoder) else {
        return Ok(None);
    };
    let (width, height) = size(decoder);
    let inks = read_inks(decoder)?;
    let Ok(rgb) = to_srgb(&profile, &inks, width) else {
        return Ok(None);
    };
    let rgb = RgbImage::from_raw(width, height, rgb).ok_or_else(damaged_file)?;
    Ok(Some(Picture {
        image: turn_upright(rgb.into(), orientation(decoder)),
        profile: None,
        lossy: true,
    }))
}

/// Returns the ICC profile if both the picture and the profile are CMYK.
fn cmyk_profile(decoder: &Decoder<'_>) -> Option<ColorProfile> {
    match decoder.input_colorspace()? {
        ColorSpace::CMYK | ColorSpace::YCCK => {
            let profile = ColorProfile::new_from_slice(&decoder.icc_profile()?).ok()?;
            (profile.color_space == DataColorSpace::Cmyk).then_some(profile)
        }
        _ => None,
    }
}

/// Decodes the amounts of the four inks.
fn read_inks(decoder: &mut Decoder<'_>) -> Result<Vec<u8>> {
    let stored = decoder.input_colorspace().unwrap_or(ColorSpace::CMYK);
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(stored));
    let mut inks = decoder.decode().map_err(|_| damaged_file())?;
    for pixel in inks.as_chunks_mut::<4>().0 {
        // Adobe's programs store inverted CMYK values: the light that each ink lets through,
        // instead of the amount of ink.
        *pixel = match stored {
            ColorSpace::YCCK => {
                let [y, cb, cr, black] = *pixel;
                let [cyan, magenta, yellow] = ycc_to_rgb([y, cb, cr]);
                [cyan, magenta, yellow, 255 - black]
            }
            _ => pixel.map(|light| 255 - light),
        };
    }
    Ok(inks)
}

/// Converts a color from the YCbCr of JPEG files to RGB (ITU-T T.871).
fn ycc_to_rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(|value| value.round() as u8)
}

fn to_srgb(profile: &ColorProfile, inks: &[u8], width: u32) -> Result<Vec<u8>, CmsError> {
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    // `Rgba` stands for any four channels; here, they are the four inks.
    let transform = profile.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgb, options)?;
    let mut rgb = vec![0; inks.len() / 4 * 3];
    let row = width as usize;
    for (inks, rgb) in inks
        .chunks_exact(row * 4)
        .zip(rgb.chunks_exact_mut(row * 3))
    {
        transform.transform(inks, rgb)?;
    }
    Ok(rgb)
}
