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
use crate::infra::db::Tx;
pub use crate::markup::Region;
use crate::media::{self, StoredFile};
use crate::people::{self, Viewer};
use crate::updates::{self, Update};
use crate::{drafts, events, markup, notifications};

/// How many pictures a comment can have.
pub const MAX_PICTURES: usize = 10;

/// A comment as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct Comment {
    /// The id.
    pub id: String,
    /// The update.
    pub update_id: String,
    /// The first comment of its thread; none for that one itself.
    pub parent_id: Option<String>,
    /// The media it points into.
    pub media_id: Option<String>,
    /// The person who wrote it.
    pub person_id: Option<String>,
    /// The guest who wrote it.
    pub guest_id: Option<String>,
    /// The link its thread was begun through; on the first comment only.
    pub link_id: Option<String>,
    /// The writer's name.
    pub author_name: String,
    /// The name of the link a guest came through.
    pub link_name: Option<String>,
    /// Markdown; empty once removed.
    pub body: String,
    /// The moment of a video.
    pub at_ms: Option<Millis>,
    /// The end of a range.
    pub until_ms: Option<Millis>,
    /// The spot of a picture or frame, as JSON.
    pub region: Option<String>,
    /// What was drawn there, as JSON.
    pub drawing: Option<String>,
    /// The update's revision it was written on.
    pub revision: i64,
    /// When it was written.
    pub created_at: Millis,
    /// When it was last changed.
    pub edited_at: Option<Millis>,
    /// When it was removed.
    pub removed_at: Option<Millis>,
    /// When its thread was resolved.
    pub resolved_at: Option<Millis>,
    /// `comment` or `question`.
    pub kind: String,
    /// Of a question: when someone else first replied.
    pub answered_at: Option<Millis>,
    /// Of a question: when its asker accepted an answer.
    pub accepted_at: Option<Millis>,
    /// Which one that is.
    pub accepted_id: Option<String>,
    /// The people and groups it names, as JSON; see [`mention_ranges`].
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
    /// Whether the viewer wrote it.
    pub fn is_by(&self, viewer: &Viewer) -> bool {
        match viewer {
            Viewer::Person(person) => self.person_id.as_ref() == Some(&person.id),
            Viewer::Guest(guests) => guests
                .iter()
                .any(|guest| self.guest_id.as_ref() == Some(&guest.id)),
            Viewer::Nobody => false,
        }
    }

    /// Whether it is a question.
    pub fn is_question(&self) -> bool {
        self.kind == "question"
    }

    /// The first comment of its thread, which may be itself.
    pub fn root_id(&self) -> &str {
        self.parent_id.as_ref().unwrap_or(&self.id)
    }

    /// `open`, `answered`, `accepted` of a question, `resolved` of any thread, or nothing.
    pub fn state(&self) -> Option<&'static str> {
        match (
            self.resolved_at,
            self.is_question() && self.removed_at.is_none(),
        ) {
            (Some(_), _) => Some("resolved"),
            (None, true) if self.accepted_at.is_some() => Some("accepted"),
            (None, true) if self.answered_at.is_some() => Some("answered"),
            (None, true) => Some("open"),
            (None, false) => None,
        }
    }

    /// The id of who wrote it, person or guest.
    fn author_id(&self) -> &str {
        self.person_id
            .as_deref()
            .or(self.guest_id.as_deref())
            .unwrap_or_default()
    }
}

/// A comment to be written.
#[derive(Debug, Default)]
pub struct NewComment {
    /// Markdown; may be empty where there are pictures or a drawing.
    pub body: String,
    /// Whether it is a question.
    pub is_question: bool,
    /// The comment it answers.
    pub parent_id: Option<String>,
    /// Where it points.
    pub anchor: Anchor,
    /// Pasted pictures.
    pub pictures: Vec<StoredFile>,
    /// The name of a guest who has none yet.
    pub guest_name: Option<String>,
}

/// A comment that was added or edited.
#[derive(Debug)]
pub struct SavedComment {
    /// The id of the comment.
    pub id: String,
    /// The update it is on.
    pub update: Update,
    /// The people it mentions who cannot see the update: ids and names.
    pub without_access: Vec<(String, String)>,
}

/// Writes a comment on an update that the viewer may see, and deletes its draft.
pub async fn add(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    update: &Update,
    new: &NewComment,
) -> Result<SavedComment> {
    let update_id = &update.id;
    if update.trashed_at.is_some() {
        return Err(Error::Conflict(
            "This update is in the trash. Restore it first.".into(),
        ));
    }
    if new.is_question && new.parent_id.is_some() {
        return Err(Error::invalid(
            "kind",
            "is a question in a reply; only what begins a thread can be one. Leave out `parent_id`, or `kind`.",
        ));
    }
    if new.body.is_empty() && new.pictures.is_empty() && new.anchor.drawing.is_empty() {
        return Err(Error::invalid(
            "body",
            "is empty. Write something, draw, or paste a picture.",
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
    .bind(if new.is_question { "question" } else { "comment" })
    .bind(mentions::to_json(&mentions)?)
    .execute(&mut **tx)
    .await?;
    for picture in &new.pictures {
        media::add(tx, clock, update_id, Some(&id), picture).await?;
    }
    if let Some(person) = &person {
        // The draft of a reply belongs to the comment that is answered, or to its thread.
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
    events::record(tx, clock, "comment", update_id, &id, &actor).await?;
    Ok(SavedComment {
        id,
        update: update.clone(),
        without_access: unseen,
    })
}

/// The first comment of the thread that `id` is in, if the viewer may answer there.
async fn find_thread_root(
    tx: &mut Tx,
    viewer: &Viewer,
    update: &Update,
    id: &str,
) -> Result<String> {
    let gone = || {
        Error::Conflict(
            "The comment you answer was removed meanwhile. What you wrote is still here; post it as a comment of its own.".into(),
        )
    };
    let parent = match find_on(tx, viewer, update, id).await {
        Ok(parent) => parent,
        Err(Error::NotFound | Error::Unauthenticated) => {
            return Err(Error::invalid(
                "parent_id",
                "names no comment of this update. Leave it out to begin a thread.",
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
    // Locks the thread's beginning against being removed at this moment.
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

/// All comments of an update that the viewer may see, in order: people see all, guests the threads begun through their link.
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
    .fetch_all(connection)
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

/// One comment that the viewer may see, and its update.
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

/// Finds a comment on an update that the viewer may see. Guests see only the threads of their link.
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
        return Err(Error::Conflict(
            "This comment was removed meanwhile.".into(),
        ));
    }
    Ok((comment, update))
}

/// Changes the words of a comment of one's own; the earlier ones stay in its history. Who is named only now is told.
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
        return Err(Error::invalid(
            "body",
            "is empty. To take the comment away, remove it.",
        ));
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
    events::record(tx, clock, "comment", &update.id, id, comment.author_id()).await?;
    Ok(SavedComment {
        id: id.to_owned(),
        update,
        without_access: unseen,
    })
}

/// Removes a comment of one's own, words, pictures and history; with replies a mark stays. Nobody is told of it any more. The author of an
/// update may remove what guests wrote.
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
    events::record(tx, clock, "comment", &update.id, id, comment.author_id()).await?;
    Ok(update.id)
}

/// Resolves a thread, or opens it again: whoever may comment there. A question is closed by its asker; that of a guest also by the update's author.
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
            "Only a whole thread can be resolved: name its first comment.".into(),
        ));
    }
    let hosts = comment.guest_id.is_some() && updates::must_be_author(viewer, &update).is_ok();
    if comment.is_question() && !comment.is_by(viewer) && !hosts {
        return Err(Error::Forbidden(format!(
            "Only {} can close this question. Answer it.",
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
    events::record(tx, clock, "comment", &update.id, id, "").await?;
    Ok(update.id)
}
