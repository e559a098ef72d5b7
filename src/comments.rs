//! Comments: threads, anchors, questions, mentions, reactions.

mod accepted_answers;
mod anchors;
mod editing;
mod history;
mod marks;
mod mentions;
mod notifications;
mod posting;
mod questions;
mod reactions;
mod removal;
mod resolution;
mod threads;

use sqlx::{AnyConnection, FromRow};

pub use accepted_answers::accept;
pub use anchors::Anchor;
pub use editing::{EMPTY_BODY, edit};
pub use history::{Version, history, versions_of};
pub use marks::{Mark, marks};
pub use mentions::mention_ranges;
pub use posting::{MAX_PICTURES, NewComment, add};
pub use reactions::{Reaction, ReactionTarget, react, reactions_to, unreact};
pub use removal::remove;
pub use resolution::resolve;
pub use threads::{ThreadStart, ThreadsFrom, count_visible, of_threads, root_of, thread_starts};

use crate::clock::Millis;
use crate::error::Result;
use crate::infra::db::text_enum;
pub use crate::markup::Region;
use crate::people::Viewer;
use crate::updates::{self, Update};

/// The error message for any action on a comment that was removed.
const REMOVED: &str = "This comment has been removed.";

text_enum! {
    /// Whether a comment is a remark or a question.
    pub enum CommentKind {
        /// A remark.
        Comment = "comment",
        /// A question.
        Question = "question",
    }
}

text_enum! {
    /// The state of a thread.
    pub enum ThreadState {
        /// Nobody has answered the question.
        Open = "open",
        /// Someone other than the asker has replied to the question.
        Answered = "answered",
        /// The asker has accepted an answer.
        Accepted = "accepted",
        /// The thread has been resolved.
        Resolved = "resolved",
    }
}

/// A stored comment with the name of its writer. A guest's comment also has the name of the share link that the guest
/// used.
#[derive(Clone, Debug, FromRow)]
pub struct Comment {
    /// Unique id. Ids sort by creation time.
    pub id: String,
    /// Id of the update that the comment belongs to.
    pub update_id: String,
    /// Id of the first comment of the thread; `None` if this comment is the first one.
    pub parent_id: Option<String>,
    /// Id of the media that the comment's anchor points into.
    pub media_id: Option<String>,
    /// Id of the person who wrote the comment; `None` for a guest's comment.
    pub person_id: Option<String>,
    /// Id of the guest who wrote the comment; `None` for a person's comment.
    pub guest_id: Option<String>,
    /// Id of the share link through which a guest started the thread. Set only on the first
    /// comment.
    pub link_id: Option<String>,
    /// Name of the person or guest who wrote the comment; empty if unknown.
    pub author_name: String,
    /// Name of the share link that the guest used; `None` for a person's comment.
    pub link_name: Option<String>,
    /// Text in Markdown; empty if the comment was removed.
    pub body: String,
    /// Position in the video, in milliseconds from its start.
    pub at_ms: Option<Millis>,
    /// End of the time range that starts at `at_ms`, in milliseconds from the start of the video.
    pub until_ms: Option<Millis>,
    /// Point or region of the picture, or of the video frame at `at_ms`, as JSON.
    pub region: Option<String>,
    /// Shapes drawn on the picture, or on the video frame at `at_ms`, as JSON.
    pub drawing: Option<String>,
    /// Revision of the update at the time when the comment was written.
    pub revision: i64,
    /// When the comment was created.
    pub created_at: Millis,
    /// When the comment was last edited.
    pub edited_at: Option<Millis>,
    /// When the comment was removed.
    pub removed_at: Option<Millis>,
    /// When the thread was resolved.
    pub resolved_at: Option<Millis>,
    /// Whether the comment is a remark or a question.
    pub kind: CommentKind,
    /// For a question: when someone other than the asker first replied.
    pub answered_at: Option<Millis>,
    /// For a question: when the asker accepted an answer.
    pub accepted_at: Option<Millis>,
    /// For a question: id of the accepted answer.
    pub accepted_id: Option<String>,
    /// People and groups that the comment mentions, as JSON; see [`mention_ranges`].
    pub mentions: Option<String>,
}

macro_rules! select_comments {
    () => {
        "SELECT c.id, c.update_id, c.parent_id, c.media_id, c.person_id, c.guest_id, c.link_id,
         coalesce(p.name, g.name, '') AS author_name, l.name AS link_name, c.body, c.at_ms, c.until_ms, c.region,
         c.drawing, c.revision, c.created_at, c.edited_at, c.removed_at, c.resolved_at, c.kind,
         c.answered_at, c.accepted_at, c.accepted_id, c.mentions
         FROM comments c LEFT JOIN people p ON p.id = c.person_id LEFT JOIN guests g ON g.id = c.guest_id
         LEFT JOIN links l ON l.id = g.link_id "
    };
}
use select_comments;

impl Comment {
    /// Whether the viewer wrote the comment.
    pub fn is_by(&self, viewer: &Viewer) -> bool {
        match viewer {
            Viewer::Person(person) => self.person_id.as_ref() == Some(&person.id),
            Viewer::Guest(guests) => guests
                .iter()
                .any(|guest| self.guest_id.as_ref() == Some(&guest.id)),
            Viewer::Nobody => false,
        }
    }

    /// Whether the comment is a question.
    pub fn is_question(&self) -> bool {
        self.kind == CommentKind::Question
    }

    /// Id of the first comment of the thread, which may be this comment itself.
    pub fn root_id(&self) -> &str {
        self.parent_id.as_ref().unwrap_or(&self.id)
    }

    /// State of the thread. A resolved thread is `Resolved`. Any other thread that begins with a
    /// question is `Open`, `Answered` or `Accepted`. `None` if the thread begins with a remark or
    /// the question was removed.
    pub fn state(&self) -> Option<ThreadState> {
        match (
            self.resolved_at,
            self.is_question() && self.removed_at.is_none(),
        ) {
            (Some(_), _) => Some(ThreadState::Resolved),
            (None, true) if self.accepted_at.is_some() => Some(ThreadState::Accepted),
            (None, true) if self.answered_at.is_some() => Some(ThreadState::Answered),
            (None, true) => Some(ThreadState::Open),
            (None, false) => None,
        }
    }

    /// Id of the person or guest who wrote the comment.
    fn author_id(&self) -> &str {
        self.person_id
            .as_deref()
            .or(self.guest_id.as_deref())
            .unwrap_or_default()
    }
}

/// The result of adding or editing a comment.
#[derive(Debug)]
pub struct SavedComment {
    /// Id of the comment.
    pub id: String,
    /// The update that the comment belongs to.
    pub update: Update,
    /// Ids and names of mentioned people who cannot open the update.
    pub without_access: Vec<(String, String)>,
}

/// Finds a comment that the viewer may see, and its update.
pub async fn find_visible(
    connection: &mut AnyConnection,
    viewer: &Viewer,
    id: &str,
) -> Result<(Comment, Update)> {
    let update_id: Option<String> =
        sqlx::query_scalar("SELECT update_id FROM comments WHERE id = $1")
            .bind(id)
            .fetch_optional(&mut *connection)
            .await?;
    let update_id = update_id.ok_or_else(|| viewer.not_visible_error())?;
    let update = updates::find(connection, viewer, &update_id).await?;
    let comment = find_on(connection, viewer, &update, id).await?;
    Ok((comment, update))
}

/// Finds a comment on the given update. The caller must have checked that the viewer may see the
/// update. Guests find only comments in the threads of their share link.
async fn find_on(
    connection: &mut AnyConnection,
    viewer: &Viewer,
    update: &Update,
    id: &str,
) -> Result<Comment> {
    let comment: Option<Comment> = sqlx::query_as(concat!(
        select_comments!(),
        "WHERE c.id = $1 AND c.update_id = $2"
    ))
    .bind(id)
    .bind(&update.id)
    .fetch_optional(&mut *connection)
    .await?;
    let comment = comment.ok_or_else(|| viewer.not_visible_error())?;
    if let Some(guest) = viewer.guest_of(&update.id) {
        let root = comment.root_id();
        let link: Option<String> = sqlx::query_scalar("SELECT link_id FROM comments WHERE id = $1")
            .bind(root)
            .fetch_one(connection)
            .await?;
        if link.as_ref() != Some(&guest.link_id) {
            return Err(viewer.not_visible_error());
        }
    }
    Ok(comment)
}
