//! Lets a bare `cargo build` work: where the browser part is not built, an empty one stands in for it.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let manifest = Path::new("browser/dist/manifest.json");
    if !manifest.exists() {
        fs::create_dir_all("browser/dist")?;
        fs::write(manifest, "{}")?;
    }
    // What macros read into the program at compile time.
    for folder in ["browser/dist", "migrations", "templates"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    Ok(())
}
