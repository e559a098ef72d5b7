//! Recordings and pictures, what was drawn over them, and files on their way.

use serde::Serialize;

use crate::markup::{Area, Shape};
use crate::share_message;

/// One stored form of a recording or a picture.
#[derive(Clone, Debug, Serialize)]
pub struct RenditionView {
    /// `original`, `marked`, `playable`, `h264`, `poster`, `thumbnail`.
    pub name: String,
    /// The media type.
    #[serde(rename = "type")]
    pub content_type: String,
    /// Pixels.
    pub width: Option<i64>,
    /// Pixels.
    pub height: Option<i64>,
    /// Size.
    pub bytes: i64,
    /// A signed address that works as it is.
    pub url: String,
}

/// A recording or a picture.
#[derive(Clone, Debug, Serialize)]
pub struct MediaView {
    /// The id.
    pub id: String,
    /// `video` or `image`.
    pub kind: String,
    /// `uploading`, `processing`, `ready` or `failed`.
    pub state: String,
    /// Why it failed, in words, or what is being done to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The name the file had where it came from.
    pub file_name: String,
    /// Pixels, as shown.
    pub width: Option<i64>,
    /// Pixels, as shown.
    pub height: Option<i64>,
    /// Length of a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<i64>,
    /// Which stretch of the original plays, if not all of it; for the author alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trim: Option<TrimView>,
    /// Where in the whole recording that which plays begins: whoever watches while that changes goes on at the same place of it.
    #[serde(skip)]
    pub begins_at: i64,
    /// Since when it is known that the page which recorded it did not come back: the recording ends where that was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken_off_at: Option<String>,
    /// What was drawn over it.
    pub markup: MarkupSummaryView,
    /// What can be fetched.
    pub renditions: Vec<RenditionView>,
    /// The shapes as SVG, to lie over the picture on its page; safe as it is.
    #[serde(skip)]
    pub layer: Option<String>,
    /// The shapes in words, in the order they are drawn; where there is a `layer`.
    #[serde(skip)]
    pub marks: Vec<String>,
}

/// How much was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MarkupSummaryView {
    /// Raised by each saving; 0 where there was none.
    pub revision: i64,
    /// How many shapes there are.
    pub shapes: i64,
}

/// The layer of a picture.
#[derive(Clone, Debug, Serialize)]
pub struct MarkupView {
    /// Raised by each saving; 0 where there was none.
    pub revision: i64,
    /// In the order they are drawn.
    pub shapes: Vec<Shape>,
    /// Always none: what was cropped is gone.
    pub crop: Option<Area>,
}

/// A stretch of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TrimView {
    /// Where it begins.
    pub from_ms: i64,
    /// Where it ends.
    pub to_ms: i64,
}

impl TrimView {
    /// How long it is, as `3:12`.
    pub fn length(&self) -> String {
        share_message::format_length(self.to_ms - self.from_ms)
    }
}

/// A file on its way, over as many requests as it takes.
#[derive(Clone, Debug, Serialize)]
pub struct UploadView {
    /// The id.
    pub id: String,
    /// Where its bytes go.
    pub url: String,
    /// The update that it belongs to.
    pub update: String,
    /// The media that it becomes.
    pub media: String,
    /// The name the file has.
    pub file_name: String,
    /// So many bytes are durable.
    pub received: i64,
    /// How many there will be, if that is known.
    pub length: Option<i64>,
    /// It began without a length.
    pub recording: bool,
    /// When it began.
    pub created_at: String,
    /// When something last arrived.
    pub touched_at: String,
    /// When it is thrown away.
    pub expires_at: String,
}

impl MediaView {
    /// The address of a rendition, or an empty text.
    pub fn url(&self, name: &str) -> &str {
        self.renditions
            .iter()
            .find(|rendition| rendition.name == name)
            .map_or("", |rendition| &rendition.url)
    }

    /// The address of what is downloaded: with what was drawn, where something was.
    pub fn download(&self) -> &str {
        self.url(if self.has("marked") {
            "marked"
        } else {
            "original"
        })
    }

    /// Whether there is such a rendition.
    pub fn has(&self, name: &str) -> bool {
        self.renditions
            .iter()
            .any(|rendition| rendition.name == name)
    }

    /// Its author sees the stretch in the original while it is being cut: where it begins there, and 0 once it stands alone.
    pub fn offset(&self) -> i64 {
        let alone = self.has("playable") || self.has("h264");
        self.trim.filter(|_| !alone).map_or(0, |trim| trim.from_ms)
    }

    /// Whether its author can trim it now.
    pub fn can_be_trimmed(&self) -> bool {
        self.kind == "video"
            && self.duration_ms.is_some()
            && self.state != "uploading"
            && (self.state != "failed" || self.trim.is_some())
    }

    /// Whether its author can mark it now: a picture that stands still.
    pub fn can_be_marked(&self) -> bool {
        let still = |rendition: &RenditionView| {
            rendition.name == "original" && rendition.content_type != "image/gif"
        };
        self.kind == "image" && self.state == "ready" && self.renditions.iter().any(still)
    }

    /// Why there is nothing to be seen yet.
    pub fn waiting_reason(&self) -> &str {
        match (&self.reason, self.state.as_str()) {
            (Some(reason), _) => reason,
            (None, "uploading") => "Still arriving. It plays here as soon as it can.",
            (None, _) => "Being prepared. This page shows it as soon as it can.",
        }
    }

    /// The length as `1:02:03` or `3:12`; empty for a picture.
    pub fn length(&self) -> String {
        self.duration_ms
            .map(share_message::format_length)
            .unwrap_or_default()
    }
}
