//! Presenter for the marks of comments that an update's page does not show.

use std::collections::HashSet;

use super::comments::region_view;
use super::thread_page::ThreadPage;
use crate::clock::rfc3339;
use crate::comments::Mark;
use crate::infra::markdown;
use crate::text::truncate;
use crate::web::pages::MarkView;

/// Maximum number of characters of a comment that its mark shows.
const MAX_WORDS: usize = 60;

/// Presents the marks of the comments that are not on the page.
pub(crate) fn mark_views(marks: Vec<Mark>, shown: &ThreadPage) -> Vec<MarkView> {
    let replies = shown.threads.iter().flat_map(|thread| &thread.replies);
    let on_page: HashSet<&str> = shown
        .threads
        .iter()
        .chain(replies)
        .map(|comment| comment.id.as_str())
        .collect();
    marks
        .into_iter()
        .filter(|mark| !on_page.contains(mark.id.as_str()))
        .map(mark_view)
        .collect()
}

fn mark_view(mark: Mark) -> MarkView {
    let region = region_view(mark.region.as_deref());
    let text = markdown::plain_text(&mark.beginning);
    MarkView {
        id: mark.id,
        media: mark.media_id,
        at: mark.at_ms,
        until: mark.until_ms,
        region: region.map(|region| [region.x, region.y, region.w, region.h]),
        drawn: mark.drawn != 0,
        kind: mark.kind,
        author: mark.author_name,
        text: truncate(&text, MAX_WORDS).into_owned(),
        created: rfc3339(mark.created_at),
    }
}
