//! Inspects the chunks of a WebP file (RFC 9649) before it is decoded. The decoder does not report
//! whether the file is lossy, and allocates memory for a frame before checking the frame's size.

use super::{check_size, damaged_file};
use crate::error::Result;

/// The flag of an animation in a VP8X chunk (RFC 9649 §2.7).
const ANIMATION: u8 = 0x02;

/// Returns whether the picture is lossy. Rejects the picture if one of its frames exceeds the limits. A check of the
/// canvas is not enough, because each frame states its own size. Also rejects an animation that is cut off: the decoder
/// reads only its first frame, but browsers show nothing.
pub(super) fn check_frames(bytes: &[u8]) -> Result<bool> {
    if is_animation(bytes) && is_cut_off(bytes) {
        return Err(damaged_file());
    }
    first_frame_is_lossy(bytes.get(12..).unwrap_or_default())?.ok_or_else(damaged_file)
}

/// Whether the file has the animation flag in its VP8X chunk, which is the first chunk of an animation.
fn is_animation(bytes: &[u8]) -> bool {
    bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & ANIMATION != 0)
}

/// Whether the file is shorter than its header says. The last byte may only be padding, so it may be missing.
fn is_cut_off(bytes: &[u8]) -> bool {
    let stated = bytes
        .get(4..8)
        .and_then(|length| length.first_chunk().copied())
        .map_or(0, u32::from_le_bytes) as usize;
    bytes.len() + 1 < stated.saturating_add(8)
}

/// Checks the size of each frame in these chunks. Returns whether the first frame is lossy, or
/// `None` if there is no frame.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infra::images::Picture;

    fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        let padding = &[0][..content.len() % 2];
        [name, &length[..], content, padding].concat()
    }

    /// Makes an animation whose frames all show this still picture.
    fn animation(still: &[u8], frames: usize) -> Vec<u8> {
        let (width, height) = lossless_size(&still[20..]).unwrap();
        let size = [width - 1, height - 1].map(|side| side.to_le_bytes());
        let [width, height] = size.map(|side| [side[0], side[1], side[2]]);
        let header = [&[ANIMATION, 0, 0, 0][..], &width, &height].concat();
        let place = [&[0; 6][..], &width, &height, &[100, 0, 0, 0]].concat();
        let frame = chunk(b"ANMF", &[&place, &still[12..]].concat());
        let chunks = [
            chunk(b"VP8X", &header),
            chunk(b"ANIM", &[0; 6]),
            frame.repeat(frames),
        ];
        chunk(b"RIFF", &[b"WEBP", &chunks.concat()[..]].concat())
    }

    #[test]
    fn animation_is_decoded_only_if_it_is_complete() {
        let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/lossless.webp");
        let still = std::fs::read(fixture).unwrap();
        let whole = animation(&still, 4);
        let [first, still] = [&whole, &still].map(|bytes| Picture::read(bytes).unwrap().image);
        assert_eq!(
            (first.width(), first.height()),
            (still.width(), still.height())
        );
        let second_frame = whole.len() / 4 + 100;
        for length in [second_frame, whole.len() / 2, whole.len() - 2] {
            let cut = Picture::read(&whole[..length]);
            assert!(
                matches!(cut, Err(crate::error::Error::Unsupported(_))),
                "{length}: {cut:?}"
            );
        }
    }
}
