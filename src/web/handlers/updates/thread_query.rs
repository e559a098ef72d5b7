//! The query parameters that select which threads the page of an update shows, and which form or menu is open.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::updates::Cursor;
use crate::web::extract::list_query::INVALID_CURSOR;
use crate::web::pages::Asked;
use crate::web::presenters::ThreadRange;

/// The threads that a page shows: the newest ones, unless one of the fields is set.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ThreadQuery {
    /// Show the threads before this cursor.
    before: String,
    /// Show the threads after this cursor.
    after: String,
    /// Show the threads around the comment with this id.
    comment: String,
    /// Show the reply form of the thread with this id.
    reply: String,
    /// Show the form that edits the comment with this id.
    edit: String,
    /// Show the menu of reactions to the update or comment with this id.
    react: String,
    /// Show the menu of the viewer's own comment with this id.
    more: String,
    /// `threads`: respond only with the threads. `thread`: only with the thread of `comment`. Scripts send this.
    part: String,
    /// `all`: with all replies of that thread.
    replies: String,
}

impl ThreadQuery {
    /// Whether to respond only with the threads rather than with the whole page.
    pub(crate) fn is_part(&self) -> bool {
        !self.part.is_empty()
    }

    /// Returns the threads to show, and what to show open. Fails if a cursor is invalid.
    pub(crate) fn parse(self) -> Result<(ThreadRange, Asked)> {
        let range = self.range()?;
        let asked = Asked {
            reply: self.reply,
            edit: self.edit,
            react: self.react,
            more: self.more,
        };
        Ok((range, asked))
    }

    fn range(&self) -> Result<ThreadRange> {
        let cursor = |name: &str, text: &str| {
            Cursor::decode(text).ok_or_else(|| Error::invalid(name, INVALID_CURSOR))
        };
        let around = [
            &self.comment,
            &self.reply,
            &self.edit,
            &self.react,
            &self.more,
        ];
        let around = around.into_iter().find(|id| !id.is_empty());
        Ok(if self.part == "thread" {
            ThreadRange::Only {
                comment: self.comment.clone(),
                whole: self.replies == "all",
            }
        } else if !self.before.is_empty() {
            ThreadRange::Before(cursor("before", &self.before)?)
        } else if !self.after.is_empty() {
            ThreadRange::After(cursor("after", &self.after)?)
        } else if let Some(id) = around {
            ThreadRange::Around(id.clone())
        } else {
            ThreadRange::Newest
        })
    }
}
