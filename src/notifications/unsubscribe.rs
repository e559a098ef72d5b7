//! Signed tokens for the unsubscribe links in emails.

use crate::error::{Error, Result};
use crate::signing;

/// Returns the unsubscribe token for a person. The token does not expire, because people keep
/// emails for years.
pub fn token(key: &str, person_id: &str) -> String {
    format!(
        "{person_id}.{}",
        signing::sign(key, &format!("unsubscribe {person_id}"))
    )
}

/// Returns the person id in a token, or [`Error::NotFound`] if its signature is invalid.
pub fn person_id_of<'a>(key: &str, token: &'a str) -> Result<&'a str> {
    let (person_id, signature) = token.split_once('.').ok_or(Error::NotFound)?;
    if signing::verify(key, &format!("unsubscribe {person_id}"), signature) {
        Ok(person_id)
    } else {
        Err(Error::NotFound)
    }
}
