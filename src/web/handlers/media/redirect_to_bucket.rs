//! Decides which media a browser fetches directly from the bucket if the setting `HEARBACK_DELIVERY` is `redirect`.
//! Hearback itself sends all other media.

use actix_web::http::Method;

use crate::config::Delivery;
use crate::error::Result;
use crate::media::ServedObject;
use crate::state::State;
use crate::web::media_urls::presigned_lifetime::redirect_lifetime;

/// Returns the presigned URL to which the request is redirected. Returns `None` if Hearback sends
/// the bytes itself.
pub(super) async fn redirect_url(
    state: &State,
    method: &Method,
    served: &ServedObject,
    is_download: bool,
) -> Result<Option<String>> {
    // A presigned URL is valid only for GET, so respond to HEAD directly. Never presign the original of another
    // person's recording: the URL would stay valid after the viewer loses access to the original.
    let redirects = state.config.delivery == Delivery::Redirect
        && served.raw == 0
        && !is_download
        && *method == Method::GET;
    if !redirects {
        return Ok(None);
    }
    let storage = &state.uploads.media.storage;
    storage
        .presign(&served.key, redirect_lifetime(served))
        .await
}
