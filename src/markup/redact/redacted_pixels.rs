//! Decides which pixels a redaction destroys.

use crate::infra::images::PixelRect;
use crate::markup::crop_shapes::pixel_rect;
use crate::markup::{Area, Size};

/// How many pixels a redaction extends beyond its area.
const REDACTION_MARGIN: f64 = 3.0;
/// Block size of lossy formats, in pixels. Every pixel of a block depends on the whole block. A block that is only
/// partly redacted could therefore reveal hidden content.
const CODING_BLOCK: f64 = 16.0;

impl Size {
    /// Returns the rectangle of pixels that a redaction fills. The area is enlarged by a margin
    /// and, in lossy pictures, to whole encoding blocks.
    pub fn redaction_rect(self, area: &Area, lossy: bool) -> PixelRect {
        let block = if lossy { CODING_BLOCK } else { 1.0 };
        let (width, height) = self.sides();
        let round_down =
            |at: f64| (((at.floor() - REDACTION_MARGIN) / block).floor() * block).max(0.0);
        let round_up =
            |at: f64, max: f64| (((at.ceil() + REDACTION_MARGIN) / block).ceil() * block).min(max);
        pixel_rect(
            (round_down(area.x * width), round_down(area.y * height)),
            (
                round_up((area.x + area.w) * width, width),
                round_up((area.y + area.h) * height, height),
            ),
        )
    }
}
