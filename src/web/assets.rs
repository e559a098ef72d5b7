//! The browser part, embedded under content-hashed names that may be cached for ever.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "browser/dist"]
struct Dist;

/// Plain name → hashed name, as the build of the browser part wrote it into `manifest.json`.
static NAMES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    Dist::get("manifest.json")
        .and_then(|file| serde_json::from_slice(&file.data).ok())
        .unwrap_or_default()
});

/// The address of an asset by its plain name (`app.css`, `app.js`, `icons.svg`).
pub fn url(name: &str) -> String {
    format!("/assets/{}", NAMES.get(name).map_or(name, String::as_str))
}

/// The file of a hashed name.
pub fn file(name: &str) -> Option<EmbeddedFile> {
    Dist::get(name)
}

/// The file of a plain name.
pub fn named(name: &str) -> Option<EmbeddedFile> {
    Dist::get(NAMES.get(name)?)
}

/// Whether the browser part was built into this binary.
pub fn built() -> bool {
    !NAMES.is_empty()
}
