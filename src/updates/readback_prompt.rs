//! The question that recipients answer with a readback.

/// The default question, for updates whose author does not write one.
pub const DEFAULT_PROMPT: &str = "What will you do, and by when?";

/// Maximum length of a readback prompt, in characters.
pub const MAX_PROMPT: usize = 200;
