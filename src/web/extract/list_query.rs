//! The query string of a list: `after`, `limit` and the filters of that list.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{HttpRequest, web};

use crate::error::{Error, FieldError, FieldErrors, Result};
use crate::text;
use crate::updates::Cursor;

/// The error message for an invalid cursor.
pub(crate) const INVALID_CURSOR: &str =
    "is not a valid cursor. Use `next` from the previous response, or leave the parameter out.";

/// The requested page of a list and its filters.
#[derive(Debug)]
pub(crate) struct ListQuery {
    /// Last row of the previous page; `None` for the first page.
    pub(crate) after: Option<Cursor>,
    /// Maximum number of rows on the page, 1 to 100.
    limit: u8,
    filters: BTreeMap<String, String>,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self {
            after: None,
            limit: 30,
            filters: BTreeMap::new(),
        }
    }
}

impl ListQuery {
    /// Parses the query string of a request. It may contain `after`, `limit` and the named filters, each at most once.
    pub(crate) fn read(req: &HttpRequest, filters: &[&str]) -> Result<Self> {
        Self::parse(req.query_string(), filters)
    }

    fn parse(query: &str, filters: &[&str]) -> Result<Self> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|error| Error::invalid("query", FieldError::sentence(error.to_string())))?;
        let mut list = Self::default();
        let mut errors = FieldErrors::new();
        let mut seen = BTreeSet::new();
        for (name, value) in pairs.into_inner() {
            if let Err(message) = list.set(&name, &value, filters) {
                errors.insert(name.clone(), message.into());
            }
            if !seen.insert(name.clone()) {
                errors.insert(name, "is given more than once. Send it once.".into());
            }
        }
        if errors.is_empty() {
            Ok(list)
        } else {
            Err(Error::Invalid(errors))
        }
    }

    fn set(&mut self, name: &str, value: &str, filters: &[&str]) -> Result<(), String> {
        if value.contains('\0') {
            return Err(text::NUL_ERROR.to_owned());
        }
        match name {
            "after" if value.is_empty() => {}
            "after" => {
                self.after = Some(Cursor::decode(value).ok_or(INVALID_CURSOR)?);
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=100).contains(limit));
                self.limit =
                    limit.ok_or("must be a whole number from 1 to 100. The default is 30.")?;
            }
            filter if filters.contains(&filter) => {
                self.filters.insert(name.to_owned(), value.to_owned());
            }
            _ => {
                let known = text::join_list(&[filters, &["after", "limit"]].concat(), "and");
                return Err(format!("is an unknown parameter. Use only {known}."));
            }
        }
        Ok(())
    }

    /// Removes a filter and returns its value, or an empty string if it is absent.
    pub(crate) fn take_filter(&mut self, name: &str) -> String {
        self.filters.remove(name).unwrap_or_default()
    }

    /// Returns the number of rows to show.
    pub(crate) fn page_size(&self) -> usize {
        self.limit.into()
    }

    /// Returns the number of rows to read: one more than the page shows, to detect whether there is a next page.
    pub(crate) fn query_limit(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Truncates the rows to one page and returns the cursor of the next page, if there is one.
    pub(crate) fn split_page<T>(
        &self,
        found: &mut Vec<T>,
        cursor: impl Fn(&T) -> Cursor,
    ) -> Option<String> {
        let more = found.len() > self.page_size();
        found.truncate(self.page_size());
        found
            .last()
            .filter(|_| more)
            .map(|row| cursor(row).encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(query: &str) -> BTreeMap<String, String> {
        let Err(Error::Invalid(errors)) = ListQuery::parse(query, &["q"]) else {
            panic!("{query} is valid")
        };
        errors
            .into_iter()
            .map(|(name, error)| (name, error.to_string()))
            .collect()
    }

    #[test]
    fn list_query_uses_defaults_and_accepts_the_allowed_filters() {
        let mut query = ListQuery::parse("after=&q=a%20b", &["q", "kind"]).unwrap();
        assert_eq!(
            (query.page_size(), query.query_limit(), &query.after),
            (30, 31, &None)
        );
        assert_eq!(
            (query.take_filter("q"), query.take_filter("kind")),
            ("a b".to_owned(), String::new())
        );
    }

    #[test]
    fn list_query_errors_name_all_invalid_parameters_and_the_allowed_values() {
        let message = errors("after=rubbish&limit=0&colour=red&q=%00");
        assert_eq!(
            message.keys().collect::<Vec<_>>(),
            ["after", "colour", "limit", "q"]
        );
        assert_eq!(
            message["colour"],
            "is an unknown parameter. Use only q, after and limit."
        );
        for query in [
            "limit=",
            "limit=0",
            "limit=101",
            "limit=300",
            "limit=-1",
            "limit=x",
        ] {
            assert_eq!(
                errors(query)["limit"],
                "must be a whole number from 1 to 100. The default is 30.",
                "{query}"
            );
        }
        assert_eq!(
            errors("q=a&q=b")["q"],
            "is given more than once. Send it once."
        );
    }

    #[test]
    fn split_page_returns_a_cursor_only_if_there_are_more_rows() {
        let query = ListQuery::parse("limit=2", &[]).unwrap();
        let cursor = |id: &&str| Cursor {
            listed_at: 1,
            id: (*id).to_owned(),
        };
        let (mut more, mut last) = (vec!["c", "b", "a"], vec!["c", "b"]);
        assert_eq!(
            query.split_page(&mut more, cursor),
            Some(cursor(&"b").encode())
        );
        assert_eq!(query.split_page(&mut last, cursor), None);
        assert_eq!((more, last), (vec!["c", "b"], vec!["c", "b"]));
    }
}
