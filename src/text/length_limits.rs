//! Maximum lengths of the texts that people enter, in characters.

/// Maximum length of the name of a person, guest, link or token, in characters.
pub const MAX_NAME: usize = 100;
/// Maximum length of a title, in characters.
pub const MAX_TITLE: usize = 200;
/// Maximum length of notes, in characters.
pub const MAX_NOTES: usize = 50_000;
/// Maximum length of a comment, in characters.
pub const MAX_COMMENT: usize = 10_000;
/// Maximum length, in characters, of the text that says what happens if no answer arrives.
pub const MAX_OTHERWISE: usize = 500;
/// Maximum length of a file name, in characters; longer names are cut.
pub const MAX_FILE_NAME: usize = 255;
