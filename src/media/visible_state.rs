//! Decides which state of a file each viewer sees. A video that only its author can play is ready for the author and has
//! failed for everyone else.

use std::borrow::Cow;

use super::original_access::{AUTHOR_ONLY_TEXT, NOT_YET_PLAYABLE_TEXT};
use super::{Media, MediaKind, MediaState, Rendition, RenditionName};

impl Media {
    /// Returns the state and its reason as shown to a viewer. For viewers other than the author, a
    /// video is ready only if it has a rendition that these viewers may play.
    pub fn visible_state(
        &self,
        shown: &[&Rendition],
        author: bool,
    ) -> (MediaState, Option<Cow<'_, str>>) {
        let plays = shown.iter().any(|rendition| {
            matches!(
                rendition.name,
                RenditionName::Playable | RenditionName::H264
            )
        });
        let reason = self.reason.as_deref().map(Cow::Borrowed);
        if author || plays || self.kind != MediaKind::Video {
            return (self.state, reason);
        }
        match self.state {
            MediaState::Processing if self.trimmed_range().is_none() => {
                (MediaState::Processing, Some(NOT_YET_PLAYABLE_TEXT.into()))
            }
            MediaState::Ready => (MediaState::Failed, reason.or(Some(AUTHOR_ONLY_TEXT.into()))),
            state @ (MediaState::Uploading | MediaState::Processing | MediaState::Failed) => {
                (state, reason)
            }
        }
    }
}
