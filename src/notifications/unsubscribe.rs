//! Tokens that end a person's mail.

use crate::error::{Error, Result};
use crate::signing;

/// The token in the links of a person's mail. It does not expire, because people keep mail for years.
pub fn token(key: &str, person_id: &str) -> String {
    format!(
        "{person_id}.{}",
        signing::sign(key, &format!("unsubscribe {person_id}"))
    )
}

/// The person of a token. Fails if the token is not ours.
pub fn person_id_of<'a>(key: &str, token: &'a str) -> Result<&'a str> {
    let (person_id, signature) = token.split_once('.').ok_or(Error::NotFound)?;
    if signing::verify(key, &format!("unsubscribe {person_id}"), signature) {
        Ok(person_id)
    } else {
        Err(Error::NotFound)
    }
}
