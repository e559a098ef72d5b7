//! Draws on pictures, blacks out parts of them, and crops them.

use image::{DynamicImage, GenericImageView as _};
use resvg::tiny_skia::{PixmapMut, Transform};
use resvg::usvg::{Options, Tree};

use super::{Font, Picture, color};
use crate::error::{Error, Result};

/// How many pixels are drawn at once. Drawing a 40-megapixel picture in one go would double the
/// required memory.
const BAND_PIXELS: usize = 1 << 20;

/// A rectangle in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelRect {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Picture {
    /// Draws an SVG over the picture. The SVG must come from our own code, and its `viewBox` must match the picture's
    /// size in pixels. Blocking.
    pub fn draw(&mut self, svg: &str, font: &Font) -> Result<()> {
        let options = Options {
            fontdb: font.faces.clone(),
            ..Options::default()
        };
        let tree = Tree::from_str(svg, &options).map_err(|error| {
            Error::internal(format!("the markup layer cannot be drawn: {error}"))
        })?;
        self.convert_to_srgb();
        match &mut self.image {
            DynamicImage::ImageRgb8(pixels) => {
                let width = pixels.width();
                draw_bands::<3>(pixels, width, &tree)
            }
            DynamicImage::ImageRgba8(pixels) => {
                let width = pixels.width();
                draw_bands::<4>(pixels, width, &tree)
            }
            other => Err(Error::internal(format!(
                "unsupported pixel type {:?}",
                other.color()
            ))),
        }
    }

    /// Overwrites rectangles with opaque black, so that the old pixels are gone. Blocking.
    pub fn black_out(&mut self, rects: &[PixelRect]) {
        let width = self.image.width() as usize;
        let channels = usize::from(self.image.color().channel_count());
        let alpha = self.image.color().has_alpha();
        let bytes: &mut [u8] = match &mut self.image {
            DynamicImage::ImageLuma8(pixels) => pixels,
            DynamicImage::ImageLumaA8(pixels) => pixels,
            DynamicImage::ImageRgb8(pixels) => pixels,
            DynamicImage::ImageRgba8(pixels) => pixels,
            // Convert unusual pixel formats. Most decoded pictures have 8 bits per channel and need
            // no conversion.
            other => {
                *other = DynamicImage::ImageRgba8(other.to_rgba8());
                return self.black_out(rects);
            }
        };
        for rect in rects {
            let (left, right) = (rect.x as usize, (rect.x + rect.width) as usize);
            for row in bytes
                .chunks_exact_mut(width * channels)
                .skip(rect.y as usize)
                .take(rect.height as usize)
            {
                for pixel in row.chunks_exact_mut(channels).take(right).skip(left) {
                    pixel.fill(0);
                    if let Some(last) = pixel.last_mut().filter(|_| alpha) {
                        *last = 255;
                    }
                }
            }
        }
    }

    /// Crops the picture to a rectangle. Blocking.
    pub fn crop(&mut self, rect: PixelRect) {
        if (rect.width, rect.height) != self.image.dimensions() {
            self.image = self.image.crop_imm(rect.x, rect.y, rect.width, rect.height);
        }
    }

    /// Converts the picture to sRGB, because shapes are drawn in sRGB. Also converts a gray picture
    /// to RGB.
    fn convert_to_srgb(&mut self) {
        let mut image = std::mem::take(&mut self.image);
        if let Some(profile) = self.profile.take() {
            image = color::convert_from_icc(image, &profile);
        }
        self.image = if image.color().has_color() {
            image
        } else if image.color().has_alpha() {
            image.into_rgba8().into()
        } else {
            image.into_rgb8().into()
        };
    }
}

/// Draws the SVG `tree` over the pixels, one horizontal band at a time. `CHANNELS` is the number of channels per pixel.
fn draw_bands<const CHANNELS: usize>(pixels: &mut [u8], width: u32, tree: &Tree) -> Result<()> {
    let row = width as usize;
    let rows = (BAND_PIXELS / row.max(1)).max(1);
    let mut canvas = vec![0_u8; rows * row * 4];
    for (n, band) in pixels.chunks_mut(rows * row * CHANNELS).enumerate() {
        let canvas = &mut canvas[..band.len() / CHANNELS * 4];
        for (drawn, pixel) in canvas.chunks_exact_mut(4).zip(band.chunks_exact(CHANNELS)) {
            let alpha = if CHANNELS == 4 {
                u16::from(pixel[3])
            } else {
                255
            };
            for channel in 0..3 {
                // Multiply by alpha, because the renderer expects premultiplied colors.
                drawn[channel] =
                    u8::try_from((u16::from(pixel[channel]) * alpha + 127) / 255).unwrap_or(255);
            }
            drawn[3] = u8::try_from(alpha).unwrap_or(255);
        }
        let height = u32::try_from(canvas.len() / 4 / row).map_err(Error::internal)?;
        let mut pixmap = PixmapMut::from_bytes(canvas, width, height)
            .ok_or_else(|| Error::internal("a horizontal band of a picture has no pixels"))?;
        resvg::render(
            tree,
            Transform::from_translate(0.0, -((n * rows) as f32)),
            &mut pixmap,
        );
        for (drawn, pixel) in canvas.chunks_exact(4).zip(band.chunks_exact_mut(CHANNELS)) {
            let alpha = u16::from(drawn[3]);
            for channel in 0..3 {
                let premultiplied = u16::from(drawn[channel]);
                pixel[channel] = if alpha == 255 {
                    drawn[channel]
                } else {
                    u8::try_from((premultiplied * 255 + alpha / 2) / alpha.max(1)).unwrap_or(255)
                };
            }
            if CHANNELS == 4 {
                pixel[3] = drawn[3];
            }
        }
    }
    Ok(())
}
