//! Turns pictures upright.

use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer, Pixel};

/// Side of the squares that are turned one after the other, in pixels. Two of them fit into a processor's first cache.
/// Turning whole rows, as `image` does, waits for memory at almost every pixel, and takes several times as long.
const TILE: usize = 32;

/// Applies the orientation from a picture's metadata.
pub(super) fn turn_upright(image: DynamicImage, orientation: Orientation) -> DynamicImage {
    let turn = match orientation {
        Orientation::Rotate90 => Turn {
            columns_down: true,
            rows_left: true,
        },
        Orientation::Rotate270 => Turn {
            columns_down: false,
            rows_left: false,
        },
        Orientation::Rotate90FlipH => Turn {
            columns_down: true,
            rows_left: false,
        },
        Orientation::Rotate270FlipH => Turn {
            columns_down: false,
            rows_left: true,
        },
        other => {
            let mut image = image;
            image.apply_orientation(other);
            return image;
        }
    };
    match image {
        DynamicImage::ImageLuma8(pixels) => turn.apply(&pixels).into(),
        DynamicImage::ImageLumaA8(pixels) => turn.apply(&pixels).into(),
        DynamicImage::ImageRgb8(pixels) => turn.apply(&pixels).into(),
        DynamicImage::ImageRgba8(pixels) => turn.apply(&pixels).into(),
        mut other => {
            other.apply_orientation(orientation);
            other
        }
    }
}

/// An orientation in which rows become columns.
struct Turn {
    /// Whether a row's pixels go from the top of the column to its bottom.
    columns_down: bool,
    /// Whether the first row becomes the last column.
    rows_left: bool,
}

impl Turn {
    fn apply<P: Pixel<Subpixel = u8>>(
        &self,
        source: &ImageBuffer<P, Vec<u8>>,
    ) -> ImageBuffer<P, Vec<u8>> {
        let channels = usize::from(P::CHANNEL_COUNT);
        let (width, height) = (source.width() as usize, source.height() as usize);
        let mut turned = vec![0; source.as_raw().len()];
        for top in (0..height).step_by(TILE) {
            for left in (0..width).step_by(TILE) {
                for y in top..height.min(top + TILE) {
                    let column = if self.rows_left { height - 1 - y } else { y };
                    for x in left..width.min(left + TILE) {
                        let row = if self.columns_down { x } else { width - 1 - x };
                        let (from, to) = (
                            (y * width + x) * channels,
                            (row * height + column) * channels,
                        );
                        turned[to..to + channels]
                            .copy_from_slice(&source.as_raw()[from..from + channels]);
                    }
                }
            }
        }
        ImageBuffer::from_raw(source.height(), source.width(), turned).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_orientation_gives_the_same_pixels_as_the_library() {
        let rgba = image::RgbaImage::from_fn(75, 41, |x, y| {
            image::Rgba([x as u8, y as u8, (x * 7 + y) as u8, (x + y * 3) as u8])
        });
        let rgba = DynamicImage::from(rgba);
        let pictures = [
            rgba.to_luma8().into(),
            rgba.to_luma_alpha8().into(),
            rgba.to_rgb8().into(),
            rgba,
        ];
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            for picture in &pictures {
                let mut expected: DynamicImage = picture.clone();
                expected.apply_orientation(orientation);
                assert!(
                    turn_upright(picture.clone(), orientation) == expected,
                    "{orientation:?}"
                );
            }
        }
    }
}
