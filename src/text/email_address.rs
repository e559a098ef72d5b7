//! Email addresses: validation, and the key by which two addresses are the same.

use unicode_normalization::UnicodeNormalization;

use super::clean_text;
use crate::error::FieldError;

/// Parses an email address: a local part, one `@` and a domain, without spaces. Rejects quoted local parts and
/// comments, although RFC 5322 allows them.
pub fn parse_email(given: &str) -> Result<String, FieldError> {
    let address = clean_text(given, 254)?;
    let wrong = || {
        FieldError::sentence(format!(
            "{address:?} is not an e-mail address. For example: ana@example.org."
        ))
    };
    let (local, domain) = address.rsplit_once('@').ok_or_else(wrong)?;
    let odd = |letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || matches!(letter, '@' | ',' | ';' | '<' | '>' | '"' | '(' | ')')
    };
    if local.is_empty()
        || domain.is_empty()
        || domain.starts_with('.')
        || domain.ends_with('.')
        || address.matches(odd).count() != 1
    {
        return Err(wrong());
    }
    Ok(address)
}

/// Returns the key that identifies an email address. Addresses that differ only in case have the
/// same key.
pub fn email_key(address: &str) -> String {
    address.nfkc().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_email_requires_one_at_sign_and_rejects_spaces() {
        assert!(parse_email(" ana@example.org ").is_ok());
        for wrong in ["ana", "@x", "a@", "a b@x", "a@b@c", "a@x,b@y", "a\0@x"] {
            assert!(parse_email(wrong).is_err(), "{wrong}");
        }
    }
}
