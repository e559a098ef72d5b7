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

/// Appends the end chunk if it is missing or cut off. A file that ends within its pixels stays
/// incomplete.
fn with_png_end(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.ends_with(PNG_END) {
        return bytes.into();
    }
    // The first four bytes of the end chunk are zeros. Zeros alone at the end of the file do not
    // count as the start of this chunk, because they can belong to the checksum of the chunk before
    // it.
    let present = (5..PNG_END.len())
        .rev()
        .find(|length| bytes.ends_with(&PNG_END[..*length]))
        .unwrap_or(0);
    [bytes, &PNG_END[present..]].concat().into()
}
