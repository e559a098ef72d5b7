//! Who may have the original of a video. It carries what its camera wrote (a location, a title, names), so others get its
//! bytes only where it was seen to carry none.

use std::borrow::Cow;

use futures_util::TryStreamExt as _;

use super::{Media, MediaContext, Rendition};
use crate::error::{Error, Result};
use crate::infra::video::{Metadata, MetadataScan};

/// While a video waits for its job, to everybody who can play it.
const PLAYABLE_TEXT: &str = "Processing. You can already play it.";
/// The same to the author of one that others cannot play yet.
const PLAYABLE_FOR_AUTHOR_TEXT: &str =
    "Processing. Only you can play it until its metadata (place, names) is removed.";
/// Until there is something that others may play.
const NOT_YET_PLAYABLE_TEXT: &str = "Processing. It will play here in a moment.";
/// Where the metadata cannot be removed.
const AUTHOR_ONLY_TEXT: &str =
    "Only its author can play it, because its metadata (place, names) cannot be removed here.";

/// Whether others than its author may have a rendition. Where its bytes are a video's original (`raw`), they are the author's, unless they carry no
/// metadata: then they are what plays until the copy is there. Who plays them goes on for a while under the name `original` (`lingers`).
pub(super) fn is_open_to_others(
    raw: bool,
    name: &str,
    metadata: Option<Metadata>,
    state: &str,
    lingers: bool,
) -> bool {
    !raw || (metadata == Some(Metadata::None)
        && state != "failed"
        && (name != "original" || lingers))
}

/// What is said of a video that waits for its job.
pub(super) fn processing_text(metadata: Option<Metadata>) -> &'static str {
    if metadata == Some(Metadata::None) {
        PLAYABLE_TEXT
    } else {
        PLAYABLE_FOR_AUTHOR_TEXT
    }
}

/// What is said of a video that stays as it came, because something is `missing`.
pub(super) fn unprocessed_text(metadata: Metadata, missing: &str) -> String {
    match metadata {
        Metadata::None => format!("Stored as it came. {missing}"),
        Metadata::Possible => format!("{AUTHOR_ONLY_TEXT} {missing}"),
    }
}

/// Looks at a whole stored original.
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
    /// What its original can carry; `None` for a picture, and where it was not looked at.
    pub(super) fn metadata(&self) -> Option<Metadata> {
        self.original_metadata.as_deref().and_then(Metadata::parse)
    }

    /// Which of its renditions a reader is shown.
    pub fn visible_renditions<'a>(
        &self,
        renditions: &'a [Rendition],
        author: bool,
    ) -> Vec<&'a Rendition> {
        let original = renditions
            .iter()
            .find(|rendition| rendition.name == "original");
        let shown = |rendition: &&Rendition| {
            let raw = self.kind == "video"
                && original.is_some_and(|original| original.key == rendition.key);
            author || is_open_to_others(raw, &rendition.name, self.metadata(), &self.state, false)
        };
        renditions.iter().filter(shown).collect()
    }

    /// Its state and the reason for it as they are for a reader: others than its author wait for what they may play.
    pub fn visible_state(
        &self,
        shown: &[&Rendition],
        author: bool,
    ) -> (&str, Option<Cow<'_, str>>) {
        let plays = shown
            .iter()
            .any(|rendition| matches!(&*rendition.name, "playable" | "h264"));
        let reason = self.reason.as_deref().map(Cow::Borrowed);
        if author || plays || self.kind != "video" {
            return (&self.state, reason);
        }
        match &*self.state {
            "processing" if self.trimmed_range().is_none() => {
                ("processing", Some(NOT_YET_PLAYABLE_TEXT.into()))
            }
            "ready" => ("failed", reason.or(Some(AUTHOR_ONLY_TEXT.into()))),
            state => (state, reason),
        }
    }
}
