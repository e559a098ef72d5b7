//! Selects the threads of an update for one page or list.

use sqlx::AnyConnection;

use crate::comments::{self, ThreadStart, ThreadsFrom};
use crate::error::Result;
use crate::people::Viewer;
use crate::updates::Cursor;
use crate::web::schema::CommentView;

/// Maximum number of threads on the page of an update.
const PAGE_THREADS: usize = 30;
/// Number of comments after which the page of an update ends, even if it has fewer threads.
const PAGE_COMMENTS: i64 = 60;
/// Maximum number of replies that the page of an update shows in each thread: the newest ones.
const PAGE_REPLIES: i64 = 10;

/// The threads to present. Threads are in the order of their creation.
#[derive(Clone, Debug, Default)]
pub(crate) enum ThreadRange {
    /// At most this many threads after the cursor or, without a cursor, from the start, with all their replies.
    List(Option<Cursor>, usize),
    /// Every thread that begins with an open question.
    OpenQuestions,
    /// The threads of one page, starting just after the cursor.
    After(Cursor),
    /// The threads just before the cursor.
    Before(Cursor),
    /// The newest threads.
    #[default]
    Newest,
    /// The thread that contains the comment with this id, with all its replies, and the threads around it. If there is
    /// no such comment, the newest threads.
    Around(String),
    /// Only the thread that contains the comment with this id.
    Only {
        /// Id of any comment of the thread.
        comment: String,
        /// Whether to present all replies rather than the newest ones.
        whole: bool,
    },
}

/// The presented threads, with cursors for the threads before and after them.
#[derive(Debug)]
pub(crate) struct ThreadPage {
    pub(crate) threads: Vec<CommentView>,
    /// Cursor of the first presented thread, if there are earlier threads.
    pub(crate) earlier: Option<String>,
    /// Cursor of the last presented thread, if there are later threads.
    pub(crate) later: Option<String>,
}

impl ThreadPage {
    /// Whether there are comments that the page does not present.
    pub(crate) fn is_partial(&self) -> bool {
        self.earlier.is_some()
            || self.later.is_some()
            || self.threads.iter().any(|thread| thread.hidden_replies > 0)
    }
}

/// The threads in a range.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// The threads, in the order of their creation.
    pub(super) starts: Vec<ThreadStart>,
    pub(super) earlier: Option<String>,
    pub(super) later: Option<String>,
    /// Maximum number of replies to present in each thread.
    pub(super) max_replies: i64,
    /// Id of the thread of which all replies are presented.
    pub(super) whole: Option<String>,
    /// Number of comments on the update that were not removed. Set only for a page.
    pub(super) comments: i64,
}

impl Selection {
    /// Selects the threads in the range.
    pub(super) async fn load(
        connection: &mut AnyConnection,
        viewer: &Viewer,
        update_id: &str,
        range: &ThreadRange,
    ) -> Result<Self> {
        let mut source = Source {
            connection,
            viewer,
            update_id,
        };
        match range {
            ThreadRange::List(after, limit) => source.list(after.as_ref(), *limit).await,
            ThreadRange::OpenQuestions => source.open_questions().await,
            ThreadRange::Newest => source.newest().await,
            ThreadRange::Before(before) => {
                let older = source.starts(ThreadsFrom::Before(&before.id), true).await?;
                let newer = source.starts(ThreadsFrom::At(&before.id), false).await?;
                Ok(Self::page(older, newer))
            }
            ThreadRange::After(after) => {
                let newer = source.starts(ThreadsFrom::After(&after.id), true).await?;
                let older = source.starts(ThreadsFrom::UpTo(&after.id), false).await?;
                Ok(Self::page(older, newer))
            }
            ThreadRange::Around(id) => source.around(id).await,
            ThreadRange::Only { comment, whole } => source.only(comment, *whole).await,
        }
    }

    /// Returns a selection of one page: threads of both sides in turn, until the page is full.
    fn page(mut older: Side, mut newer: Side) -> Self {
        let (mut threads, mut shown) = (0, 0);
        while threads < PAGE_THREADS && (shown < PAGE_COMMENTS || threads == 0) {
            let side = if older.has_next() && (older.taken <= newer.taken || !newer.has_next()) {
                &mut older
            } else if newer.has_next() {
                &mut newer
            } else {
                break;
            };
            let replies = side.starts[side.taken].replies;
            shown += 1 + replies.min(PAGE_REPLIES);
            threads += 1;
            side.taken += 1;
        }
        let (earlier, later) = (older.has_more(), newer.has_more());
        let any = older.starts.first().or(newer.starts.first());
        let comments = any.map_or(0, |start| start.comments);
        older.starts.truncate(older.taken);
        newer.starts.truncate(newer.taken);
        let starts: Vec<_> = older.starts.into_iter().rev().chain(newer.starts).collect();
        Self {
            earlier: starts.first().filter(|_| earlier).map(cursor),
            later: starts.last().filter(|_| later).map(cursor),
            starts,
            max_replies: PAGE_REPLIES,
            whole: None,
            comments,
        }
    }
}

/// The threads on one side of a position, the nearest ones first.
#[derive(Default)]
struct Side {
    starts: Vec<ThreadStart>,
    /// Whether the page may present these threads. Otherwise, they only show that more threads exist.
    shown: bool,
    /// How many of them the page presents.
    taken: usize,
}

impl Side {
    fn has_next(&self) -> bool {
        self.shown && self.taken < self.starts.len()
    }

    fn has_more(&self) -> bool {
        self.taken < self.starts.len()
    }
}

/// Where the threads come from.
struct Source<'a> {
    connection: &'a mut AnyConnection,
    viewer: &'a Viewer,
    update_id: &'a str,
}

impl Source<'_> {
    /// Reads one thread more than a page has or, if the page does not present them, one thread.
    async fn starts(&mut self, from: ThreadsFrom<'_>, shown: bool) -> Result<Side> {
        let limit = if shown { PAGE_THREADS + 1 } else { 1 };
        Ok(Side {
            starts: self.read(from, limit).await?,
            shown,
            taken: 0,
        })
    }

    async fn read(&mut self, from: ThreadsFrom<'_>, limit: usize) -> Result<Vec<ThreadStart>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        comments::thread_starts(self.connection, self.viewer, self.update_id, from, limit).await
    }

    async fn list(&mut self, after: Option<&Cursor>, limit: usize) -> Result<Selection> {
        let after = after.map_or("", |after| after.id.as_str());
        let mut starts = self.read(ThreadsFrom::After(after), limit + 1).await?;
        let more = starts.len() > limit;
        starts.truncate(limit);
        Ok(Selection {
            later: starts.last().filter(|_| more).map(cursor),
            starts,
            max_replies: i64::MAX,
            ..Selection::default()
        })
    }

    async fn open_questions(&mut self) -> Result<Selection> {
        Ok(Selection {
            starts: self.read(ThreadsFrom::OpenQuestions, usize::MAX).await?,
            ..Selection::default()
        })
    }

    async fn newest(&mut self) -> Result<Selection> {
        let older = self.starts(ThreadsFrom::Newest, true).await?;
        Ok(Selection::page(older, Side::default()))
    }

    async fn around(&mut self, id: &str) -> Result<Selection> {
        let root = comments::root_of(self.connection, self.update_id, id).await?;
        let Some(root) = root else {
            return self.newest().await;
        };
        let older = self.starts(ThreadsFrom::UpTo(&root), true).await?;
        let newer = self.starts(ThreadsFrom::After(&root), true).await?;
        Ok(Selection {
            whole: Some(root),
            ..Selection::page(older, newer)
        })
    }

    async fn only(&mut self, comment: &str, whole: bool) -> Result<Selection> {
        let root = comments::root_of(self.connection, self.update_id, comment).await?;
        let root = root.unwrap_or_default();
        Ok(Selection {
            starts: self.read(ThreadsFrom::Only(&root), 1).await?,
            max_replies: if whole { i64::MAX } else { PAGE_REPLIES },
            ..Selection::default()
        })
    }
}

fn cursor(start: &ThreadStart) -> String {
    let cursor = Cursor {
        listed_at: start.created_at,
        id: start.id.clone(),
    };
    cursor.encode()
}
