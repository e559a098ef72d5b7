//! Which media can be marked up.

use crate::error::{Error, Result};
use crate::media::{Media, MediaKind, MediaState};

/// Fails unless the media is a picture of an update, is ready, and is not a GIF.
pub(super) fn check_markable(media: &Media, is_gif: bool) -> Result<()> {
    let message = match (media.kind, media.state) {
        _ if media.comment_id.is_some() => {
            return Err(Error::Forbidden(
                "A picture in a comment cannot be changed after it is \
                 sent. Draw on the picture before you send the comment."
                    .into(),
            ));
        }
        // During the upload, it is not yet known whether the file is a picture.
        (_, MediaState::Uploading) => {
            "This file is still being uploaded. Draw on it once the upload is complete."
        }
        (MediaKind::Video, _) => {
            "This is a video. To draw on a frame, save that frame as a picture and draw on the picture."
        }
        (MediaKind::Image, MediaState::Processing) => {
            "This picture is still being processed. Try again in a moment."
        }
        (MediaKind::Image, MediaState::Failed) => {
            "This picture could not be read, so you cannot draw on it."
        }
        (MediaKind::Image, MediaState::Ready) if is_gif => {
            "This picture is a GIF, which may be animated. To draw on it, upload it as a PNG."
        }
        (MediaKind::Image, MediaState::Ready) => return Ok(()),
    };
    Err(Error::Conflict(message.into()))
}
