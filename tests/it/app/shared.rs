//! Values that all servers of a test run share because they are slow to create.

use hearback::infra::video::Tools;
use hearback::people::PasswordHash;
use hearback::state::State;
use tokio::sync::OnceCell;

use super::PASSWORD;

/// Makes a server use the ffmpeg of this machine, unless its settings name another. All servers share one check of
/// ffmpeg, because it takes almost a second.
pub(super) async fn use_tools(state: &State) {
    static TOOLS: OnceCell<Tools> = OnceCell::const_new();
    let media = &state.uploads.media;
    if media.ffmpeg.is_none() {
        let tools = TOOLS.get_or_init(|| Tools::detect(None)).await;
        media.tools.set(tools.clone()).unwrap();
    }
}

/// Returns the hash of [`PASSWORD`]. All test accounts share this hash, because hashing is slow.
pub(super) async fn password_hash() -> PasswordHash {
    static HASH: OnceCell<PasswordHash> = OnceCell::const_new();
    HASH.get_or_init(async || PasswordHash::new(PASSWORD, &[]).await.unwrap())
        .await
        .clone()
}
