//! Reads settings one by one and collects all errors.

use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) struct SettingsReader {
    values: BTreeMap<String, String>,
    errors: String,
}

impl SettingsReader {
    /// Creates a reader for a map of variable names to values. Empty values count as unset.
    pub(super) fn new(mut values: BTreeMap<String, String>) -> Self {
        values.retain(|_, value| !value.trim().is_empty());
        Self {
            values,
            errors: String::new(),
        }
    }

    /// Parses a setting. Returns `None` if it is unset or invalid.
    pub(super) fn optional<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.values.get(name)?.trim().to_owned();
        match parse(&value) {
            Ok(parsed) => Some(parsed),
            Err(message) => {
                // Leave the value out of the message, because a database URL can contain a
                // password.
                self.add_error(name, &message);
                None
            }
        }
    }

    /// Parses a setting. Returns the default if it is unset or invalid.
    pub(super) fn or_default<T>(
        &mut self,
        name: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        self.optional(name, parse).unwrap_or(default)
    }

    /// Whether the setting has a value, valid or not.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Adds a line to the errors. The message must not contain the value, because it can be secret.
    pub(super) fn add_error(&mut self, name: &str, message: &str) {
        let _ = writeln!(self.errors, "{name}: {message}");
    }

    /// Returns the settings, or the errors if there are any.
    pub(super) fn finish<T>(self, settings: T) -> Result<T, String> {
        if self.errors.is_empty() {
            Ok(settings)
        } else {
            Err(self.errors.trim_end().to_owned())
        }
    }
}
