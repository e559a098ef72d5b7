//! Which pictures and videos can be uploaded. The first bytes of a file decide its type.

use crate::error::{Error, Result};
use crate::infra::images::UnsupportedFormat;
use crate::infra::video::Container;
use crate::infra::{images, video};

/// Describes the supported file types, for error messages.
pub const ACCEPTED_TYPES: &str = "Hearback accepts PNG, JPEG, WebP and GIF pictures, and WebM, \
                                  Matroska, MP4 and QuickTime videos.";

/// The type of a file, which is detected from its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileType {
    /// A picture. It is re-encoded before it is stored.
    Picture,
    /// A video. It is stored unchanged.
    Video(Container),
}

impl FileType {
    pub(super) fn detect(head: &[u8]) -> Result<Self> {
        if head.is_empty() {
            return Err(Error::Unsupported(format!(
                "The file is empty. {ACCEPTED_TYPES}"
            )));
        }
        if images::detect_format(head).is_some() {
            return Ok(Self::Picture);
        }
        if let Some(foreign) = video::image_brand(head)
            .map(UnsupportedFormat::from_brand)
            .or_else(|| UnsupportedFormat::detect(head))
        {
            return Err(Error::Unsupported(foreign.advice().into()));
        }
        let refusal = || {
            let unknown = || {
                format!("The content of this file is not in a supported format. {ACCEPTED_TYPES}")
            };
            Error::Unsupported(video::unsupported_format_advice(head).unwrap_or_else(unknown))
        };
        video::detect_container(head)
            .map(Self::Video)
            .ok_or_else(refusal)
    }

    /// Returns the content type under which the file is stored.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Picture => "image/*",
            Self::Video(container) => container.content_type(),
        }
    }

    /// Returns the file type that corresponds to a stored content type.
    pub(super) fn from_content_type(content_type: &str) -> Option<Self> {
        let videos = [
            Container::WebM,
            Container::Mp4,
            Container::Matroska,
            Container::QuickTime,
        ]
        .map(Self::Video);
        std::iter::once(Self::Picture)
            .chain(videos)
            .find(|file_type| file_type.content_type() == content_type)
    }
}
