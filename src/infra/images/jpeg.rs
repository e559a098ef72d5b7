//! Decodes JPEG files (ITU T.81). The decoder fills missing pixels with grey instead of failing, so
//! this module checks whether a file is complete.

use std::collections::BTreeMap;
use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;

use super::pixels::decode_pixels;
use super::{Picture, damaged_file, image_error};
use crate::error::Result;

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
/// The number of coefficients of a block.
const COEFFICIENTS: usize = 64;

/// Decodes a JPEG. Fails if the file ends before its last pixel. A file without an end marker is
/// accepted if it has all pixels, because some phones and repair tools omit the marker.
pub(super) fn decode(bytes: &[u8]) -> Result<Picture> {
    let structure = Structure::read(bytes);
    if structure.has_end_marker {
        decode_file(bytes)
    } else if structure.has_all_scans() {
        decode_without_end_marker(bytes)
    } else {
        Err(damaged_file())
    }
}

fn decode_file(bytes: &[u8]) -> Result<Picture> {
    let decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(image_error)?;
    decode_pixels(decoder, true, None)
}

/// Decodes the file twice, each time with different bytes after its end. If the pixels differ, the
/// decoder used these bytes, so the file itself is incomplete. The first time, only an end marker
/// follows, after which the decoder reads zeros.
fn decode_without_end_marker(bytes: &[u8]) -> Result<Picture> {
    let data = trim_padding(bytes);
    let picture = decode_file(&[data, &END_OF_IMAGE].concat())?;
    let other = decode_file(&[data, &[0xfe; 64], &END_OF_IMAGE].concat())?;
    if picture.image.as_bytes() == other.image.as_bytes() {
        Ok(picture)
    } else {
        Err(damaged_file())
    }
}

/// Removes bytes from the end of the file that do not belong to pixels. Several zeros, such as
/// those of an unfinished copy, would be decoded as pixels. A single zero is kept, because it can
/// belong to the last pixel. A byte of 0xff would form a marker with the next byte that is
/// appended.
fn trim_padding(bytes: &[u8]) -> &[u8] {
    let without = |padding: u8| {
        let last = bytes.iter().rposition(|byte| *byte != padding);
        &bytes[..last.map_or(0, |last| last + 1)]
    };
    match bytes {
        [.., 0, 0] => without(0),
        [.., 0] => bytes,
        _ => without(0xff),
    }
}

/// What the markers of a file say about its completeness.
#[derive(Default)]
struct Structure {
    /// Whether there is an end marker after a scan.
    has_end_marker: bool,
    /// For each component, whether the scans contain all bits of each coefficient. The key is the
    /// id of the component.
    complete: BTreeMap<u8, [bool; COEFFICIENTS]>,
}

impl Structure {
    /// Reads the markers (B.1.1) up to the end marker or, without one, to the end of the file.
    fn read(bytes: &[u8]) -> Self {
        let mut structure = Self::default();
        let (mut at, mut scanned) = (2, false);
        while let Some(&byte) = bytes.get(at) {
            if byte != 0xff {
                // This byte is entropy-coded data, or a stray byte, which decoders also skip.
                at += 1;
                continue;
            }
            match bytes.get(at + 1) {
                Some(0xd9) if scanned => {
                    structure.has_end_marker = true;
                    break;
                }
                // Skip stuffed zeros, restart markers and the other markers without a length field.
                Some(0x00 | 0x01 | 0xd0..=0xd9) => at += 2,
                Some(0xff) => at += 1,
                Some(&marker) => {
                    let Some(segment) = read_segment(&bytes[at + 2..]) else {
                        break;
                    };
                    structure.add_segment(marker, &segment[2..]);
                    scanned |= marker == START_OF_SCAN;
                    at += 2 + segment.len();
                }
                None => break,
            }
        }
        structure
    }

    /// Reads the components of a frame header (B.2.2) or the coefficients of a scan header (B.2.3).
    fn add_segment(&mut self, marker: u8, content: &[u8]) {
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let components = content.get(6..).unwrap_or_default().chunks_exact(3);
                let ids = components.map(|component| component[0]);
                self.complete = ids.map(|id| (id, [false; COEFFICIENTS])).collect();
            }
            START_OF_SCAN => self.add_scan(content),
            _ => {}
        }
    }

    fn add_scan(&mut self, header: &[u8]) {
        let Some((&count, rest)) = header.split_first() else {
            return;
        };
        let Some((components, [first, last, bits, ..])) =
            rest.split_at_checked(usize::from(count) * 2)
        else {
            return;
        };
        // The low four bits are the number of bits that later scans add to the coefficients.
        if bits & 0x0f != 0 {
            return;
        }
        let range = usize::from(*first)..=usize::from(*last);
        for component in components.chunks_exact(2) {
            let coefficients = self.complete.get_mut(&component[0]);
            if let Some(range) = coefficients.and_then(|all| all.get_mut(range.clone())) {
                range.fill(true);
            }
        }
    }

    /// Whether the scans contain all bits of all coefficients.
    fn has_all_scans(&self) -> bool {
        let mut coefficients = self.complete.values().flatten();
        !self.complete.is_empty() && coefficients.all(|complete| *complete)
    }
}

/// Returns the segment at the start of `bytes`, including its length field, or `None` if it is cut
/// off.
fn read_segment(bytes: &[u8]) -> Option<&[u8]> {
    let length = u16::from_be_bytes(*bytes.first_chunk()?);
    bytes
        .get(..usize::from(length))
        .filter(|segment| segment.len() >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progressive_photo_without_its_end_marker_is_complete_only_with_all_scans() {
        let bytes = include_bytes!("../../../tests/fixtures/progressive.jpg");
        let pixels = decode(bytes).unwrap().image;
        let scans = bytes.len() - END_OF_IMAGE.len();
        for length in [scans, scans + 1] {
            let decoded = decode(&bytes[..length]).unwrap().image;
            assert!(decoded == pixels, "{length} bytes");
        }
        for length in 2..scans {
            assert!(decode(&bytes[..length]).is_err(), "{length} bytes");
        }
    }
}
