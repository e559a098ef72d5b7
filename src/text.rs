//! Limits and normalization of user-entered text.

mod email_address;
mod file_name;
mod length_limits;

use std::borrow::Cow;
use std::fmt::Display;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

pub use email_address::{email_key, parse_email};
pub use file_name::clean_file_name;
pub use length_limits::{
    MAX_COMMENT, MAX_FILE_NAME, MAX_NAME, MAX_NOTES, MAX_OTHERWISE, MAX_TITLE,
};

/// Error message for a text that contains U+0000.
pub const NUL_ERROR: &str =
    "contains the character U+0000, which is not allowed in text. Leave it out.";

/// Whether a character is invisible when it stands alone, such as white space, a joiner, a direction mark or a filler.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}')
}

/// Returns the text or, if it is longer than `max` characters, its first `max` characters and an ellipsis.
pub fn truncate(text: &str, max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()).into(),
        None => text.into(),
    }
}

/// Formats a count with its noun or verb: `1 person`, `3 people`.
pub fn plural<N: Copy + Display + From<u8> + PartialEq>(count: N, one: &str, more: &str) -> String {
    format!("{count} {}", plural_form(count, one, more))
}

/// Returns the word that fits the count.
pub fn plural_form<'a, N: From<u8> + PartialEq>(count: N, one: &'a str, more: &'a str) -> &'a str {
    if count == N::from(1) { one } else { more }
}

/// Joins names as `Bob, Cleo and 3 others`. `total` is the number of people, which can be larger
/// than the number of names.
pub fn join_names(names: &[String], total: usize) -> String {
    let others = match total.saturating_sub(names.len()) {
        0 => None,
        count => Some(plural(count, "other", "others")),
    };
    let all: Vec<&str> = names.iter().chain(&others).map(String::as_str).collect();
    join_list(&all, "and")
}

/// Joins items as `Ada, Bob or Cyd`, with a conjunction such as `and` or `or` before the last item.
pub fn join_list<T: AsRef<str>>(items: &[T], conjunction: &str) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, first)) => format!("{} {conjunction} {last}", first.join(", ")),
    }
}

/// Trims a text, checks its length and rejects U+0000. A text without visible characters becomes
/// empty. The error says what is wrong and how to correct it.
pub fn clean_text(text: &str, max: usize) -> Result<String, String> {
    let text = text.trim();
    if text.contains('\0') {
        return Err(NUL_ERROR.into());
    }
    if text.chars().all(is_blank) {
        return Ok(String::new());
    }
    check_length(text, max).map(str::to_owned)
}

/// Returns the text if it is at most `max` characters long.
fn check_length(text: &str, max: usize) -> Result<&str, String> {
    let length = text.chars().count();
    if length > max {
        return Err(format!(
            "is {length} characters long; the maximum is {max}. Shorten it."
        ));
    }
    Ok(text)
}

/// Like [`clean_text`], but for Markdown: keeps the indentation of the first line if it makes the line a code block.
pub fn clean_markdown(text: &str, max: usize) -> Result<String, String> {
    let cleaned = clean_text(text, max)?;
    let text = text.trim_end();
    // The text may begin with blank lines. Find the start of the first line that is not blank.
    let first_line = text.len() - text.trim_start().len();
    let line_start = text[..first_line]
        .rfind(['\n', '\r'])
        .map_or(0, |end| end + 1);
    let indentation = &text[line_start..first_line];
    let is_code =
        indentation.starts_with("    ") || indentation.trim_start_matches(' ').starts_with('\t');
    if cleaned.is_empty() || !is_code {
        return Ok(cleaned);
    }
    check_length(&text[line_start..], max).map(str::to_owned)
}

/// Whether a character controls the direction of the text after it (an embedding, an override or an
/// isolate). In a title or a name, this character also reorders the surrounding text.
fn is_direction_control(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Cleans a required single-line text. Line breaks and other control characters become spaces, and direction controls
/// are removed. Fails if the result is empty.
pub fn clean_line(given: &str, max: usize) -> Result<String, String> {
    let line = clean_text(given, max)?
        .replace(is_direction_control, "")
        .replace(|letter: char| letter.is_control(), " ")
        .trim()
        .to_owned();
    if line.is_empty() {
        Err("is empty. Write at least one character.".into())
    } else {
        Ok(line)
    }
}

/// Decodes UTF-8, or Latin-1 if the bytes are not valid UTF-8.
pub fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// Converts a text for comparisons that ignore case, accents and compatibility variants such as ligatures.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn join_names_appends_the_number_of_other_people() {
        let names = ["Ada", "Bob", "Cyd"].map(str::to_owned);
        for (shown, total, expected) in [
            (0, 0, ""),
            (1, 1, "Ada"),
            (2, 2, "Ada and Bob"),
            (3, 3, "Ada, Bob and Cyd"),
            (3, 4, "Ada, Bob, Cyd and 1 other"),
            (3, 12, "Ada, Bob, Cyd and 9 others"),
        ] {
            assert_eq!(join_names(&names[..shown], total), expected);
        }
    }

    #[test]
    fn join_list_puts_the_conjunction_before_the_last_item() {
        assert_eq!(join_list(&["Ada"], "or"), "Ada");
        assert_eq!(join_list(&["Ada", "Bob"], "or"), "Ada or Bob");
        assert_eq!(join_list(&["Ada", "Bob", "Cyd"], "or"), "Ada, Bob or Cyd");
    }

    #[test]
    fn clean_markdown_keeps_the_indentation_of_the_first_line_only_if_it_is_code() {
        for (text, expected) in [
            ("    let a;\n\n  b  \n", "    let a;\n\n  b"),
            ("\r\n \n\tlet a;", "\tlet a;"),
            ("  \tlet a;", "  \tlet a;"),
            ("\n   a\n    b", "a\n    b"),
            ("\u{3000}a", "a"),
            ("     \n", ""),
        ] {
            assert_eq!(clean_markdown(text, 20).unwrap(), expected, "{text:?}");
        }
        assert!(clean_markdown("    1234", 7).is_err());
    }

    #[test]
    fn clean_line_removes_direction_controls_but_keeps_direction_marks() {
        assert_eq!(
            clean_line("a\u{202e}b\u{2066}c\u{2069}\u{200f}\nd", 20).unwrap(),
            "abc\u{200f} d"
        );
        assert!(clean_line("\u{202e}\u{2069}", 20).is_err());
    }

    #[test]
    fn fold_makes_text_lowercase_and_removes_accents() {
        assert_eq!(fold("ÉCOLE ﬁn"), "ecole fin");
    }
}
