//! Cleans the names of files.

use super::{MAX_FILE_NAME, is_direction_control};

/// Cleans a file name for display. Removes everything up to the last slash or backslash, and
/// replaces control characters and deceptive characters with `_`.
pub fn clean_file_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let hidden = |letter: char| {
        letter.is_control()
            || is_direction_control(letter)
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{feff}')
    };
    let name: String = last
        .chars()
        .map(|letter| if hidden(letter) { '_' } else { letter })
        .take(MAX_FILE_NAME)
        .collect();
    let name = name.trim().to_owned();
    if name.is_empty() || name == "." || name == ".." {
        "file".into()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_file_name_removes_folders_and_replaces_control_characters() {
        assert_eq!(clean_file_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_file_name("C:\\shots\\a.png"), "a.png");
        assert_eq!(clean_file_name("a\nb\u{202e}gnp.exe"), "a_b_gnp.exe");
        assert_eq!(clean_file_name(".."), "file");
        assert_eq!(clean_file_name("日本 🎉.webm"), "日本 🎉.webm");
    }
}
