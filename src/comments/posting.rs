//! New comments and replies: who may post them, and what they may contain.

use super::notifications::PostedComment;
use super::{
    Anchor, CommentKind, Region, SavedComment, anchors, find_on, mentions, notifications, questions,
};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::events::EventKind;
use crate::infra::db::Tx;
use crate::media::{self, StoredFile};
use crate::people::{self, Viewer};
use crate::updates::{self, Update};
use crate::{drafts, events, markup};

/// Maximum number of pictures in one comment.
pub const MAX_PICTURES: usize = 10;

/// Input for [`add`].
#[derive(Debug, Default)]
pub struct NewComment {
    /// Text in Markdown; may be empty if there are pictures or a drawing.
    pub body: String,
    /// Whether the comment asks a question. A reply cannot be a question.
    pub is_question: bool,
    /// Id of the comment that this comment replies to.
    pub parent_id: Option<String>,
    /// What the comment points to; see [`Anchor`].
    pub anchor: Anchor,
    /// Pictures to attach, at most [`MAX_PICTURES`].
    pub pictures: Vec<StoredFile>,
    /// Name that a guest entered with the comment. Ignored if the guest already has a name.
    pub guest_name: Option<String>,
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
    check_content(update, new)?;
    let update_id = &update.id;
    let poster = find_poster(tx, clock, viewer, update_id, new.guest_name.as_deref()).await?;
    let parent = match &new.parent_id {
        Some(id) => Some(find_thread_root(tx, viewer, update, id).await?),
        None => None,
    };
    let anchor = anchors::check_anchor(tx, update, &new.anchor).await?;
    let mentions = mentions::find(tx, viewer, &new.body).await?;
    let id = clock.id();
    let said = PostedComment {
        update,
        id: &id,
        parent: parent.as_deref(),
        is_question: new.is_question,
        actor: poster.id(),
        mentions: &mentions,
    };
    insert(tx, clock, &said, &poster, &new.body, &anchor).await?;
    for picture in &new.pictures {
        media::add(tx, clock, update_id, Some(&id), picture).await?;
    }
    if let Poster::Person(person) = &poster {
        delete_drafts(tx, person, &said, new.parent_id.as_deref()).await?;
    }
    questions::refresh_question(tx, update_id, parent.as_ref().unwrap_or(&id)).await?;
    updates::enqueue_index(tx, clock, update_id, &id).await?;
    let unseen = notifications::notify_recipients(tx, clock, &said).await?;
    events::record(tx, clock, EventKind::Comment, update_id, &id, poster.id()).await?;
    Ok(SavedComment {
        id,
        update: update.clone(),
        without_access: unseen,
    })
}

/// Who posts a comment.
enum Poster {
    /// The id of the person.
    Person(String),
    /// The id of the guest, and the id of the share link through which the guest came.
    Guest(String, Option<String>),
}

impl Poster {
    fn id(&self) -> &str {
        match self {
            Self::Person(id) | Self::Guest(id, _) => id,
        }
    }
}

/// Returns the person or guest who posts the comment. If a guest has no name yet, stores the name
/// that the guest entered.
async fn find_poster(
    tx: &mut Tx,
    clock: &Clock,
    viewer: &Viewer,
    update_id: &str,
    guest_name: Option<&str>,
) -> Result<Poster> {
    if let Viewer::Person(person) = viewer {
        return Ok(Poster::Person(person.id.clone()));
    }
    let guest = people::named_guest_id(tx, clock, viewer, update_id, guest_name).await?;
    let link = viewer
        .guest_of(update_id)
        .map(|guest| guest.link_id.clone());
    Ok(Poster::Guest(guest, link))
}

async fn insert(
    tx: &mut Tx,
    clock: &Clock,
    said: &PostedComment<'_>,
    poster: &Poster,
    body: &str,
    anchor: &Anchor,
) -> Result<()> {
    let drawn = markup::stored_drawing(&anchor.drawing)?;
    let (person, guest, link) = match poster {
        Poster::Person(person) => (Some(person), None, None),
        Poster::Guest(guest, link) => (None, Some(guest), link.as_ref()),
    };
    sqlx::query(
        "INSERT INTO comments (id, update_id, parent_id, media_id, person_id, guest_id, link_id, body, at_ms,
         until_ms, region, drawing, drawn, revision, created_at, kind, mentions)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(said.id)
    .bind(&said.update.id)
    .bind(said.parent)
    .bind(&anchor.media_id)
    .bind(person)
    .bind(guest)
    .bind(link.filter(|_| said.parent.is_none()))
    .bind(body)
    .bind(anchor.at_ms)
    .bind(anchor.until_ms)
    .bind(anchor.region.map(Region::to_json))
    .bind(drawn.as_ref().map(|(drawing, _)| drawing))
    .bind(drawn.as_ref().map(|(_, texts)| texts))
    .bind(said.update.revision)
    .bind(clock.now())
    .bind(if said.is_question { CommentKind::Question } else { CommentKind::Comment })
    .bind(mentions::to_json(said.mentions)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Deletes the person's draft of the comment. The draft of a reply may be stored under the parent
/// comment or under the first comment of the thread, so this function deletes the drafts under
/// both.
async fn delete_drafts(
    tx: &mut Tx,
    person: &str,
    said: &PostedComment<'_>,
    parent: Option<&str>,
) -> Result<()> {
    let mut subjects = vec![parent.unwrap_or(drafts::COMMENT)];
    subjects.extend(said.parent.filter(|root| *root != subjects[0]));
    drafts::delete(tx, person, &said.update.id, &subjects).await
}

fn check_content(update: &Update, new: &NewComment) -> Result<()> {
    if update.trashed_at.is_some() {
        return Err(Error::Conflict(updates::IN_TRASH.into()));
    }
    questions::check_is_first(new.is_question, new.parent_id.is_some())?;
    if new.body.is_empty() && new.pictures.is_empty() && new.anchor.drawing.is_empty() {
        return Err(Error::invalid(
            "body",
            "is empty. Write something, draw something or paste a picture.",
        ));
    }
    Ok(())
}

/// Returns the id of the first comment of the thread that contains the comment `id`. Fails if the viewer may not reply
/// to that comment, or if it was removed.
async fn find_thread_root(
    tx: &mut Tx,
    viewer: &Viewer,
    update: &Update,
    id: &str,
) -> Result<String> {
    let gone = || {
        Error::Conflict(
            "The comment you are replying to has been removed. Your text is still here; \
             you can post it as a new comment."
                .into(),
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
