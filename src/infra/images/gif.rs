//! Rewrites a GIF frame by frame. Each frame keeps its palette, so its colors are not quantized
//! again. Only one frame is in memory at a time.

use std::borrow::Cow;
use std::io::Cursor;
use std::num::NonZeroU64;

use ::gif::{
    ColorOutput, DecodeOptions, Decoder, DecodingError, Encoder, EncodingError, MemoryLimit, Repeat,
};

use image::codecs::gif::GifDecoder;

use super::pixels::decode_pixels;
use super::{
    MAX_FRAMES, MAX_PIXELS, Picture, ProcessedPicture, check_size, damaged_file, encode,
    image_error,
};
use crate::error::{Error, Result};

/// The maximum number of pixels in all frames combined. It allows a thousand frames of 1920 × 1080.
const MAX_TOTAL_PIXELS: u64 = 2_100_000_000;
/// The first byte of an extension (GIF89a, §23–26).
const EXTENSION: u8 = 0x21;
/// The first byte of a frame (§20).
const FRAME: u8 = 0x2c;
/// The end marker of a GIF (§27).
const TRAILER: u8 = 0x3b;

/// Makes the file end correctly. If the last block is not followed by the end marker, replaces everything after the
/// block with the marker. If the file ends within the last block and only the block's terminator is missing, appends
/// the terminator and the marker. A file that ends within a frame remains incomplete.
fn with_end(bytes: &[u8]) -> Cow<'_, [u8]> {
    match read_blocks(bytes) {
        Some(BlockEnd::Terminated(end)) if bytes.get(end) != Some(&TRAILER) => {
            [&bytes[..end], &[TRAILER]].concat().into()
        }
        Some(BlockEnd::Unterminated) => [bytes, &[0, TRAILER]].concat().into(),
        _ => bytes.into(),
    }
}

/// How a block ends.
enum BlockEnd {
    /// The block is complete and ends before this position.
    Terminated(usize),
    /// The file ends after a sub-block, without the terminator of the block.
    Unterminated,
}

/// Finds where the blocks of a file end. Ignores an extension that is cut off, because it contains
/// no pixels. Returns `None` if the file ends within the header of a frame or within a sub-block.
fn read_blocks(bytes: &[u8]) -> Option<BlockEnd> {
    let mut end = 13 + color_table_size(*bytes.get(10)?);
    loop {
        let (content, is_frame) = match bytes.get(end) {
            Some(&EXTENSION) => (end + 2, false),
            Some(&FRAME) => (end + 11 + color_table_size(*bytes.get(end + 9)?), true),
            _ => break,
        };
        match read_sub_blocks(bytes, content) {
            Some(BlockEnd::Terminated(next)) => end = next,
            cut_off if is_frame => return cut_off,
            _ => break,
        }
    }
    (end <= bytes.len()).then_some(BlockEnd::Terminated(end))
}

/// Finds the end of the sub-blocks that begin at `position`.
fn read_sub_blocks(bytes: &[u8], mut position: usize) -> Option<BlockEnd> {
    while position != bytes.len() {
        let length = *bytes.get(position)?;
        position += 1 + usize::from(length);
        if length == 0 {
            return Some(BlockEnd::Terminated(position));
        }
    }
    Some(BlockEnd::Unterminated)
}

/// The size of the color table that follows these flags, in bytes (§18 and §20).
fn color_table_size(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

/// Decodes the first frame.
pub(super) fn decode(bytes: &[u8]) -> Result<Picture> {
    let bytes = with_end(bytes);
    let decoder = GifDecoder::new(Cursor::new(&bytes[..])).map_err(image_error)?;
    decode_pixels(decoder, false, None)
}

pub(super) fn reencode(bytes: &[u8]) -> Result<ProcessedPicture> {
    let bytes = &with_end(bytes);
    let repeat = check_limits(bytes)?;
    let mut decoder = open_decoder(bytes, false)?;
    let (width, height) = (decoder.width(), decoder.height());
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let mut encoder = Encoder::new(Vec::with_capacity(bytes.len()), width, height, &palette)
        .map_err(encoding_error)?;
    encoder.set_repeat(repeat).map_err(encoding_error)?;
    while let Some(frame) = decoder.read_next_frame().map_err(decoding_error)? {
        encoder.write_frame(frame).map_err(encoding_error)?;
    }
    let written = encoder.into_inner().map_err(encoding_error)?;
    let thumbnail = encode::encode_thumbnail(&decode(bytes)?)?;
    let (width, height) = (width.into(), height.into());
    Ok(ProcessedPicture {
        content_type: "image/gif",
        extension: "gif",
        width,
        height,
        bytes: written,
        thumbnail,
    })
}

/// Checks the limits without decoding pixels, and returns how often the animation repeats.
fn check_limits(bytes: &[u8]) -> Result<Repeat> {
    let mut decoder = open_decoder(bytes, true)?;
    check_size(decoder.width().into(), decoder.height().into())?;
    let (mut frames, mut pixels) = (0_u64, 0_u64);
    while let Some(frame) = decoder.next_frame_info().map_err(decoding_error)? {
        frames += 1;
        pixels += u64::from(frame.width) * u64::from(frame.height);
        if frames > MAX_FRAMES || pixels > MAX_TOTAL_PIXELS {
            return Err(Error::TooLarge(
                "This animation is too long: the maximum is 1,000 frames and 2,100 megapixels \
                 in total. Upload it as a video."
                    .into(),
            ));
        }
    }
    if frames == 0 {
        Err(damaged_file())
    } else {
        Ok(decoder.repeat())
    }
}

fn open_decoder(bytes: &[u8], skip: bool) -> Result<Decoder<&[u8]>> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(
        NonZeroU64::new(MAX_PIXELS).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes),
    );
    options.check_frame_consistency(true);
    options.skip_frame_decoding(skip);
    options.read_info(bytes).map_err(decoding_error)
}

fn decoding_error(error: DecodingError) -> Error {
    tracing::debug!(%error, "a GIF could not be decoded");
    damaged_file()
}

fn encoding_error(error: EncodingError) -> Error {
    Error::internal(error.to_string())
}
