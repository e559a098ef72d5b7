//! The question that recipients answer with a readback.

/// The default question, for updates whose author does not write one.
pub const DEFAULT_PROMPT: &str = "What will you do, and by when?";
