//! Writes an empty manifest if the browser part is not built, so that a bare `cargo build` works.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let manifest = Path::new("browser/dist/manifest.json");
    if !manifest.exists() {
        fs::create_dir_all("browser/dist")?;
        fs::write(manifest, "{}")?;
    }
    // Macros embed the files of these folders at compile time.
    for folder in ["browser/dist", "migrations", "templates"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    Ok(())
}
