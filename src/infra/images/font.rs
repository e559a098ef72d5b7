//! The bundled font for markup text. With this font, the text looks the same on every machine.

use std::fmt;
use std::sync::Arc;

use resvg::usvg::fontdb;
use skrifa::{FontRef, MetadataProvider as _};

/// A TrueType font in memory. Cheap to clone. The default value has no glyphs.
#[derive(Clone, Default)]
pub struct Font {
    file: Arc<Vec<u8>>,
    /// The database in which the renderer looks up the font.
    pub(super) faces: Arc<fontdb::Database>,
}

impl Font {
    /// Loads a font from the bytes of a TrueType file.
    pub fn new(file: &[u8]) -> Self {
        let file = Arc::new(file.to_vec());
        let mut faces = fontdb::Database::new();
        faces.load_font_source(fontdb::Source::Binary(file.clone()));
        Self {
            file,
            faces: Arc::new(faces),
        }
    }

    /// Returns the first character of `text` for which this font has no glyph. Ignores line breaks.
    pub fn missing_char(&self, text: &str) -> Option<char> {
        let font = FontRef::new(&self.file).ok();
        let letters = font.as_ref().map(|font| font.charmap());
        let shows = |letter: char| {
            letters
                .as_ref()
                .and_then(|letters| letters.map(letter))
                .is_some_and(|glyph| glyph.to_u32() != 0)
        };
        text.chars()
            .find(|letter| *letter != '\n' && !shows(*letter))
    }
}

impl fmt::Debug for Font {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Font({} bytes)", self.file.len())
    }
}
