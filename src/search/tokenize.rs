//! Splits texts and queries into words.

use crate::text::fold;

/// Maximum length of a word in characters. The rest of a longer word is ignored.
const MAX_WORD: usize = 64;

/// Returns the case-folded words of a text, separated by single spaces.
pub(super) fn tokenize(text: &str) -> String {
    fold(text)
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.char_indices()
                .nth(MAX_WORD)
                .map_or(word, |(end, _)| &word[..end])
        })
        .collect::<Vec<_>>()
        .join(" ")
}
