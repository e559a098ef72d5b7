//! Lenient JSON parsing.

use serde_json::Value;

/// Parses JSON. Some programs write NaN, Infinity or 1e999 as numbers. This function replaces such numbers with a value
/// that every field rejects, so that the error names the field.
pub(crate) fn parse(text: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(text).or_else(|error| match std::str::from_utf8(text) {
        Ok(text) => serde_json::from_str(&replace_non_finite(text)).map_err(|_| error),
        Err(_) => Err(error),
    })
}

fn replace_non_finite(text: &str) -> String {
    let (mut made, mut word, mut quoted, mut escaped) =
        (String::new(), String::new(), false, false);
    for letter in text.chars().chain(std::iter::once(' ')) {
        if !quoted && (letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.')) {
            word.push(letter);
            continue;
        }
        let number = word.parse::<f64>();
        if number.is_ok_and(|number| !number.is_finite()) {
            word = format!(r#"{{"not a number":"{word}"}}"#);
        }
        made.push_str(&word);
        word.clear();
        made.push(letter);
        quoted ^= letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
    }
    made
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parsing_replaces_only_non_finite_numbers() {
        let text = br#"{"said":"NaN, \"1e999\" and \\","at":[1.5e3,-Infinity,1e999],"on":true,"none":null}"#;
        let read = parse(text).unwrap();
        assert_eq!(read["said"], r#"NaN, "1e999" and \"#);
        assert_eq!(
            read["at"],
            json!([1500.0, { "not a number": "-Infinity" }, { "not a number": "1e999" }])
        );
        assert_eq!((&read["on"], &read["none"]), (&json!(true), &Value::Null));
        assert!(parse(b"{\"at\":[oops]}").is_err());
        assert!(parse(b"{\"at\":\"\xff\"}").is_err());
    }
}
