//! Re-encodes pictures from untrusted sources: decodes them within limits, turns them upright and
//! strips their metadata.

mod color;
mod decode;
mod draw;
mod encode;
mod font;
mod gif;
mod jpeg;
mod limits;
mod pixels;
#[cfg(test)]
mod tests;
mod unsupported;
mod upright;
mod webp;

use std::path::Path;

pub use draw::PixelRect;
pub use font::Font;
use image::{DynamicImage, ImageError};
use limits::check_size;
pub use limits::{MAX_BYTES, MAX_FRAMES, MAX_PIXELS, MAX_SIDE};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
pub use unsupported::UnsupportedFormat;

use crate::error::{Error, Result};

/// The maximum length of the longer side of a thumbnail, in pixels.
pub const THUMBNAIL_SIDE: u32 = 640;

/// Limits processing to two pictures at once, because each may take about 400 MB of memory.
static PERMITS: Semaphore = Semaphore::const_new(2);

/// The supported formats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// PNG. An APNG is treated as a still picture.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP. An animation is treated as a still picture.
    WebP,
    /// GIF, animated or not.
    Gif,
}

/// An encoded picture.
#[derive(Clone, Debug)]
pub struct EncodedPicture {
    /// `image/png`, `image/jpeg` or `image/gif`.
    pub content_type: &'static str,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The encoded file.
    pub bytes: Vec<u8>,
}

/// A re-encoded picture with its thumbnail. The uploaded file itself is never served.
#[derive(Clone, Debug)]
pub struct ProcessedPicture {
    /// `image/png`, `image/jpeg` or `image/gif`.
    pub content_type: &'static str,
    /// `png`, `jpg` or `gif`.
    pub extension: &'static str,
    /// Width in pixels, after applying the orientation.
    pub width: u32,
    /// Height in pixels, after applying the orientation.
    pub height: u32,
    /// The encoded file, without metadata except for a small color profile.
    pub bytes: Vec<u8>,
    /// The thumbnail: at most [`THUMBNAIL_SIDE`] pixels on its longer side, and always a JPEG on a
    /// white background. A JPEG of a photo is about a tenth the size of a PNG, and every email
    /// client shows JPEGs. Transparency does not matter at this size.
    pub thumbnail: EncodedPicture,
}

impl ProcessedPicture {
    /// Returns the picture and its thumbnail.
    pub fn into_parts(self) -> (EncodedPicture, EncodedPicture) {
        (
            EncodedPicture {
                content_type: self.content_type,
                width: self.width,
                height: self.height,
                bytes: self.bytes,
            },
            self.thumbnail,
        )
    }
}

/// A decoded still picture: upright, with 8 bits per channel, gray or RGB, with or without alpha.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The pixels.
    pub image: DynamicImage,
    /// The ICC profile, if it describes the pixels and is small. Without it, screenshots of
    /// wide-gamut screens would look pale. If it is `None`, the pixels are sRGB.
    pub profile: Option<Vec<u8>>,
    /// Whether the source was lossy. If so, the picture can be encoded as JPEG with little further
    /// loss.
    pub lossy: bool,
}

/// Detects the format from the first bytes of the file; 16 bytes are enough.
pub fn detect_format(head: &[u8]) -> Option<Format> {
    match head {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Format::Png),
        [0xff, 0xd8, 0xff, ..] => Some(Format::Jpeg),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(Format::WebP),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Format::Gif),
        _ => None,
    }
}

/// Re-encodes the picture at `path`. Returns `Unsupported` for a damaged picture or another kind of
/// file, and `TooLarge` for a picture that exceeds a limit. Runs on the blocking pool and waits
/// while two other pictures are being processed.
pub async fn process(path: &Path) -> Result<ProcessedPicture> {
    let path = path.to_owned();
    run_blocking(move || {
        let bytes = decode::read_file(&path)?;
        let picture = match detect_format(&bytes) {
            Some(Format::Gif) => return gif::reencode(&bytes),
            Some(format) => decode::decode_still(&bytes, format)?,
            None => return Err(unknown_format()),
        };
        // Free the file's memory before encoding needs more.
        drop(bytes);
        picture.encode()
    })
    .await
}

/// Runs pixel work such as redaction or cropping on the blocking pool. Counts towards the limit of
/// two pictures at once. A panic is reported as a damaged picture.
pub async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let permit = PERMITS.acquire().await.map_err(Error::internal)?;
    let done = spawn_blocking(move || {
        // Move the permit into the closure. If the caller is cancelled, the work goes on and keeps
        // its permit.
        let _permit = permit;
        work()
    });
    match done.await {
        Ok(done) => done,
        Err(panicked) => {
            tracing::warn!(%panicked, "an image decoder panicked");
            Err(damaged_file())
        }
    }
}

impl Picture {
    /// Decodes a still picture of any format, or the first frame of a GIF. Works in memory, because
    /// content to be redacted must not be written to a temporary file. Blocking.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        decode::decode_still(bytes, detect_format(bytes).ok_or_else(unknown_format)?)
    }

    /// Encodes only the thumbnail. Blocking.
    pub fn thumbnail(&self) -> Result<EncodedPicture> {
        encode::encode_thumbnail(self)
    }

    /// Encodes the picture and its thumbnail. The picture becomes a JPEG if the source was lossy
    /// and the picture is opaque, and otherwise a PNG. Blocking.
    pub fn encode(self) -> Result<ProcessedPicture> {
        encode::encode_still(self)
    }
}

fn unknown_format() -> Error {
    Error::Unsupported(
        "This file is not a picture in a supported format. Use PNG, JPEG, WebP or GIF.".into(),
    )
}

fn damaged_file() -> Error {
    Error::Unsupported(
        "This picture is damaged or incomplete. Save it again, or take a new one.".into(),
    )
}

fn unsupported_variant() -> Error {
    Error::Unsupported(
        "This picture uses a rare variant of its format, which Hearback cannot read. \
         Save it as PNG or JPEG."
            .into(),
    )
}

fn image_error(error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => Error::TooLarge(
            "Reading this picture takes more than 256 MiB of memory. Save it at a lower resolution.".into(),
        ),
        ImageError::Unsupported(_) => unsupported_variant(),
        _ => damaged_file(),
    }
}
