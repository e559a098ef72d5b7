//! Decodes JPEG files (ITU T.81). The decoder fills missing pixels with gray instead of failing, so
//! a file without an end marker is checked first.

mod cmyk;
mod entropy;
mod progressive;
mod scans;
#[cfg(test)]
mod tests;

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;

use super::pixels::decode_pixels;
use super::{Picture, damaged_file, image_error};
use crate::error::Result;

const START_OF_IMAGE: u8 = 0xd8;
const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;

/// Decodes a JPEG. A file without an end marker is accepted if it has all pixels, because some
/// phones and repair tools omit the marker.
pub(super) fn decode(bytes: &[u8]) -> Result<Picture> {
    if has_end_marker(bytes) {
        return decode_file(bytes);
    }
    let end = scans::end_of_pixels(bytes).ok_or_else(damaged_file)?;
    decode_file(&[&bytes[..end], &[0xff, END_OF_IMAGE]].concat())
}

fn decode_file(bytes: &[u8]) -> Result<Picture> {
    if let Some(picture) = cmyk::decode(bytes)? {
        return Ok(picture);
    }
    let decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(image_error)?;
    decode_pixels(decoder, true, None)
}

/// Whether there is an end marker after a scan and before the next picture. Samsung phones append
/// further pictures.
fn has_end_marker(bytes: &[u8]) -> bool {
    let mut scanned = false;
    for (marker, _) in Segments::new(bytes) {
        match marker {
            START_OF_SCAN => scanned = true,
            END_OF_IMAGE if scanned => return true,
            START_OF_IMAGE if scanned => return false,
            _ => {}
        }
    }
    false
}

/// The markers of a file (B.1.1) in order, each with the content of its segment.
struct Segments<'a> {
    bytes: &'a [u8],
    /// The position after the segment that was read last.
    position: usize,
}

impl<'a> Segments<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 2 }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = (u8, &'a [u8]);

    /// Skips entropy-coded data with its restart markers, and stray bytes, as decoders do. Returns
    /// `None` at the end of the file and at a segment that is cut off.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.bytes.get(self.position..)? {
                [0xff, 0x00 | 0x01 | 0xd0..=0xd7, ..] => self.position += 2,
                [0xff, marker @ (START_OF_IMAGE | END_OF_IMAGE), ..] => {
                    self.position += 2;
                    return Some((*marker, &[]));
                }
                [0xff, marker @ 0x02..=0xfe, rest @ ..] => {
                    let length = u16::from_be_bytes(*rest.first_chunk()?);
                    let segment = rest.get(2..usize::from(length))?;
                    self.position += 4 + segment.len();
                    return Some((*marker, segment));
                }
                [_, ..] => self.position += 1,
                [] => return None,
            }
        }
    }
}
