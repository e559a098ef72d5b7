//! Decodes JPEG files (ITU T.81). The decoder fills missing pixels with gray instead of failing, so
//! a file without an end marker is checked first.

mod cmyk;
mod entropy;
mod progressive;
mod scans;
#[cfg(test)]
mod tests;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage};
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::color::ColorSpace as PictureSpace;
use super::{Picture, check_size, damaged_file, pixels, unsupported_variant};
use crate::error::{Error, Result};

type Decoder<'a> = JpegDecoder<ZCursor<&'a [u8]>>;

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
    let mut decoder = open_decoder(bytes)?;
    if let Some(picture) = cmyk::decode(&mut decoder)? {
        return Ok(picture);
    }
    decode_pixels(open_decoder(bytes)?)
}

/// Reads the headers and checks the size of the picture.
fn open_decoder(bytes: &[u8]) -> Result<Decoder<'_>> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let mut decoder = Decoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(decoding_error)?;
    let (width, height) = size(&decoder);
    check_size(width, height)?;
    Ok(decoder)
}

/// Decodes gray or RGB pixels. For CMYK, the decoder uses a simple formula, as browsers do when there is no profile.
fn decode_pixels(mut decoder: Decoder<'_>) -> Result<Picture> {
    let is_gray = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let wanted = if is_gray {
        ColorSpace::Luma
    } else {
        ColorSpace::RGB
    };
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(wanted));
    let samples = decoder.decode().map_err(decoding_error)?;
    let (width, height) = size(&decoder);
    let image = if is_gray {
        GrayImage::from_raw(width, height, samples).map(DynamicImage::from)
    } else {
        RgbImage::from_raw(width, height, samples).map(DynamicImage::from)
    };
    let space = PictureSpace::from_icc(decoder.icc_profile());
    Ok(pixels::finish(
        image.ok_or_else(damaged_file)?,
        space,
        Some(orientation(&decoder)),
        true,
    ))
}

/// Returns the width and the height. A JPEG file stores them in 16 bits each.
fn size(decoder: &Decoder<'_>) -> (u32, u32) {
    let (width, height) = decoder.dimensions().unwrap_or_default();
    (width as u32, height as u32)
}

fn orientation(decoder: &Decoder<'_>) -> Orientation {
    let exif = decoder.exif().map(Vec::as_slice);
    exif.and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms)
}

fn decoding_error(error: DecodeErrors) -> Error {
    match error {
        DecodeErrors::Unsupported(_) => unsupported_variant(),
        _ => damaged_file(),
    }
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
