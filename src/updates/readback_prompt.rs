//! The question that recipients answer with a readback.

/// The question if the author does not write one.
pub const DEFAULT_PROMPT: &str = "What will you do, and by when?";
