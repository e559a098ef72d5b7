//! Reads booleans and checkboxes, in JSON and in the forms that browsers send.

use serde_json::Value;

use super::Fields;

impl Fields {
    /// Reads a boolean. `true`, `on` and `1` mean true; `false`, `0` and an empty string mean false.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.take_one(name)? {
            Value::Bool(flag) => Some(flag),
            Value::Null => None,
            Value::String(text) if matches!(text.as_str(), "true" | "on" | "1") => Some(true),
            Value::String(text) if matches!(text.as_str(), "false" | "0" | "") => Some(false),
            _ => {
                self.add_error(name, "must be true or false.");
                None
            }
        }
    }

    /// Reads a checkbox. Browsers send nothing for an unchecked checkbox, so the form also contains
    /// a hidden field with the same name and the value `false`.
    pub(crate) fn checkbox(&mut self, name: &str) -> Option<bool> {
        if let Some(values) = self
            .values
            .get_mut(name)
            .filter(|values| self.from_form && values.len() == 2)
            && let Some(unticked) = values.iter().position(|value| *value == "false")
        {
            values.remove(unticked);
        }
        self.flag(name)
    }
}
