//! How small a crop may be.

use super::MarkupInput;
use crate::error::{Error, Result};
use crate::media::Media;

/// Minimum length of a side after a crop, in pixels. A side that is already shorter cannot be
/// cropped.
const MIN_CROP_SIDE: f64 = 16.0;

/// Rejects a crop that leaves almost nothing of the picture, because it is probably a mistake and
/// cannot be undone.
pub(super) fn check_crop_size(media: &Media, input: &MarkupInput) -> Result<()> {
    let (Some(crop), Some(width), Some(height)) = (&input.crop, media.width, media.height) else {
        return Ok(());
    };
    #[allow(
        clippy::cast_precision_loss,
        reason = "a side has at most 32,767 pixels"
    )]
    let too_small =
        |share: f64, side: i64| share * (side as f64) < (side as f64).min(MIN_CROP_SIDE);
    if too_small(crop.w, width) || too_small(crop.h, height) {
        return Err(Error::invalid(
            "crop",
            format!(
                "must leave at least {MIN_CROP_SIDE} pixels of the width and of the height. \
                 Everything outside the crop is deleted permanently."
            ),
        ));
    }
    Ok(())
}
