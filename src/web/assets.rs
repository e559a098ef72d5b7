//! Browser assets: scripts, styles, icons and fonts. They are embedded in the binary under content-hashed names, so
//! that browsers can cache them forever.
//!
//! In debug builds, `HEARBACK_ASSETS` names a folder that replaces the embedded files. `bin/dev` rebuilds that
//! folder on every change.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "browser/dist"]
struct Dist;

/// Maps plain names to hashed names.
type Names = BTreeMap<String, String>;

/// Names of the embedded files, read from the `manifest.json` that the browser build writes.
static EMBEDDED: LazyLock<Names> = LazyLock::new(|| {
    Dist::get("manifest.json")
        .map(|file| parse(&file.data))
        .unwrap_or_default()
});

/// Returns the address of an asset, given its plain name (`app.css`, `app.js`, `icons.svg`).
pub fn url(name: &str) -> String {
    format!("/assets/{}", hashed(name).as_deref().unwrap_or(name))
}

/// Returns the addresses of the scripts that a script imports statically, directly or through another script.
pub fn imports(name: &str) -> Vec<String> {
    let names = hashed(&format!("{name} imports")).unwrap_or_default();
    names
        .split_whitespace()
        .map(|name| format!("/assets/{name}"))
        .collect()
}

/// Returns the content of the file with this hashed name.
pub fn by_hashed_name(name: &str) -> Option<Cow<'static, [u8]>> {
    #[cfg(debug_assertions)]
    if let Some(folder) = disk::folder() {
        return disk::read(&folder, name).map(Cow::Owned);
    }
    Dist::get(name).map(|file| file.data)
}

/// Returns the content of the file with this plain name.
pub fn by_name(name: &str) -> Option<Cow<'static, [u8]>> {
    by_hashed_name(&hashed(name)?)
}

/// Returns whether this binary contains the browser assets.
pub fn is_built() -> bool {
    !EMBEDDED.is_empty()
}

fn hashed(name: &str) -> Option<String> {
    #[cfg(debug_assertions)]
    if let Some(folder) = disk::folder() {
        return parse(&disk::read(&folder, "manifest.json")?).remove(name);
    }
    EMBEDDED.get(name).cloned()
}

fn parse(manifest: &[u8]) -> Names {
    serde_json::from_slice(manifest).unwrap_or_default()
}

#[cfg(debug_assertions)]
mod disk {
    use std::path::{Path, PathBuf};

    pub(super) fn folder() -> Option<PathBuf> {
        std::env::var_os("HEARBACK_ASSETS").map(PathBuf::from)
    }

    pub(super) fn read(folder: &Path, name: &str) -> Option<Vec<u8>> {
        if name.contains('/') {
            return None;
        }
        std::fs::read(folder.join(name)).ok()
    }
}
