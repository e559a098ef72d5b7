//! Reads fields that contain text, a choice, a number, a list or JSON.

use serde_json::Value;

use super::Fields;
use super::body::MAX_BODY;
use crate::error::{FieldError, Result};
use crate::infra::db::TextEnum;
use crate::text;
use crate::web::extract::json::parse;

/// Splits the text of a list, such as addresses that somebody typed, at commas, semicolons and line breaks.
pub(crate) fn split_list(text: &str) -> impl Iterator<Item = String> {
    text.split([',', '\n', ';'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
}

impl Fields {
    /// Reads a string. Returns `None` if the field is absent or invalid, and `Some(None)` if it is
    /// null or empty.
    pub(crate) fn text(&mut self, name: &str, max: usize) -> Option<Option<String>> {
        self.cleaned(name, |text| text::clean_text(text, max))
    }

    /// Same as [`Fields::text`], for Markdown.
    pub(crate) fn markdown(&mut self, name: &str, max: usize) -> Option<Option<String>> {
        self.cleaned(name, |text| text::clean_markdown(text, max))
    }

    fn cleaned(
        &mut self,
        name: &str,
        clean: impl FnOnce(&str) -> Result<String, String>,
    ) -> Option<Option<String>> {
        match self.take_one(name)? {
            Value::Null => Some(None),
            Value::String(text) => match clean(&text) {
                Ok(text) => Some(Some(text).filter(|text| !text.is_empty())),
                Err(message) => {
                    self.add_error(name, message);
                    None
                }
            },
            _ => {
                self.add_error(name, "must be a string.");
                None
            }
        }
    }

    /// Reads a required single-line string.
    pub(crate) fn line(&mut self, name: &str, max: usize) -> String {
        self.required(name, |text| text::clean_line(text, max))
    }

    /// Reads a required string and converts it with `parse`.
    pub(crate) fn required<E: Into<FieldError>>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<String, E>,
    ) -> String {
        match self.take_one(name) {
            Some(Value::String(text)) => parse(&text).unwrap_or_else(|message| {
                self.add_error(name, message);
                String::new()
            }),
            Some(Value::Null) | None => {
                self.add_error(name, "is missing.");
                String::new()
            }
            Some(_) => {
                self.add_error(name, "must be a string.");
                String::new()
            }
        }
    }

    /// Reads an optional string and converts it with `parse`.
    pub(crate) fn optional<T, E: Into<FieldError>>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name, MAX_BODY)??;
        parse(&text)
            .map_err(|message| self.add_error(name, message))
            .ok()
    }

    /// Same as [`Fields::optional`], for a value that cannot be cleared: null and an empty string
    /// are errors.
    pub(crate) fn replacement<T, E: Into<FieldError>>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let Some(text) = self.text(name, MAX_BODY)? else {
            self.add_error(
                name,
                "is empty. Leave the field out to keep the current value.",
            );
            return None;
        };
        parse(&text)
            .map_err(|message| self.add_error(name, message))
            .ok()
    }

    /// Reads a secret without trimming it.
    pub(crate) fn secret(&mut self, name: &str) -> String {
        match self.take_one(name) {
            Some(Value::String(text)) => text,
            _ => {
                self.add_error(name, "is missing.");
                String::new()
            }
        }
    }

    /// Reads an enum value. Accepts only the values in `known`.
    pub(crate) fn choice<T: TextEnum>(&mut self, name: &str, known: &[T]) -> Option<T> {
        let text = self.text(name, 1000)??;
        let found = known.iter().find(|word| word.as_str() == text).copied();
        if found.is_none() {
            let known: Vec<&str> = known.iter().map(|word| word.as_str()).collect();
            self.add_error(
                name,
                format!("is {text:?}. Must be one of: {}.", known.join(", ")),
            );
        }
        found
    }

    /// Reads an integer. Returns `None` if the field is absent, null, empty or invalid.
    pub(crate) fn number(&mut self, name: &str) -> Option<i64> {
        let value = self.take_one(name)?;
        let number = match &value {
            Value::Null => return None,
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_i64(),
        };
        if number.is_none() {
            self.add_error(name, "must be a whole number.");
        }
        number
    }

    /// Reads a list of strings: a JSON list, a repeated field, or one string separated by commas, semicolons or
    /// line breaks. Returns `None` if the field is absent.
    pub(crate) fn list(&mut self, name: &str) -> Option<Vec<String>> {
        let mut list = Vec::new();
        for value in self.values.remove(name)? {
            let values = if let Value::Array(values) = value {
                values
            } else {
                vec![value]
            };
            for value in values {
                match value {
                    Value::String(text) => list.extend(split_list(&text)),
                    Value::Null => {}
                    _ => self.add_error(name, "must be a list of strings."),
                }
            }
        }
        if list.iter().any(|text| text.contains('\0')) {
            self.add_error(name, text::NUL_ERROR);
        }
        Some(list)
    }

    /// Reads a JSON value. Parses a string as JSON, because a form can send only text.
    pub(crate) fn json(&mut self, name: &str) -> Option<Value> {
        match self.take_one(name)? {
            Value::Null => None,
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => parse(text.as_bytes())
                .map_err(|_| self.add_error(name, "must be valid JSON."))
                .ok(),
            other => Some(other),
        }
    }

    /// Returns the value as sent, except that an empty string in a form becomes null.
    pub(crate) fn raw(&mut self, name: &str) -> Option<Value> {
        let value = self.take_one(name)?;
        Some(
            if self.from_form && value.as_str().is_some_and(|text| text.trim().is_empty()) {
                Value::Null
            } else {
                value
            },
        )
    }
}
