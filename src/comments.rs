//! Comments: threads, anchors, questions, mentions, reactions.

mod anchors;
mod history;
mod mentions;
mod questions;
mod reactions;
mod recipients;

use sqlx::{AnyConnection, FromRow};

pub use anchors::Anchor;
pub use history::{Version, history, versions_for_update};
pub use mentions::mention_ranges;
pub use questions::accept;
pub use reactions::{Reaction, ReactionTarget, react, reactions, unreact};

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::events::EventKind;
use crate::infra::db::{FetchKnown, Tx, text_enum};
pub use crate::markup::Region;
use crate::media::{self, StoredFile};
use crate::people::{self, Viewer};
use crate::updates::{self, Update};
use crate::{drafts, events, markup, notifications};

/// Maximum number of pictures in one comment.
pub const MAX_PICTURES: usize = 10;
/// The error message for an edit that leaves a comment without text.
pub const EMPTY_BODY: &str = "is empty. Write something, or remove the comment instead.";
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

/// A stored comment with the name of its writer. For a guest's comment, also has the name of the
/// share link that the guest used.
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
    /// Text in Markdown; empty after the comment was removed.
    pub body: String,
    /// Position in the video, in milliseconds from its start.
    pub at_ms: Option<Millis>,
    /// End of the time range, in milliseconds from the start of the video.
    pub until_ms: Option<Millis>,
    /// Point or region of the picture or frame that the comment is about, as JSON.
    pub region: Option<String>,
    /// Shapes drawn on the picture or frame, as JSON.
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
        "SELECT c.id, c.update_id, c.parent_id, c.media_id, c.person_id, c.guest_id, c.link_id, coalesce(p.name, g.name, '') AS author_name,
         l.name AS link_name, c.body, c.at_ms, c.until_ms, c.region, c.drawing, c.revision, c.created_at, c.edited_at, c.removed_at, c.resolved_at,
         c.kind, c.answered_at, c.accepted_at, c.accepted_id, c.mentions
         FROM comments c LEFT JOIN people p ON p.id = c.person_id LEFT JOIN guests g ON g.id = c.guest_id LEFT JOIN links l ON l.id = g.link_id "
    };
}

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

/// Input for [`add`].
#[derive(Debug, Default)]
pub struct NewComment {
    /// Text in Markdown; may be empty if there are pictures or a drawing.
    pub body: String,
    /// Whether the comment asks a question. A reply cannot be a question.
    pub is_question: bool,
    /// Id of the comment that this comment replies to.
    pub parent_id: Option<String>,
    /// The time, region or drawing that the comment refers to.
    pub anchor: Anchor,
    /// Pictures to attach, at most [`MAX_PICTURES`].
    pub pictures: Vec<StoredFile>,
    /// Name that a guest entered with the comment. Ignored if the guest already has a name.
    pub guest_name: Option<String>,
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

/// Adds a comment to an update that the viewer may see, deletes the draft of the comment, and
/// notifies people.
///
/// Returns [`Error::Conflict`] if the update is in the trash or the parent comment was removed, and
/// [`Error::Invalid`] for invalid input.
pub async fn add(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    update: &Update,
    new: &NewComment,
) -> Result<SavedComment> {
    let update_id = &update.id;
    if update.trashed_at.is_some() {
        return Err(Error::Conflict(updates::IN_TRASH.into()));
    }
    if new.is_question && new.parent_id.is_some() {
        return Err(Error::invalid(
            "kind",
            "must not be `question` in a reply: only the first comment of a thread can be a question. Leave out `parent_id` or `kind`.",
        ));
    }
    if new.body.is_empty() && new.pictures.is_empty() && new.anchor.drawing.is_empty() {
        return Err(Error::invalid(
            "body",
            "is empty. Write something, draw something or paste a picture.",
        ));
    }
    let (person, guest, link) = match viewer {
        Viewer::Person(person) => (Some(person.id.clone()), None, None),
        Viewer::Guest(_) | Viewer::Nobody => {
            let guest =
                people::named_guest_id(tx, clock, viewer, update_id, new.guest_name.as_deref())
                    .await?;
            (
                None,
                Some(guest),
                viewer
                    .guest_of(update_id)
                    .map(|guest| guest.link_id.clone()),
            )
        }
    };
    let parent = match &new.parent_id {
        Some(id) => Some(find_thread_root(tx, viewer, update, id).await?),
        None => None,
    };
    let anchor = anchors::check_anchor(tx, update, &new.anchor).await?;
    let drawn = markup::stored_drawing(&anchor.drawing)?;
    let mentions = mentions::find(tx, viewer, &new.body).await?;
    let id = clock.id();
    sqlx::query(
        "INSERT INTO comments (id, update_id, parent_id, media_id, person_id, guest_id, link_id, body, at_ms, until_ms, region, drawing, drawn, revision,
             created_at, kind, mentions)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(&id)
    .bind(update_id)
    .bind(&parent)
    .bind(&anchor.media_id)
    .bind(&person)
    .bind(&guest)
    .bind(if parent.is_none() { link } else { None })
    .bind(&new.body)
    .bind(anchor.at_ms)
    .bind(anchor.until_ms)
    .bind(anchor.region.map(Region::to_json))
    .bind(drawn.as_ref().map(|(drawing, _)| drawing))
    .bind(drawn.as_ref().map(|(_, texts)| texts))
    .bind(update.revision)
    .bind(clock.now())
    .bind(if new.is_question { CommentKind::Question } else { CommentKind::Comment })
    .bind(mentions::to_json(&mentions)?)
    .execute(&mut **tx)
    .await?;
    for picture in &new.pictures {
        media::add(tx, clock, update_id, Some(&id), picture).await?;
    }
    if let Some(person) = &person {
        // A draft of a reply may be stored under the parent comment or under the first comment of
        // the thread. Delete both.
        let mut subjects = vec![new.parent_id.as_deref().unwrap_or(drafts::COMMENT)];
        subjects.extend(parent.as_deref().filter(|root| *root != subjects[0]));
        drafts::delete(tx, person, update_id, &subjects).await?;
    }
    questions::refresh_question(tx, update_id, parent.as_ref().unwrap_or(&id)).await?;
    updates::enqueue_index(tx, clock, update_id, &id).await?;
    let actor = person.or(guest).unwrap_or_default();
    let said = recipients::PostedComment {
        update,
        id: &id,
        parent: parent.as_deref(),
        is_question: new.is_question,
        actor: &actor,
        mentions: &mentions,
    };
    let unseen = recipients::notify_recipients(tx, clock, &said).await?;
    events::record(tx, clock, EventKind::Comment, update_id, &id, &actor).await?;
    Ok(SavedComment {
        id,
        update: update.clone(),
        without_access: unseen,
    })
}

/// Returns the id of the first comment of the thread that contains the comment `id`. Fails unless
/// the viewer may reply in this thread.
async fn find_thread_root(
    tx: &mut Tx,
    viewer: &Viewer,
    update: &Update,
    id: &str,
) -> Result<String> {
    let gone = || {
        Error::Conflict(
            "The comment you are replying to has been removed. Your text is still here; you can post it as a new comment.".into(),
        )
    };
    let parent = match find_on(tx, viewer, update, id).await {
        Ok(parent) => parent,
        Err(Error::NotFound | Error::Unauthenticated) => {
            return Err(Error::invalid(
                "parent_id",
                "is not the id of a comment on this update. Leave it out to start a new thread.",
            ));
        }
        Err(error) => return Err(error),
    };
    if parent.removed_at.is_some() {
        return Err(gone());
    }
    let Some(root) = parent.parent_id else {
        return Ok(parent.id);
    };
    // Lock the first comment, so that no concurrent transaction can delete its row.
    let there = sqlx::query("UPDATE comments SET parent_id = parent_id WHERE id = $1")
        .bind(&root)
        .execute(&mut **tx)
        .await?;
    if there.rows_affected() == 1 {
        Ok(root)
    } else {
        Err(gone())
    }
}

/// Lists the comments on an update, oldest first. Guests get only the threads that were started
/// through their share link. The caller must have checked that the viewer may see the update.
pub async fn of_update(
    connection: &mut AnyConnection,
    viewer: &Viewer,
    update_id: &str,
) -> Result<Vec<Comment>> {
    let all: Vec<Comment> = sqlx::query_as(concat!(
        select_comments!(),
        "WHERE c.update_id = $1 ORDER BY c.id"
    ))
    .bind(update_id)
    .fetch_known(connection)
    .await?;
    let Some(guest) = viewer.guest_of(update_id) else {
        return Ok(all);
    };
    let mine: std::collections::HashSet<String> = all
        .iter()
        .filter(|comment| comment.link_id.as_ref() == Some(&guest.link_id))
        .map(|comment| comment.id.clone())
        .collect();
    Ok(all
        .into_iter()
        .filter(|comment| mine.contains(comment.root_id()))
        .collect())
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

async fn find_own(tx: &mut Tx, viewer: &Viewer, id: &str) -> Result<(Comment, Update)> {
    let (comment, update) = find_visible(tx, viewer, id).await?;
    if comment.removed_at.is_some() {
        return Err(Error::Conflict(REMOVED.into()));
    }
    Ok((comment, update))
}

/// Changes the text of the viewer's own comment and keeps the earlier text in the comment's
/// history. Notifies people who are mentioned for the first time.
pub async fn edit(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    body: &str,
) -> Result<SavedComment> {
    let (comment, update) = find_own(tx, viewer, id).await?;
    if !comment.is_by(viewer) {
        return Err(Error::Forbidden(format!(
            "Only {} can edit this comment.",
            comment.author_name
        )));
    }
    if body.is_empty() {
        return Err(Error::invalid("body", EMPTY_BODY));
    }
    let mentions = mentions::find(tx, viewer, body).await?;
    if body != comment.body {
        history::save_version(tx, clock, &comment).await?;
        sqlx::query("UPDATE comments SET body = $1, edited_at = $2, mentions = $3 WHERE id = $4")
            .bind(body)
            .bind(clock.now())
            .bind(mentions::to_json(&mentions)?)
            .bind(id)
            .execute(&mut **tx)
            .await?;
        updates::enqueue_index(tx, clock, &update.id, id).await?;
    }
    let unseen =
        recipients::notify_newly_mentioned(tx, clock, &update, &comment, &mentions).await?;
    events::record(
        tx,
        clock,
        EventKind::Comment,
        &update.id,
        id,
        comment.author_id(),
    )
    .await?;
    Ok(SavedComment {
        id: id.to_owned(),
        update,
        without_access: unseen,
    })
}

/// Removes a comment: deletes its text, pictures and history, and retracts its notifications. The
/// row stays, so that replies keep their thread. Only the writer may remove a comment; the update's
/// author may also remove the comments of guests. Returns the id of the update.
pub async fn remove(tx: &mut Tx, clock: &Clock, viewer: &Viewer, id: &str) -> Result<String> {
    let (comment, update) = find_visible(tx, viewer, id).await?;
    if comment.removed_at.is_some() {
        return Ok(update.id);
    }
    let hosts = comment.guest_id.is_some() && updates::must_be_author(viewer, &update).is_ok();
    if !comment.is_by(viewer) && !hosts {
        return Err(Error::Forbidden(format!(
            "Only {} can remove this comment.",
            comment.author_name
        )));
    }
    media::delete_of_comment(tx, clock, id).await?;
    sqlx::query("UPDATE comments SET body = '', mentions = NULL, drawing = NULL, drawn = NULL, removed_at = $1 WHERE id = $2")
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    history::delete_history(tx, id).await?;
    questions::refresh_question(tx, &update.id, comment.root_id()).await?;
    notifications::retract(tx, &update.id, id).await?;
    updates::enqueue_index(tx, clock, &update.id, id).await?;
    events::record(
        tx,
        clock,
        EventKind::Comment,
        &update.id,
        id,
        comment.author_id(),
    )
    .await?;
    Ok(update.id)
}

/// Resolves or reopens a thread and returns the id of the update. Anyone who may comment in the
/// thread may resolve it. A thread that begins with a question is an exception: only the asker may
/// resolve it, or the update's author if the asker is a guest.
pub async fn resolve(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    id: &str,
    resolved: bool,
) -> Result<String> {
    let (comment, update) = find_own(tx, viewer, id).await?;
    if let Viewer::Guest(_) = viewer {
        people::guest_who_may_comment(viewer, &update.id)?;
    }
    if comment.parent_id.is_some() {
        return Err(Error::Conflict(
            "A reply cannot be resolved, only a whole thread. Use the id of the thread's first comment.".into(),
        ));
    }
    let hosts = comment.guest_id.is_some() && updates::must_be_author(viewer, &update).is_ok();
    if comment.is_question() && !comment.is_by(viewer) && !hosts {
        return Err(Error::Forbidden(format!(
            "Only {} can close this question. You can post an answer instead.",
            comment.author_name
        )));
    }
    sqlx::query("UPDATE comments SET resolved_at = CASE WHEN $1 = 0 THEN NULL ELSE coalesce(resolved_at, $2) END WHERE id = $3")
        .bind(i64::from(resolved))
        .bind(clock.now())
        .bind(id)
        .execute(&mut **tx)
        .await?;
    questions::refresh_question(tx, &update.id, id).await?;
    events::record(tx, clock, EventKind::Comment, &update.id, id, "").await?;
    Ok(update.id)
}
