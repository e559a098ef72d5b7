//! Selects the threads of an update for one page or list.

use std::collections::HashSet;

use crate::comments::{Comment, ThreadState};
use crate::updates::Cursor;
use crate::web::schema::CommentView;

/// Maximum number of threads on the page of an update.
const PAGE_THREADS: usize = 100;

/// The threads to present. Threads are in the order of their creation.
#[derive(Clone, Debug, Default)]
pub(crate) enum ThreadRange {
    /// Every thread.
    All,
    /// At most this many threads after the cursor or, without a cursor, from the start.
    After(Option<Cursor>, usize),
    /// The threads just before the cursor.
    Before(Cursor),
    /// The newest threads.
    #[default]
    Newest,
    /// The threads around the thread that contains the comment with this id. If there is no such comment, the newest
    /// threads.
    Around(String),
}

impl ThreadRange {
    /// Returns the range of one page of threads, starting just after the cursor.
    pub(crate) fn page_after(after: Cursor) -> Self {
        Self::After(Some(after), PAGE_THREADS)
    }
}

/// The presented threads, with cursors for the threads before and after them. The counts include
/// all threads that the viewer may see.
#[derive(Debug)]
pub(crate) struct ThreadPage {
    pub(crate) threads: Vec<CommentView>,
    /// Cursor of the first presented thread, if there are earlier threads.
    pub(crate) earlier: Option<String>,
    /// Cursor of the last presented thread, if there are later threads.
    pub(crate) later: Option<String>,
    /// Number of comments and replies, without removed ones.
    pub(crate) comments: usize,
    /// Number of unanswered questions.
    pub(crate) open_questions: usize,
}

/// The comments of the threads in a range.
pub(super) struct Selection<'a> {
    /// The comments and replies, in the order of their creation.
    pub(super) comments: Vec<&'a Comment>,
    pub(super) earlier: Option<String>,
    pub(super) later: Option<String>,
}

impl<'a> Selection<'a> {
    /// Selects the comments of the threads in the range. Omits threads whose first comment was
    /// removed and has no replies.
    pub(super) fn new(all: &'a [Comment], range: &ThreadRange) -> Self {
        let roots = visible_roots(all);
        let (start, end) = bounds(all, &roots, range);
        let shown: HashSet<&str> = roots[start..end]
            .iter()
            .map(|root| root.id.as_str())
            .collect();
        let cursor = |root: Option<&&Comment>| root.map(|root| cursor(root).encode());
        Self {
            comments: all
                .iter()
                .filter(|comment| shown.contains(comment.root_id()))
                .collect(),
            earlier: cursor(roots[start..end].first().filter(|_| start > 0)),
            later: cursor(roots[start..end].last().filter(|_| end < roots.len())),
        }
    }
}

/// Returns the number of comments that were not removed, and the number of unanswered questions.
pub(super) fn count(all: &[Comment]) -> (usize, usize) {
    let written = all
        .iter()
        .filter(|comment| comment.removed_at.is_none())
        .count();
    let open = all
        .iter()
        .filter(|comment| comment.parent_id.is_none() && comment.is_question())
        .filter(|question| question.state() == Some(ThreadState::Open))
        .count();
    (written, open)
}

/// Returns the first comment of each thread. Leaves out threads whose first comment was removed and
/// has no replies.
fn visible_roots(all: &[Comment]) -> Vec<&Comment> {
    let answered: HashSet<&str> = all
        .iter()
        .filter(|comment| comment.removed_at.is_none())
        .filter_map(|comment| comment.parent_id.as_deref())
        .collect();
    all.iter()
        .filter(|comment| comment.parent_id.is_none())
        .filter(|root| root.removed_at.is_none() || answered.contains(root.id.as_str()))
        .collect()
}

/// Returns the range as two indexes into `roots`: the index of its first thread, and the index after its last thread.
fn bounds(all: &[Comment], roots: &[&Comment], range: &ThreadRange) -> (usize, usize) {
    // Ids sort by time of creation, so a cursor stays valid even after its thread is removed.
    let position = |id: &str| roots.partition_point(|root| root.id.as_str() < id);
    let last = |end: usize| (end.saturating_sub(PAGE_THREADS), end);
    match range {
        ThreadRange::All => (0, roots.len()),
        ThreadRange::After(after, limit) => {
            let behind = |after: &Cursor| roots.partition_point(|root| root.id <= after.id);
            let start = after.as_ref().map_or(0, behind);
            (start, roots.len().min(start.saturating_add(*limit)))
        }
        ThreadRange::Before(before) => last(position(&before.id)),
        ThreadRange::Newest => last(roots.len()),
        ThreadRange::Around(id) => match all.iter().find(|comment| comment.id == *id) {
            Some(comment) => {
                let middle = position(comment.root_id()) + PAGE_THREADS / 2;
                last(middle.clamp(PAGE_THREADS.min(roots.len()), roots.len()))
            }
            None => last(roots.len()),
        },
    }
}

fn cursor(root: &Comment) -> Cursor {
    Cursor {
        listed_at: root.created_at,
        id: root.id.clone(),
    }
}
