//! Schemas of media, markup and unfinished uploads.

use serde::Serialize;

use crate::markup::{Area, Shape};
use crate::media::{MediaKind, MediaState, RenditionName};
use crate::share_message;

/// A rendition of media.
#[derive(Clone, Debug, Serialize)]
pub struct RenditionView {
    /// Name of the rendition.
    pub name: RenditionName,
    /// Media type, such as `video/mp4`.
    #[serde(rename = "type")]
    pub content_type: String,
    /// Width in pixels.
    pub width: Option<i64>,
    /// Height in pixels.
    pub height: Option<i64>,
    /// Size in bytes.
    pub bytes: i64,
    /// Signed address; it needs no other credentials.
    pub url: String,
}

/// A recording or a picture.
#[derive(Clone, Debug, Serialize)]
pub struct MediaView {
    /// Id of the media.
    pub id: String,
    /// Kind of media.
    pub kind: MediaKind,
    /// Processing state.
    pub state: MediaState,
    /// Why processing failed, or what the server is doing now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Original file name.
    pub file_name: String,
    /// Displayed width in pixels.
    pub width: Option<i64>,
    /// Displayed height in pixels.
    pub height: Option<i64>,
    /// Duration of a video, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// If the recording is trimmed, the range of the original that is kept; only for the author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trim: Option<TrimView>,
    /// Where the playable part starts in the whole recording, in milliseconds. When the trim changes, the player
    /// uses this value to stay at the same moment.
    #[serde(skip)]
    pub begins_at: i64,
    /// When the server stopped waiting for the rest of an interrupted recording. The recording ends with the last
    /// bytes that were uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken_off_at: Option<String>,
    /// Summary of the markup.
    pub markup: MarkupSummaryView,
    /// Renditions that can be fetched.
    pub renditions: Vec<RenditionView>,
    /// Markup as SVG, to display over the picture. Safe to embed in a page.
    #[serde(skip)]
    pub layer: Option<String>,
    /// Shapes described in words, in drawing order; only if there is a `layer`.
    #[serde(skip)]
    pub marks: Vec<String>,
}

/// Size and revision of the markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MarkupSummaryView {
    /// Increases with each save; 0 without markup.
    pub revision: i64,
    /// Number of shapes.
    pub shapes: i64,
}

/// Markup of a picture.
#[derive(Clone, Debug, Serialize)]
pub struct MarkupView {
    /// Increases with each save; 0 without markup.
    pub revision: i64,
    /// Shapes in drawing order.
    pub shapes: Vec<Shape>,
    /// Always `None`: a crop changes the picture itself, and the pixels outside it are deleted.
    pub crop: Option<Area>,
}

/// Range of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TrimView {
    /// Start of the range, in milliseconds.
    pub from_ms: i64,
    /// End of the range, in milliseconds.
    pub to_ms: i64,
}

impl TrimView {
    /// Returns the length of the range as `3:12`.
    pub fn length(&self) -> String {
        share_message::format_length(self.to_ms - self.from_ms)
    }
}

/// An unfinished resumable upload.
#[derive(Clone, Debug, Serialize)]
pub struct UploadView {
    /// Id of the upload.
    pub id: String,
    /// Address to send the bytes of the upload to.
    pub url: String,
    /// Id of the update that the upload belongs to.
    pub update: String,
    /// Id of the media that the upload becomes.
    pub media: String,
    /// Original file name.
    pub file_name: String,
    /// Number of bytes that are stored durably.
    pub received: i64,
    /// Total size in bytes, if known.
    pub length: Option<i64>,
    /// Whether the upload started without a known length, as uploads of recordings do.
    pub recording: bool,
    /// When the upload started.
    pub created_at: String,
    /// When bytes last arrived.
    pub touched_at: String,
    /// When the upload expires.
    pub expires_at: String,
}

impl MediaView {
    /// Returns whether the media is a video.
    pub fn is_video(&self) -> bool {
        self.kind == MediaKind::Video
    }

    /// Returns whether the media is a picture.
    pub fn is_picture(&self) -> bool {
        self.kind == MediaKind::Image
    }

    /// Returns whether the media is still being uploaded.
    pub fn is_uploading(&self) -> bool {
        self.state == MediaState::Uploading
    }

    /// Returns whether the media is being processed.
    pub fn is_processing(&self) -> bool {
        self.state == MediaState::Processing
    }

    /// Returns whether processing failed.
    pub fn has_failed(&self) -> bool {
        self.state == MediaState::Failed
    }

    /// Returns the address of a rendition, or an empty string.
    pub fn url(&self, name: RenditionName) -> &str {
        self.renditions
            .iter()
            .find(|rendition| rendition.name == name)
            .map_or("", |rendition| &rendition.url)
    }

    /// Returns the address of the original, or an empty string.
    pub fn original(&self) -> &str {
        self.url(RenditionName::Original)
    }

    /// Returns the address of the poster, or an empty string.
    pub fn poster(&self) -> &str {
        self.url(RenditionName::Poster)
    }

    /// Returns the address of the thumbnail, or an empty string.
    pub fn thumbnail(&self) -> &str {
        self.url(RenditionName::Thumbnail)
    }

    /// Returns the address of the picture with its markup, or an empty string.
    pub fn marked(&self) -> &str {
        self.url(RenditionName::Marked)
    }

    /// Returns the address of the file to download. This is the copy with the markup drawn in, if there is one, and
    /// otherwise the original.
    pub fn download(&self) -> &str {
        self.url(if self.has(RenditionName::Marked) {
            RenditionName::Marked
        } else {
            RenditionName::Original
        })
    }

    /// Returns whether the rendition exists.
    pub fn has(&self, name: RenditionName) -> bool {
        self.renditions
            .iter()
            .any(|rendition| rendition.name == name)
    }

    /// Returns where the trimmed range starts in the file that is played, in milliseconds. In the trimmed copy, it
    /// starts at 0. Until the trimmed copy is ready, the author plays the original, where the range can start later.
    pub fn offset(&self) -> i64 {
        let alone = self.has(RenditionName::Playable) || self.has(RenditionName::H264);
        self.trim.filter(|_| !alone).map_or(0, |trim| trim.from_ms)
    }

    /// Returns whether the author can trim the recording now.
    pub fn can_be_trimmed(&self) -> bool {
        self.is_video()
            && self.duration_ms.is_some()
            && !self.is_uploading()
            && (!self.has_failed() || self.trim.is_some())
    }

    /// Returns whether the author can mark up the picture now. Animated pictures cannot be marked up.
    pub fn can_be_marked(&self) -> bool {
        let still = |rendition: &RenditionView| {
            rendition.name == RenditionName::Original && rendition.content_type != "image/gif"
        };
        self.is_picture() && self.state == MediaState::Ready && self.renditions.iter().any(still)
    }

    /// Returns the reason why the file cannot be shown yet.
    pub fn waiting_reason(&self) -> &str {
        match (&self.reason, self.state) {
            (Some(reason), _) => reason,
            (None, MediaState::Uploading) => {
                "Still uploading. This page will show the file as soon as it is ready."
            }
            (None, _) => "Being processed. This page will show the file as soon as it is ready.",
        }
    }

    /// Returns the duration as `1:02:03` or `3:12`; empty for a picture.
    pub fn length(&self) -> String {
        self.duration_ms
            .map(share_message::format_length)
            .unwrap_or_default()
    }
}
