//! Inspects the chunks of a WebP file (RFC 9649) before it is decoded. The decoder does not report
//! whether the file is lossy, and allocates memory for a frame before checking the frame's size.

use super::{check_size, damaged_file};
use crate::error::Result;

/// Returns whether the picture is lossy. Rejects the picture if one of its frames exceeds the limits. A check of the
/// canvas is not enough, because each frame states its own size.
pub(super) fn check_frames(bytes: &[u8]) -> Result<bool> {
    first_frame_is_lossy(bytes.get(12..).unwrap_or_default())?.ok_or_else(damaged_file)
}

/// Whether the first frame in these chunks is lossy; `None` if there is no frame.
fn first_frame_is_lossy(mut rest: &[u8]) -> Result<Option<bool>> {
    let mut first = None;
    while let Some((head, after)) = rest.split_at_checked(8) {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        // Accept a truncated chunk here. The decoder rejects the truncated file later.
        let chunk = after.get(..length).unwrap_or(after);
        let frame = match &head[..4] {
            b"VP8 " => lossy_size(chunk).map(|size| (true, size)),
            b"VP8L" => lossless_size(chunk).map(|size| (false, size)),
            b"ANMF" => {
                let inside = first_frame_is_lossy(chunk.get(16..).unwrap_or_default())?;
                first = first.or(inside);
                None
            }
            _ => None,
        };
        if let Some((lossy, (width, height))) = frame {
            check_size(width, height)?;
            first = first.or(Some(lossy));
        }
        rest = after
            .get(length.saturating_add(length & 1)..)
            .unwrap_or_default();
    }
    Ok(first)
}

/// The size of a lossy frame (RFC 6386 §9.1).
fn lossy_size(chunk: &[u8]) -> Option<(u32, u32)> {
    let [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1] = *chunk.first_chunk()? else {
        return None;
    };
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Some((side(w0, w1), side(h0, h1)))
}

/// The size of a lossless frame (RFC 9649 §3.4): after a signature, width − 1 and height − 1 in 14
/// bits each.
fn lossless_size(chunk: &[u8]) -> Option<(u32, u32)> {
    let [0x2f, a, b, c, d] = *chunk.first_chunk()? else {
        return None;
    };
    let bits = u32::from_le_bytes([a, b, c, d]);
    Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
}
