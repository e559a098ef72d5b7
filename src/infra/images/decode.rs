//! Decodes still pictures in all supported formats.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;

use super::pixels::{MAX_MEMORY, decode_pixels, decoder_limits};
use super::{Format, MAX_BYTES, Picture, color, gif, image_error, jpeg, webp};
use crate::error::{Error, Result};

/// The length of the checksum after the compressed pixels, in bytes. A file that lacks only this
/// checksum still contains all pixels.
const ZLIB_CHECKSUM_LENGTH: usize = 4;
/// The length of the signature before the first chunk of a PNG, in bytes.
const PNG_SIGNATURE_LENGTH: usize = 8;
/// The IEND chunk with its checksum.
const PNG_END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";

pub(super) fn read_file(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::TooLarge(
            "This picture is larger than 64 MiB. Save it as a smaller file.".into(),
        ));
    }
    Ok(bytes)
}

pub(super) fn decode_still(bytes: &[u8], format: Format) -> Result<Picture> {
    let input = Cursor::new(bytes);
    match format {
        Format::Png => decode_png(&with_png_end(bytes)),
        Format::Jpeg => jpeg::decode(bytes),
        Format::WebP => {
            let lossy = webp::check_frames(bytes)?;
            decode_pixels(WebPDecoder::new(input).map_err(image_error)?, lossy, None)
        }
        Format::Gif => gif::decode(bytes),
    }
}

fn decode_png(bytes: &[u8]) -> Result<Picture> {
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), decoder_limits());
    let space = color::read_png(bytes, MAX_MEMORY);
    decode_pixels(decoder.map_err(image_error)?, false, Some(space))
}

/// Completes a PNG whose end chunk is missing or cut off: ends the file after its last complete
/// chunk. If the next chunk contains pixels and can lack only checksums, keeps what remains of that
/// chunk. If pixels are missing, returns the file unchanged.
fn with_png_end(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut end = PNG_SIGNATURE_LENGTH;
    while let Some(chunk) = read_png_chunk(bytes.get(end..).unwrap_or_default()) {
        if chunk[4..8] == *b"IEND" {
            break;
        }
        end += chunk.len();
    }
    let (complete, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    match rest {
        _ if rest.starts_with(PNG_END) => bytes.into(),
        [a, b, c, d, b'I', b'D', b'A', b'T', pixels @ ..] => {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            if pixels.len() + ZLIB_CHECKSUM_LENGTH < length {
                return bytes.into();
            }
            let pixels = &pixels[..pixels.len().min(length)];
            [complete, &pixel_chunk(pixels), PNG_END].concat().into()
        }
        _ => [complete, PNG_END].concat().into(),
    }
}

/// Returns the chunk at the start of `bytes`, or `None` if it is cut off or is not a chunk.
fn read_png_chunk(bytes: &[u8]) -> Option<&[u8]> {
    let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
    let chunk = bytes.get(..length.checked_add(12)?)?;
    chunk[4..8]
        .iter()
        .all(u8::is_ascii_alphabetic)
        .then_some(chunk)
}

/// Makes a chunk of pixels with a new checksum.
fn pixel_chunk(pixels: &[u8]) -> Vec<u8> {
    let length = u32::try_from(pixels.len()).unwrap_or(u32::MAX);
    let content = [b"IDAT", pixels].concat();
    let checksum = crc32fast::hash(&content);
    [&length.to_be_bytes()[..], &content, &checksum.to_be_bytes()].concat()
}
