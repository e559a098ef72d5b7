//! Decides who may fetch the original of a video. The original can contain metadata from the camera
//! (location, title, names). People other than the author may therefore fetch it only if a scan
//! found no metadata.

use futures_util::TryStreamExt as _;

use super::{Media, MediaContext, MediaKind, MediaState, Rendition, RenditionName};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::infra::video::{Metadata, MetadataScan};

/// How long viewers may still fetch the original after a copy has replaced it, in milliseconds. The
/// duration of the video is added to this time.
const RAW_GRACE: Millis = 3_600_000;
/// Shown to everyone while a video is not processed yet but can already be played.
const PLAYABLE_TEXT: &str = "Processing. You can already play this video.";
/// Shown to the author of a video that other people cannot play yet.
const PLAYABLE_FOR_AUTHOR_TEXT: &str =
    "Processing. Only you can play this video until its metadata (location, names) is removed.";
/// Shown to other people while they cannot play the video.
pub(super) const NOT_YET_PLAYABLE_TEXT: &str = "Processing. This video will play here in a moment.";
/// Shown if the metadata cannot be removed.
pub(super) const AUTHOR_ONLY_TEXT: &str = "Only the author can play this video, because Hearback cannot \
                                remove its metadata (location, names).";

/// Whether people other than the author may fetch the rendition `name`.
///
/// - They may fetch a processed copy (`raw` is false).
/// - They may fetch the original of a video (`raw` is true) only if a scan found no metadata and
///   the media has not failed. If the original is requested as the rendition `original`, `lingers`
///   must also be true.
///
/// `lingers` is true for a limited time after a copy has replaced the original, so that viewers who
/// are playing the original can continue.
pub(super) fn is_open_to_others(
    raw: bool,
    name: RenditionName,
    metadata: Option<Metadata>,
    state: MediaState,
    lingers: bool,
) -> bool {
    !raw || (metadata == Some(Metadata::None)
        && state != MediaState::Failed
        && (name != RenditionName::Original || lingers))
}

/// Returns the progress text of a video whose processing job has not finished yet.
pub(super) fn processing_text(metadata: Option<Metadata>) -> &'static str {
    if metadata == Some(Metadata::None) {
        PLAYABLE_TEXT
    } else {
        PLAYABLE_FOR_AUTHOR_TEXT
    }
}

/// Returns the text for a video that cannot be processed because ffmpeg is not installed. `missing` is the message that
/// `Tools::missing` returned.
pub(super) fn unprocessed_text(metadata: Metadata, missing: &str) -> String {
    match metadata {
        Metadata::None => format!("This video is stored as it was uploaded. {missing}"),
        Metadata::Possible => format!("{AUTHOR_ONLY_TEXT} {missing}"),
    }
}

/// Scans a complete stored original for metadata.
pub(super) async fn scan_metadata(ctx: &MediaContext, key: &str) -> Result<Metadata> {
    let length = ctx.storage.len(key).await?.ok_or(Error::NotFound)?;
    let scan = ctx.storage.get(key, 0..length).await?.try_fold(
        MetadataScan::default(),
        |mut scan, block| async move {
            scan.feed(&block);
            Ok(scan)
        },
    );
    Ok(scan.await?.finish())
}

impl Media {
    /// Whether the original can contain metadata. `None` for pictures and for originals that were
    /// not scanned.
    pub(super) fn metadata(&self) -> Option<Metadata> {
        self.original_metadata.as_deref().and_then(Metadata::parse)
    }

    /// Returns the renditions that a viewer may fetch. `author` says whether the viewer is the
    /// author.
    pub fn visible_renditions<'a>(
        &self,
        renditions: &'a [Rendition],
        author: bool,
    ) -> Vec<&'a Rendition> {
        let original = renditions
            .iter()
            .find(|rendition| rendition.name == RenditionName::Original);
        let shown = |rendition: &&Rendition| {
            let raw = self.kind == MediaKind::Video
                && original.is_some_and(|original| original.key == rendition.key);
            author || is_open_to_others(raw, rendition.name, self.metadata(), self.state, false)
        };
        renditions.iter().filter(shown).collect()
    }
}

/// Returns the time until which viewers may still fetch an original that a copy has just replaced. It is `now` plus the
/// duration of the video plus [`RAW_GRACE`], so that viewers who are already playing the original can continue.
pub(super) fn open_until(now: Millis, duration_ms: Option<Millis>) -> Millis {
    now + duration_ms.unwrap_or(0) + RAW_GRACE
}
