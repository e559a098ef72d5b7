//! Encodes still pictures and thumbnails.

use fast_image_resize::{FilterType as Resampling, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageEncoder, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::{EncodedPicture, Picture, ProcessedPicture, THUMBNAIL_SIDE, color};
use crate::error::{Error, Result};

/// How many bands of rows the sample in [`png_level`] has, and how many rows a band has.
const SAMPLED_BANDS: u32 = 16;
const BAND_ROWS: u32 = 4;

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

fn encode_png(image: &DynamicImage, profile: Option<&[u8]>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let level = CompressionType::Level(png_level(image)?);
    let mut encoder = PngEncoder::new_with_quality(&mut bytes, level, FilterType::Adaptive);
    if let Some(profile) = profile {
        let profile = profile.to_vec();
        encoder.set_icc_profile(profile).map_err(Error::internal)?;
    }
    let (width, height) = (image.width(), image.height());
    encoder
        .write_image(image.as_bytes(), width, height, image.color().into())
        .map_err(Error::internal)?;
    Ok(bytes)
}

/// Chooses the compression level from how small a sample of the picture becomes at level 1. Higher levels are slow
/// for photos: for one of 12 megapixels, level 6 took 2.5 s and produced 6.2 MB; level 3 took 0.4 s and produced
/// 6.4 MB. For noisy photos, level 1 is three times as fast as the others and produces the same size. For a
/// 2560 × 1600 screenshot, level 6 takes 0.06 s and produces 0.26 MB, and level 1 produces 0.45 MB.
fn png_level(image: &DynamicImage) -> Result<u8> {
    let row = image.width() as usize * usize::from(image.color().bytes_per_pixel());
    let distance = (image.height() / SAMPLED_BANDS).max(BAND_ROWS);
    let bands = image.as_bytes().chunks(row * distance as usize);
    let sample: Vec<&[u8]> = bands
        .map(|rows| &rows[..rows.len().min(row * BAND_ROWS as usize)])
        .collect();
    let sample = sample.concat();
    let height = u32::try_from(sample.len() / row).map_err(Error::internal)?;
    let mut compressed = Vec::new();
    PngEncoder::new_with_quality(
        &mut compressed,
        CompressionType::Level(1),
        FilterType::Adaptive,
    )
    .write_image(&sample, image.width(), height, image.color().into())
    .map_err(Error::internal)?;
    Ok(match compressed.len() * 100 / sample.len() {
        0..10 => 6,
        10..55 => 3,
        _ => 1,
    })
}

/// Encodes an opaque picture. Keeps the full resolution of colors, because red text on screenshots would blur without.
fn encode_jpeg(image: &DynamicImage, profile: Option<&[u8]>, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(SamplingFactor::R_4_4_4);
    if let Some(profile) = profile {
        encoder.add_icc_profile(profile).map_err(Error::internal)?;
    }
    let side = |side: u32| u16::try_from(side).map_err(Error::internal);
    let (width, height) = (side(image.width())?, side(image.height())?);
    let color = match image {
        DynamicImage::ImageLuma8(_) => ColorType::Luma,
        DynamicImage::ImageRgb8(_) => ColorType::Rgb,
        other => {
            return Err(Error::internal(format!(
                "cannot encode {:?} as JPEG",
                other.color()
            )));
        }
    };
    encoder
        .encode(image.as_bytes(), width, height, color)
        .map_err(Error::internal)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, RgbaImage};

    use super::*;

    /// A picture of random pixels, each of which is drawn as a square with sides of `side` pixels.
    fn noise(side: u32) -> RgbImage {
        RgbImage::from_fn(600, 400, |x, y| {
            let seed = (x / side).wrapping_mul(73_856_093) ^ (y / side).wrapping_mul(19_349_663);
            let mixed = (seed ^ (seed >> 13)).wrapping_mul(1_274_126_177);
            let [_, red, green, blue] = (mixed ^ (mixed >> 16)).to_be_bytes();
            image::Rgb([red, green, blue])
        })
    }

    #[test]
    fn png_keeps_every_pixel_at_each_of_the_compression_levels() {
        let pictures = [
            (RgbImage::from_pixel(600, 400, image::Rgb([9, 8, 7])), 6),
            (noise(2), 3),
            (noise(1), 1),
        ];
        for (pixels, level) in pictures {
            let image = DynamicImage::from(pixels);
            assert_eq!(png_level(&image).unwrap(), level);
            let bytes = encode_png(&image, None).unwrap();
            assert!(
                image::load_from_memory(&bytes).unwrap() == image,
                "level {level}"
            );
        }
        for (width, height) in [(1, 1), (1, 3_000), (3_000, 1), (7, 65)] {
            let image = DynamicImage::from(RgbaImage::new(width, height));
            let bytes = encode_png(&image, None).unwrap();
            assert!(
                image::load_from_memory(&bytes).unwrap() == image,
                "{width} × {height}"
            );
        }
    }

    #[test]
    fn jpeg_resembles_the_picture_in_color_and_in_gray() {
        let red_text = RgbImage::from_fn(63, 41, |x, _| {
            image::Rgb([if x % 2 == 0 { 220 } else { 40 }, 40, 40])
        });
        let gray = GrayImage::from_fn(63, 41, |x, y| image::Luma([(3 * x + y) as u8]));
        for picture in [DynamicImage::from(red_text), DynamicImage::from(gray)] {
            let bytes = encode_jpeg(&picture, None, 90).unwrap();
            let decoded = image::load_from_memory(&bytes).unwrap();
            assert_eq!(decoded.color(), picture.color());
            let mut samples = picture.as_bytes().iter().zip(decoded.as_bytes());
            assert!(samples.all(|(before, after)| before.abs_diff(*after) <= 24));
        }
    }
}
