//! Presenters convert domain values to the types of the API schema. They include only what the viewer may see. The
//! number of SQL queries does not depend on how many comments or files there are.

mod access;
mod answer_counts;
mod comments;
mod due;
mod inbox;
mod links;
mod marks;
pub(crate) mod me;
mod media;
pub(crate) mod people;
mod reactions;
mod receipts;
mod search_hits;
pub(crate) mod sessions;
mod thread_page;
mod update_list;
mod updates;
pub(crate) mod workspace;

pub(crate) use access::access_views;
pub(crate) use comments::{
    UpdateMaterial, comment_url, mark_new, number_media, one_comment, thread_page, threads_of_page,
    version_view,
};
pub(crate) use inbox::{counts_view, inbox_view};
pub(crate) use links::{link_view, listed_link_view};
pub(crate) use marks::mark_views;
pub(crate) use media::{attach_markup, media_view};
pub(crate) use receipts::{
    changes_view, exchange_view, guest_view, receipt_view, receipt_views, revision_view,
};
pub(crate) use search_hits::found_row_views;
pub(crate) use thread_page::{ThreadPage, ThreadRange};
pub(crate) use update_list::row_views;
pub(crate) use updates::{UpdateParts, group_views, present_update, update_view};

use crate::clock::{Millis, rfc3339};
use crate::people::Viewer;

/// Formats an optional time as RFC 3339.
pub(crate) fn format_time(at: Option<Millis>) -> Option<String> {
    at.map(rfc3339)
}

fn is_author(viewer: &Viewer, author_id: &str) -> bool {
    viewer.person().is_ok_and(|person| person.id == author_id)
}
