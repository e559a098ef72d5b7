//! Names of groups: parses names, and reports names that are invalid, reserved or taken.

use crate::error::Error;
use crate::infra::db;

/// Maximum length of a group's name, in characters.
const MAX_NAME: usize = 40;

/// Parses a group name: 1 to 40 characters, each of them a–z, 0–9 or a hyphen. Removes a leading
/// `@`.
pub fn parse_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let name = name.strip_prefix('@').unwrap_or(name);
    if name == "everyone" {
        return Err(
            "is reserved, because “everyone” stands for all accounts. Choose another name, \
             such as all-engineers."
                .into(),
        );
    }
    if name.is_empty() {
        return Err("is empty. Use a name such as design-team.".into());
    }
    if !name
        .bytes()
        .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-')
    {
        return Err(
            "can contain only the lowercase letters a–z, digits and hyphens. For example: design-team."
                .into(),
        );
    }
    if name.len() > MAX_NAME {
        return Err(format!(
            "is {} characters long; the maximum is {MAX_NAME}. Shorten it.",
            name.len()
        ));
    }
    Ok(name.to_owned())
}

/// Converts a database error to an [`Error`]. A violation of the unique constraint becomes an error
/// that says that the name is taken.
pub(super) fn name_taken_or(error: sqlx::Error, name: &str) -> Error {
    if db::is_unique_violation(&error) {
        Error::invalid(
            "name",
            format!("is taken: a group called @{name} already exists. Choose another name."),
        )
    } else {
        error.into()
    }
}
