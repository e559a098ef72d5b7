//! The configuration file that `HEARBACK_CONFIG` names.

use std::collections::BTreeMap;

use super::SETTING_NAMES;
use crate::text;

/// Reads settings from a TOML file. Every key in the file must be the name of a setting.
pub(super) fn read(path: &str) -> Result<BTreeMap<String, String>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("HEARBACK_CONFIG: {path} cannot be read: {error}."))?;
    let table: toml::Table = text
        .parse()
        .map_err(|error| format!("HEARBACK_CONFIG: {path} is not valid TOML: {error}"))?;
    table
        .into_iter()
        .map(|(name, value)| {
            if !SETTING_NAMES.contains(&name.as_str()) {
                return Err(format!(
                    "HEARBACK_CONFIG: {path} contains {name}, which is not a setting. The settings are {}.",
                    text::join_list(&SETTING_NAMES, "and")
                ));
            }
            Ok((
                name,
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            ))
        })
        .collect()
}
