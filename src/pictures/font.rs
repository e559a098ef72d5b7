//! The one font that is drawn with: bundled, so that a text looks the same everywhere.

use std::fmt;
use std::sync::Arc;

use resvg::usvg::fontdb;
use skrifa::{FontRef, MetadataProvider as _};

/// A TrueType file in memory. Cheap to clone; by default it has no letters.
#[derive(Clone, Default)]
pub struct Font {
    file: Arc<[u8]>,
    /// What the renderer finds it in.
    pub(super) faces: Arc<fontdb::Database>,
}

impl Font {
    /// The font of these bytes.
    pub fn new(file: &[u8]) -> Self {
        let mut faces = fontdb::Database::new();
        faces.load_font_data(file.to_vec());
        Self { file: file.into(), faces: Arc::new(faces) }
    }

    /// Whether it can show a character.
    pub fn has(&self, letter: char) -> bool {
        FontRef::new(&self.file).is_ok_and(|font| font.charmap().map(letter).is_some_and(|glyph| glyph.to_u32() != 0))
    }
}

impl fmt::Debug for Font {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Font({} bytes)", self.file.len())
    }
}
