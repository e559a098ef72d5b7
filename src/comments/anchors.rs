//! Anchors of comments. An anchor is a time or time range in a video, or a point or region in a
//! picture or video frame.

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::infra::db::Tx;
use crate::markup::{Region, Shape};
use crate::media::MediaKind;
use crate::media::{self, Media};
use crate::updates::Update;

/// Where a comment points, as sent by the client.
#[derive(Clone, Debug, Default)]
pub struct Anchor {
    /// Id of the media. `None` means the first video for an anchor with a time, and the first
    /// picture for an anchor without a time.
    pub media_id: Option<String>,
    /// Position in the video, in milliseconds from its start.
    pub at_ms: Option<Millis>,
    /// End of the time range that starts at `at_ms`, in milliseconds from the start of the video.
    pub until_ms: Option<Millis>,
    /// Point or region of the picture, or of the video frame at `at_ms`.
    pub region: Option<Region>,
    /// Shapes drawn on the picture, or on the video frame at `at_ms`.
    pub drawing: Vec<Shape>,
}

/// Checks an anchor against the media of the update. Returns the anchor with its `media_id` filled
/// in. An empty anchor is valid. Errors name the invalid field.
pub(super) async fn check_anchor(tx: &mut Tx, update: &Update, anchor: &Anchor) -> Result<Anchor> {
    if anchor.media_id.is_none()
        && anchor.at_ms.is_none()
        && anchor.region.is_none()
        && anchor.until_ms.is_none()
        && anchor.drawing.is_empty()
    {
        return Ok(Anchor::default());
    }
    let media = find_media(tx, update, anchor).await?;
    check_position(&media, anchor)?;
    check_range(&media, anchor)?;
    Ok(Anchor {
        media_id: Some(media.id),
        ..anchor.clone()
    })
}

/// Finds the media that the anchor names. If the anchor names none, finds the first video for an anchor with a time,
/// and the first picture for any other anchor.
async fn find_media(tx: &mut Tx, update: &Update, anchor: &Anchor) -> Result<Media> {
    let album = media::of_updates(tx, std::slice::from_ref(&update.id)).await?;
    let fits = |media: &Media| match &anchor.media_id {
        Some(id) => media.id == *id,
        None => {
            (anchor.at_ms.is_some() && media.kind == MediaKind::Video)
                || (anchor.at_ms.is_none() && media.kind == MediaKind::Image)
        }
    };
    let media = album.into_iter().map(|(media, _)| media).find(fits);
    media.ok_or_else(|| {
        Error::invalid(
            "media_id",
            "is not the id of a file in this update; the file may have been removed. \
             Reload the page, or leave the field out.",
        )
    })
}

/// Checks that the position is within the video. An anchor in a picture must not have a position. A drawing or a region
/// on a video needs one.
fn check_position(media: &Media, anchor: &Anchor) -> Result<()> {
    match (media.kind, anchor.at_ms) {
        (MediaKind::Video, None) if !anchor.drawing.is_empty() => {
            return Err(Error::invalid(
                "at_ms",
                "is missing. A drawing on a video needs a position in the video, in milliseconds.",
            ));
        }
        (MediaKind::Video, None) if anchor.region.is_some() => {
            return Err(Error::invalid(
                "at_ms",
                "is missing. A region of a video needs a position in the video, in milliseconds.",
            ));
        }
        (MediaKind::Image, Some(_)) => {
            return Err(Error::invalid(
                "at_ms",
                "must not be set for a picture, only for a video. Leave it out.",
            ));
        }
        (MediaKind::Video, Some(at))
            if at < 0 || media.duration_ms.is_some_and(|length| at > length) =>
        {
            let range = match media.duration_ms {
                Some(length) => format!("from 0 to {length} ms"),
                None => "of 0 ms or more".to_owned(),
            };
            return Err(Error::invalid(
                "at_ms",
                format!("is outside the video. Use a position {range}."),
            ));
        }
        _ => {}
    }
    Ok(())
}

/// Checks that the time range has a start, does not end before it, and ends within the video.
fn check_range(media: &Media, anchor: &Anchor) -> Result<()> {
    match (anchor.at_ms, anchor.until_ms) {
        (None, Some(_)) => {
            return Err(Error::invalid(
                "until_ms",
                "also requires `at_ms`, the start of the range.",
            ));
        }
        (Some(at), Some(until))
            if until < at || media.duration_ms.is_some_and(|length| until > length) =>
        {
            return Err(Error::invalid(
                "until_ms",
                "is before `at_ms` or after the end of the video. Use a position between the two.",
            ));
        }
        _ => {}
    }
    Ok(())
}
