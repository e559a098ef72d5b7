//! The limits on pictures.

use super::damaged_file;
use crate::error::{Error, Result};

/// The maximum side length, in pixels. The limit is high because full-page screenshots are tall.
pub const MAX_SIDE: u32 = 32_767;
/// The maximum area, in pixels. 40 megapixels take 160 MB when decoded.
pub const MAX_PIXELS: u64 = 40_000_000;
/// The maximum number of frames of an animation.
pub const MAX_FRAMES: u64 = 1_000;
/// The maximum file size, in bytes. The limit bounds the memory that a file takes during processing.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Fails if a picture is too large, or has no pixels.
pub(super) fn check_size(width: u32, height: u32) -> Result<()> {
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Error::TooLarge(format!(
            "This picture has {width} × {height} pixels; the maximum is 40 megapixels and 32,767 \
             pixels per side. Save it at a lower resolution."
        )));
    }
    if width == 0 || height == 0 {
        Err(damaged_file())
    } else {
        Ok(())
    }
}
