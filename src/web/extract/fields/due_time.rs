//! The due time of an update.

use serde_json::Value;

use super::Fields;
use crate::infra::db::{TextEnum, text_enum};
use crate::working_hours::{Due, MAX_DUE_DAYS};

text_enum! {
    /// Which field of a form holds the due time.
    enum When {
        /// No field, because there is no due time.
        None = "none",
        /// The field `due_days`.
        Days = "days",
        /// The field `due`.
        Time = "time",
    }
}

impl Fields {
    /// Reads a due time: a timestamp, `{"working_days":n}`, or null. A form also sends `when`: `days` selects the field
    /// `due_days`, `time` selects the timestamp, and `none` means that there is no due time.
    pub(crate) fn due(&mut self, name: &str, zone: &str) -> Option<Option<Due>> {
        let when = if self.from_form {
            self.choice("when", When::ALL)
        } else {
            None
        };
        let days = if self.from_form {
            self.number("due_days")
        } else {
            None
        };
        if self
            .values
            .get(name)
            .is_some_and(|values| values.iter().any(Value::is_object))
        {
            let rule = self.take_one(name)?;
            let days = rule
                .as_object()
                .filter(|rule| rule.len() == 1)
                .and_then(|rule| rule.get("working_days"))
                .and_then(Value::as_i64);
            let example = " For example: {\"working_days\":1}.";
            return Some(Some(self.working_days(name, days, example)?));
        }
        let moment = self.moment(name, zone);
        match when {
            Some(When::None) => Some(None),
            Some(When::Days) => Some(Some(self.working_days("due_days", days, "")?)),
            Some(When::Time) | None => moment.map(|moment| moment.map(Due::At)),
        }
    }

    fn working_days(&mut self, name: &str, days: Option<i64>, example: &str) -> Option<Due> {
        match days {
            Some(days @ 1..=MAX_DUE_DAYS) => Some(Due::Days(days)),
            _ => {
                self.add_error(
                    name,
                    format!("must be a number of working days from 1 to {MAX_DUE_DAYS}.{example}"),
                );
                None
            }
        }
    }
}
