//! Lifetime of presigned URLs of objects in a bucket.

use std::time::Duration;

use crate::media::MediaKind;
use crate::media::ServedObject;

/// Lifetime of the presigned URL of a picture.
const PICTURE_REDIRECT_LIFETIME: Duration = Duration::from_secs(60);

/// Returns the lifetime of a presigned URL. A browser that plays a video keeps using the URL of the first redirect.
/// The URL of a video is therefore valid for three times the video's duration, and for at least one hour.
pub(crate) fn redirect_lifetime(served: &ServedObject) -> Duration {
    if served.kind != MediaKind::Video {
        return PICTURE_REDIRECT_LIFETIME;
    }
    let length = u64::try_from(served.duration_ms.unwrap_or(0)).unwrap_or(0);
    Duration::from_millis(length * 3).max(Duration::from_secs(3600))
}
