//! Writes an empty manifest if browser/dist has not been built, so that `cargo build` works without Node.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let manifest = Path::new("browser/dist/manifest.json");
    if !manifest.exists() {
        fs::create_dir_all("browser/dist")?;
        fs::write(manifest, "{}")?;
    }
    // Macros embed the files in these folders at compile time, so a changed file requires a rebuild.
    for folder in ["browser/dist", "migrations", "templates"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    Ok(())
}
