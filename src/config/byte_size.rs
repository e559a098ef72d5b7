//! Sizes in bytes, with an optional unit.

/// Parses a size such as `4GiB`, `500MB` or `1048576`. Returns the number of bytes.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let invalid =
        || "is not a size. For example: `4GiB`, `500MiB` or a number of bytes.".to_owned();
    let digits =
        text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
    let unit: u64 = match text[digits.len()..].trim() {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return Err(invalid()),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|size| *size > 0)
        .ok_or_else(invalid)
}
