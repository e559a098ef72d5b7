//! Finds programs in `PATH`.

use std::path::PathBuf;

/// Returns the first file with this name in a folder of `PATH`. Skips relative folders.
pub(super) fn find_in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_absolute() && file.is_file())
}
