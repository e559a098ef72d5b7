//! Signed media addresses. Each address expires after a while, or earlier if the session, token or share link for which
//! it was signed ends. Until then, anyone who has the address can use it.

pub(crate) mod presigned_lifetime;

use super::extract::viewer::grant;
use crate::clock::real_now;
use crate::error::{Error, Result};
use crate::people::Viewer;
use crate::signing;
use crate::state::State;

/// Expiry times are multiples of this many seconds. An address therefore seldom changes when a page is rendered again.
const EXPIRY_STEP: i64 = 12 * 3600;

/// Returns the path and query of an object's signed address, which expires after 12 to 24 hours.
pub(crate) fn sign(state: &State, viewer: &Viewer, update_id: &str, key: &str) -> String {
    let key = key.strip_prefix("media/").unwrap_or(key);
    let expiry = (real_now() / 1000 / EXPIRY_STEP + 2) * EXPIRY_STEP;
    let grant = grant(viewer, update_id);
    format!(
        "/m/{key}?g={grant}&e={expiry}&s={}",
        signing::sign(&state.key, &format!("media {key} {grant} {expiry}"))
    )
}

/// Verifies an address and returns its storage key. Invalid, modified and expired addresses cause
/// the same error.
pub(crate) fn check(
    state: &State,
    key: &str,
    grant: &str,
    expiry: i64,
    signature: &str,
) -> Result<String> {
    let ours = signing::verify(
        &state.key,
        &format!("media {key} {grant} {expiry}"),
        signature,
    );
    if ours && expiry * 1000 > real_now() {
        Ok(format!("media/{key}"))
    } else {
        Err(Error::NotFound)
    }
}
