//! Checks the text of shapes.

use crate::error::Result;
use crate::infra::images::Font;

/// Maximum length of a text, in characters.
const MAX_TEXT_LENGTH: usize = 500;

/// Checks the length and the characters of a text. Rejects characters that the bundled font lacks,
/// characters that change the direction of the text, and control characters other than line breaks.
/// Returns the text without trailing white space.
pub(super) fn check_text(text: &str, font: Option<&Font>) -> Result<String, String> {
    let text = text.replace("\r\n", "\n").trim_end().to_owned();
    let length = text.chars().count();
    if length == 0 {
        return Err("is empty. Write at least one character, or leave the shape out.".into());
    }
    if length > MAX_TEXT_LENGTH {
        return Err(format!(
            "is {length} characters long; the maximum is {MAX_TEXT_LENGTH}. Shorten it."
        ));
    }
    let code_point = |c: char| format!("U+{:04X}", c as u32);
    if let Some(control) = text
        .chars()
        .find(|letter| letter.is_control() && *letter != '\n')
    {
        return Err(format!(
            "contains the control character {}. Line breaks are the only control characters allowed.",
            code_point(control)
        ));
    }
    if let Some(bidi) = text
        .chars()
        .find(|letter| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    {
        return Err(format!(
            "contains the character {}, which changes the direction of the text after it. Leave it out.",
            code_point(bidi)
        ));
    }
    let Some(font) = font else { return Ok(text) };
    match font.missing_char(&text) {
        Some(missing) => Err(format!(
            "contains the character “{missing}” ({}), which is missing from the font for markup. Leave it out.",
            code_point(missing)
        )),
        None => Ok(text),
    }
}
