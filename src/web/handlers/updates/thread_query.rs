//! The query parameters that select which threads the page of an update shows.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::updates::Cursor;
use crate::web::extract::list_query::INVALID_CURSOR;
use crate::web::presenters::ThreadRange;

/// The threads that a page shows: the newest ones, unless one of the fields is set.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ThreadQuery {
    /// Show the threads before this cursor.
    #[serde(default)]
    before: String,
    /// Show the threads after this cursor.
    #[serde(default)]
    after: String,
    /// Show the threads around the comment with this id.
    #[serde(default)]
    comment: String,
}

impl ThreadQuery {
    /// Returns the threads to show. Fails if a cursor is invalid.
    pub(crate) fn range(self) -> Result<ThreadRange> {
        let cursor = |name: &str, text: &str| {
            Cursor::decode(text).ok_or_else(|| Error::invalid(name, INVALID_CURSOR))
        };
        Ok(if !self.before.is_empty() {
            ThreadRange::Before(cursor("before", &self.before)?)
        } else if !self.after.is_empty() {
            ThreadRange::page_after(cursor("after", &self.after)?)
        } else if !self.comment.is_empty() {
            ThreadRange::Around(self.comment)
        } else {
            ThreadRange::Newest
        })
    }
}
